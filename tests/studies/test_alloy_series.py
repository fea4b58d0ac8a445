from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted_columns import alloys, first, without

from stemnet import resources
from stemnet.detection.segmenter import find_columns
from stemnet.errors import StemnetError
from stemnet.models.checkpoint import load
from stemnet.reading import read_micrograph
from stemnet.report.style import save
from stemnet.studies import Measured
from stemnet.studies.alloy_series import study

A_RES2 = 3.16 * (1 + 0.012 * 0.95)  # mean metal spacing of the last [A]
REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "real"
SERIES = ("remos2_05", "remos2_55", "remos2_95")


@pytest.fixture(scope="module")
def found():
    return study(alloys(SERIES))


@pytest.fixture(scope="module")
def noisy():
    """As at a dose of 3000 e/A^2: positions are off by a sixth of the chains' amplitude and more."""
    return study(alloys(SERIES[::2], 3000 / 1.4e5), shells=1)


def test_of_one_species_it_is_not_said_which_it_is(found):
    (one,) = alloys(SERIES[:1])
    intensity = 100 + np.random.default_rng(0).normal(size=len(one.columns))
    pure = replace(one, truth=None, columns=one.columns.with_fields(intensity=intensity))
    assert "cannot be told in remos2_05: there the share is a guess" in study([pure], shells=1).summary
    assert "cannot be told" not in found.summary


@pytest.mark.skipif(not (REAL / "mos2_re05.tiff").is_file(), reason="the shared micrographs are not here")
def test_rhenium_of_a_real_sheet_is_that_of_its_bright_columns():
    micrograph = read_micrograph(REAL / "mos2_re05.tiff")
    columns = find_columns(micrograph, load(resources.weights())).columns
    bright = columns["intensity"] > 1.6 * np.median(columns["intensity"][columns["intensity"] > 2e4])
    assert 8 <= bright.sum() <= 16
    (share,) = [
        number.value
        for number in study([Measured("re05", micrograph, columns)], shells=1).numbers
        if number.quantity.startswith("global composition")
    ]
    metals = len(columns) / 2
    assert share == pytest.approx(bright.sum() / metals, abs=0.005)


def numbers(findings, name):
    return {number.quantity: number for number in findings.numbers if number.input == name}


def test_every_aim_of_the_series_is_reached(found):
    aims = [number for number in found.numbers if number.holds is not None]
    for number in aims:
        print(f"{number.input}: {number.quantity}: {number.value:.4g} (truth {number.truth:.4g})")
    assert len(aims) == 2 * len(SERIES) + 4
    assert all(number.holds for number in aims)
    together = numbers(found, "all")
    assert together["correlation of scores with planted amplitudes"].value > 0.985
    assert together["largest angle between found and planted modes"].value < 3


def test_composition_is_that_of_the_frame_and_neighbors_are_counted(found):
    for name in SERIES:
        known = numbers(found, name)
        share = known["global composition, share of Re"]
        assert share.value == pytest.approx(share.truth, abs=0.002)
        assert known["error of local composition, root mean square"].value < 0.01
        assert known["unlike neighbors counted rightly, share"].value > 0.98


def test_at_a_low_dose_expected_scores_hold_the_aim_that_plain_ones_miss(noisy):
    together = numbers(noisy, "all")
    plain = together["correlation of scores with planted amplitudes"].value
    expected = together["correlation of expected scores with planted amplitudes"].value
    angle = together["largest angle between found and planted modes"].value
    print(f"dose 3000: scores {plain:.4f}, as expected {expected:.4f}, modes off by {angle:.2f} degrees")
    assert plain > 0.93
    assert expected > 0.96
    assert expected > plain + 0.015
    assert angle < 6


def test_chains_break_the_symmetry_where_rhenium_gathers_and_not_where_it_is_rare(found):
    table = next(table for table in found.tables if table.name == "two_peaks").values
    for name, some in zip(SERIES, (False, True, True), strict=True):
        two = table["two"][table["image"] == name] == 1
        assert two.any() == some, name
    assert "remos2_95" in found.summary


def test_tables_keep_the_rows_of_the_columns(found):
    inputs = dict(zip(SERIES, alloys(SERIES), strict=True))
    for name, one in inputs.items():
        table = next(table for table in found.tables if table.name == f"{name}_alloy").values
        np.testing.assert_array_equal(table["y_px"], one.columns.yx[:, 0])
        right = table["species"] == one.truth.of("species")
        assert right.mean() > 0.99


def test_every_picture_is_drawn(found, tmp_path):
    names = [picture.name for picture in found.pictures]
    assert names == ["modes", "violins", "score_surface", "order", *(f"{name}_alloy" for name in SERIES)]
    for picture in found.pictures[:5]:
        save(picture.draw(), tmp_path / f"{picture.name}.png")


def test_without_a_pixel_size_lengths_are_in_bonds_and_modes_are_the_same(found):
    (one,) = alloys(SERIES[2:], sampled=False)
    bonds = study([one], shells=1)
    assert any("no pixel size" in note for note in bonds.notes)
    # the chains of this image alone, in the pixels of the whole series
    size = numbers(found, one.name)["mean distortion, length over all modes"].value
    bond = 100 * A_RES2
    assert numbers(bonds, one.name)["mean distortion, length over all modes"].value == pytest.approx(
        100 * size / bond, rel=0.05
    )
    units = {number.unit for number in bonds.numbers}
    assert "% a" in units
    assert not units & {"pm", "px"}
    assert any("surface needs 6" in note for note in bonds.notes)


def test_what_cannot_be_computed_is_a_note_and_the_rest_is_there():
    (one,) = alloys(SERIES[1:2])
    bare = study([without(one, "sigma_y", "sigma_x")], shells=1)
    assert any("no standard errors" in note for note in bare.notes)
    assert not any("planted" in number.quantity for number in bare.numbers)
    both = study([first(one, 3), one], shells=1)
    assert any("No lattice was found in 3 columns" in note for note in both.notes)
    assert {number.input for number in both.numbers} == {one.name, "all"}


def test_what_no_series_can_be_made_of_gets_a_sentence():
    (one,) = alloys(SERIES[1:2])
    with pytest.raises(StemnetError, match="No lattice was found in 3 columns"):
        study([first(one, 3)])
    with pytest.raises(StemnetError, match="Sublattice 4 was asked for"):
        study([one], sublattice=4)
    with pytest.raises(StemnetError, match="two or more on a sublattice"):
        study([one], species=["Re"])
    with pytest.raises(StemnetError, match="need the field 'intensity'"):
        study([without(one, "intensity", "intensity_sigma")])
