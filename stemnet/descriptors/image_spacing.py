"""The period of an image, from the autocorrelation of its pixels: for images whose columns tell no lattice."""

from __future__ import annotations

import numpy as np
from scipy import fft
from scipy.ndimage import gaussian_filter, maximum_filter, minimum_filter

from stemnet.errors import StemnetError

LARGEST = 1024  # side of the middle part that is looked at [px]
SHORTEST = 3.0  # period that pixels show well [px]
ALIKE = 0.5  # of the highest peak: what joins unlike columns stays below
QUARTER = 192  # least side of a quarter that is looked at for itself [px]
ROUND = 0.1  # curvature of a peak along its longer axis, over that along the other
LEAST = 6.0  # standard errors of a correlation that a peak stands out by


def image_spacing(image: np.ndarray) -> float | None:
    """Longer of the two shortest vectors that map an image onto itself.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        NaN where nothing was measured; the middle 1024 px count.

    Returns
    -------
    float or None
        [px], within about a pixel; None where the image repeats itself along
        less than two directions, or in no less than a quarter of its side.

    Raises
    ------
    StemnetError
        If the array is no image.
    """
    image = np.asarray(image)
    if image.ndim != 2 or image.dtype.kind not in "fiub":
        raise StemnetError(
            f"A period was asked for of an array of shape {image.shape} and type {image.dtype}; "
            "a real image (rows, columns) is needed. Pass one frame."
        )
    image = _middle(image.astype(np.float32))
    if min(image.shape) < 2 * QUARTER:
        return _spacing(image)
    # vectors that two grains have in common are longer than those of either: most quarters hold one grain
    top, left = (n // 2 for n in image.shape)
    quarters = [image[:top, :left], image[:top, left:], image[top:, :left], image[top:, left:]]
    found = [length for length in map(_spacing, quarters) if length is not None]
    return float(np.median(found)) if len(found) >= 2 else _spacing(image)


def _spacing(image: np.ndarray) -> float | None:
    """The longer vector of one part of an image [px]."""
    correlation, count = _autocorrelation(image)
    if correlation is None:
        return None
    vectors, heights = _peaks(correlation, count)
    if not len(vectors):
        return None
    vectors = vectors[heights >= ALIKE * heights.max()]
    length = np.hypot(*vectors.T)
    vectors, length = vectors[np.argsort(length)], np.sort(length)
    # the next that is not along the first
    apart = np.abs(vectors[:, 0] * vectors[0, 1] - vectors[:, 1] * vectors[0, 0]) > 0.45 * length * length[0]
    return float(length[apart][0]) if apart.any() else None


def _middle(image: np.ndarray) -> np.ndarray:
    sides = [min(n, LARGEST) for n in image.shape]
    top, left = ((n - side) // 2 for n, side in zip(image.shape, sides, strict=True))
    return image[top : top + sides[0], left : left + sides[1]]


def _autocorrelation(image: np.ndarray) -> tuple[np.ndarray | None, int]:
    """Correlation at every lag up to a quarter of the side, the zero lag in the middle, and pixels known."""
    known = np.isfinite(image)
    if known.sum() < 64 or min(image.shape) < 16:
        return None, 0
    weight = np.outer(*(np.sin(np.pi * (np.arange(n) + 0.5) / n) for n in image.shape)) * known
    filled = np.where(known, image, image[known].mean())
    flat = (filled - gaussian_filter(filled, min(image.shape) / 16)) * known
    flat -= np.average(flat, weights=weight)
    size = [fft.next_fast_len(2 * n, real=True) for n in image.shape]
    both = fft.irfft2(np.abs(fft.rfft2([flat * weight, weight], size)) ** 2, size)
    if not both[0, 0, 0] > 0:
        return None, 0
    reach = [n // 4 for n in image.shape]
    part, norm = (np.roll(one, reach, axis=(0, 1))[: 2 * reach[0] + 1, : 2 * reach[1] + 1] for one in both)
    correlation = part / np.maximum(norm, 1e-6 * norm.max())
    return correlation / correlation[reach[0], reach[1]], int(known.sum())


def _peaks(correlation: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Lags (y, x) of peaks outside the central one, one of each +- pair, shape (P, 2), and their heights (P,)."""
    smooth = gaussian_filter(correlation, 0.7)
    middle = np.array(smooth.shape) // 2
    # the central peak ends where the correlation first rises again
    y, x = np.indices(smooth.shape) - middle[:, None, None]
    radius = np.hypot(y, x)
    valley = radius[(smooth == minimum_filter(smooth, 5)) & (radius > 1)]
    inner = max(SHORTEST, float(valley.min(initial=np.inf)) if len(valley) else SHORTEST)
    # so many pixels share one value, and so many fewer are independent
    shared = float(np.square(correlation[radius < inner]).sum())
    least = LEAST * np.sqrt(shared / count)
    peak = (smooth == maximum_filter(smooth, 5)) & (radius > inner) & (smooth > least)
    peak &= (radius < middle.min() - 2) & ((y > 0) | ((y == 0) & (x > 0)))
    peak[peak] = _round(smooth, np.argwhere(peak))
    return np.stack([y[peak], x[peak]], axis=1).astype(np.float64), smooth[peak]


def _round(smooth: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Which peaks (P, 2) fall off along both directions: a ridge repeats the image along one only, shape (P,)."""
    i, j = places.T
    here = smooth[i, j]
    yy = 2 * here - smooth[i + 2, j] - smooth[i - 2, j]
    xx = 2 * here - smooth[i, j + 2] - smooth[i, j - 2]
    yx = (smooth[i + 2, j - 2] + smooth[i - 2, j + 2] - smooth[i + 2, j + 2] - smooth[i - 2, j - 2]) / 4
    middle, apart = (yy + xx) / 2, np.hypot((yy - xx) / 2, yx)
    return middle - apart > ROUND * (middle + apart)
