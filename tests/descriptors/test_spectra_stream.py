import numpy as np
import pytest

from stemnet.descriptors.spectra_stream import SpectraStream, window_spectra
from stemnet.descriptors.windows import Windows
from stemnet.errors import StemnetError


def noisy(shape=(120, 131), seed=0):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    return 500 + 3 * np.cos(2 * np.pi * (0.1 * x + 0.03 * y)) + rng.normal(size=shape)


def plain(image, windows):
    """Spectra by numpy's FFT, window by window."""
    size = windows.size
    place = (np.arange(size) + 0.5) / size
    one = np.sin(np.pi * place) ** 2 if windows.apodization == "hann" else np.ones(size)
    weight = np.outer(one, one)
    image = (image - image.mean()) / image.std()
    cycles = np.rint(windows.frequencies * size).astype(int)
    rows = []
    for top, left in np.rint(windows.centers(image.shape) - (size - 1) / 2).astype(int):
        part = image[top : top + size, left : left + size]
        part = (part - (part * weight).sum() / weight.sum()) * weight / np.sqrt((weight**2).sum())
        rows.append(np.abs(np.fft.fft2(part))[cycles[:, 0], cycles[:, 1]])
    return np.log1p(rows) if windows.log else np.array(rows)


@pytest.mark.parametrize(
    "windows",
    [
        Windows(32, 9),
        Windows(31, 8),
        Windows(32, 40),
        Windows(24, 7, "none"),
        Windows(32, 8, highest=0.2, log=True),
        Windows(21, 1 + 20, highest=0.05),
    ],
)
def test_spectra_are_those_of_an_fft_of_every_window(windows):
    image = noisy()
    table = window_spectra(image, windows)
    assert table.row == "window"
    assert table.valid.all()
    np.testing.assert_allclose(table.values, plain(image, windows), atol=1e-4)


def test_white_noise_has_a_mean_square_of_one_in_any_unit():
    noise = np.random.default_rng(1).normal(7, 250, (256, 256))
    values = window_spectra(noise, Windows(32, 32, "none")).values
    assert np.mean(values**2) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("block", [1, 50, 10**6])
def test_blocks_put_together_are_the_table(block):
    image, windows = noisy(), Windows(24, 5)
    stream = SpectraStream(image, windows, block)
    for _ in range(2):  # it can be gone through again
        parts = list(stream)
        assert [p.first for p in parts] == list(np.cumsum([0] + [len(p.rows) for p in parts[:-1]]))
        np.testing.assert_array_equal(
            np.concatenate([p.rows for p in parts]), window_spectra(image, windows).values.astype(np.float32)
        )
    assert parts[0].rows.dtype == np.float32
    assert len(parts[0].rows) <= max(block, stream.grid[1])


@pytest.mark.parametrize("size", [24, 25])
def test_an_image_turned_by_a_quarter_has_turned_spectra(size):
    image, windows = noisy((size + 30, size + 40)), Windows(size, 10)
    before, after = window_spectra(image, windows), window_spectra(np.rot90(image), windows)
    # (y, x) goes to (-x, y), about the center as for frequencies
    center, turned_center = (np.array(image.shape) - 1) / 2, (np.array(image.shape[::-1]) - 1) / 2
    row = {tuple(yx): i for i, yx in enumerate(after.yx)}
    to = [row[(turned_center[0] - (x - center[1]), turned_center[1] + (y - center[0]))] for y, x in before.yx]
    number = {tuple(k): i for i, k in enumerate(np.rint(windows.frequencies * size).astype(int))}
    cycles = np.rint(windows.frequencies * size).astype(int)
    swap = [number.get((-x, y), number.get((x, -y))) for y, x in cycles]
    np.testing.assert_allclose(after.values[to][:, swap], before.values, atol=1e-4)


def test_a_background_is_not_described():
    image = noisy((64, 64))
    image[:, 32:] += 1000
    values = window_spectra(image, Windows(32, 32)).values * image.std()
    apart = np.concatenate(
        [window_spectra(part, Windows(32, 32)).values * part.std() for part in np.hsplit(image, 2)]
    )
    np.testing.assert_allclose(np.sort(values.sum(axis=1)), np.sort(apart.sum(axis=1)), rtol=1e-3)


def test_windows_with_many_unknown_pixels_are_masked_and_touch_no_other():
    image, windows = noisy((128, 128)), Windows(32, 16)
    holed = image.copy()
    holed[40:60, 40:60] = np.nan
    table = window_spectra(holed, windows)
    center = table.yx
    share = np.array(
        [np.isnan(holed[int(y - 15.5) :][:32, int(x - 15.5) :][:, :32]).mean() for y, x in center]
    )
    np.testing.assert_array_equal(table.valid, share <= 0.1)
    assert 0 < table.valid.sum() < len(table)
    assert np.isnan(table.values[~table.valid]).all()
    unit = np.nanstd(holed) / image.std()
    clean = share == 0
    np.testing.assert_allclose(
        table.values[clean] * unit, window_spectra(image, windows).values[clean], atol=1e-3
    )


def test_a_few_unknown_pixels_hardly_matter():
    image, windows = noisy((96, 96)), Windows(32, 16)
    holed = image.copy()
    holed[np.random.default_rng(0).uniform(size=image.shape) < 0.02] = np.nan
    table = window_spectra(holed, windows)
    assert table.valid.all()
    assert np.abs(table.values - window_spectra(image, windows).values).mean() < 0.15


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: window_spectra(np.zeros((64, 64)), Windows(32, 8)), "one value"),
        (lambda: window_spectra(np.full((64, 64), np.nan), Windows(32, 8)), "one value"),
        (lambda: window_spectra(noisy((30, 90)), Windows(32, 8)), "do not fit"),
        (lambda: window_spectra(np.zeros((3, 64, 64)), Windows(32, 8)), "one frame"),
        (lambda: window_spectra(noisy((64, 64)) * 1j, Windows(32, 8)), "complex"),
        (lambda: window_spectra(noisy((1200, 1200)), Windows(64, 2)), "SpectraStream"),
    ],
)
def test_what_has_no_spectra_gets_a_sentence(call, word):
    with pytest.raises(StemnetError, match=word):
        call()
