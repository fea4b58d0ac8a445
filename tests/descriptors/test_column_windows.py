"""Columns take the spectrum of the window around them, and maps of frequencies turn as the image does."""

import numpy as np
import pytest
from test_disks import two_sublattices

from stemnet.columns import Columns
from stemnet.descriptors.column_windows import column_windows, image_windows, on_maps, side_of_maps
from stemnet.descriptors.windows import Windows
from stemnet.errors import StemnetError

WINDOWS = Windows(32, 4, log=True, highest=0.25)


def noise(shape=(120, 100), seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def test_a_column_in_the_middle_of_a_window_has_its_row():
    image = noise()
    table = image_windows(image, WINDOWS)
    columns = Columns(
        table.yx + np.random.default_rng(1).uniform(-1.9, 1.9, table.yx.shape), image.shape, 0.2
    )
    there = column_windows(columns, image, WINDOWS)
    assert there.names == table.names
    assert there.row == "window"
    inside = there.valid
    # all but those that lie farther out than half a step from the outermost middles
    assert inside.all()
    np.testing.assert_array_equal(there.values, table.values)
    # the step of training windows is not that of columns
    coarse = Windows(32, 16, log=True, highest=0.25)
    np.testing.assert_array_equal(column_windows(columns, image, coarse).values, table.values)


def test_columns_near_the_rim_or_beside_unknown_pixels_are_masked_and_keep_their_rows():
    image = noise()
    image[70:, :] = np.nan
    yx = np.array([[2.0, 50.0], [40.0, 50.0], [40.0, 98.0], [100.0, 50.0], [45.0, 30.0]])
    table = column_windows(Columns(yx, image.shape, 0.2), image, WINDOWS)
    assert table.valid.tolist() == [False, True, False, False, True]
    assert np.isnan(table.values[~table.valid]).all()
    np.testing.assert_array_equal(table.yx, yx)


def test_gain_and_ground_are_not_seen_nor_where_the_lattice_lies():
    image, columns = two_sublattices()
    one, other = column_windows(columns, image, WINDOWS), column_windows(columns, 7 * image + 300, WINDOWS)
    np.testing.assert_allclose(one.complete, other.complete, atol=1e-3)
    # four cells in a window: whichever part of a cell is in its middle
    four = Windows(64, 8, log=True, highest=0.2)
    image, columns = two_sublattices(180)
    one = column_windows(columns, image, four)
    assert one.complete.std(axis=0).max() < 0.02 * one.complete.max()


def test_each_frame_is_looked_at_for_itself():
    frames = np.stack([noise(seed=1), noise(seed=2)])
    yx = np.array([[40.0, 50.0], [40.0, 50.0], [60.0, 30.0]])
    columns = Columns(yx, frames.shape[1:], 0.2, {"frame": np.array([0, 1, 1])})
    table = column_windows(columns, frames, WINDOWS)
    for row, frame in enumerate((0, 1, 1)):
        alone = column_windows(Columns(yx[[row]], frames.shape[1:], 0.2), frames[frame], WINDOWS)
        np.testing.assert_array_equal(table.values[row], alone.values[0])


def test_a_map_turns_as_the_image_does_and_is_whole_in_the_middle():
    image = noise((96, 96))
    turned = np.rot90(image)
    one, other = image_windows(image, WINDOWS, maps=True), image_windows(turned, WINDOWS, maps=True)
    side = side_of_maps(WINDOWS)
    assert one.values.shape[1] == side**2
    assert len(one.names) == side**2
    assert one.names[0] == "k-8-8_1"
    grid = round(len(one) ** 0.5)
    expected = np.rot90(one.values.reshape(grid, grid, side, side), axes=(0, 1))
    expected = np.rot90(expected, axes=(2, 3)).reshape(len(one), -1)
    np.testing.assert_allclose(other.values, expected, atol=1e-4)
    # half a turn of a map is the map
    np.testing.assert_allclose(one.values, one.values[:, ::-1], atol=1e-12)
    assert np.isfinite(one.values).all()
    assert (one.values[:, 0] == 0).all()


def test_rows_that_are_not_known_stay_unknown_on_maps():
    values = np.full((2, len(WINDOWS.frequencies)), np.nan)
    values[1] = 1.0
    maps = on_maps(values, WINDOWS)
    assert np.isnan(maps[0, len(maps[0]) // 2 + 1])
    assert maps[1].max() == pytest.approx(1)


def test_another_image_than_that_of_the_columns_is_refused():
    with pytest.raises(StemnetError, match="Columns of an image of 50 x 50 px"):
        column_windows(Columns(np.zeros((1, 2)), (50, 50), 0.2), noise(), WINDOWS)
