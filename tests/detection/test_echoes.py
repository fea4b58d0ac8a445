"""Candidates that repeat: the lattice vouches for its columns, each grain for its own, and for nothing between them."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from stemnet.detection.echoes import echoes, lattice_vectors

WIDTH, SHAPE = 3.0, (400, 400)


def lattice(a: float, angle: float, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    i, j = np.mgrid[-60:60, -60:60]
    yx = np.column_stack([i.ravel(), j.ravel()]) * a @ turn + np.array(shape) / 2
    return yx[np.all((yx > 5) & (yx < np.array(shape) - 6), axis=1)]


def described(yx: np.ndarray, score: np.ndarray) -> np.ndarray:
    around = cKDTree(yx).query(yx, k=41)[1][:, 1:]
    return echoes(yx, score, np.zeros(len(yx)), np.expm1(score), around, WIDTH, SHAPE)


def test_a_lattice_has_its_vectors_and_their_opposites():
    rng = np.random.default_rng(0)
    yx = lattice(20, 0.3)
    yx = yx + rng.normal(0, 0.8, yx.shape)
    found = lattice_vectors(yx, np.full(len(yx), 0.5), np.zeros(len(yx)), WIDTH)
    a = 20 * np.array([np.cos(0.3), -np.sin(0.3)])
    for vector in (a, a[::-1] * [-1, 1], -a, -a[::-1] * [-1, 1]):
        assert np.hypot(*(found - vector).T).min() < WIDTH / 2
    steps = np.linalg.solve(np.column_stack([a, a[::-1] * [-1, 1]]), found.T)
    assert np.abs(steps - np.rint(steps)).max() < 0.15


def test_bumps_between_columns_have_no_echo_and_faint_columns_have():
    rng = np.random.default_rng(1)
    columns = lattice(20, 0.3) + rng.normal(0, 0.8, lattice(20, 0.3).shape)
    bumps = rng.uniform(5, 394, (120, 2))
    bumps = bumps[cKDTree(columns).query(bumps)[0] > 6]
    # The network sees as little in every fifth column as it does in the bumps.
    score = np.r_[np.where(np.arange(len(columns)) % 5, 0.9, 0.1), np.full(len(bumps), 0.1)]
    share, strength, local = described(np.r_[columns, bumps], score)[:, :3].T
    faint = np.flatnonzero(score[: len(columns)] == 0.1)
    assert np.quantile(share[faint], 0.1) > 0.3
    assert np.quantile(share[len(columns) :], 0.9) < 0.3
    np.testing.assert_allclose(strength, share, atol=0.2)
    assert local.min() > 0.4


def test_a_faint_sublattice_is_there_more_often_than_chance_has_it():
    rng = np.random.default_rng(4)
    bright = lattice(20, 0.3)
    sites = bright + 10 * np.array([np.cos(0.3) + np.sin(0.3), np.cos(0.3) - np.sin(0.3)])
    sites = sites[np.all((sites > 5) & (sites < 395), axis=1)]
    # Three of four were noticed at all, each doubtful and off by its noise; bumps lie anywhere.
    sites = sites[rng.random(len(sites)) < 0.75]
    sites = sites + rng.normal(0, 1.5, sites.shape)
    bumps = rng.uniform(5, 395, (100, 2))
    bumps = bumps[cKDTree(np.r_[bright, sites]).query(bumps)[0] > 4.5]
    yx = np.r_[bright, sites, bumps]
    kinds = np.repeat([0, 1, 2], [len(bright), len(sites), len(bumps)])
    score, height, significance = np.array([[0.95, 0.15, 0.15], [0, -1, -1], [20, 3, 3]])[:, kinds]
    around = cKDTree(yx).query(yx, k=13)[1][:, 1:]
    found = echoes(yx, score, height, significance, around, WIDTH, SHAPE)
    echoed, alike, chance = found[:, 3], found[:, 4], found[:, 6]
    for site, bump in zip(
        np.quantile(alike[kinds == 1], [0.1, 0.5]), np.quantile(alike[kinds == 2], [0.9, 0.5]), strict=True
    ):
        assert site > 1.5 * bump
    assert (alike <= echoed + 1e-12).all()
    assert np.median(alike[kinds == 1]) > 2.5 * np.median(chance[kinds == 1])
    # The score alone tells them apart less well: the network saw next to nothing in either.
    assert np.median(found[kinds == 1, 0]) < 0.2


def test_each_grain_is_judged_by_its_own_vectors():
    left, right = lattice(20, 0.1), lattice(17, 0.8)
    yx = np.r_[left[left[:, 1] < 190], right[right[:, 1] > 210]]
    share = described(yx, np.full(len(yx), 0.9))[:, 0]
    assert np.quantile(share, 0.1) > 0.5


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_image_has_the_same_echoes(turns: int):
    rng = np.random.default_rng(2)
    yx = np.r_[lattice(20, 0.3), rng.uniform(5, 394, (40, 2))]
    score = rng.uniform(0.1, 1, len(yx))
    turned = yx - (np.array(SHAPE) - 1) / 2
    for _ in range(turns):
        turned = turned[:, ::-1] * [-1, 1]
    turned += (np.array(SHAPE) - 1) / 2
    # Positions fall to either side of a cell's border.
    np.testing.assert_allclose(described(yx, score), described(turned, score), atol=0.15)


def test_disorder_has_no_lattice():
    rng = np.random.default_rng(3)
    yx = rng.uniform(5, 394, (500, 2))
    share, _, local = described(yx, np.full(len(yx), 0.9))[:, :3].T
    assert np.median(share) < 0.3
    assert np.median(local) < 0.3


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_candidates_have_none(count: int):
    yx = np.array([[10.0, 10.0], [10.0, 200.0], [300.0, 31.0]])[:count]
    around = np.zeros((count, 1), dtype=int)
    found = echoes(yx, np.ones(count), np.zeros(count), np.ones(count), around, WIDTH, SHAPE)
    assert found.shape == (count, 7)
    np.testing.assert_array_equal(found, 0)
