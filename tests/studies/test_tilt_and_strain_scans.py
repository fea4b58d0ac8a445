from functools import cache

import numpy as np
import pytest
from wandering_lattice import SAMPLING, SIDE, image_of, offsets, planted_at, strained

from stemnet.columns import Columns
from stemnet.errors import StemnetError
from stemnet.micrograph import Micrograph
from stemnet.studies import Measured
from stemnet.studies.framework import Framework, find_framework
from stemnet.studies.tilt_and_strain import study
from stemnet.studies.tilt_and_strain_lines import common_to_lines, error_of, with_lines, within_lines
from stemnet.studies.tilt_and_strain_maps import strain_maps
from stemnet.studies.tilt_and_strain_scans import offset_between, turned

NAMES = ("eps_yy", "eps_xx", "eps_yx", "rotation_rad")
APART = np.array([4.0, -7.0])  # of the second scan [px]


def test_what_scan_lines_have_in_common_is_their_mean():
    y = np.repeat(np.arange(5.0), 4)
    values = 10 * y + np.tile([-1.0, 1.0, -1.0, np.nan], 5)
    np.testing.assert_allclose(common_to_lines(values, y, 1.0), 10 * y - 1 / 3)
    assert error_of(values, np.zeros(20)) == pytest.approx(np.sqrt(200 + np.nanvar([-1, 1, -1])))
    assert np.isnan(error_of(values, np.full(20, np.nan)))


def test_error_bars_of_one_scan_cover_what_its_lines_did():
    lattice, pulls, within = None, [], []
    for seed in range(14):
        rng = np.random.default_rng(seed)
        columns, planted, _ = strained(rng, lines=offsets(rng))
        lattice = lattice or find_framework(columns).lattice
        label = (columns["intensity"] < 2500).astype(int)
        found = Framework(columns.with_fields(sublattice=label), lattice, np.ones(len(columns), bool))
        blank = np.zeros(columns.shape)
        maps = with_lines(strain_maps(blank, found, resolution=0.95, reference=None, notes=[]))
        true = planted_at(planted, maps.yx, maps.resolution)
        off = maps.positions[:, :4] - true
        off -= np.nanmean(off, axis=0)
        pulls.append((off / maps.sigma[:, :4])[np.isfinite(off).all(axis=1)])
        known = np.where(np.isfinite(off), true, np.nan)
        inner = within_lines(maps, maps.positions[:, :4]) - within_lines(maps, known)
        within.append(np.nanstd(inner, axis=0))
    one, two = ((np.abs(np.concatenate(pulls)) < times).mean(axis=0) for times in (1, 2))
    print(one, two)
    assert ((one > 0.58) & (one < 0.78)).all()
    assert (two > 0.91).all()
    assert (np.mean(within, axis=0) < 1.1e-3).all()


def test_a_probe_that_is_not_equally_fast_along_its_line_is_told_of_and_an_inclusion_is_not():
    x = np.arange(SIDE)
    unsteady = np.stack([0.0 * x, 0.6 * np.sin(2 * np.pi * x / 200)], axis=1)
    said = {}
    for name, columns in (("steady", None), ("unsteady", unsteady)):
        found, _, _ = strained(np.random.default_rng(1), columns=columns)
        bare = Measured(name, Micrograph(np.zeros((SIDE, SIDE), np.float32), SAMPLING), found)
        said[name] = [note for note in study([bare]).notes if "eps_xx varies" in note]
    print(said)
    assert said["steady"] == []
    # 2 pi 0.6 / 200 / sqrt(2) is 1.3 %, less what smoothing takes and the inclusion adds
    assert len(said["unsteady"]) == 1
    assert 0.9 < float(said["unsteady"][0].split("varies by ")[1].split(" %")[0]) < 1.4


@cache
def scans():
    """Two scans of one specimen, the second written along y and kept turned, and what was planted."""
    rng = np.random.default_rng(5)
    first, planted, (exact, bright) = strained(rng, lines=offsets(rng))
    second, _, (other, _) = strained(rng, columns=offsets(rng)[:, ::-1])
    one = Measured("one", Micrograph(image_of(exact, bright, rng), SAMPLING), first)
    moved = Columns(second.yx + APART, second.shape, SAMPLING, dict(second.fields))
    upright = Measured("two", Micrograph(image_of(other + APART, bright, rng), SAMPLING), moved)
    return one, turned(upright, 270), planted


def test_a_turn_there_and_back_is_none_and_moves_columns_with_the_image():
    one, two, _ = scans()
    back = turned(turned(one, 90), 270)
    np.testing.assert_array_equal(back.micrograph.frames[0], one.micrograph.frames[0])
    np.testing.assert_allclose(back.columns.yx, one.columns.yx)
    image = two.micrograph.frames[0]
    y, x = np.rint(two.columns.yx).astype(int).T
    inside = (y >= 0) & (y < SIDE) & (x >= 0) & (x < SIDE)
    assert image[y[inside], x[inside]].mean() > 8 * image.mean() / 2
    np.testing.assert_allclose(
        offset_between(one.micrograph.frames[0], turned(two, 90).micrograph.frames[0]), APART, atol=1.5
    )


def test_two_scans_tell_all_that_one_cannot():
    one, two, planted = scans()
    alone, both = study([one]), study([one, two], second_scan=90)
    errors = {}
    for name, found in (("alone", alone), ("both", both)):
        (table,) = found.tables
        values, yx = table.values, np.stack([table.values["y_px"], table.values["x_px"]], axis=1)
        size = next(n.value for n in found.numbers if "resolution" in n.quantity) / SAMPLING
        true = planted_at(planted, yx, size)
        errors[name] = np.array([
            [error_of(values[f"{way}_{what}"], true[:, i]) for i, what in enumerate(NAMES)]
            for way in ("positions", "phase")
        ])  # fmt: skip
    print(errors)
    assert (errors["both"] < 1e-3).all()
    assert (errors["alone"][:, [0, 2, 3]] > 1.3e-3).all()
    assert any("Scan lines have moved" in note for note in alone.notes)
    assert not any("scan" in note.lower() for note in both.notes)


def test_scans_that_do_not_belong_together_are_told_of():
    one, two, _ = scans()
    wrong = study([one, two], second_scan=270)
    assert any("contradict each other" in note for note in wrong.notes)
    with pytest.raises(StemnetError, match="needs two"):
        study([one], second_scan=90)
    with pytest.raises(StemnetError, match="90 or 270"):
        study([one, two], second_scan=45)
