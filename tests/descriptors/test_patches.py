import numpy as np
import pytest

from stemnet.columns import Columns
from stemnet.descriptors.harmonics import harmonics
from stemnet.descriptors.patches import column_patches, patch_size
from stemnet.errors import StemnetError


def spots(yx, shape=(90, 100), sigma=2.5):
    y, x = np.mgrid[: shape[0], : shape[1]]
    return sum(np.exp(-((y - a) ** 2 + (x - b) ** 2) / (2 * sigma**2)) for a, b in yx)


def scattered(n=12, seed=0):
    return np.random.default_rng(seed).uniform(2, 88, (n, 2))


def test_every_column_sits_in_the_middle_of_its_patch():
    yx = np.array([[20.0, 20.0], [20.37, 60.81], [60.5, 20.5], [61.93, 70.22]])
    table = column_patches(Columns(yx, (90, 100)), spots(yx), 15)
    assert table.row == "patch"
    assert table.names[1] == "y0x1_au"
    y, x = np.mgrid[-7:8, -7:8]
    np.testing.assert_allclose(table.values, [np.exp(-(y**2 + x**2) / 12.5).ravel()] * 4, atol=2e-3)


@pytest.mark.parametrize("size", [14, 15])
def test_patches_of_a_turned_image_are_turned(size):
    yx = scattered()
    image = spots(yx)
    before = column_patches(Columns(yx, image.shape), image, size)
    turned = np.stack([99 - yx[:, 1], yx[:, 0]], axis=1)
    after = column_patches(Columns(turned, (100, 90)), np.rot90(image), size)
    np.testing.assert_array_equal(before.valid, after.valid)
    assert 0 < before.valid.sum() < len(yx)
    wanted = np.rot90(before.values.reshape(-1, size, size), axes=(1, 2)).reshape(len(yx), -1)
    np.testing.assert_allclose(after.values, wanted, atol=1e-9)


def test_patches_that_leave_the_image_are_masked_and_keep_their_row():
    yx = np.array([[7.0, 50.0], [6.9, 50.0], [40.0, 92.0], [40.0, 92.1], [45.0, 45.0]])
    table = column_patches(Columns(yx, (90, 100)), spots(yx), 15)
    np.testing.assert_array_equal(table.valid, [True, False, True, False, True])
    assert np.isnan(table.values[~table.valid]).all()
    np.testing.assert_array_equal(table.yx, yx)


def test_unknown_pixels_mask_the_patches_that_see_them_and_no_other():
    yx = np.array([[20.3, 20.6], [60.2, 70.9]])
    image = spots(yx)
    holed = image.copy()
    holed[25, 25] = np.nan
    whole, table = (column_patches(Columns(yx, (90, 100)), i, 15) for i in (image, holed))
    np.testing.assert_array_equal(table.valid, [False, True])
    np.testing.assert_allclose(table.values[1], whole.values[1], atol=1e-9)


def test_each_column_is_cut_from_its_own_frame():
    yx = np.array([[30.4, 30.2], [30.4, 30.2]])
    stack = np.stack([spots(yx[:1]), 3 * spots(yx[:1])])
    table = column_patches(Columns(yx, (90, 100), None, {"frame": np.array([1, 0])}), stack, 9)
    np.testing.assert_allclose(table.values[0], 3 * table.values[1], atol=1e-9)


def square_lattice(spacing=10.0):
    axis = np.arange(5, 90, spacing)
    return np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)


def test_by_default_the_nearest_neighbors_count_fully_where_patches_are_turned():
    columns = Columns(square_lattice(), (90, 100))
    assert column_patches(columns, spots(columns.yx)).values.shape == (len(columns), 31 * 31)
    weight = {size: harmonics(size).weight.reshape(size, size)[size // 2] for size in (31, 21)}
    assert weight[31][15 + 10] > 0.9
    assert weight[21][10 + 10] < 0.1  # two spacings: they lie on the rim


@pytest.mark.parametrize(("spacings", "side"), [(2.0, 21), (3.0, 31), (0.1, 5)])
def test_the_size_of_patches_goes_with_the_spacing_of_the_columns(spacings, side):
    assert patch_size(Columns(square_lattice(), (90, 100)), spacings) == side


def test_the_size_is_that_of_one_frame_of_a_stack():
    yx = np.concatenate([square_lattice(), square_lattice() + 0.5])  # drifted by less than a spacing
    frame = np.repeat([0, 1], len(yx) // 2)
    assert patch_size(Columns(yx, (100, 100), None, {"frame": frame})) == 31


def test_no_columns_give_no_patches():
    table = column_patches(Columns(np.zeros((0, 2)), (90, 100)), np.zeros((90, 100)), 9)
    assert table.values.shape == (0, 81)


@pytest.mark.parametrize(
    ("columns", "image", "size", "word"),
    [
        (Columns(scattered(), (90, 100)), np.zeros((100, 90)), 9, "their own image"),
        (Columns(scattered(), (90, 100)), np.zeros((90, 100), complex), 9, "complex"),
        (Columns(scattered(), (90, 100)), np.zeros((90, 100)), 2, "3 or more"),
        (Columns(scattered(), (90, 100)), np.zeros((90, 100)), 9.0, "9.0"),
        (Columns(scattered(1), (90, 100)), np.zeros((90, 100)), None, "Pass size"),
        (
            Columns(scattered(2), (90, 100), None, {"frame": np.array([0, 1])}),
            np.zeros((90, 100)),
            9,
            "whole stack",
        ),
        (Columns(scattered(10**5), (90, 100)), np.zeros((90, 100)), 99, "4 GB"),
    ],
)
def test_what_cannot_be_cut_gets_a_sentence(columns, image, size, word):
    with pytest.raises(StemnetError, match=word):
        column_patches(columns, image, size)
