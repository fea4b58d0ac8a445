import numpy as np
import pytest
from scipy import stats

from stemnet.columns import Columns
from stemnet.descriptors import Descriptors
from stemnet.descriptors.spectra_stream import window_spectra
from stemnet.descriptors.tiles import tile_means, tile_spectra, tile_statistics
from stemnet.descriptors.windows import Windows
from stemnet.errors import StemnetError


def image_of(shape=(64, 80), seed=0):
    return np.random.default_rng(seed).gamma(2.0, 3.0, shape)


def columns_of(n=300, shape=(64, 80), seed=0):
    rng = np.random.default_rng(seed)
    yx = rng.uniform(-0.5, np.array(shape) - 0.5, (n, 2))
    valid = rng.uniform(size=n) > 0.1
    values = np.where(valid[:, None], rng.normal(size=(n, 2)), np.nan)
    return Columns(yx, shape), Descriptors(values, ("a_px", "b_rad"), yx, valid)


def test_statistics_are_those_of_scipy():
    image = image_of()
    table = tile_statistics(image, 16)
    assert table.row == "tile"
    assert len(table) == 4 * 5
    part = image[16:32, 32:48].ravel()
    found = dict(zip(table.names, table.values[5 + 2], strict=True))
    assert found["mean_au"] == pytest.approx(part.mean())
    assert found["deviation_au"] == pytest.approx(part.std())
    assert found["skewness_1"] == pytest.approx(stats.skew(part))
    assert found["kurtosis_1"] == pytest.approx(stats.kurtosis(part))
    np.testing.assert_array_equal(table.yx[7], [23.5, 39.5])


def test_white_noise_has_a_gradient_of_root_two_deviations():
    table = tile_statistics(np.random.default_rng(0).normal(0, 3, (128, 128)), 64)
    np.testing.assert_allclose(table.values[:, 4], 3 * np.sqrt(2), rtol=0.03)


def test_a_quarter_turn_permutes_the_tiles_and_leaves_their_statistics():
    image = image_of()
    before, after = tile_statistics(image, 16), tile_statistics(np.rot90(image), 16)
    np.testing.assert_allclose(
        after.values.reshape(5, 4, -1), np.rot90(before.values.reshape(4, 5, -1)), rtol=1e-9
    )


def test_unknown_pixels_are_left_out_and_mask_a_tile_that_has_many():
    image = image_of()
    image[0:8, 0:8] = np.nan
    image[20, 20] = np.nan
    table = tile_statistics(image, 16)
    np.testing.assert_array_equal(table.valid, [False] + [True] * 19)
    assert np.isnan(table.values[0]).all()
    assert table.values[6, 0] == pytest.approx(np.nanmean(image[16:32, 16:32]))


def test_a_flat_tile_has_no_shape():
    np.testing.assert_array_equal(tile_statistics(np.full((32, 32), 5.0), 16).values[0], [5, 0, 0, 0, 0])


def test_spectra_of_tiles_are_those_of_windows_that_do_not_overlap():
    image = image_of()
    table = tile_spectra(image, 16, highest=0.25)
    assert table.row == "tile"
    np.testing.assert_array_equal(table.values, window_spectra(image, Windows(16, 16, highest=0.25)).values)


def test_means_of_columns_by_brute_force():
    columns, descriptors = columns_of(shape=(66, 83))
    table = tile_means(descriptors, columns, 16)
    assert table.names == ("a_px", "b_rad", "columns_1")
    assert len(table) == 4 * 5
    for center, row in zip(table.yx, table.values, strict=True):
        inside = (np.abs(columns.yx - center) < 8).all(axis=1) & descriptors.valid
        assert row[2] == inside.sum()
        np.testing.assert_allclose(row[:2], descriptors.values[inside].mean(axis=0))


def test_permuted_columns_change_no_tile():
    columns, descriptors = columns_of()
    order = np.random.default_rng(1).permutation(len(columns))
    shuffled = Descriptors(
        descriptors.values[order], descriptors.names, columns.yx[order], descriptors.valid[order]
    )
    found = tile_means(shuffled, columns.select(order), 16)
    np.testing.assert_allclose(found.values, tile_means(descriptors, columns, 16).values, atol=1e-12)


def test_tiles_with_too_few_columns_are_masked():
    columns, descriptors = columns_of()
    table = tile_means(descriptors, columns, 16, least=14)
    count = tile_means(descriptors, columns, 16).values[:, 2]
    np.testing.assert_array_equal(table.valid, count >= 14)
    assert 0 < table.valid.sum() < 20
    assert np.isnan(table.values[~table.valid]).all()


def test_what_cannot_be_tiled_gets_a_sentence():
    columns, descriptors = columns_of()
    with pytest.raises(StemnetError, match="one row per column"):
        tile_means(descriptors, columns.select(np.arange(5)), 16)
    with pytest.raises(StemnetError, match="one frame"):
        tile_means(descriptors, columns.with_fields(frame=np.arange(300) % 2), 16)
    with pytest.raises(StemnetError, match="do not fit"):
        tile_statistics(image_of(), 100)
    with pytest.raises(StemnetError, match="size=1"):
        tile_statistics(image_of(), 1)
    with pytest.raises(StemnetError, match="one frame"):
        tile_statistics(np.zeros((2, 64, 64)), 16)
