"""By how much one image is shifted against another, where several shifts fit nearly as well.

A lattice agrees with itself after every period. Which of the maxima of the
correlation is the motion, the images alone do not say; that the specimen
goes on as it went does.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import fft2, ifft2
from scipy.ndimage import maximum_filter
from scipy.signal.windows import tukey

LIKELY = 0.5  # of the reach: standard deviation of the jumps that are expected
FLAT = 0.5  # share of the window's side that counts in full
BRIGHTEST = 3.0  # standard deviations above the mean, beyond which light counts no more
AROUND = 7  # side of the square whose highest pixel is a maximum, and no grain of noise on a slope [px]
FINEST = 0.25  # frequencies beyond this share of the sampling tell the noise
STANDS_OUT = 6.0  # standard errors of a ring of frequencies, above which it carries signal
WIDEST = 6.0  # of the things that stand out [px]
LONGEST_WAVE = 2.0  # periods in the image, of the waves that are left out as background


def taper(shape: tuple[int, int]) -> np.ndarray:
    """Cosine-tapered window (H, W), F. J. Harris, Proc. IEEE 66, 51, 1978."""
    return np.outer(*(tukey(n + 2, 1 - FLAT)[1:-1] for n in shape)).astype(np.float32)


def spectrum(image: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Fourier transform (H, W) of an image, its mean taken off, times a window; NaN counts as the mean.

    Light beyond what is usual is cut off, so that a few bright atoms that hop do not outvote a lattice that stays.
    """
    known = np.isfinite(image)
    if known.any():
        image = np.minimum(image, image[known].mean() + BRIGHTEST * image[known].std())
    weights = weights * known
    total = float(weights.sum())
    mean = float((np.where(known, image, 0) * weights).sum() / total) if total > 0 else 0.0
    return fft2(np.where(known, image - mean, 0).astype(np.float32) * weights)


def noise_level(power: np.ndarray, frames: int) -> float:
    """Power of the noise, from fine waves of a mean over frames, most of which carry nothing else."""
    fine = power[_frequency(power.shape) > FINEST]
    # the median of a mean of exponentials, as powers of noise are
    return float(np.median(fine)) / (1 - 1 / (3 * frames)) if fine.size else 0.0


def pass_band(power: np.ndarray, noise: float) -> np.ndarray:
    """Share of signal at every frequency, (H, W), from a mean power spectrum, and nothing of long waves."""
    share = np.clip(1 - noise / np.maximum(power, 1e-30), 0, 1)
    share[_frequency(power.shape) < LONGEST_WAVE / max(power.shape)] = 0
    return share.astype(np.float32)


def finest(power: np.ndarray, noise: float, frames: int) -> float:
    """Standard deviation of the things that stand out of the noise, were they Gaussians [px].

    A Gaussian's power is a Gaussian too, whose mean squared frequency is
    1 / (2 pi sigma)^2; rings of frequencies count that are above the noise.
    """
    radius = _frequency(power.shape)
    ring = np.floor(radius * max(power.shape)).astype(int)
    number = np.bincount(ring.ravel())
    excess = np.bincount(ring.ravel(), power.ravel() - noise) / number
    above = excess > STANDS_OUT * noise / np.sqrt(number * frames)
    above[: int(np.ceil(LONGEST_WAVE))] = False
    signal = np.where(above, excess * number, 0)
    squared = np.bincount(ring.ravel(), radius.ravel() ** 2) / number
    mean = float((signal * squared).sum()) / max(float(signal.sum()), 1e-30)
    return min(1 / (2 * np.pi * np.sqrt(mean)), WIDEST) if mean > 0 else WIDEST


def _frequency(shape: tuple[int, int]) -> np.ndarray:
    """Length of the wave vector (H, W) [1/px]."""
    return np.hypot(*np.meshgrid(*(np.fft.fftfreq(n) for n in shape), indexing="ij"))


def nearest_shift(reference: np.ndarray, other: np.ndarray, band: np.ndarray, reach: float) -> np.ndarray:
    """Shift of one image against another.

    Parameters
    ----------
    reference, other : ndarray of complex, shape (H, W)
        Of `spectrum`.
    band : ndarray, shape (H, W)
        Of `pass_band`.
    reach : float
        Largest shift [px].

    Returns
    -------
    ndarray, shape (2,)
        By how much what the reference shows lies further on in the other
        [px], to a fraction of a pixel by a parabola.
    """
    correlation = ifft2(other * np.conj(reference) * band).real
    height, width = correlation.shape
    y = np.fft.fftfreq(height, 1 / height)[:, None]
    x = np.fft.fftfreq(width, 1 / width)[None]
    distance = np.hypot(y, x)
    allowed = distance <= reach
    summits = allowed & (correlation == maximum_filter(correlation, AROUND, mode="wrap"))
    if not summits.any():
        return np.zeros(2)
    prior = np.exp(-0.5 * (distance / (LIKELY * reach)) ** 2)
    best = np.unravel_index(np.where(summits, correlation * prior, -np.inf).argmax(), distance.shape)
    place = np.array([y[best[0], 0], x[0, best[1]]])
    return place + [_summit(correlation, best, axis) for axis in (0, 1)]


def _summit(values: np.ndarray, at: tuple, axis: int) -> float:
    """How far the maximum of a parabola through three pixels is from the middle one."""
    before, here, after = (np.roll(values, step, axis)[at] for step in (1, 0, -1))
    bend = before - 2 * here + after
    return float(np.clip((before - after) / (2 * bend), -0.5, 0.5)) if bend < 0 else 0.0
