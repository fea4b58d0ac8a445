"""Mixed sites: counts follow the occupancies, and nothing else changes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stemnet.simulation.crystal import composition
from stemnet.simulation.growth import grow
from stemnet.simulation.library import crystal
from stemnet.simulation.occupation import drawn_contents, sites_of
from stemnet.simulation.specimen import Specimen


def columns(species: str, number: int = 4000, thickness: float = 10.0) -> Specimen:
    return Specimen(
        yx=np.random.default_rng(0).uniform(0, 100, (number, 2)),
        species=np.full(number, species),
        sublattice=np.zeros(number, dtype=int),
        displacement=np.zeros((number, 2)),
        thickness=np.full(number, thickness),
    )


def counts(specimen: Specimen, element: str) -> np.ndarray:
    return np.array([composition(name).get(element, 0.0) for name in specimen.species])


@given(st.floats(0.05, 0.95).map(lambda x: round(x, 2)), st.integers(1, 40), st.integers(0, 10**6))
@settings(max_examples=20)
def test_counts_are_binomial_with_the_occupancy(share, thickness, seed):
    species = f"Mo{share:g}V{round(1 - share, 2):g}O"
    drawn = drawn_contents(columns(species, thickness=thickness), np.random.default_rng(seed))
    molybdenum = counts(drawn, "Mo")
    spread = np.sqrt(share * (1 - share) / thickness)
    assert molybdenum.mean() == pytest.approx(share, abs=5 * spread / np.sqrt(4000))
    assert molybdenum.std() == pytest.approx(spread, rel=0.12, abs=2e-4)
    np.testing.assert_allclose(molybdenum + counts(drawn, "V"), 1, atol=2e-4)
    assert np.all(counts(drawn, "O") == 1)
    np.testing.assert_allclose(molybdenum * thickness, np.round(molybdenum * thickness), atol=5e-3)
    np.testing.assert_allclose(drawn.planted["heavy_share"], molybdenum, atol=1e-4)


@pytest.mark.parametrize(
    ("species", "sites", "fixed"),
    [
        ("Mo0.7V0.3O", [(("Mo", "V"), (0.7, 0.3), 1)], {"O": 1}),
        ("Mo1.4V0.6O2", [(("Mo", "V"), (0.7, 0.3), 2)], {"O": 2}),
        ("Te0.9O0.9", [(("Te",), (0.9,), 1), (("O",), (0.9,), 1)], {}),
        ("Te1.8", [(("Te",), (0.9,), 2)], {}),
        ("Mo0.6V0.3Nb0.1", [(("Mo", "Nb", "V"), (0.6, 0.1, 0.3), 1)], {}),
        ("Mo0.7V0.3Te0.4", [(("Te",), (0.4,), 1), (("Mo", "V"), (0.7, 0.3), 1)], {}),
        ("La0.7Sr0.3Mn0.5Fe0.5", [(("La", "Sr"), (0.7, 0.3), 1), (("Fe", "Mn"), (0.5, 0.5), 1)], {}),
        ("La0.3333Sr0.6667", [(("La", "Sr"), (0.3333, 0.6667), 1)], {}),
        ("S2", [], {"S": 2}),
    ],
)
def test_sites_are_read_from_the_formula(species, sites, fixed):
    drawn, whole = sites_of(species)
    assert [(site.elements, site.number) for site in drawn] == [(names, number) for names, _, number in sites]
    for site, (_, chances, _) in zip(drawn, sites, strict=True):
        assert site.chances == pytest.approx(chances)
    assert dict(whole) == fixed


def test_three_elements_share_a_site():
    drawn = drawn_contents(columns("Mo0.6Nb0.1V0.3"), np.random.default_rng(1))
    for element, share in (("Mo", 0.6), ("Nb", 0.1), ("V", 0.3)):
        assert counts(drawn, element).mean() == pytest.approx(share, abs=5 * np.sqrt(0.25 / 40000))


def test_sites_that_are_not_always_filled():
    drawn = drawn_contents(columns("Te1.8", thickness=5), np.random.default_rng(2))
    assert counts(drawn, "Te").max() == 2
    assert counts(drawn, "Te").mean() == pytest.approx(1.8, abs=5 * np.sqrt(0.09 / 40000) * 2)
    thin = drawn_contents(columns("Te0.7", thickness=1), np.random.default_rng(3))
    assert len(thin) + len(thin.vacant) == 4000
    assert len(thin) / 4000 == pytest.approx(0.7, abs=5 * np.sqrt(0.21 / 4000))
    assert set(thin.species) == {"Te"}
    assert set(thin.vacant.species) == {"Te0.7"}


def test_what_is_not_mixed_stays_as_it_is():
    specimen = grow(crystal("M2-like"), (60.0, 60.0), thickness=80.0)
    drawn = drawn_contents(specimen, np.random.default_rng(4))
    mixed = np.char.startswith(specimen.species, "Mo") | np.char.startswith(specimen.species, "Te")
    assert np.array_equal(drawn.species[~mixed], specimen.species[~mixed])
    assert np.array_equal(np.isnan(drawn.planted["heavy_share"]), ~mixed)
    assert np.array_equal(drawn.yx, specimen.yx)
    assert np.array_equal(drawn.thickness, specimen.thickness)
    clean = grow(crystal("SrTiO3"), (30.0, 30.0))
    assert np.array_equal(drawn_contents(clean, np.random.default_rng(5)).species, clean.species)


def test_columns_of_other_thickness_are_drawn_with_it():
    specimen = columns("Mo0.5W0.5S2", 6000)
    specimen = replace(specimen, thickness=np.repeat([0.2, 4.4, 60.0], 2000))
    share = drawn_contents(specimen, np.random.default_rng(6)).planted["heavy_share"]
    assert set(share[:2000]) == {0.0, 1.0}
    assert set(share[2000:4000]) == {0.0, 0.25, 0.5, 0.75, 1.0}
    assert share[4000:].std() == pytest.approx(np.sqrt(0.25 / 60), rel=0.1)


def test_the_same_generator_draws_the_same():
    one, two = (drawn_contents(columns("Mo0.7V0.3"), np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(one.species, two.species)


def test_an_empty_specimen_stays_empty():
    assert len(drawn_contents(columns("Mo0.7V0.3", 0), np.random.default_rng(8))) == 0
