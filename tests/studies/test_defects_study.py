"""The study of defects on bundled truth with noise: what is planted is found, what is not is not."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from stemnet.columns import Columns
from stemnet.errors import StemnetError
from stemnet.micrograph import Micrograph
from stemnet.simulation.examples import load_example
from stemnet.studies import Measured, Truth
from stemnet.studies.defects import study

SEEN = 5.0
FAINT = 2.0  # the single sulfur atoms, too
POSITION, LIGHT = 0.1, 0.05


def measured(name, *, extra=None, seed=0, least=SEEN):
    """True columns with errors of position [px] and of light, and columns added at places (E, 2) [px]."""
    example = load_example(name)
    true = example.columns
    rows = np.nonzero(true["signal_to_noise"] >= least)[0]
    rng = np.random.default_rng(seed)
    yx = true.yx[rows] + rng.normal(0, POSITION, (len(rows), 2))
    intensity = np.asarray(true["intensity"], float)[rows] * rng.normal(1, LIGHT, len(rows))
    partner = rows
    if extra is not None:
        yx = np.concatenate([yx, extra])
        intensity = np.append(intensity, np.full(len(extra), np.median(intensity)))
        partner = np.append(rows, np.full(len(extra), -1))
    sigma = np.full(len(yx), POSITION)
    fields = {
        "intensity": intensity,
        "intensity_sigma": LIGHT * intensity,
        "sigma_y": sigma,
        "sigma_x": sigma,
        "frame": np.zeros(len(yx), int),
    }
    columns = Columns(yx, true.shape, true.sampling, fields)
    truth = Truth(true, partner, example.fields, example.field_step, example.vacancies)
    return Measured(name, example.micrograph, columns, truth)


@cache
def studied(name, least=SEEN):
    return study([measured(name, least=least)], shown=6)


def numbers(findings):
    for one in findings.numbers:
        aim = f" [{one.least:g}, {one.most:g}]: {one.holds}" if one.holds is not None else ""
        print(f"  {one.input}: {one.quantity}: {one.value:.4g} {one.unit}{aim}")
    return {one.quantity.split(", share of ")[0]: one for one in findings.numbers}


def kinds(findings):
    return next(table for table in findings.tables if table.name.endswith("_defects")).values


@pytest.mark.parametrize("name", ["mos2_defects", "graphene_low_dose"])
def test_vacancies_and_substitutions_of_a_sheet_are_all_found(name):
    found = studied(name, FAINT)
    told = numbers(found)
    for quantity in ("missing columns off rims and surfaces", "substitutions"):
        assert told[f"{quantity} that are found"].value == 1
        assert told[f"of called {quantity}, planted"].value == 1
    assert told["point defects called where none is planted, of 1000 columns"].value == 0
    table = kinds(found)
    missing = table["kind"] == "vacancy"
    assert (table["probability"][missing] > 0.9).all()
    # the light of the image itself says so
    assert (table["score_sigma"][missing] > 4).all()
    assert (table["column"][missing] == -1).all()


@pytest.mark.parametrize("name", ["bifeo3_closure", "srtio3_mistilt"])
def test_a_perfect_crystal_has_no_defects(name):
    found = studied(name, 10.0)
    rate = numbers(found)["point defects called where none is planted, of 1000 columns"]
    assert rate.value == 0
    assert "no defect" in found.summary


def test_dislocations_have_their_number_their_place_and_their_vectors():
    told = numbers(studied("dislocations"))
    assert told["dislocations"].value == 2
    assert told["distance of the dislocation cores from the planted ones, largest"].value < 1.6
    assert told["sum of the Burgers vectors of the dipole, in lattice vectors"].value == 0
    lengths = [one.value for name, one in told.items() if name.startswith("Burgers vector ")]
    np.testing.assert_allclose(lengths, 3.19, rtol=0.02)


def test_the_columns_of_a_boundary_and_its_angle():
    told = numbers(studied("grain_boundary"))
    assert told["columns at the grain boundary that are found"].value >= 0.95
    assert told["of called columns at the grain boundary, planted"].value >= 0.95
    assert told["misorientation of the grains"].value == pytest.approx(36.87, abs=0.15)
    assert told["point defects called where none is planted, of 1000 columns"].value == 0


def test_columns_put_between_others_are_interstitials():
    plain = measured("bifeo3_closure", least=10.0)
    bright = plain.columns.yx[plain.columns["intensity"] > np.median(plain.columns["intensity"])]
    rng = np.random.default_rng(4)
    inside = ((bright > 60) & (bright < 452)).all(axis=1)
    chosen = bright[inside][rng.choice(inside.sum(), 5, replace=False)]
    # the middle of an edge of the cell of 3.96 A
    along = bright[[np.argsort(np.hypot(*(bright - place).T))[1] for place in chosen]]
    extra = (chosen + along) / 2
    table = kinds(study([measured("bifeo3_closure", extra=extra, least=10.0)]))
    added = table["kind"] == "interstitial"
    print("interstitials found", added.sum(), "of 5; all:", np.unique(table["kind"], return_counts=True))
    assert added.sum() == 5
    places = np.column_stack([table["y_px"], table["x_px"]])[added]
    assert all(np.hypot(*(extra - place).T).min() < 1e-6 for place in places)
    assert added.all()


def test_a_displaced_column_is_a_misfit():
    plain = measured("bifeo3_closure", least=10.0)
    row = np.hypot(*(plain.columns.yx - 256).T).argmin()
    yx = plain.columns.yx.copy()
    yx[row] += [3.0, 3.0]
    moved = replace(
        plain, columns=Columns(yx, plain.columns.shape, plain.columns.sampling, plain.columns.fields)
    )
    table = kinds(study([moved]))
    assert table["kind"].tolist() == ["distorted"]
    assert table["column"].tolist() == [row]
    print(f"misfit of a column 0.68 A off its place: {table['score_sigma'][0]:.1f} standard errors")


def test_every_column_keeps_its_row_and_every_defect_its_score():
    one, found = measured("mos2_defects", least=FAINT), studied("mos2_defects", FAINT)
    rows = next(table for table in found.tables if table.name.endswith("_neighborhoods")).values
    np.testing.assert_allclose(rows["y_px"], one.columns.yx[:, 0])
    table = kinds(found)
    there = table["column"] >= 0
    np.testing.assert_array_equal(rows["kind"][table["column"][there]], table["kind"][there])
    assert np.isfinite(table["score_sigma"]).all()
    for picture in found.pictures:
        assert len(picture.draw().axes) >= 3


def test_without_intensities_the_rest_is_still_found():
    one = measured("mos2_defects", least=FAINT)
    fields = {name: values for name, values in one.columns.fields.items() if "intensity" not in name}
    bare = replace(one, columns=Columns(one.columns.yx, one.columns.shape, one.columns.sampling, fields))
    found = study([bare])
    assert any("no intensity" in note for note in found.notes)
    assert numbers(found)["missing columns off rims and surfaces that are found"].value >= 0.9


def without_truth(yx, shape=(300, 300)):
    """Columns of 1000 electrons and sigma 3 px on a ground of 5 a pixel; positions are exact."""
    yx = np.asarray(yx, float).reshape(-1, 2)
    rng = np.random.default_rng(5)
    axis = np.arange(shape[0])
    y, x = (np.exp(-((axis - place[:, None]) ** 2) / (2 * 3.0**2)) for place in yx.T)
    image = rng.poisson(5 + 1000 / (2 * np.pi * 9) * np.einsum("ny,nx->yx", y, x))
    columns = Columns(yx, shape, None, {"intensity": rng.normal(1000, 40, len(yx))})
    return Measured("bare", Micrograph(image.astype(np.float32)), columns)


@pytest.mark.parametrize("count", [0, 3, 60])
def test_what_has_no_lattice_is_refused_in_a_sentence(count):
    yx = np.random.default_rng(0).uniform(0, 300, (count, 2))
    with pytest.raises(StemnetError, match=f"The {count} columns follow no lattice"):
        study([without_truth(yx)])


def test_one_sublattice_without_truth_sampling_or_errors():
    cells = np.stack(np.meshgrid(*[np.arange(15.0, 300, 20)] * 2, indexing="ij"), -1).reshape(-1, 2)
    yx = cells + np.random.default_rng(1).normal(0, 0.3, cells.shape)
    hole = np.hypot(*(cells - 155).T).argmin()
    found = study([without_truth(np.delete(yx, hole, axis=0))])
    numbers(found)
    table = kinds(found)
    assert table["kind"].tolist() == ["vacancy"]
    assert np.hypot(table["y_px"][0] - 155, table["x_px"][0] - 155) < 1.5


@cache
def alloy():
    return measured("remos2_05", least=FAINT)


def test_the_rarer_species_of_an_alloy_is_no_defect_of_its_own():
    # 17 of 437 metal columns are rhenium
    found = study([alloy()], alloy=0.03)
    table = kinds(found)
    print(found.summary, found.notes)
    assert not np.isin(table["kind"], ["brighter", "dimmer"]).any()
    assert "Alloy: " in found.summary
    note = next(note for note in found.notes if "Alloy: " in note)
    assert float(note.split("Alloy: ")[1].split("%")[0]) / 100 == pytest.approx(17 / 437, abs=0.006)
    assert "are brighter by a factor of 2." in note


def test_a_few_of_another_species_are_listed_and_it_is_said_that_they_are_alike():
    found = study([alloy()])
    table = kinds(found)
    print(found.summary, found.notes)
    assert 14 <= (table["kind"] == "brighter").sum() <= 17
    assert "Alloy: " not in found.summary
    assert any("listed one by one. To count them as an alloy, lower alloy" in note for note in found.notes)


def test_half_and_half_is_an_alloy_by_default():
    found = study([measured("remos2_55", least=FAINT)])
    assert not np.isin(kinds(found)["kind"], ["brighter", "dimmer"]).any()
    assert "Alloy: " in found.summary


def test_a_share_that_is_none_is_refused():
    with pytest.raises(StemnetError, match="alloy=0"):
        study([alloy()], alloy=0)


def test_columns_that_are_darker_together_are_no_point_defects_and_one_alone_is():
    one = measured("srtio3_mistilt")
    yx, light = one.columns.yx, np.asarray(one.columns["intensity"], float).copy()
    height, width = one.columns.shape
    rim = yx[:, 1] > width - 30
    light[rim] *= 0.7
    middle = np.hypot(*(yx - [height / 2, width / 2]).T)
    alone = np.flatnonzero(light > np.median(light))
    alone = alone[middle[alone].argmin()]
    light[alone] *= 0.5
    columns = one.columns.with_fields(intensity=light)
    found = study([replace(one, columns=columns, truth=None)])
    table = kinds(found)
    print(found.summary, found.notes)
    assert alone in table["column"]
    # but for the ends of the strip, which have little company
    assert len(table["column"]) <= 5 < 0.2 * rim.sum()
    (note,) = (note for note in found.notes if "together with those around" in note)
    assert int(note.split("not listed: ")[1].split(".")[0]) > 0.4 * rim.sum()


@pytest.mark.parametrize("together", [True, False])
def test_a_part_of_another_thickness_is_told_from_an_alloy(together):
    one = measured("srtio3_mistilt")
    light = np.asarray(one.columns["intensity"], float).copy()
    part = one.columns.yx[:, 1] > 0.85 * one.columns.shape[1]
    if not together:
        part = np.random.default_rng(3).permutation(part)
    light[part] *= 0.7
    found = study([replace(one, columns=one.columns.with_fields(intensity=light), truth=None)])
    print(found.summary)
    assert "Alloy" in found.summary
    assert ("another thickness" in found.summary) == together


def test_columns_where_there_is_no_crystal_are_no_interstitials():
    one = measured("srtio3_mistilt")
    columns, rng = one.columns, np.random.default_rng(4)
    molten = columns.yx[:, 1] > 0.7 * columns.shape[1]
    off = rng.uniform(-8, 8, (len(columns), 2)) * molten[:, None]
    moved = Columns(columns.yx + off, columns.shape, columns.sampling, dict(columns.fields))
    found = study([replace(one, columns=moved, truth=None)])
    table = kinds(found)
    print(found.summary, found.notes)
    extra = table["x_px"][table["kind"] == "interstitial"]
    assert any("the crystal lies otherwise, or is none" in note for note in found.notes)
    assert (extra > 0.65 * columns.shape[1]).all()
    assert len(extra) < 0.05 * molten.sum()
