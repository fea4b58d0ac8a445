"""Vacancies, substitutions, two layers, edges."""

import numpy as np
import pytest

from stemnet.simulation.crystal import composition, dichalcogenide, perovskite
from stemnet.simulation.defects.point import substitutions, two_layers, vacancies
from stemnet.simulation.defects.shape import cut
from stemnet.simulation.specimen import Specimen, grow

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


def test_an_edge_leaves_no_vacancies():
    ended = cut(MOS2, MOS2.yx[:, 0] < 100)
    assert ended.yx[:, 0].max() < 100
    assert ended.vacant is None
