from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from planted_columns import bare

from stemnet.columns import Columns
from stemnet.errors import StemnetError
from stemnet.simulation.examples import load_example
from stemnet.studies import Measured, Truth
from stemnet.studies.janus import study
from stemnet.studies.janus_composition import atoms_of, profile
from stemnet.studies.janus_score import reliability

SPECIES = {0: ["W"], 1: ["Se2", "SSe", "S2", "Se", "S"]}


@cache
def sheet(name="wsse_janus", error=0.02):
    """An example whose columns are all found, with an error of the intensity as a share of the brightest column's."""
    example = load_example(name)
    true = example.columns
    rng = np.random.default_rng(0)
    bright = np.asarray(true["intensity"], dtype=float)
    sigma = np.full(len(true), error * np.median(bright[true["sublattice"] == 0]))
    fields = {
        "intensity": bright + rng.normal(0, 1, len(true)) * sigma,
        "intensity_sigma": sigma,
        "width": np.full(len(true), 4.2),
        "significance": bright / sigma,
        "sigma_y": np.full(len(true), 0.1),
        "sigma_x": np.full(len(true), 0.1),
    }
    columns = Columns(true.yx + rng.normal(0, 0.1, true.yx.shape), true.shape, true.sampling, fields)
    truth = Truth(true, np.arange(len(true)), example.fields, example.field_step, example.vacancies)
    return Measured(name, example.micrograph, columns, truth)


@cache
def findings(error=0.02):
    return study([sheet(error=error)], species=SPECIES, element="Se")


def number(found, words):
    """The one number of a quantity, or whose quantity holds these words."""
    fitting = [one for one in found.numbers if words == one.quantity]
    fitting = fitting or [one for one in found.numbers if words in one.quantity]
    assert len(fitting) == 1, [one.quantity for one in found.numbers]
    return fitting[0]


def test_species_composition_and_vacancies_reach_their_aims():
    found = findings()
    aims = [one for one in found.numbers if one.holds is not None]
    print([(one.quantity, round(one.value, 4)) for one in aims])
    assert all(one.holds for one in aims)
    assert {"planted missing columns that are found, share"} < {one.quantity for one in aims}
    for name in SPECIES[1]:
        share = number(found, f"share of {name} on sublattice 1")
        assert share.value == pytest.approx(share.truth, abs=0.02)
    gradient = number(found, "share of Se on sublattice 1, gradient")
    assert gradient.value == pytest.approx(gradient.truth, rel=0.05)
    assert number(found, "direction of the gradient").value == pytest.approx(0, abs=10)


def test_species_that_are_not_there_are_doubted_and_those_that_are_there_are_not():
    doubts = ("these seem to be other species", "no hexagonal one", "are not told")
    right = findings()
    assert not any(words in note for note in right.notes for words in doubts)
    # with vacancies and S2 to choose from, Mo and its neighbors are as bright to each other as W and these
    wrong = study([sheet()], species={0: ["Mo"], 1: ["Se2", "SSe"]}, element="Se")
    print(wrong.notes, wrong.summary)
    assert any(doubts[0] in note for note in wrong.notes)
    assert "speak against" in wrong.summary
    # the same columns on a square cell, as in an oxide
    one = sheet()
    stretch = np.array([[1.0, -1 / np.sqrt(3)], [0.0, 2 / np.sqrt(3)]])
    yx = one.columns.yx @ stretch
    seen = ((yx > 0) & (yx < np.array(one.columns.shape) - 1)).all(axis=1)
    fields = {name: np.asarray(values)[seen] for name, values in one.columns.fields.items()}
    square = Columns(yx[seen], one.columns.shape, one.columns.sampling, fields)
    found = study([bare(square)], species=SPECIES, element="Se")
    print(found.notes)
    assert any("no hexagonal one" in note for note in found.notes)


def test_missing_columns_of_a_faint_sublattice_are_not_told():
    one = sheet()
    label = np.asarray(one.truth.columns["sublattice"])
    faint = np.where(label == 1, 5.0, 40.0)
    drawn = np.random.default_rng(2).uniform(size=len(label)) < np.where(label == 1, 0.75, 1.0)
    columns = one.columns.with_fields(significance=faint).select(drawn)
    found = study([bare(columns)], species=SPECIES, element="Se")
    assert any("Columns missing on sublattice 1 are not told" in note for note in found.notes)
    assert not any("missing on sublattice 1" in one.quantity for one in found.numbers)
    assert number(found, "share of columns missing on sublattice 0").value < 0.01


def test_noise_costs_accuracy_and_the_probabilities_know_it():
    clean, noisy = findings(0.014), findings(0.026)
    accuracy = [number(found, "species named rightly, sublattice 1").value for found in (clean, noisy)]
    said = [
        number(found, "mean probability of the species named, sublattice 1").value for found in (clean, noisy)
    ]
    print(accuracy, said)
    assert accuracy[1] < accuracy[0] - 0.01
    assert said == pytest.approx(accuracy, abs=0.02)


def test_noise_that_nobody_told_of_is_found_and_the_probabilities_know_it():
    measured = sheet(error=0.03)
    columns = measured.columns.with_fields(intensity_sigma=0.5 * measured.columns["intensity_sigma"])
    found = study([replace(measured, columns=columns)], species=SPECIES, element="Se")
    right = number(found, "species named rightly, sublattice 1").value
    said = number(found, "mean probability of the species named, sublattice 1").value
    print(right, said)
    assert right < 0.99
    assert said == pytest.approx(right, abs=0.02)


def test_vacancies_of_a_flake_are_found_and_its_edge_is_none():
    measured = sheet("mos2_defects")
    found = study([measured], species={0: ["Mo", "Re"], 1: ["S2", "S"]}, element="S")
    assert number(found, "planted missing columns that are found").value == 1
    assert number(found, "columns called missing that are there").value == 0
    share = number(found, "share of columns missing on sublattice 1")
    assert share.value == pytest.approx(share.truth, abs=share.sigma)
    places = found.tables[1].values
    called = np.array([places["y_px"], places["x_px"]]).T[places["probability_missing"] > 0.5]
    planted = measured.truth.vacancies.yx
    assert np.hypot(*(called[:, None] - planted).transpose(2, 0, 1)).min(axis=0).max() < 2


def test_without_names_levels_have_numbers_and_nothing_is_scored():
    found = study([sheet()])
    assert number(found, "share of level 0 on sublattice 0").value == 1
    assert any("No species were named" in note for note in found.notes)
    assert any("no element was named" in note for note in found.notes)
    assert number(found, "planted missing columns that are found").value == 1


def test_the_table_keeps_the_rows_of_the_columns():
    measured, (table, empty) = sheet(), findings().tables
    assert {len(values) for values in table.values.values()} == {len(measured.columns)}
    np.testing.assert_array_equal(table.values["y_px"], measured.columns.yx[:, 0])
    chances = np.stack([values for name, values in table.values.items() if name.startswith("probability_")])
    np.testing.assert_allclose(chances.sum(axis=0), 1)
    assert len(set(map(len, empty.values.values()))) == 1


def test_pictures_are_drawn_with_their_units():
    drawn = {picture.name: picture.draw() for picture in findings().pictures}
    assert list(drawn) == [f"wsse_janus_{what}" for what in ("species", "levels", "profile", "reliability")]
    labels = {name: " ".join(a.get_xlabel() for a in figure.axes) for name, figure in drawn.items()}
    assert "px²" in labels["wsse_janus_levels"]
    assert max(axes.get_ylim()[1] for axes in drawn["wsse_janus_levels"].axes) < 200
    assert "[nm]" in labels["wsse_janus_profile"]
    legend = [text.get_text() for text in drawn["wsse_janus_species"].axes[1].get_legend().get_texts()]
    assert [text.split()[0] for text in legend] == ["W", "Se2", "SSe", "Se", "S2", "S", "missing"]


def test_what_cannot_be_measured_is_said_in_a_sentence():
    rng = np.random.default_rng(0)
    yx = rng.uniform(0, 200, (40, 2))
    with pytest.raises(StemnetError, match="no intensity"):
        study([bare(Columns(yx, (200, 200)))])
    scattered = Columns(yx, (200, 200), None, {"intensity": rng.uniform(1, 2, 40)})
    found = study([bare(scattered)])
    assert any("need a lattice" in note for note in found.notes)
    assert [picture.draw() for picture in found.pictures]
    few = study([bare(scattered.select(np.arange(3)))])
    assert any("30 or more are needed" in note for note in few.notes)
    some = sheet().columns.select(np.arange(200))
    wrong = study(
        [replace(sheet(), columns=some, truth=None)], species={0: ["W"], 7: ["Se", "S"]}, element="Se"
    )
    assert any("sublattice 7" in note for note in wrong.notes)
    assert any("may hold Se in some columns and less" in note for note in wrong.notes)
    with pytest.raises(StemnetError, match="no formula"):
        study([replace(sheet(), columns=some, truth=None)], species={0: ["tungsten"]})


def test_atoms_are_counted_in_formulas():
    assert [atoms_of(name, "Se") for name in ("Se2", "SSe", "S2", "Se", "vacancy", "level 0")] == [
        2,
        1,
        0,
        1,
        0,
        0,
    ]
    assert [atoms_of(name) for name in ("Se2", "SSe", "S", "vacancy")] == [2, 2, 1, 0]


def test_a_profile_is_the_mean_of_its_steps():
    place = np.linspace(0, 80, 161)
    yx = np.stack([np.zeros(161), place], axis=1)
    at, mean, error = profile(yx, 0.01 * place, np.array([0.0, 1.0]))
    np.testing.assert_allclose(mean, 0.01 * at)
    assert len(at) == 8
    assert (error > 0).all()
    assert len(profile(yx[:3], place[:3], np.array([0.0, 1.0]))[0]) == 0


def test_reliability_gathers_equal_probabilities():
    said, seen, count = reliability(np.array([0.55, 0.58, 0.97, 1.0, np.nan]), np.array([1.0, 0, 1, 1, 1]))
    assert said == pytest.approx([0.565, 0.985])
    assert seen == pytest.approx([0.5, 1])
    assert count.tolist() == [2, 2]
