import numpy as np
import pytest
from alloys import SERIES, alloy, metals

from stemnet.columns import Columns
from stemnet.descriptors.neighbors import lattice_of
from stemnet.descriptors.shells import lattice_shells
from stemnet.descriptors.short_range_order import short_range_order


@pytest.mark.parametrize("name", SERIES)
def test_the_order_planted_in_the_series_comes_back_within_its_error(name):
    columns, probability, shells = metals(name)
    found = short_range_order(columns, probability, shells)
    assert abs(found.alpha[0] - columns["warren_cowley"][0]) < 2 * found.sigma[0]


@pytest.mark.parametrize(("share", "order"), [(0.5, 0.2), (0.5, 0.0), (0.3, -0.15), (0.2, 0.0), (0.78, 0.1)])
def test_short_range_order_comes_back_within_its_error(share, order):
    off = []
    for seed in range(4):
        columns, probability, shells, planted = alloy(share, order, seed)
        found = short_range_order(columns, probability, shells, resamplings=200)
        off.append((found.alpha[0] - planted) / found.sigma[0])
    print(f"share {share}, order {order}: off by {np.round(off, 2)} standard errors")
    assert np.abs(off).max() < 3
    assert np.sqrt(np.mean(np.square(off))) < 1.5


def test_errors_are_the_same_whichever_species_is_the_rare_one():
    for seed in range(3):
        columns, probability, shells, _ = alloy(0.95, 0.04, seed)
        common = short_range_order(columns, probability, shells)
        rare = short_range_order(columns, 1 - probability, shells)
        np.testing.assert_allclose(common.alpha, rare.alpha, atol=1e-12)
        np.testing.assert_allclose(common.sigma, rare.sigma, rtol=1e-6)
        assert common.sigma[0] < 1.6 * common.random_sigma[0]


def test_a_random_alloy_has_no_order_in_any_shell_and_no_false_alarms():
    columns, probability, shells, _ = alloy(0.4, 0.0, 0)
    rng, alphas, alarms = np.random.default_rng(1), [], []
    for _ in range(40):
        found = short_range_order(columns, rng.permutation(probability), shells, resamplings=99)
        alphas.append(found.alpha)
        alarms.append(found.p_value < 0.05)
    error = np.mean([found.random_sigma], axis=0)
    assert np.abs(np.mean(alphas, axis=0) / (error / np.sqrt(40))).max() < 3
    np.testing.assert_allclose(np.std(alphas, axis=0), error, rtol=0.35)
    assert np.mean(alarms) < 0.12


def test_columns_in_doubt_widen_the_errors_and_not_the_values():
    columns, truth, shells, _ = alloy(0.5, 0.2, 3)
    sure = short_range_order(columns, truth, shells)
    rng = np.random.default_rng(0)
    alphas, sigmas = [], []
    for _ in range(20):
        # a calibrated doubt: columns called p are of the species with a chance of p
        doubtful = rng.random(len(truth)) < 0.5
        called = rng.random(len(truth)) < 0.8
        probability = np.where(doubtful, np.where(called == (truth > 0.5), 0.8, 0.2), truth)
        found = short_range_order(columns, probability, shells, resamplings=99)
        alphas.append(found.alpha[0])
        sigmas.append(found.sigma[0])
    assert np.mean(alphas) == pytest.approx(sure.alpha[0], abs=0.02)
    assert np.mean(sigmas) > sure.sigma[0]


def test_columns_of_different_frames_make_no_pairs():
    columns, probability, shells, _ = alloy(0.5, 0.1, 0)
    n = len(columns)
    frames = {"sublattice": np.zeros(2 * n, int), "frame": np.repeat([0, 1], n)}
    both = Columns(np.concatenate([columns.yx, columns.yx + 1.0]), columns.shape, columns.sampling, frames)
    found = short_range_order(both, np.tile(probability, 2), lattice_shells(both, lattice_of(columns)))
    alone = short_range_order(columns, probability, shells)
    np.testing.assert_allclose(found.alpha, alone.alpha, atol=0.01)
    np.testing.assert_array_equal(found.pairs, 2 * alone.pairs)


def test_order_of_columns_and_swapped_axes_change_nothing():
    columns, probability, shells, _ = alloy(0.5, 0.1, 0)
    straight = short_range_order(columns, probability, shells).alpha
    order = np.random.default_rng(0).permutation(len(columns))
    shuffled = columns.select(order)
    again = lattice_shells(shuffled, lattice_of(shuffled))
    np.testing.assert_allclose(short_range_order(shuffled, probability[order], again).alpha, straight)
    swapped = Columns(columns.yx[:, ::-1], columns.shape[::-1], columns.sampling, columns.fields)
    mirrored = lattice_shells(swapped, lattice_of(swapped))
    np.testing.assert_allclose(short_range_order(swapped, probability, mirrored).alpha, straight)


def test_three_species_are_compared_pair_by_pair():
    columns, _, shells, _ = alloy(0.5, 0.0, 0)
    kind = np.random.default_rng(5).integers(0, 3, len(columns))
    pairs = [
        short_range_order(columns, (kind == i) * 1.0, shells, other=(kind == j) * 1.0).alpha[0]
        for i in range(3)
        for j in range(3)
        if i != j
    ]
    assert np.abs(pairs).max() < 0.12
    assert pairs[0] == pytest.approx(pairs[2])


def test_one_species_gets_a_verdict():
    columns, probability, shells = metals("remos2_05")
    found = short_range_order(columns, np.where(np.isfinite(probability), 1.0, np.nan), shells)
    assert np.isnan(found.alpha).all()
    assert "one species" in found.verdict
