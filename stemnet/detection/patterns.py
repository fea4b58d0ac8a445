"""What an image shows at the scale of columns: columns, or what only looks like them to a network.

Fringes vary along one direction: no column is resolved in them. A random
texture (magnified or smoothed noise, an amorphous film) has bumps as round as
columns, but is a Gaussian random field: its histogram has no skewness and no
excess of kurtosis, and no spatial frequency stands out. Columns are brighter
than what lies between them, or repeat; mostly both.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import fft, ndimage

from stemnet.detection.smoothing import gaussian_mean

Pattern = Literal["columns", "fringes", "texture"]

OUTSTANDING = 6.0
"""A spatial frequency stands out where it has so many times the median power of its ring."""
RULING, SOME = 0.5, 0.05
"""Those that stand out rule the image where they have the first share of the power at the scale of columns; where they
have less than the second, nothing repeats."""
FRINGES = 0.03
"""Variation across fringes, as a share of that along them, below which there is but one direction."""
WINDOW = 40.0
"""Side of the windows whose spectra are averaged [widths]."""
LONGEST, FINEST = 16.0, 2.5
"""Periods that a lattice of columns may have [widths]."""
SKEWED, PEAKED = 0.2, 0.3
"""Skewness and excess kurtosis, either way, within which the histogram may be a Gaussian random field's. Where few
bumps have room, chance goes beyond them: then columns are looked for."""
BUMPS = 300
"""Bumps of the size of a column that an area must have room for, before its histogram tells anything."""


def pattern(crop: np.ndarray, width: float) -> Pattern:
    """What a part of an image shows at the scale of columns.

    Parameters
    ----------
    crop : ndarray, shape (H, W)
        NaN where nothing was measured.
    width : float
        Sigma of a column [px].

    Returns
    -------
    {"columns", "fringes", "texture"}
        "columns" also where there is too little of the image to tell.
    """
    known = np.isfinite(crop)
    filled = np.where(known, crop, np.median(crop[known]) if known.any() else 0.0)
    frequency, excess, power = _outstanding(filled, width)
    if excess.sum() >= RULING * power:
        across, along = np.linalg.eigvalsh(np.einsum("aij,bij,ij->ab", frequency, frequency, excess))
        return "fringes" if across < FRINGES * along else "columns"
    random = excess.sum() < SOME * power and _gaussian(filled, width)
    return "texture" if random else "columns"


def band(image: np.ndarray, width: float) -> np.ndarray:
    """The image (H, W) without what is finer than a column or much wider, float32."""
    image = image.astype(np.float32, copy=False)
    return gaussian_mean(image, width) - gaussian_mean(image, 4 * width)


def _gaussian(image: np.ndarray, width: float) -> bool:
    """Whether the histogram, at the scale of columns, is that of a Gaussian random field."""
    if image.size < BUMPS * 4 * np.pi * width**2:
        return False
    passed = band(image, width).astype(np.float64)
    deviation = passed.std()
    if deviation == 0:
        return False
    standard = passed / deviation
    return bool(abs(np.mean(standard**3)) < SKEWED and abs(np.mean(standard**4) - 3) < PEAKED)


def _outstanding(image: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Frequencies (2, S, S) [1/px], their power beyond the usual where they stand out (S, S), and the power of all."""
    side = min(*image.shape, max(64, round(WINDOW * width)))
    frequency, power = _mean_spectrum(image.astype(np.float64), side)
    length = np.hypot(*frequency)
    ring = np.rint(length * side).astype(int)
    usual = ndimage.median(power, ring, np.arange(ring.max() + 1))[ring]
    columns = (length > 1 / (LONGEST * width)) & (length < 1 / (FINEST * width))
    excess = np.where(columns & (power > OUTSTANDING * usual), power - usual, 0.0)
    return frequency, excess, float(power[columns].sum())


def _mean_spectrum(image: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (2, S, S) [1/px], and mean power (S, S) of overlapping windows.

    P. D. Welch, IEEE Transactions on Audio and Electroacoustics 15, 70, 1967.
    """
    window = np.outer(np.hanning(side), np.hanning(side))
    tops, lefts = (np.arange(0, length - side + 1, max(1, side // 2)) for length in image.shape)
    power = np.zeros((side, side))
    for top in tops:
        for left in lefts:
            part = image[top : top + side, left : left + side]
            power += np.abs(fft.fft2((part - part.mean()) * window)) ** 2
    frequency = np.stack(np.meshgrid(*[fft.fftfreq(side)] * 2, indexing="ij"))
    return frequency, power / (len(tops) * len(lefts))
