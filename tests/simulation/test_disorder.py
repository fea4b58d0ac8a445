"""Disorder has its amplitudes, its correlations and its seeds."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stemnet import StemnetError
from stemnet.simulation.crystal import perovskite
from stemnet.simulation.deformation import gradient
from stemnet.simulation.distortions.disorder import (
    Pushes,
    correlated_disorder,
    frozen_phonons,
    size_mismatch,
    thermal_disorder,
)
from stemnet.simulation.distortions.spread import spread_of
from stemnet.simulation.growth import grow
from stemnet.simulation.specimen import Specimen

CRYSTAL = grow(perovskite(), (120.0, 120.0))
THICK = grow(perovskite(), (120.0, 120.0), thickness=9 * 3.905)


def test_disorder_has_its_rms_in_each_direction():
    after = thermal_disorder(CRYSTAL, 0.07, np.random.default_rng(1))
    np.testing.assert_allclose(after.displacement.std(0), 0.07, rtol=0.06)
    np.testing.assert_allclose(after.displacement.mean(0), 0, atol=0.01)


@pytest.mark.parametrize("snapshots", [1, 4])
def test_phonons_shift_by_the_mean_of_the_atoms_and_spread_by_the_rest(snapshots):
    after = frozen_phonons(
        THICK, {"Sr": 0.08, "TiO": 0.06, "O": 0.1}, np.random.default_rng(0), snapshots=snapshots
    )
    for sublattice, rms in ((0, 0.08), (1, 0.06), (2, 0.1)):
        ours = THICK.sublattice == sublattice
        count = 9 * snapshots
        np.testing.assert_allclose(after.displacement[ours].std(0), rms / np.sqrt(count), rtol=0.1)
        np.testing.assert_allclose(after.planted["thermal_rms_A"][ours], rms)
        left = rms**2 * (1 - 1 / count)
        np.testing.assert_allclose(spread_of(after)[ours], left * np.tile(np.eye(2), (ours.sum(), 1, 1)))
    np.testing.assert_array_equal(after.planted["thermal_y_A"], after.displacement[:, 0])


def test_phonons_of_a_sheet_are_displacements_alone():
    after = frozen_phonons(CRYSTAL, 0.07, np.random.default_rng(0))
    np.testing.assert_allclose(after.displacement.std(0), 0.07, rtol=0.06)
    np.testing.assert_allclose(spread_of(after), 0, atol=1e-12)


def test_seeds_reproduce():
    for disorder in (
        lambda rng: thermal_disorder(CRYSTAL, 0.05, rng),
        lambda rng: frozen_phonons(CRYSTAL, 0.05, rng),
        lambda rng: correlated_disorder(CRYSTAL, 0.05, 20.0, rng),
    ):
        one, same, other = (disorder(np.random.default_rng(seed)).yx for seed in (7, 7, 8))
        np.testing.assert_array_equal(one, same)
        assert np.abs(one - other).max() > 0.01


def test_correlated_disorder_moves_neighbors_alike():
    apart, near, far = [], [], []
    for seed in range(12):
        u = correlated_disorder(CRYSTAL, 0.1, 20.0, np.random.default_rng(seed)).displacement
        near.append((u[1:] - u[:-1])[np.linalg.norm(np.diff(CRYSTAL.yx, axis=0), axis=1) < 4].std())
        far.append(u.std())
        apart.append((u**2).mean())
    assert np.sqrt(np.mean(apart)) == pytest.approx(0.1, rel=0.2)
    assert np.mean(near) < 0.2 * np.mean(far)


@settings(max_examples=20, deadline=None)
@given(st.floats(-0.3, 0.3).filter(lambda push: abs(push) > 1e-3), st.floats(2.0, 5.0))
def test_a_misfit_pushes_its_neighbor_as_far_as_asked(push, neighbor):
    yx = np.array([[0.0, 0.0], [neighbor, 0.0], [0.0, -neighbor], [0.0, 50 * neighbor]])
    atoms = Specimen(yx, np.array(["Hg", "O", "O", "O"]), np.zeros(4, int), np.zeros((4, 2)), np.ones(4))
    after = size_mismatch(atoms, {"Hg": push}, neighbor=neighbor)
    np.testing.assert_allclose(after.displacement, [[0, 0], [push, 0], [0, -push], [0, 0]], atol=1e-12)
    np.testing.assert_array_equal(after.planted["mismatch_y_A"], after.displacement[:, 0])


def test_pushes_fall_off_as_one_over_r_and_add_up():
    alone, pair = (
        Pushes(((0.0, 0.0),), (2.0,), 0.5, 1e4),
        Pushes(((0.0, 0.0), (7.0, 3.0)), (2.0, -1.0), 0.5, 1e4),
    )
    r = np.array([5.0, 10.0, 20.0, 40.0])
    places = np.stack([r * 0.6, r * 0.8], 1)
    np.testing.assert_allclose(np.linalg.norm(alone(places), axis=1) * r, 2.0, rtol=0.011)
    other = Pushes(((7.0, 3.0),), (-1.0,), 0.5, 1e4)
    np.testing.assert_allclose(pair(places), alone(places) + other(places), atol=1e-12)
    assert not alone(np.zeros((0, 2))).size
    assert pickle.loads(pickle.dumps(pair)) == pair


def test_misfits_that_push_and_pull_leave_a_lattice_that_does_not_fold():
    species = CRYSTAL.species.copy()
    titanium = np.flatnonzero(CRYSTAL.sublattice == 1)
    rng = np.random.default_rng(2)
    species[rng.choice(titanium, len(titanium) // 5, replace=False)] = "ZrO"
    mixed = Specimen(
        CRYSTAL.yx, species, CRYSTAL.sublattice, CRYSTAL.displacement, CRYSTAL.thickness, CRYSTAL.index
    )
    after = size_mismatch(mixed, {"ZrO": 0.06}, neighbor=1.95)
    assert 0.02 < after.displacement.std() < 0.2
    assert np.linalg.det(gradient(after.flow, CRYSTAL.yx)).min() > 0.5
    np.testing.assert_array_equal(size_mismatch(mixed, {"ZrO": 0.0}, neighbor=1.95).yx, mixed.yx)


def test_nonsense_is_refused():
    with pytest.raises(StemnetError, match="heaviest"):
        frozen_phonons(CRYSTAL, {"Sr": 0.1}, np.random.default_rng(0))
    with pytest.raises(StemnetError, match="snapshots"):
        frozen_phonons(CRYSTAL, 0.1, np.random.default_rng(0), snapshots=0)
    with pytest.raises(StemnetError, match="cutoff"):
        size_mismatch(CRYSTAL, {"Sr": 0.1}, neighbor=2.0, cutoff=1.0)
    with pytest.raises(StemnetError, match="correlation length"):
        correlated_disorder(CRYSTAL, 0.1, 0.0, np.random.default_rng(0))
