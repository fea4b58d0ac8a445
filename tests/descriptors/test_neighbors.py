import numpy as np
import pytest
from crystals import make_crystal
from scipy.spatial import cKDTree

from stemnet.columns import Columns
from stemnet.descriptors import bond_angles, bond_lengths, find_lattice, neighbor_vectors
from stemnet.errors import StemnetError


def crystal(name="mos2", sampling=0.1, **options):
    yx, intensity, label, vectors, size = make_crystal(name, **options)
    return Columns(yx, (int(size), int(size)), sampling, {"intensity": intensity}), label, vectors


def vectors_of(table):
    return table.values.reshape(len(table), -1, 2)


@pytest.mark.parametrize(("name", "k"), [("mos2", 6), ("perovskite001", 4), ("si110", 6), ("square", 4)])
def test_vectors_are_the_lattice_template_in_angstrom(name, k):
    columns, _, _ = crystal(name, sampling=0.2)
    table = neighbor_vectors(columns)
    template = find_lattice(columns.yx, columns["intensity"]).template
    assert table.names[:2] == ("r0y_A", "r0x_A")
    assert table.values.shape == (len(columns), 2 * k)
    np.testing.assert_allclose(
        table.complete.reshape(-1, k, 2), [template * 0.2] * table.valid.sum(), atol=0.05
    )


def test_without_a_sampling_vectors_are_in_pixels():
    columns, _, vectors = crystal("square", sampling=None)
    table = neighbor_vectors(columns)
    assert table.names[0] == "r0y_px"
    assert np.hypot(*vectors_of(table)[table.valid][0, 0]) == pytest.approx(np.hypot(*vectors[0]))


@pytest.mark.parametrize("order", ["template", "angle", "distance"])
@pytest.mark.parametrize("neighbors", ["same", "all", 1])
def test_permuted_columns_permute_the_rows(order, neighbors):
    columns, _, _ = crystal(noise=0.05, vacancies=0.03)
    shuffle = np.random.default_rng(0).permutation(len(columns))
    straight = neighbor_vectors(columns, order=order, neighbors=neighbors)
    shuffled = neighbor_vectors(columns.select(shuffle), order=order, neighbors=neighbors)
    assert straight.valid.sum() > 50
    np.testing.assert_array_equal(shuffled.valid, straight.valid[shuffle])
    np.testing.assert_allclose(shuffled.values, straight.values[shuffle], atol=1e-9)


def test_a_translation_of_the_image_changes_nothing():
    columns, _, _ = crystal(noise=0.05)
    moved = Columns(columns.yx + np.array([3.7, 11.2]), columns.shape, columns.sampling, columns.fields)
    np.testing.assert_allclose(neighbor_vectors(moved).values, neighbor_vectors(columns).values, atol=1e-9)


@pytest.mark.parametrize("angle", [0.0, 0.25, np.pi / 2, 2.8, np.pi, 4.0])
def test_a_rotation_rotates_the_vectors_and_leaves_bonds_alone(angle):
    columns, _, _ = crystal(noise=0.03, angle=0.0)
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    turned = Columns(columns.yx @ turn, columns.shape, columns.sampling, columns.fields)
    before, after = neighbor_vectors(columns), neighbor_vectors(turned)
    np.testing.assert_array_equal(before.valid, after.valid)
    expected, found = vectors_of(before) @ turn, vectors_of(after)
    row = np.nonzero(before.valid)[0][0]
    # the first direction may be another one of the six: one and the same shift for all rows
    shift = int(np.argmin([np.abs(np.roll(expected[row], n, axis=0) - found[row]).sum() for n in range(6)]))
    np.testing.assert_allclose(np.roll(expected, shift, axis=1), found, atol=1e-9)
    for bond in (bond_lengths, bond_angles):
        np.testing.assert_allclose(np.roll(bond(before).values, shift, axis=1), bond(after).values, atol=1e-9)


def test_an_axis_swap_swaps_components_and_renumbers_all_rows_alike():
    columns, _, _ = crystal("perovskite001", noise=0.03)
    swapped = Columns(columns.yx[:, ::-1], columns.shape, columns.sampling, columns.fields)
    before, after = neighbor_vectors(columns), neighbor_vectors(swapped)
    np.testing.assert_array_equal(before.valid, after.valid)
    old, new = vectors_of(before)[before.valid][..., ::-1], vectors_of(after)[after.valid]
    renumber = [int(np.argmin(np.hypot(*(old[0] - v).T))) for v in new[0]]
    assert sorted(renumber) == list(range(4))
    np.testing.assert_allclose(old[:, renumber], new, atol=1e-9)


@pytest.mark.parametrize("order", ["template", "angle"])
def test_no_row_jumps_at_the_cut_whatever_the_orientation(order):
    for angle in np.linspace(0, 2 * np.pi, 25):
        columns, _, _ = crystal(noise=0.04, angle=angle, cells=10)
        found = vectors_of(neighbor_vectors(columns, order=order))
        found = found[np.isfinite(found).all((1, 2))]
        spread = np.abs(found - np.median(found, axis=0)).max()
        assert spread < 0.5 * np.hypot(*found[0, 0])


def test_a_vacancy_makes_its_neighbors_incomplete_and_only_them():
    columns, _, _ = crystal("triangular", noise=0.03)
    before = neighbor_vectors(columns)
    vacancy = int(np.argmin(np.hypot(*(columns.yx - np.mean(columns.shape) / 2).T)))
    rest = np.arange(len(columns)) != vacancy
    after = neighbor_vectors(columns.select(rest))
    lost = np.nonzero(rest)[0][before.valid[rest] & ~after.valid]
    _, around = cKDTree(columns.yx).query(columns.yx[vacancy], k=7)
    assert set(lost) == set(around) - {vacancy}
    assert np.isnan(after.values[~after.valid]).all()


def test_smooth_strain_is_followed():
    columns, _, _ = crystal("square", strain=0.15, noise=0.02, cells=24)
    lattice = find_lattice(columns.yx, columns["intensity"])
    inside = (np.abs(columns.yx - columns.shape[0] / 2) < 0.4 * columns.shape[0]).all(axis=1)
    assert neighbor_vectors(columns, lattice=lattice).valid[inside].mean() > 0.99


def test_neighbors_of_another_sublattice_and_one_center_sublattice():
    columns, label, vectors = crystal("perovskite001")
    table = neighbor_vectors(columns, center=0, neighbors=1)
    assert table.values.shape[1] == 8
    assert not table.valid[label == 1].any()
    lengths = bond_lengths(table)
    assert lengths.names[0] == "bond0_A"
    np.testing.assert_allclose(lengths.complete, np.hypot(*vectors[0]) / np.sqrt(2) * 0.1, rtol=1e-6)
    np.testing.assert_allclose(bond_angles(table).complete, np.pi / 2, atol=1e-6)


def test_more_neighbors_than_the_lattice_has():
    columns, _, _ = crystal("square")
    table = neighbor_vectors(columns, k=8)
    assert table.values.shape[1] == 16
    assert table.valid.any()


def test_distance_order_is_by_distance():
    columns, _, _ = crystal(noise=0.05)
    lengths = bond_lengths(neighbor_vectors(columns, order="distance")).complete
    assert len(lengths) > 50
    assert (np.diff(lengths, axis=1) >= 0).all()


def test_without_a_lattice_the_six_nearest_away_from_the_border():
    rng = np.random.default_rng(0)
    yx = rng.uniform(0, 300, (400, 2))
    table = neighbor_vectors(Columns(yx, (300, 300)))
    assert table.values.shape == (400, 12)
    near = np.minimum(yx, 299 - yx).min(axis=1)
    assert table.valid[near > 60].mean() > 0.9
    assert not table.valid[near < 1].any()
    found = vectors_of(table)[table.valid]
    angle = np.arctan2(found[..., 0], found[..., 1])
    assert (np.diff((angle + np.pi / 6) % (2 * np.pi), axis=1) >= 0).all()


def test_columns_of_different_frames_are_never_neighbors():
    columns, _, _ = crystal("square", noise=0.02)
    twice = Columns(
        np.concatenate([columns.yx, columns.yx + 5.0]),
        columns.shape,
        columns.sampling,
        {"frame": np.repeat([0, 1], len(columns)), "intensity": np.tile(columns["intensity"], 2)},
    )
    once = neighbor_vectors(columns)
    np.testing.assert_allclose(neighbor_vectors(twice).values, np.tile(once.values, (2, 1)), atol=1e-9)


@pytest.mark.parametrize(
    ("options", "word"),
    [({"k": 0}, "k=0"), ({"order": "x"}, "order"), ({"neighbors": "x"}, "neighbors"), ({"center": 7}, "7")],
)
def test_an_option_that_does_not_exist_is_named(options, word):
    columns, _, _ = crystal("square")
    with pytest.raises(StemnetError, match=word):
        neighbor_vectors(columns, **options)


def test_angles_need_two_neighbors():
    columns, _, _ = crystal("square")
    with pytest.raises(StemnetError, match="two neighbors"):
        bond_angles(neighbor_vectors(columns, k=1))


@pytest.mark.parametrize("n", [0, 1, 5])
def test_too_few_columns_give_masked_rows(n):
    table = neighbor_vectors(Columns(np.random.default_rng(0).uniform(0, 50, (n, 2)), (50, 50)))
    assert table.values.shape == (n, 12)
    assert not table.valid.any()
    assert bond_angles(table).values.shape == (n, 6)
