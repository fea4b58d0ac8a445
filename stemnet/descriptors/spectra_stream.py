"""Sliding-window spectra: how the periods of an image change from place to place.

The sliding Fourier transform of R. K. Vasudevan et al., Applied Physics
Letters 106, 091601 (2015): a window is moved over the image in steps, and the
magnitude of its Fourier transform describes the place. Windows overlap much
and few frequencies carry a lattice, so two small matrix products take the
place of an FFT: rows of pixels are transformed along x once and shared by all
windows that hold them, then every window is transformed along y, at the
frequencies kept and no others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import uniform_filter

from stemnet.descriptors.table import Descriptors
from stemnet.descriptors.windows import Windows
from stemnet.errors import StemnetError

BLOCK = 4096  # windows handed on at once, less where a row of windows has more
LARGEST_TABLE = 2**31  # bytes of a table that is held whole


@dataclass(frozen=True)
class Block:
    """Consecutive rows of a table that is never held whole.

    Parameters
    ----------
    first : int
        Number of the first row in the table.
    rows : ndarray, shape (n, D), float32
        NaN in rows that are masked.
    valid : ndarray of bool, shape (n,)
    """

    first: int
    rows: np.ndarray
    valid: np.ndarray


@dataclass(frozen=True)
class SpectraStream:
    """The spectra of all windows of an image, block after block, as often as one iterates.

    Every number is a Fourier magnitude in units of the root mean square that
    white noise of the image's own variance gives. The mean of each
    window is taken out first, so a background is not described.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        NaN where nothing was measured; any unit.
    windows : Windows
    block : int
        Windows in a block, about; memory grows with it.
    unit : float, optional
        Deviation of the noise that counts as 1; by default the image's own.

    Attributes
    ----------
    valid : ndarray of bool, shape `grid`
        False where too many pixels are NaN.

    Raises
    ------
    StemnetError
        If the array is no image, is constant, or smaller than a window.
    """

    image: np.ndarray = field(repr=False)
    windows: Windows
    block: int = BLOCK
    unit: float | None = None
    valid: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        image = np.asarray(self.image)
        if image.ndim != 2 or image.dtype.kind not in "fiub":
            raise StemnetError(
                f"Windows were asked for of an array of shape {image.shape} and type {image.dtype}; "
                "a real image (rows, columns) is needed. Pass one frame."
            )
        tops, lefts = self.windows.starts(image.shape)
        image = image.astype(np.float32)
        known = np.isfinite(image)
        some = image[known] if known.any() else np.zeros(1, np.float32)
        center, spread = float(some.mean(dtype=np.float64)), float(some.std(dtype=np.float64))
        if not spread > 1e-6 * abs(center):
            raise StemnetError(
                f"An image of {image.shape[0]} x {image.shape[1]} px has one value in all pixels that are known; "
                "its windows have no spectrum. Pass an image with contrast."
            )
        image = (image - center) / (self.unit or spread)
        valid = np.ones((len(tops), len(lefts)), bool)
        if not known.all():
            valid = _missing(known, tops, lefts, self.windows.size) <= self.windows.missing
            image = _filled(image, known, self.windows.size)
        object.__setattr__(self, "image", image)
        object.__setattr__(self, "valid", valid)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of windows."""
        return self.valid.shape

    def __iter__(self) -> Iterator[Block]:
        """Blocks of whole rows of windows, in order."""
        rows, across = self.grid
        together = max(1, self.block // across)
        spectra = _rows_of_spectra(self.image, self.windows)
        for top in range(0, rows, together):
            n = min(together, rows - top)
            # frequencies first in memory: each is one run of windows, which numpy and BLAS are quick at
            values = np.empty((len(self.windows.frequencies), n * across), np.float32)
            for i in range(n):
                values[:, i * across : (i + 1) * across] = next(spectra)
            valid = self.valid[top : top + n].ravel()
            values[:, ~valid] = np.nan
            yield Block(top * across, values.T, valid)


def window_spectra(image: np.ndarray, windows: Windows) -> Descriptors:
    """Spectra of all windows of an image as one table.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        NaN where nothing was measured.
    windows : Windows
        Such as ``windows_for(spacing)``.

    Returns
    -------
    Descriptors
        Row i is window i, row by row; see `SpectraStream` for the numbers.

    Raises
    ------
    StemnetError
        If the table would not fit 2 GB, or as `SpectraStream` raises.
    """
    stream = SpectraStream(image, windows)
    n, d = stream.valid.size, len(windows.frequencies)
    if 8 * n * d > LARGEST_TABLE:
        raise StemnetError(
            f"{n} windows of {d} numbers fill {8 * n * d / 2**30:.1f} GB; a table of {LARGEST_TABLE / 2**30:.0f} GB "
            "is held whole at most. Use SpectraStream, a larger step or fewer frequencies."
        )
    values = np.empty((n, d))
    for part in stream:
        values[part.first : part.first + len(part.rows)] = part.rows
    valid = stream.valid.ravel()
    return Descriptors(values, windows.names, windows.centers(stream.image.shape), valid, row="window")


def _waves(windows: Windows) -> np.ndarray:
    """Apodized cosines, then sines, of 0 to m cycles in a window, shape (2, m + 1, size)."""
    place = (np.arange(windows.size) + 0.5) / windows.size  # symmetric: a mirrored image has mirrored spectra
    weight = np.sin(np.pi * place) ** 2 if windows.apodization == "hann" else np.ones(windows.size)
    phase = 2 * np.pi * np.arange(windows.orders + 1)[:, None] * place
    return (np.stack([np.cos(phase), np.sin(phase)]) * weight / np.sqrt((weight**2).sum())).astype(np.float32)


def _rows_of_spectra(image: np.ndarray, windows: Windows) -> Iterator[np.ndarray]:
    """Spectra of one row of windows after the other, shape (D, across) each."""
    waves = _waves(windows)
    m, size = windows.orders, windows.size
    flat = waves.reshape(-1, size)
    mean = waves[0, :2].sum(axis=1)  # the cosines' sums; all others vanish
    leak = (np.outer(mean, mean) / mean[0] ** 2)[..., None]  # what a constant does to the lowest frequencies
    tops, lefts = windows.starts(image.shape)
    strip = np.empty((size, len(flat), len(lefts)), np.float32)  # row y of the image in slot y % size
    done = int(tops[0])
    for top in tops:
        new = np.arange(max(done, top), top + size)
        done = int(top) + size
        pieces = sliding_window_view(image[new[0] : done], size, axis=1)[:, lefts] if len(new) else ()
        for y, piece in zip(new, pieces, strict=True):
            strip[y % size] = flat @ piece.T
        turned = np.empty_like(flat)
        turned[:, np.arange(top, top + size) % size] = flat
        both = (turned @ strip.reshape(size, -1)).reshape(2, m + 1, 2, m + 1, len(lefts))
        (cc, cs), (sc, ss) = both.transpose(0, 2, 1, 3, 4)
        cc[:2, :2] -= leak * cc[0, 0].copy()
        falling = np.square(cc - ss) + np.square(cs + sc)
        rising = np.square(cc[1:, 1:] + ss[1:, 1:]) + np.square(cs[1:, 1:] - sc[1:, 1:])
        values = np.concatenate([falling.reshape(-1, len(lefts))[1:], rising.reshape(-1, len(lefts))])
        np.sqrt(values, out=values)
        yield np.log1p(values, out=values) if windows.log else values


def _missing(known: np.ndarray, tops: np.ndarray, lefts: np.ndarray, size: int) -> np.ndarray:
    """Share of unknown pixels in every window, shape (rows, columns)."""
    total = np.zeros((known.shape[0] + 1, known.shape[1] + 1), np.int32)
    np.cumsum(np.cumsum(~known, axis=0, dtype=np.int32), axis=1, out=total[1:, 1:])
    ends = [(tops, lefts), (tops + size, lefts), (tops, lefts + size), (tops + size, lefts + size)]
    a, b, c, d = (total[np.ix_(y, x)] for y, x in ends)
    return (d - b - c + a) / size**2


def _filled(image: np.ndarray, known: np.ndarray, size: int) -> np.ndarray:
    """The image with unknown pixels at the mean of the known ones around them: they add no period of their own."""
    share = uniform_filter(known.astype(np.float32), size)
    around = uniform_filter(np.where(known, image, np.float32(0)), size) / np.maximum(share, 1e-6)
    return np.where(known, image, around)
