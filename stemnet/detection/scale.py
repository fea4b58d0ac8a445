"""How wide a column is, from the image alone.

The central peak of an image's autocorrelation is the autocorrelation of one
column; white noise only adds a spike at zero lag, which is left out. The
estimate needs no lattice, no calibration and no network, and it holds at doses
at which no single column can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import fft, ndimage

from stemnet.detection.resampling import binned
from stemnet.detection.smoothing import gaussian_mean

CROP = 512
SMALLEST = 16
COARSER = 3
"""Where noise drowns the columns, pixels of this many are put together [px]."""
DROWNED = 0.1
"""Share of the image's variance below which they are drowned."""
LARGEST = 64
"""Lags beyond this are not looked at [px]; columns wider than a third of it are zoomed out first."""
BIAS = 1.12
"""Neighbors' tails narrow the central peak: true over estimated width on simulated lattices at 4 to 7 sigma spacing."""


@dataclass(frozen=True)
class WidthEstimate:
    """One hypothesis on the width of a column.

    Parameters
    ----------
    width : float
        Sigma of a column [px].
    strength : float
        Share of the image's variance under the peak of the autocorrelation, 0
        to 1; near 0 for pure noise.
    """

    width: float
    strength: float


def estimate_widths(image: np.ndarray) -> list[WidthEstimate]:
    """Estimate the width of columns.

    Slow variations hide fine detail and fine detail hides slow variations, so
    the autocorrelation is taken after removing backgrounds of several lengths;
    estimates that differ are all returned, the one with the gentlest removal
    first.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        NaN where nothing was measured.

    Returns
    -------
    list of WidthEstimate
        Empty if the image holds no structure wider than a pixel.
    """
    estimates = _estimates(image)
    if max((estimate.strength for estimate in estimates), default=0.0) < DROWNED:
        coarse = _estimates(binned(image, COARSER))
        estimates += [
            replace(estimate, width=COARSER * estimate.width)
            for estimate in coarse
            if estimate.strength >= DROWNED
        ]
    different: list[WidthEstimate] = []
    for found in estimates:
        if all(abs(np.log(found.width / other.width)) > np.log(1.35) for other in different):
            different.append(found)
    return different


def _estimates(image: np.ndarray) -> list[WidthEstimate]:
    """One estimate for every background that is removed."""
    if min(image.shape) < SMALLEST:
        return []
    crops = _crops(image)
    estimates = []
    for length in (CROP / 16, 14.0, 6.0):
        lags = _radial_autocorrelation(crops, length)
        found = None if lags is None else _central_peak(lags)
        if found is not None and found.strength >= 0.02:
            estimates.append(found)
    return estimates


def _crops(image: np.ndarray) -> list[np.ndarray]:
    """Up to four parts of the image that vary most; all of a small image."""
    height, width = image.shape
    tall, wide = min(CROP, height), min(CROP, width)
    tops = np.unique(np.linspace(0, height - tall, min(3, -(-height // tall))).astype(int))
    lefts = np.unique(np.linspace(0, width - wide, min(3, -(-width // wide))).astype(int))
    crops = []
    for top in tops:
        for left in lefts:
            crop = image[top : top + tall, left : left + wide].astype(np.float32)
            known = np.isfinite(crop)
            if known.mean() > 0.5:
                low, high = np.percentile(crop[known], [0.1, 99.9])
                crops.append(np.clip(np.where(known, crop, np.median(crop[known])), low, high))
    spread = [np.std(crop - ndimage.uniform_filter(crop, 31)) for crop in crops]
    return [crops[i] for i in np.argsort(spread, kind="stable")[::-1][:4]]


def _radial_autocorrelation(crops: list[np.ndarray], length: float) -> np.ndarray | None:
    """Azimuthal mean of the normalized autocorrelation at lags 0, 1, 2, ... px."""
    parts = []
    for crop in crops:
        tall, wide = crop.shape
        flat = crop - gaussian_mean(crop, min(length, min(crop.shape) / 8))
        deviation = flat.std()
        if not deviation > 1e-6 * (np.abs(crop).max() + 1e-30):
            continue
        window = np.outer(np.hanning(tall + 2)[1:-1], np.hanning(wide + 2)[1:-1]).astype(np.float32)
        size = [fft.next_fast_len(tall + LARGEST), fft.next_fast_len(wide + LARGEST)]
        parts.append((_correlated(flat / deviation * window, size), _correlated(window, size)))
    if not parts:
        return None
    total, share = np.sum(parts, axis=0)
    reach = min(LARGEST, min(crops[0].shape) // 2 - 1)
    block = np.r_[0 : reach + 1, -reach:0]
    values = total[np.ix_(block, block)] / share[np.ix_(block, block)]
    lag = np.hypot(block[:, None], block[None, :])
    ring = np.rint(lag).astype(int).ravel()
    inside = ring <= reach
    return np.bincount(ring[inside], values.ravel()[inside]) / np.bincount(ring[inside])


def _correlated(values: np.ndarray, size: list[int]) -> np.ndarray:
    return fft.irfft2(np.abs(fft.rfft2(values, s=size)) ** 2, s=size)


def _central_peak(lags: np.ndarray) -> WidthEstimate | None:
    """Fit a Gaussian to the central peak, without lag 0, down to its first minimum."""
    smooth = lags.copy()
    smooth[0] = max(2 * lags[1] - lags[2], lags[1])
    smooth = ndimage.gaussian_filter1d(smooth, 0.7)
    falling = np.flatnonzero(np.diff(smooth[1:]) >= 0)
    minimum = 1 + int(falling[0]) if len(falling) else len(lags) - 1
    base = smooth[minimum]
    if minimum < 2 or lags[1] - base < 0.01:
        return None
    r = np.arange(1, max(2, int(0.75 * minimum)) + 1)
    fall = lags[r] - base
    sigma = np.geomspace(0.5, LARGEST / 2, 300)
    shape = np.exp(-(r**2) / (4 * sigma[:, None] ** 2))
    height = (shape @ fall) / (shape**2).sum(1)
    misfit = ((fall - height[:, None] * shape) ** 2).sum(1)
    best = int(np.argmin(misfit))
    if best in (0, len(sigma) - 1):
        return None
    return WidthEstimate(float(BIAS * sigma[best]), float(np.clip(height[best], 0, 1)))
