"""Laws of the neighbor descriptors: order of the columns, turns, mirrors, errors, and what is masked."""

import numpy as np
import pytest
from crystals import make_crystal

from stemnet.columns import Columns
from stemnet.descriptors.bond_orientation import bond_orientation
from stemnet.descriptors.bond_vectors import bond_vectors
from stemnet.descriptors.bonds import find_bonds
from stemnet.descriptors.coordination import coordination
from stemnet.descriptors.order_free import order_free
from stemnet.descriptors.voronoi import voronoi_area
from stemnet.errors import StemnetError

SIDE = 320


def columns_of(yx, sampling=0.1, sigma=None, **fields):
    if sigma is not None:
        fields |= {"sigma_y": np.full(len(yx), sigma), "sigma_x": np.full(len(yx), 1.5 * sigma)}
    return Columns(yx, (SIDE, SIDE), sampling, fields)


def disordered(name="mos2", noise=0.06, seed=0):
    """Columns of a disk in the middle of the image, so that turns stay inside of it."""
    yx, _, _, _, size = make_crystal(name, cells=14, noise=noise, seed=seed)
    yx = yx + (SIDE - size) / 2
    return yx[np.hypot(*(yx - SIDE / 2).T) < 0.45 * size]


TABLES = {
    "voronoi area": voronoi_area,
    "psi": lambda c, **o: bond_orientation(c, form="magnitude", **o),
    "psi of the nearest": lambda c, **o: bond_orientation(c, form="magnitude", neighbors="nearest", **o),
    "coordination": coordination,
    "coordination by voronoi": lambda c, **o: coordination(c, neighbors="voronoi", **o),
    "order-free": order_free,
}


def inner(yx):
    """Columns whose neighborhoods end well inside of the disk."""
    return np.hypot(*(yx - SIDE / 2).T) < 50


@pytest.mark.parametrize("name", TABLES)
def test_the_order_of_the_columns_does_not_matter(name):
    yx = disordered()
    shuffle = np.random.default_rng(1).permutation(len(yx))
    straight, shuffled = (TABLES[name](columns_of(p, sigma=0.2), errors=True) for p in (yx, yx[shuffle]))
    assert straight.valid.sum() > 50
    np.testing.assert_array_equal(shuffled.valid, straight.valid[shuffle])
    np.testing.assert_allclose(shuffled.values, straight.values[shuffle], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("change", ["turn", "swap"])
def test_turns_and_mirrors_change_nothing(name, change):
    yx = disordered()
    c, s = np.cos(0.7), np.sin(0.7)
    moved = (yx - SIDE / 2) @ np.array([[c, -s], [s, c]]) + SIDE / 2 if change == "turn" else yx[:, ::-1]
    one, other = (TABLES[name](columns_of(p)) for p in (yx, moved))
    rows = inner(yx) & one.valid & other.valid
    assert rows.sum() > 40
    np.testing.assert_allclose(other.values[rows], one.values[rows], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("order", [2, 3, 4, 5, 6])
def test_the_angle_of_psi_turns_with_the_crystal_and_swaps_with_the_axes(order):
    yx = disordered()
    turn = 0.2
    c, s = np.cos(turn), np.sin(turn)
    # positions (y, x): +x goes towards +y
    moved = (yx - SIDE / 2) @ np.array([[c, -s], [s, c]]) + SIDE / 2
    tables = [bond_orientation(columns_of(p), orders=[order]) for p in (yx, moved, yx[:, ::-1])]
    rows = inner(yx) & np.all([t.valid for t in tables], axis=0) & (tables[0].values[:, 0] > 0.02)
    angle, turned, swapped = (t.values[rows, 1] for t in tables)
    off = np.exp(1j * order * (turned - angle - turn))
    np.testing.assert_allclose(off, 1, atol=1e-6)
    np.testing.assert_allclose(np.exp(1j * order * (swapped + angle - np.pi / 2)), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "order", "count", "area"),
    [("square", 4, 4, 1.0), ("triangular", 6, 6, np.sqrt(0.75)), ("honeycomb", 3, 3, 3 * np.sqrt(3) / 4)],
)
def test_perfect_lattices(name, order, count, area):
    yx = disordered(name, noise=0.0)
    columns = columns_of(yx, sampling=0.1)
    rows = inner(yx)
    psi = bond_orientation(columns, orders=[order], neighbors="radius")
    np.testing.assert_allclose(psi.values[rows, 0], 1, atol=1e-9)
    numbers = coordination(columns).values[rows]
    np.testing.assert_allclose(numbers[:, 0], count)
    np.testing.assert_allclose(numbers[:, 1], count, rtol=1e-6)
    np.testing.assert_allclose(numbers[:, 2], 1.2, rtol=1e-9)
    cells = voronoi_area(columns)
    np.testing.assert_allclose(cells.values[rows, 0], 1.44 * area, rtol=1e-6)
    assert cells.names == ("area_A2", "area_deviation_1")


def test_noise_gives_a_square_lattice_no_diagonal_neighbors():
    yx = disordered("square", noise=0.02)
    counts = find_bonds(columns_of(yx), "voronoi").counts[inner(yx)]
    print("Voronoi neighbors of a square lattice with noise of 2 %:", np.bincount(counts))
    assert (counts == 4).mean() > 0.97


SIZES = {
    "voronoi area": (voronoi_area, 0.3),
    "psi polar": (lambda c, **o: bond_orientation(c, orders=[3, 6], neighbors="nearest", k=3, **o), 0.05),
    "psi complex": (lambda c, **o: bond_orientation(c, form="complex", neighbors="nearest", k=3, **o), 0.2),
    "coordination": (coordination, 0.3),
    # small: where two distances are alike to within errors, sorting narrows them
    "order-free": (lambda c, **o: order_free(c, spacing=1.2, **o), 0.02),
}


@pytest.mark.parametrize("name", SIZES)
def test_errors_are_those_of_repeated_measurements(name):
    function, sigma = SIZES[name]
    yx = disordered(noise=0.04)
    rows = np.nonzero(np.hypot(*(yx - SIDE / 2).T) < 40)[0]
    told = function(columns_of(yx, sigma=sigma), errors=True)
    rng = np.random.default_rng(2)
    seen = []
    for _ in range(150):
        noisy = yx + rng.normal(0, [sigma, 1.5 * sigma], yx.shape)
        seen.append(function(columns_of(noisy)).values[rows])
    spread = np.std(seen, axis=0)
    names = [one for one in told.names if not one.startswith("sigma_")]
    for error in (one for one in told.names if one.startswith("sigma_")):
        i = names.index(error.removeprefix("sigma_"))
        ratio = np.median(spread[:, i] / told.values[rows, told.names.index(error)])
        print(name, error, f"spread over error {ratio:.3f}")
        assert 0.9 < ratio < 1.1


@pytest.mark.parametrize("name", TABLES)
def test_frames_are_no_neighbors_and_edges_are_masked(name):
    yx = disordered()
    both = Columns(np.concatenate([yx, yx + 3.0]), (SIDE, SIDE), 0.1, {"frame": np.repeat([0, 1], len(yx))})
    one, two = TABLES[name](columns_of(yx)), TABLES[name](both)
    rows = inner(yx)
    # the deviation of an area is from the median of all, which a second frame moves a little
    kept = [i for i, column in enumerate(one.names) if "deviation" not in column]
    np.testing.assert_allclose(two.values[: len(yx)][rows][:, kept], one.values[rows][:, kept], rtol=1e-6)
    full, *_ = make_crystal("mos2", cells=30, spacing=12.0)
    full = full[((full > 0) & (full < SIDE - 1)).all(axis=1)]
    table = TABLES[name](columns_of(full))
    edge = np.minimum(full, SIDE - 1 - full).min(axis=1)
    assert not table.valid[edge < 5].any()
    assert table.valid[edge > 45].all()
    assert np.isnan(table.values[~table.valid]).all()


@pytest.mark.parametrize("neighbors", ["voronoi", "radius"])
def test_vectors_by_voronoi_and_radius_are_those_of_the_lattice(neighbors):
    yx, _, _, vectors, size = make_crystal("triangular", noise=0.02)
    columns = Columns(yx, (int(size), int(size)), 0.2)
    table = bond_vectors(columns, neighbors=neighbors)
    assert table.values.shape[1] == 12
    assert table.names[1] == "r0x_A"
    found = table.complete.reshape(-1, 6, 2)
    mean = found.mean(axis=0)
    a, b = vectors * 0.2
    for ideal in (a, b, a - b, -a, -b, b - a):
        assert np.hypot(*(mean - ideal).T).min() < 0.02
    # one direction, one number: no row starts elsewhere
    assert found.std(axis=0).max() < 3 * 0.02 * 12 * 0.2
    shuffle = np.random.default_rng(0).permutation(len(yx))
    np.testing.assert_allclose(
        bond_vectors(columns.select(shuffle), neighbors=neighbors).values, table.values[shuffle], atol=1e-9
    )


def test_what_cannot_be_done_is_said():
    few, line = columns_of(np.array([[1.0, 2.0], [5.0, 9.0]])), columns_of(np.outer(np.arange(9.0), [10, 20]))
    for columns in (few, line):
        with pytest.raises(StemnetError, match="four or more"):
            voronoi_area(columns)
    crystal = columns_of(disordered())
    with pytest.raises(StemnetError, match="unknown"):
        find_bonds(crystal, "delaunay")
    with pytest.raises(StemnetError, match="sigma_y"):
        voronoi_area(crystal, errors=True)
    with pytest.raises(StemnetError, match="positive"):
        order_free(crystal, shells=[0.0])
    with pytest.raises(StemnetError, match="orders"):
        bond_orientation(crystal, orders=[])
    with pytest.raises(StemnetError, match="descriptor=nearest"):
        bond_vectors(crystal, neighbors="nearest")
