import numpy as np
import pytest
from crystals import CRYSTALS

from stemnet.columns import Columns
from stemnet.descriptors import assign_sublattices, find_lattice, lattice_indices


def crystal_with_cells(name, cells=24, spacing=24.0, angle=0.3, strain=0.0, noise=0.03, seed=0):
    """Positions (N, 2), intensity, true cell (N, 2) and sublattice (N,); `strain` is the slope of a wave."""
    rng = np.random.default_rng(seed)
    vectors, sites, _ = CRYSTALS[name]
    c, s = np.cos(angle), np.sin(angle)
    vectors = spacing * np.array(vectors, float) @ np.array([[c, -s], [s, c]])
    m = np.stack(np.meshgrid(*[np.arange(-2 * cells, 2 * cells)] * 2, indexing="ij"), -1).reshape(-1, 2)
    yx = np.concatenate([(m + site[:2]) @ vectors for site in sites])
    w = 2 * np.pi / (cells * spacing)
    yx = yx + strain / w * np.stack([np.sin(w * yx[:, 1]), np.cos(w * yx[:, 0])], axis=1)
    yx = yx + rng.normal(0, noise * spacing / 2, yx.shape)
    inside = (np.abs(yx) < cells * spacing / 2).all(axis=1)
    intensity = np.repeat([site[2] for site in sites], len(m)) * rng.lognormal(0, 0.1, len(yx))
    label = np.repeat(np.arange(len(sites)), len(m))
    return yx[inside], intensity[inside], np.tile(m, (len(sites), 1))[inside], label[inside]


def indexed(yx, intensity, **fields):
    columns = Columns(yx, (1000, 1000), None, {"intensity": intensity, **fields})
    lattice = find_lattice(yx, intensity)
    columns = columns.with_fields(sublattice=assign_sublattices(columns, lattice))
    return lattice_indices(columns, lattice), lattice, columns["sublattice"]


def agreement(found, true, label):
    """Share of known columns whose cell is the true one, in the best of all bases and origins."""
    known = found[:, 0] >= 0
    change = np.linalg.lstsq(
        np.column_stack([true[known], np.ones(known.sum())]).astype(float), found[known], rcond=None
    )[0][:2]
    change = np.round(change)
    assert abs(np.linalg.det(change)) == pytest.approx(1)
    rest = found - true @ change.astype(int)
    right = 0
    for s in np.unique(label[known]):
        _, times = np.unique(rest[known & (label == s)], axis=0, return_counts=True)
        right += times.max()
    return right / known.sum()


@pytest.mark.parametrize("name", ["square", "oblique", "perovskite001", "honeycomb", "mos2", "si110"])
def test_no_cell_slips_where_strain_carries_columns_cells_away(name):
    yx, intensity, cell, label = crystal_with_cells(name, cells=50, strain=0.08)
    found, lattice, _ = indexed(yx, intensity)
    # the wave is worth more than half a cell, so that one straight lattice would miscount
    straight = np.column_stack([cell, np.eye(label.max() + 1)[label]])
    off = yx - straight @ np.linalg.lstsq(straight, yx, rcond=None)[0]
    assert np.abs(off @ np.linalg.inv(lattice.vectors)).max() > 0.55
    assert (found[:, 0] >= 0).mean() > 0.98
    assert agreement(found, cell, label) == 1.0


@pytest.mark.parametrize("name", ["square", "mos2"])
def test_vacancies_and_missing_rows_are_counted_over(name):
    yx, intensity, cell, label = crystal_with_cells(name, strain=0.02)
    rng = np.random.default_rng(1)
    # two whole rows side by side are gone: the crystal falls into two parts
    keep = (rng.uniform(size=len(yx)) > 0.15) & ~np.isin(cell[:, 0], [2, 3])
    found, _, _ = indexed(yx[keep], intensity[keep])
    assert (found[:, 0] >= 0).mean() > 0.95
    assert agreement(found, cell[keep], label[keep]) > 0.999


def test_indices_name_the_cell_that_the_lattice_vectors_lead_to():
    yx, intensity, _, _ = crystal_with_cells("perovskite001", noise=0.0)
    found, lattice, sublattice = indexed(yx, intensity)
    assert found.min() == 0
    place = yx - found @ lattice.vectors
    for s in (0, 1):
        assert np.ptp(place[sublattice == s], axis=0).max() < 0.5
    between = place[sublattice == 1].mean(axis=0) - place[sublattice == 0].mean(axis=0)
    np.testing.assert_allclose(between @ np.linalg.inv(lattice.vectors), [0.5, 0.5], atol=0.02)


def test_columns_of_another_grain_and_between_the_sites_have_no_cell():
    yx, intensity, cell, label = crystal_with_cells("square", cells=30, spacing=14.0)
    other = crystal_with_cells("square", cells=30, spacing=14.0, angle=0.75, seed=1)
    left, right = yx[:, 1] < 60, other[0][:, 1] > 68
    both = np.concatenate([yx[left], other[0][right]])
    found, _, _ = indexed(both, np.concatenate([intensity[left], other[1][right]]))
    known = found[:, 0] >= 0
    assert known[: left.sum()].mean() > 0.97
    assert known[left.sum() :].mean() < 0.05
    assert agreement(found[: left.sum()], cell[left], label[left]) == 1.0
    assert (found[~known] == -1).all()


def test_rows_stay_and_every_frame_is_counted_by_itself():
    yx, intensity, _, _ = crystal_with_cells("mos2", cells=14)
    found, _, _ = indexed(yx, intensity)
    order = np.random.default_rng(0).permutation(len(yx))
    np.testing.assert_array_equal(indexed(yx[order], intensity[order])[0], found[order])
    twice = np.concatenate([yx, yx + np.array([0, 5000.0])])
    frame = np.repeat([0, 1], len(yx))
    lattice = find_lattice(yx, intensity)
    columns = Columns(twice, (1000, 9000), None, {"intensity": np.tile(intensity, 2), "frame": frame})
    columns = columns.with_fields(sublattice=assign_sublattices(columns, lattice))
    np.testing.assert_array_equal(lattice_indices(columns, lattice), np.tile(found, (2, 1)))


def test_too_few_columns_have_no_cells():
    columns = Columns(np.zeros((2, 2)), (9, 9), None, {"sublattice": np.zeros(2, int)})
    lattice = find_lattice(*crystal_with_cells("square", cells=8)[:2])
    assert (lattice_indices(columns, lattice) == -1).all()
