"""Short-range order and composition profiles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from stemnet import StemnetError
from stemnet.simulation.crystal import dichalcogenide, perovskite
from stemnet.simulation.defects.order import graded_substitutions, ordered_substitutions, warren_cowley
from stemnet.simulation.growth import grow
from stemnet.simulation.quantities.profiles import Graded, Sine

MOS2 = grow(dichalcogenide(), (200.0, 200.0), orientation=0.3)
STO = grow(perovskite(), (240.0, 240.0))


def counted(specimen, species, reach):
    """The parameter by hand, pair by pair, and the number of pairs."""
    ours = specimen.sublattice == 0
    pairs = cKDTree(specimen.yx[ours]).query_pairs(reach, output_type="ndarray")
    kind = specimen.species[ours] == species
    share = kind.mean()
    return 1 - np.mean(kind[pairs[:, 0]] != kind[pairs[:, 1]]) / (2 * share * (1 - share)), len(pairs)


@settings(deadline=None, max_examples=15)
@given(
    st.sampled_from([(MOS2, "W", 3.3), (STO, "Ba", 4.0)]),
    st.floats(0.3, 0.5),
    st.floats(-0.25, 0.6),
    st.integers(0, 2**32),
)
def test_order_and_composition_are_as_asked(base, fraction, order, seed):
    specimen, species, reach = base
    made = ordered_substitutions(specimen, fraction, species, 0, np.random.default_rng(seed), order=order)
    ours = specimen.sublattice == 0
    assert (made.species[ours] == species).sum() == round(fraction * ours.sum())
    np.testing.assert_array_equal(made.species[~ours], specimen.species[~ours])
    measured, pairs = counted(made, species, reach)
    # The standard error of a parameter of random pairs is about 1 / sqrt(pairs).
    assert abs(measured - order) < 3 / np.sqrt(pairs)
    assert warren_cowley(made, 0, species) == pytest.approx(measured, abs=1e-9)
    np.testing.assert_allclose(made.planted["warren_cowley"], measured, atol=1e-9)


def test_a_square_lattice_can_alternate_almost_all_over():
    made = ordered_substitutions(STO, 0.5, "Ba", 0, np.random.default_rng(0), order=-0.6)
    assert warren_cowley(made, 0, "Ba") == pytest.approx(-0.6, abs=0.01)


def test_clusters_look_the_same_in_all_directions():
    made = ordered_substitutions(STO, 0.4, "Ba", 0, np.random.default_rng(1), order=0.5)
    ours = made.select(made.sublattice == 0)
    kind = (ours.species == "Ba") - 0.4
    tree = cKDTree(ours.yx)
    along = []
    for step in np.array([[3.905, 0.0], [0.0, 3.905]]):
        distance, row = tree.query(ours.yx + step)
        near = distance < 0.1
        along.append(np.mean(kind[near] * kind[row[near]]) / 0.24)
    assert along[0] == pytest.approx(along[1], abs=0.06)
    # A typical arrangement, in which order fades with distance, rather than a pair correlation alone.
    distance, row = tree.query(ours.yx + np.array([0.0, 2 * 3.905]))
    second = np.mean(kind[distance < 0.1] * kind[row[distance < 0.1]]) / 0.24
    assert 0.15 < second < 0.45


def test_an_order_out_of_reach_is_said():
    with pytest.raises(StemnetError, match="was reached"):
        ordered_substitutions(MOS2, 0.5, "W", 0, np.random.default_rng(0), order=-0.9)


@pytest.mark.parametrize("profile", [Graded((0.0, 0.0), (0.0, 200.0), 0.1, 0.9), Sine(0.5, 0.4, (0.0, 0.05))])
def test_a_profile_is_followed(profile):
    made = graded_substitutions(MOS2, profile, "W", 0, np.random.default_rng(2))
    ours = made.sublattice == 0
    asked = profile(made.yx)
    np.testing.assert_allclose(made.planted["composition"], asked)
    for low in np.arange(0, 200, 25):
        band = ours & (made.yx[:, 1] >= low) & (made.yx[:, 1] < low + 25)
        error = np.sqrt(np.mean(asked[band] * (1 - asked[band])) / band.sum())
        assert abs((made.species[band] == "W").mean() - asked[band].mean()) < 4.5 * error
    assert not np.any(made.species[~ours] == "W")


def test_the_environment_is_what_stands_around():
    made = ordered_substitutions(MOS2, 0.4, "W", 0, np.random.default_rng(3), order=0.3)
    kind = made.species == "W"
    metal = np.flatnonzero(made.sublattice == 0)
    np.testing.assert_array_equal(made.planted["substituted"], kind.astype(int))
    for row in metal[:: len(metal) // 40]:
        away = np.hypot(*(made.yx[metal] - made.yx[row]).T)
        around = metal[(away > 0.1) & (away < 3.5)]
        assert made.planted["local_composition"][row] == pytest.approx(kind[around].mean())
        assert made.planted["unlike_neighbors"][row] == (kind[around] != kind[row]).sum()
    assert np.isnan(made.planted["local_composition"][made.sublattice == 1]).all()
    assert set(made.planted["unlike_neighbors"][made.sublattice == 1]) == {-1}
