import numpy as np
import pytest

from stemnet.analysis.intensity import IntensityClasses, intensity_classes
from stemnet.analysis.species import assign_species
from stemnet.columns import Columns
from stemnet.errors import StemnetError
from stemnet.simulation.examples import load_example

CHALCOGENS = ("vacancy", "S", "S2", "SSe", "Se", "Se2")


def measured(name, dose=1.0, seed=0):
    """True columns of an example; their light in as many electrons as it had, times `dose`, over a ground of 900."""
    columns = load_example(name).columns
    sigma = np.sqrt((columns["intensity"] + 900) / dose)
    light = columns["intensity"] + sigma * np.random.default_rng(seed).normal(size=len(columns))
    return columns.with_fields(intensity=light, intensity_sigma=sigma)


def without_gain(columns):
    return IntensityClasses(np.zeros(len(columns), int), np.ones(len(columns)), np.ones(len(columns)), {})


def accuracy(found, columns, sublattice):
    mine = columns["sublattice"] == sublattice
    return float((found.species[mine] == columns["species"][mine]).mean())


@pytest.mark.parametrize("name", ["remos2_05", "remos2_55", "remos2_78", "remos2_95"])
def test_rhenium_and_molybdenum_are_told_apart_over_the_whole_series(name):
    columns = measured(name)
    found = assign_species(columns, {0: ("Mo", "Re")})
    print(f"{name}: {accuracy(found, columns, 0):.4f} of the metals are right")
    assert accuracy(found, columns, 0) >= 0.99
    share = np.nanmean(found.of("Re"))
    assert share == pytest.approx((columns["species"][columns["sublattice"] == 0] == "Re").mean(), abs=0.01)


def test_chalcogens_of_a_janus_sheet_are_named_as_they_are():
    columns = measured("wsse_janus")
    found = assign_species(columns, {0: ("W",), 1: CHALCOGENS})
    print(f"wsse_janus: {accuracy(found, columns, 1):.4f} of the chalcogens are right")
    assert accuracy(found, columns, 0) == 1
    assert accuracy(found, columns, 1) >= 0.98
    assert found.levels[1].names == ("Se2", "SSe", "Se", "S2", "S", "vacancy")
    assert found.levels[1].weight[-1] == 0  # no column is empty, and the criterion says so
    assert (found.of("vacancy")[columns["sublattice"] == 1] < 1e-3).all()
    np.testing.assert_allclose(found.levels[1].level[:-1], found.levels[1].expected[:-1], rtol=0.1)


@pytest.mark.parametrize("dose", [1.0, 0.3])
def test_probabilities_are_calibrated(dose):
    said, right = [], []
    for seed in range(4):
        columns = measured("wsse_janus", dose, seed)
        found = assign_species(columns, {0: ("W",), 1: CHALCOGENS}, classes=without_gain(columns))
        mine = columns["sublattice"] == 1
        said.append(found.probability[mine])
        right.append((found.species == columns["species"])[mine])
    said, right = np.concatenate(said), np.concatenate(right)
    edges = np.quantile(said, [0, 0.1, 0.25, 1])
    part = np.clip(np.searchsorted(edges, said, "right") - 1, 0, 2)
    error = sum(abs(said[part == k].sum() - right[part == k].sum()) for k in range(3)) / len(said)
    print(f"dose {dose}: says {said.mean():.4f}, is {right.mean():.4f}, calibration error {error:.4f}")
    assert error < 0.025


def test_nameless_levels_are_as_many_as_there_are_species():
    columns = measured("mos2_defects")
    found = assign_species(columns)
    assert found.levels[0].names == ("level 0", "level 1")
    assert found.levels[1].names == ("level 0", "level 1")
    mine = columns["sublattice"] == 0
    assert ((found.species == "level 0") == (columns["species"] == "Re"))[mine].all()
    assert np.isnan(found.exponent)


def test_one_species_cannot_say_which_it_is_and_another_sublattice_can():
    columns = measured("mos2_defects")
    sulfur = columns["sublattice"] == 1
    only = columns.with_fields(sublattice=np.where(sulfur & (columns["species"] == "S2"), 1, -1))
    guess = assign_species(only, {1: ("S", "S2")}, classes=without_gain(columns))
    assert guess.ambiguous
    assert "more than one way" in guess.notes[0]
    both = columns.with_fields(sublattice=np.where(columns["species"] == "Re", -1, columns["sublattice"]))
    found = assign_species(both, {0: ("Mo", "Re"), 1: ("S", "S2")}, classes=without_gain(columns))
    assert found.notes == ()
    assert not found.ambiguous
    assert accuracy(found, both, 0) == 1


def test_empty_places_are_vacancies_even_where_their_light_is_negative():
    rng = np.random.default_rng(1)
    yx = 20.0 * np.stack(np.divmod(np.arange(600), 25), axis=1)
    kind = rng.choice(["S2", "S", "vacancy"], 600, p=[0.8, 0.15, 0.05])
    light = np.select([kind == "S2", kind == "S"], [200.0, 100.0], 0.0) + 12 * rng.normal(size=600)
    fields = {"intensity": light, "intensity_sigma": np.full(600, 12.0), "sublattice": np.zeros(600, int)}
    columns = Columns(yx, (480, 500), None, fields)
    found = assign_species(columns, {0: ("vacancy", "S", "S2")}, classes=intensity_classes(columns))
    assert (light < 0).any()
    assert (found.species == kind).mean() > 0.99


def test_rows_without_sublattice_or_intensity_are_masked_and_never_matter():
    columns = measured("remos2_55")
    light, sublattice = columns["intensity"].copy(), columns["sublattice"].copy()
    gaps = np.flatnonzero(sublattice == 0)[[3, 50]]
    light[gaps[0]], sublattice[gaps[1]] = np.nan, -1
    masked = columns.with_fields(intensity=light, sublattice=sublattice)
    found = assign_species(masked, {0: ("Mo", "Re")}, classes=without_gain(columns))
    assert (found.species[gaps] == "").all()
    assert np.isnan(found.probability[gaps]).all()
    assert np.isnan(found.posterior[gaps]).all()
    np.testing.assert_allclose(np.nansum(found.posterior, axis=1)[np.isfinite(found.probability)], 1)


def test_order_of_columns_swapped_axes_and_unit_change_nothing():
    columns = measured("mos2_defects")
    columns = columns.select(np.flatnonzero(columns.yx[:, 0] < columns.shape[0] / 2))
    names = {0: ("Mo", "Re"), 1: ("S", "S2")}
    straight = assign_species(columns, names)
    order = np.random.default_rng(0).permutation(len(columns))
    np.testing.assert_array_equal(
        assign_species(columns.select(order), names).species, straight.species[order]
    )
    turned = Columns(columns.yx[:, ::-1], columns.shape[::-1], columns.sampling, columns.fields)
    np.testing.assert_array_equal(assign_species(turned, names).species, straight.species)
    brighter = columns.with_fields(
        intensity=1e-3 * columns["intensity"],
        intensity_sigma=1e-3 * columns["intensity_sigma"],
    )
    np.testing.assert_array_equal(assign_species(brighter, names).species, straight.species)


def test_what_cannot_be_named_gets_a_sentence():
    columns = measured("remos2_05")
    with pytest.raises(StemnetError, match="need the field 'volume'"):
        assign_species(columns, quantity="volume")
    nothing = columns.with_fields(intensity=np.full(len(columns), np.nan))
    with pytest.raises(StemnetError, match="None of the"):
        assign_species(nothing)
    few = columns.select(np.flatnonzero(columns["sublattice"] == 0)[:12])
    assert "30 or more" in assign_species(few, {0: ("Mo", "Re")}).notes[0]
    assert "sublattice 5" in assign_species(few, {5: ("S",)}).notes[-1]
    with pytest.raises(StemnetError, match="Choose one"):
        assign_species(few, {0: ("Mo", "Re")}).of("W")
