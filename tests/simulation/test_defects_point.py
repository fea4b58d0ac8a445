"""Atoms that are missing, that are others, that are too many."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from stemnet import StemnetError
from stemnet.simulation.crystal import composition, dichalcogenide, honeycomb, perovskite, scattering
from stemnet.simulation.defects.adatoms import adatoms, interstitials, sites_on
from stemnet.simulation.defects.point import (
    antisites,
    divacancies,
    substitutions,
    two_layers,
    vacancies,
    vacancy_lines,
)
from stemnet.simulation.growth import grow
from stemnet.simulation.specimen import Specimen

MOS2 = grow(dichalcogenide(), (250.0, 250.0))


def binomial(count: int, of: int, share: float) -> None:
    """Fail where a count lies more than five standard errors off."""
    assert abs(count - share * of) < 5 * np.sqrt(of * share * (1 - share))


def places(*specimens_or_sites) -> set:
    parts = [item.yx if isinstance(item, Specimen) else item for item in specimens_or_sites]
    return {tuple(row) for row in np.round(np.concatenate(parts), 6).tolist()}


def test_vacancies_hit_a_share_and_leave_the_sites_behind():
    left = vacancies(MOS2, 0.2, np.random.default_rng(0))
    metal, sulfur = (MOS2.sublattice == 0).sum(), (MOS2.sublattice == 1).sum()
    binomial(metal - (left.species == "Mo").sum(), metal, 0.2)
    binomial((left.species == "S").sum(), sulfur, 0.1)
    binomial(sulfur - (left.sublattice == 1).sum(), sulfur, 0.1)
    assert set(left.species) == {"Mo", "S", "S2"}
    assert len(left) + len(left.vacant) == len(MOS2)
    assert places(left, left.vacant) == places(MOS2)


def test_vacancies_of_one_sublattice_spare_the_other():
    left = vacancies(MOS2, 0.3, np.random.default_rng(1), sublattice=1)
    assert (left.species == "Mo").sum() == (MOS2.species == "Mo").sum()
    binomial((left.species == "S").sum(), (MOS2.sublattice == 1).sum(), 0.15)


def test_columns_of_unlike_atoms_go_whole():
    left = vacancies(grow(perovskite(), (100.0, 100.0)), 0.5, np.random.default_rng(2))
    assert set(left.species) == {"Sr", "TiO", "O"}


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_none_and_all(fraction):
    left = vacancies(grow(perovskite(), (30.0, 30.0)), fraction, np.random.default_rng(3))
    assert len(left.vacant) == fraction * (len(left) + len(left.vacant))


def test_substitutions_change_a_share_of_one_sublattice_only():
    changed = substitutions(MOS2, 0.07, "Re", 0, np.random.default_rng(4))
    binomial((changed.species == "Re").sum(), (MOS2.sublattice == 0).sum(), 0.07)
    assert set(changed.species[changed.sublattice == 1]) == {"S2"}
    np.testing.assert_array_equal(changed.yx, MOS2.yx)
    assert set(MOS2.species) == {"Mo", "S2"}


def test_longer_names_are_not_cut_short():
    changed = substitutions(grow(perovskite(), (20.0, 20.0)), 1.0, "Bi2Te3", 0, np.random.default_rng(5))
    assert set(changed.species[changed.sublattice == 0]) == {"Bi2Te3"}


def test_two_layers_hold_what_the_odds_say():
    made = two_layers(MOS2, 1, {"S": 0.7, "Se": 0.2, "": 0.1}, {"Se": 0.9, "": 0.1}, np.random.default_rng(6))
    ours = made.species[made.sublattice == 1]
    of = (MOS2.sublattice == 1).sum()
    shares = {"SSe": 0.63, "Se2": 0.18, "S": 0.07, "Se": 0.02 + 0.09}
    assert set(ours) == set(shares)
    for name, share in shares.items():
        binomial((ours == name).sum(), of, share)
    binomial(len(made.vacant), of, 0.01)
    assert (made.species == "Mo").sum() == (MOS2.species == "Mo").sum()
    assert places(made, made.vacant) == places(MOS2)
    assert all(sum(composition(str(name)).values()) in (1, 2) for name in set(ours))


def test_two_layers_follow_odds_that_vary_from_column_to_column():
    share = (MOS2.yx[:, 1] > 125).astype(float)
    made = two_layers(MOS2, 1, {"S": 1 - share, "Se": share}, {"S": 1.0}, np.random.default_rng(7))
    ours = made.sublattice == 1
    right = made.yx[:, 1] > 125
    assert set(made.species[ours & right]) == {"SSe"}
    assert set(made.species[ours & ~right]) == {"S2"}


def test_defects_are_named_and_the_vacant_are_too():
    made = substitutions(
        vacancies(MOS2, 0.2, np.random.default_rng(8)), 0.1, "W", 0, np.random.default_rng(9)
    )
    names = made.planted["defect"]
    np.testing.assert_array_equal(names == "substitution", made.species == "W")
    np.testing.assert_array_equal(names == "vacancy", made.species == "S")
    assert set(made.vacant.planted["defect"]) == {"vacancy"}
    np.testing.assert_allclose(made.planted["occupancy"], np.where(made.species == "S", 0.5, 1.0))


@pytest.mark.parametrize("direction", [(0, 1), (1, 0), (1, 1), (2, -1)])
@pytest.mark.parametrize("whole", [True, False])
def test_vacancy_lines_are_straight_and_as_long_as_asked(direction, whole):
    made = vacancy_lines(MOS2, 6, 8, direction, 1, np.random.default_rng(1), whole=whole)
    hit = made.vacant if whole else made.select(made.species == "S")
    assert (made.vacant is not None and len(made.vacant) > 0) == whole
    step = np.array(direction) @ np.array(dichalcogenide().cell)
    lines = [line for line in np.unique(hit.planted["vacancy_line"]) if line >= 0]
    assert len(lines) == 6
    low, high = MOS2.yx.min(0), MOS2.yx.max(0)
    for line in lines:
        along = (hit.yx - hit.yx[0])[hit.planted["vacancy_line"] == line]
        place = along @ step / (step @ step)
        across = along - place[:, None] * step
        np.testing.assert_allclose(across, across[:1].repeat(len(across), 0), atol=1e-9)
        np.testing.assert_allclose(np.diff(np.sort(place)), 1.0, atol=1e-9)
        beyond = hit.yx[0] + along[place.argmax()] + step
        assert len(along) == 8 or np.any((beyond < low) | (beyond > high))
    assert set(hit.sublattice) == {1}
    assert (made.species == "Mo").sum() == (MOS2.species == "Mo").sum()


def test_vacancy_lines_need_a_direction():
    with pytest.raises(StemnetError, match="not \\(0, 0\\)"):
        vacancy_lines(MOS2, 1, 5, (0, 0), 1, np.random.default_rng(0))


@pytest.mark.parametrize(("sublattices", "apart"), [(None, 1.824), ((1, 1), 3.16), ((0, 1), 1.824)])
def test_divacancies_are_pairs_of_neighbors(sublattices, apart):
    made = divacancies(MOS2, 0.02, np.random.default_rng(2), sublattices)
    of = len(MOS2) if sublattices is None else np.isin(MOS2.sublattice, sublattices).sum()
    binomial(len(made.vacant), of, 0.02)
    assert len(made.vacant) % 2 == 0
    nearest = cKDTree(made.vacant.yx).query(made.vacant.yx, k=2)[0][:, 1]
    np.testing.assert_allclose(nearest[nearest > apart - 0.01].min(), apart, atol=0.01)
    assert np.mean(nearest < apart + 0.01) == 1.0
    if sublattices == (1, 1):
        assert set(made.vacant.sublattice) == {1}


def test_more_divacancies_than_pairs_are_refused():
    with pytest.raises(StemnetError, match="smaller fraction"):
        divacancies(MOS2, 1.0, np.random.default_rng(0), (1, 1))


@pytest.mark.parametrize("exchange", [True, False])
def test_antisites_keep_the_composition_if_they_exchange(exchange):
    made = antisites(MOS2, 0.1, 1, 0, np.random.default_rng(3), exchange=exchange)
    wrong = made.species[made.sublattice == 1] == "Mo"
    binomial(wrong.sum(), (MOS2.sublattice == 1).sum(), 0.1)
    assert ((made.species == "Mo").sum() == (MOS2.species == "Mo").sum()) == exchange
    assert (made.species[made.sublattice == 0] == "S2").sum() == (wrong.sum() if exchange else 0)
    np.testing.assert_array_equal(made.planted["defect"] == "antisite", made.species != MOS2.species)


def test_an_adatom_on_top_adds_its_own_scattering_whatever_the_thickness():
    thick = grow(perovskite(), (100.0, 100.0), thickness=5 * 3.905)
    made = adatoms(thick, 0.1, "Pt", np.random.default_rng(4), sublattice=0)
    hit = made.planted["adatom"] == 1
    binomial(hit.sum(), (thick.sublattice == 0).sum(), 0.1)
    assert set(made.sublattice[hit]) == {0}
    gain = (scattering(made.species, 1.7) - scattering(thick.species, 1.7)) * made.thickness
    np.testing.assert_allclose(gain, np.where(hit, 78.0**1.7, 0.0), rtol=1e-3)
    assert set(made.species[hit]) == {"Pt0.2Sr"}
    np.testing.assert_array_equal(made.yx, thick.yx)


@pytest.mark.parametrize(("site", "apart"), [("bridge", 0.71), ("hollow", 1.42)])
def test_adatoms_sit_where_asked(site, apart):
    sheet = grow(honeycomb(), (80.0, 80.0))
    places = sites_on(sheet, site)
    np.testing.assert_allclose(cKDTree(sheet.yx).query(places)[0], apart, atol=0.01)
    inner = np.all((places > 5) & (places < 75), axis=1).sum()
    per_cell = {"bridge": 3, "hollow": 1}[site]
    assert inner == pytest.approx(70**2 / (2.46**2 * np.sqrt(3) / 2) * per_cell, rel=0.05)
    made = adatoms(sheet, 0.05, "Pt", np.random.default_rng(5), site=site, separation=0.0)
    new = made.planted["adatom"] == 1
    binomial(new.sum(), len(places), 0.05)
    assert set(made.species[new]) == {"Pt"}
    assert set(made.sublattice[new]) == {-1}
    np.testing.assert_array_equal(made.yx[~new], sheet.yx)


def test_adatoms_keep_their_distance():
    made = adatoms(MOS2, 0.3, "Au", np.random.default_rng(6), site="anywhere", separation=4.0)
    new = made.yx[made.planted["adatom"] == 1]
    assert len(new) > 1000
    assert not cKDTree(new).query_pairs(3.999)


def test_interstitials_push_their_neighbors_away():
    crystal = grow(perovskite(), (60.0, 60.0), thickness=40.0)
    still = interstitials(crystal, 0.02, "Fe", np.random.default_rng(7), separation=25.0)
    made = interstitials(crystal, 0.02, "Fe", np.random.default_rng(7), separation=25.0, push=0.2)
    new = made.planted["adatom"] == 1
    before, after = (cKDTree(s.yx[~new]).query(s.yx[new])[0] for s in (still, made))
    assert new.any()
    assert (after - before).mean() == pytest.approx(0.2, rel=0.25)
    np.testing.assert_allclose(made.yx - made.displacement, still.yx, atol=1e-9)
    assert set(made.thickness[new]) == {1.0}


def test_an_unknown_site_is_refused():
    with pytest.raises(StemnetError, match="top, bridge or hollow"):
        adatoms(MOS2, 0.1, "Pt", np.random.default_rng(0), site="edge")


@pytest.mark.parametrize("fraction", [-0.1, 1.5, float("nan")])
def test_a_fraction_that_is_none_is_refused(fraction):
    specimen, rng = grow(dichalcogenide(), (20.0, 20.0)), np.random.default_rng(0)
    with pytest.raises(StemnetError, match="from 0 to 1"):
        vacancies(specimen, fraction, rng)
    with pytest.raises(StemnetError, match="from 0 to 1"):
        substitutions(specimen, fraction, "W", 0, rng)


def test_a_replacement_that_is_no_formula_is_refused():
    with pytest.raises(StemnetError, match="not a chemical element"):
        substitutions(grow(dichalcogenide(), (20.0, 20.0)), 0.1, "Xx", 0, np.random.default_rng(0))
