"""The movie study on the bundled movie, its columns where they are to within a known error, and on bad input."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from stemnet.columns import Columns
from stemnet.errors import StemnetError
from stemnet.micrograph import Micrograph
from stemnet.simulation.examples import load_example, movie_names
from stemnet.studies import Measured, Truth
from stemnet.studies.movie import study

ERROR = 0.2  # of the positions [px]
MISSED = 0.02  # share of the columns that are not found


@cache
def filmed():
    example = load_example(*movie_names())
    true = example.columns
    rng = np.random.default_rng(0)
    rows = np.flatnonzero(rng.random(len(true)) > MISSED)
    light = np.asarray(true["intensity"], float)[rows] * rng.lognormal(0, 0.1, len(rows))
    sigma = np.full(len(rows), ERROR)
    fields = {"frame": true["frame"][rows], "intensity": light, "sigma_y": sigma, "sigma_x": sigma}
    columns = Columns(true.yx[rows] + rng.normal(0, ERROR, (len(rows), 2)), true.shape, true.sampling, fields)
    return Measured("movie", example.micrograph, columns, Truth(true, rows))


@cache
def found():
    return study([filmed()], seed=0)


def number(words, findings=None):
    return next(one for one in (findings or found()).numbers if words in one.quantity)


def test_every_aim_is_reached():
    for one in found().numbers:
        if one.holds is not None:
            print(one.quantity, one.value)
    assert len([one for one in found().numbers if one.holds is not None]) == 6
    assert not [one.quantity for one in found().numbers if one.holds is False]


def test_the_drift_is_known_to_a_few_hundredths_of_a_pixel():
    error = number("error of a frame's place").value
    print("error", error, "said", number("median standard error").value)
    assert error < 0.04
    assert error < 2 * number("median standard error").value


def test_rows_are_put_where_they_belong():
    wholes, rows = number("shifted as wholes").value, number("shifted row by row").value
    print("left", wholes, rows)
    assert rows < 0.3 * wholes


def test_the_three_kinds_are_told_apart_and_only_the_adatoms_jump():
    jumps = {one.quantity: one for one in found().numbers if "rate of jumps" in one.quantity}
    print({name: one.value for name, one in jumps.items()})
    assert len(jumps) == 3
    assert jumps["kind 0: rate of jumps"].value > 10 * max(
        jumps[f"kind {kind}: rate of jumps"].value for kind in (1, 2)
    )
    tracks = next(table for table in found().tables if table.name == "movie_tracks")
    species = filmed().truth.of("species")
    for kind, name in enumerate(("Pt", "Mo", "S2")):
        assert (species[tracks.values["kind"] == kind] == name).mean() > 0.99


def test_tables_hold_a_row_a_frame_and_a_row_a_column():
    frames, tracks, stays = found().tables
    assert len(frames.values["frame"]) == 48
    assert {len(values) for values in tracks.values.values()} == {len(filmed().columns)}
    assert {len(values) for values in stays.values.values()} == {tracks.values["stay"].max() + 1}


def test_the_pictures_can_be_drawn():
    names = [picture.name for picture in found().pictures]
    assert names == ["movie_registration", "movie_tracks"]
    for picture in found().pictures:
        assert picture.draw().axes


def test_times_are_in_frames_where_the_file_says_nothing():
    short = shortened(12)
    without = replace(short.micrograph, metadata={})
    rate = number("rate of jumps", study([replace(short, micrograph=without)], rows=False))
    assert rate.unit == "1/frame"
    twice = number("rate of jumps", study([replace(short, micrograph=without)], rows=False, seconds=2.0))
    assert twice.unit == "1/s"
    assert twice.value == pytest.approx(rate.value / 2)


def shortened(frames, truth=False):
    whole = filmed()
    early = np.flatnonzero(whole.columns["frame"] < frames)
    image = replace(whole.micrograph, image=whole.micrograph.image[:frames])
    known = Truth(whole.truth.columns, whole.truth.partner[early]) if truth else None
    return replace(whole, micrograph=image, columns=whole.columns.select(early), truth=known)


def test_a_single_image_is_refused_and_the_others_go_on():
    single = Measured("single", Micrograph(filmed().micrograph.image[0]), filmed().columns)
    with pytest.raises(StemnetError, match="two frames"):
        study([single])
    both = study([single, shortened(6)], rows=False)
    assert any("single" in note and "two frames" in note for note in both.notes)


def test_without_columns_frames_are_registered_all_the_same():
    short = shortened(6)
    none = replace(short, columns=short.columns.select(np.zeros(0, int)))
    result = study([none], rows=False)
    assert number("signal-to-noise of the mean, after", result).value > 0
    assert any("two frames" in note for note in result.notes)
    assert [picture.name for picture in result.pictures] == ["movie_registration"]


def test_three_columns_are_followed_without_a_lattice():
    short = shortened(8)
    bright = np.argsort(-short.columns["intensity"][short.columns["frame"] == 0])[:3]
    near = np.zeros(len(short.columns), bool)
    for place in short.columns.yx[short.columns["frame"] == 0][bright]:
        near |= np.hypot(*(short.columns.yx - place).T) < 8
    result = study([replace(short, columns=short.columns.select(near))], rows=False)
    assert any("no lattice" in note for note in result.notes)
    assert number("tracks", result).value >= 1
    for picture in result.pictures:
        assert picture.draw().axes


def test_blank_frames_are_named():
    short = shortened(8)
    image = short.micrograph.image.copy()
    image[3] = 0
    result = study([replace(short, micrograph=replace(short.micrograph, image=image))], rows=False)
    assert any("1 of 8 frames" in note and "3" in note for note in result.notes)
