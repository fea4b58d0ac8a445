import numpy as np
import pytest
from crystals import CRYSTALS, make_crystal, spans_same

from stemnet.descriptors import find_lattice

IMPERFECT = {"noise": 0.1, "vacancies": 0.05, "false": 0.05, "strain": 0.03}


@pytest.mark.parametrize("name", CRYSTALS)
@pytest.mark.parametrize("seed", range(3))
def test_every_crystal_is_found_at_any_angle_with_every_imperfection(name, seed):
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi)
    for defects in ({}, IMPERFECT):
        yx, intensity, _, vectors, _ = make_crystal(name, angle=angle, seed=seed, **defects)
        lattice = find_lattice(yx, intensity)
        assert spans_same(lattice.vectors, vectors, tolerance=0.12)
        assert lattice.k == CRYSTALS[name][2]


@pytest.mark.parametrize("name", ["square", "oblique", "perovskite001", "mos2", "si110"])
def test_a_small_field_gives_the_lattice_too(name):
    for seed in range(4):
        yx, intensity, _, vectors, _ = make_crystal(name, cells=6, angle=seed, noise=0.05, seed=seed)
        assert spans_same(find_lattice(yx, intensity).vectors, vectors, tolerance=0.12)


def test_intensity_alone_tells_the_sites_of_a_perovskite_apart():
    yx, intensity, _, vectors, _ = make_crystal("perovskite001", noise=0.03)
    with_intensity, without = find_lattice(yx, intensity), find_lattice(yx)
    assert spans_same(with_intensity.vectors, vectors)
    assert abs(np.linalg.det(without.vectors) / np.linalg.det(vectors)) == pytest.approx(0.5, abs=0.05)


def test_stripes_in_the_intensity_do_not_hide_the_lattice():
    yx, intensity, _, vectors, _ = make_crystal("square", angle=0.0, noise=0.03)
    gain = np.random.default_rng(0).lognormal(0, 0.4, 60)
    striped = intensity * gain[np.round(yx[:, 0] / 12).astype(int)]
    assert spans_same(find_lattice(yx, striped).vectors, vectors)


def test_weak_columns_found_half_the_time_do_not_change_the_lattice():
    for seed in range(3):
        yx, intensity, label, vectors, _ = make_crystal("mos2", angle=seed, noise=0.05, seed=seed)
        keep = (label != 1) | (np.random.default_rng(seed).uniform(size=len(label)) < 0.5)
        assert spans_same(find_lattice(yx[keep], intensity[keep]).vectors, vectors)


def test_paired_chains_keep_their_parent_lattice():
    yx, _, _, vectors, _ = make_crystal("square", angle=0.4, noise=0.02, cells=20)
    index = np.round((yx - yx[0]) @ np.linalg.inv(vectors))
    paired = yx + np.where(index[:, :1] % 2 == 0, 0.1, -0.1) * vectors[0]
    assert spans_same(find_lattice(paired).vectors, vectors, tolerance=0.08)


@pytest.mark.parametrize("columns", [14, 40, 300])
def test_random_points_have_no_lattice(columns):
    for seed in range(2):
        yx = np.random.default_rng(seed).uniform(0, 12 * np.sqrt(columns), (columns, 2))
        assert find_lattice(yx) is None


def test_of_two_grains_the_larger_is_found_and_said():
    first, i1, _, vectors, size = make_crystal("mos2", cells=22, angle=0.1, noise=0.04, seed=1)
    other, i2, _, _, _ = make_crystal("mos2", cells=22, angle=0.4, noise=0.04, seed=2)
    left, right = first[:, 1] < 0.62 * size, other[:, 1] > 0.62 * size + 5
    yx = np.concatenate([first[left], other[right]])
    lattice = find_lattice(yx, np.concatenate([i1[left], i2[right]]))
    assert spans_same(lattice.vectors, vectors)
    assert 0.4 < lattice.confidence < 0.75
    assert "largest part" in lattice.note


@pytest.mark.parametrize(
    "yx", [np.zeros((0, 2)), np.zeros((40, 2)), np.outer(np.arange(40.0), [1, 2]), np.full((40, 2), np.nan)]
)
def test_no_lattice_in_what_cannot_have_one(yx):
    assert find_lattice(yx) is None


def test_the_order_of_the_columns_does_not_matter():
    yx, intensity, _, _, _ = make_crystal("mos2", noise=0.05, false=0.03)
    order = np.random.default_rng(0).permutation(len(yx))
    shuffled = find_lattice(yx[order], intensity[order])
    np.testing.assert_allclose(shuffled.vectors, find_lattice(yx, intensity).vectors, atol=1e-9)


def test_the_template_starts_at_the_x_axis_and_turns_one_way():
    for angle in np.linspace(0, 2 * np.pi, 13):
        yx, intensity, _, _, _ = make_crystal("triangular", angle=angle, noise=0.01)
        template = find_lattice(yx, intensity).template
        turn = np.unwrap(np.arctan2(template[:, 0], template[:, 1]))
        assert -np.pi / 12 - 0.05 < turn[0] < np.pi / 3
        np.testing.assert_allclose(np.diff(turn), np.pi / 3, atol=0.05)
