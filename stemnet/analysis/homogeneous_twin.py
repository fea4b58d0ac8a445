"""The homogeneous twin of an image: its reflections and its noise, the same everywhere.

What windows find in a twin is what noise alone gives them, since no place in it
differs from another.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import fft
from scipy.ndimage import maximum_filter, uniform_filter

from stemnet.errors import StemnetError

ANNULUS = 0.01  # width of the rings in which the noise's power is taken [cycles/px]
# Waves of a twin stand this many cycles per window apart: the bandwidth of a Hann window (F. J. Harris, Proceedings of
# the IEEE 66, 51, 1978). Closer ones are one reflection to it, split by domains, and would beat; were it more, small
# windows would find the beating of a crystal's own reflections in the image and not in its twin.
APART = 1.5
LEAST_SIDE = 8  # of an image [px]; a smaller one has no rings of frequencies


@dataclass(frozen=True)
class Twins:
    """All that twins of an image share, so that one is drawn after the other at little cost.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns [px].
    size : int
        Side of a window [px]; twins are shifted by up to as much.
    mean : float
        Of the image.
    frequencies : ndarray, shape (R, 2)
        Of the plane waves, along y and x [cycles/px].
    amplitudes : ndarray of complex, shape (R,)
        About the middle of the image, in its unit.
    noise : ndarray, shape (H, W // 2 + 1), float32
        Amplitude of the noise at every frequency of the half plane; 1 is white
        noise of variance 1.
    light : tuple of float
        Noise variance of a pixel of the crystal, as a share of the mean one:
        slope [1 / unit of the image], offset, and the least there is.
    """

    shape: tuple[int, int]
    size: int
    mean: float
    frequencies: np.ndarray
    amplitudes: np.ndarray
    noise: np.ndarray = field(repr=False)
    light: tuple[float, float, float]

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """One twin, shape (H, W), float32: all waves shifted by one random vector, and fresh noise."""
        y, x = (np.arange(n) - (n - 1) / 2 + rng.uniform(-self.size, self.size) for n in self.shape)
        down = (np.exp(2j * np.pi * np.outer(y, self.frequencies[:, 0])) * self.amplitudes).astype(
            np.complex64
        )
        across = np.exp(2j * np.pi * np.outer(self.frequencies[:, 1], x)).astype(np.complex64)
        # one real product: no array of the image's size is needed but the crystal itself
        crystal = np.hstack([down.real, -down.imag]) @ np.vstack([across.real, across.imag])
        slope, offset, least = self.light
        deviation = slope * crystal
        deviation += offset
        np.maximum(deviation, least, out=deviation)
        np.sqrt(deviation, out=deviation)
        deviation /= np.sqrt(np.mean(deviation * deviation, dtype=np.float64)).astype(np.float32)
        deviation *= rng.standard_normal(self.shape, dtype=np.float32)
        spectrum = fft.rfft2(deviation, overwrite_x=True)
        spectrum *= self.noise
        crystal += fft.irfft2(spectrum, self.shape, overwrite_x=True)
        crystal += np.float32(self.mean)
        return crystal


def homogeneous_twin(image: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """An image with the reflections and the noise of another, the same everywhere.

    One plane wave for each reflection that a window can tell apart, with all
    the power around it and the phase of its peak, all shifted by one random
    vector; and Gaussian noise with the median power of each ring of the spectrum
    (a reflection hardly moves a median), stronger in bright places as the image's.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        Of any type and unit; NaN where nothing was measured.
    size : int
        Side of a window [px].
    rng : numpy Generator

    Returns
    -------
    ndarray, shape (H, W), float32
        Known everywhere, with the mean of the image.

    Raises
    ------
    StemnetError
        If the array is no image.
    """
    return twins_of(image, size).draw(rng)


def twins_of(image: np.ndarray, size: int) -> Twins:
    """What `homogeneous_twin` takes from an image, for twins one after the other.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        Of any type and unit; NaN where nothing was measured.
    size : int
        Side of a window [px].

    Returns
    -------
    Twins

    Raises
    ------
    StemnetError
        If the array is no image, is smaller than 8 px, or has no known pixel.
    """
    image = np.asarray(image)
    if image.ndim != 2 or image.dtype.kind not in "fiub" or min(image.shape) < LEAST_SIDE:
        raise StemnetError(
            f"A twin was asked for of an array of shape {image.shape} and type {image.dtype}; a real image "
            f"(rows, columns) of {LEAST_SIDE} px or more is needed. Pass one frame."
        )
    image = image.astype(np.float32)
    known = np.isfinite(image)
    if not known.any():
        raise StemnetError(
            f"An image of {image.shape[0]} x {image.shape[1]} px has no known pixel; nothing can be like it. "
            "Pass an image with finite values."
        )
    mean = float(np.mean(image, where=known, dtype=np.float64))
    image -= np.float32(mean)
    image[~known] = 0
    weight = np.outer(*(np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2 for n in image.shape)).astype(
        np.float32
    )
    weight *= known
    total, square = (float(np.sum(part, dtype=np.float64)) for part in (weight, weight**2))
    weighted = weight * image
    weighted -= weight * np.float32(weighted.sum(dtype=np.float64) / total)
    del weight
    spectrum = fft.rfft2(weighted, overwrite_x=True)
    del weighted
    power = spectrum.real**2 + spectrum.imag**2
    power /= np.float32(square)  # white noise of variance 1 has power 1
    noise = _noise_power(power, image.shape)
    frequencies, amplitudes = _reflections(spectrum, power, noise, size, image.shape)
    del spectrum
    light = _light(image, known, power, noise)
    return Twins(image.shape, size, mean, frequencies, amplitudes, np.sqrt(noise), light)


def _light(
    image: np.ndarray, known: np.ndarray, power: np.ndarray, noise: np.ndarray
) -> tuple[float, float, float]:
    """Slope, offset and least of the noise variance against what stands above the noise.

    Counted electrons are noisier where it is bright, and noise that follows the
    crystal's period is shared between reflections. A straight line through the
    squared residuals, over their mean.
    """
    signal = _filtered(power, lambda part: uniform_filter(part, 3, mode="wrap"), 1, image.shape) > 3 * noise
    spectrum = fft.rfft2(image)
    spectrum *= signal
    clean = fft.irfft2(spectrum, image.shape, overwrite_x=True)
    del spectrum, signal
    clean, residual = clean[known], np.square((image - clean)[known])
    middle, level = (float(part.mean(dtype=np.float64)) for part in (clean, residual))
    if not level > 0:
        return 0.0, 1.0, 0.0
    clean -= np.float32(middle)
    spread = float(np.mean(clean * clean, dtype=np.float64))
    slope = float(np.mean(clean * residual, dtype=np.float64)) / spread if spread > 0 else 0.0
    slope = max(slope, 0.0)
    return slope / level, 1.0 - slope * middle / level, 0.05  # a dark pixel has noise too


def _noise_power(power: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Median power of rings, as the mean of the exponential law that noise follows, at every frequency."""
    fy, fx = (f.astype(np.float32) for f in (fft.fftfreq(shape[0])[:, None], fft.rfftfreq(shape[1])[None]))
    # five bins at least: the median of a narrower ring could be a reflection's
    ring = (np.hypot(fy, fx) / np.float32(max(ANNULUS, 5 / min(shape)))).astype(np.int16)
    order = np.argsort(ring, axis=None, kind="stable")
    ends = np.cumsum(np.bincount(ring.ravel()))
    medians = [
        np.median(power.ravel()[part]) / np.log(2) if len(part) else 0.0
        for part in np.split(order, ends[:-1])
    ]
    return np.asarray(medians, np.float32)[ring]


def _filtered(power: np.ndarray, work, pad: int, shape: tuple[int, int]) -> np.ndarray:
    """A filter of the whole, periodic plane, on the half of it that is kept."""
    return work(_widened(power, pad, shape))[:, pad : pad + power.shape[1]]


def _widened(power: np.ndarray, pad: int, shape: tuple[int, int]) -> np.ndarray:
    """The half plane with `pad` columns of the other half on either side: that of (-y, -x) is the same."""
    turned = np.roll(power[::-1], 1, axis=0)
    half = power.shape[1]
    left, right = np.arange(-pad, 0), np.arange(half, half + pad)
    other = [np.minimum(-left, half - 1), np.clip(shape[1] - right, 0, half - 1)]
    return np.hstack([turned[:, other[0]], power, turned[:, other[1]]])


def _reflections(
    spectrum: np.ndarray,
    power: np.ndarray,
    noise: np.ndarray,
    size: int,
    shape: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (y, x) [cycles/px], shape (R, 2), and complex amplitudes about the image's center, shape (R,)."""
    cell = [max(1, round(n / size)) for n in shape]  # bins to a cycle per window
    around = [2 * round(APART * c) + 1 for c in cell]
    # the power of a reflection is spread by the domains that it comes from: added up over what a window resolves
    box = [2 * c + 1 for c in cell]
    total = _filtered(power - noise, lambda part: uniform_filter(part, box, mode="wrap"), box[1] // 2, shape)
    highest = _filtered(power, lambda part: maximum_filter(part, around, mode="wrap"), around[1] // 2, shape)
    sure = np.float32(2 * np.log(shape[0] * shape[1])) * noise
    peak = (power == highest) & (power > sure) & (total > 0)
    near = np.arange(-1, 2)
    wide = _widened(power, 1, shape)
    frequencies, amplitudes = [], []
    for row, column in np.argwhere(peak):
        bins = np.array([(row + shape[0] // 2) % shape[0] - shape[0] // 2, column])
        if (column == 0 and bins[0] <= 0) or (2 * np.abs(bins) >= shape).any():
            continue
        part = wide[np.ix_((row + near) % shape[0], column + 1 + near)].astype(np.float64)
        offset = np.array([part.sum(axis=1) @ near, part.sum(axis=0) @ near]) / part.sum()
        turn = np.exp(2j * np.pi * (bins / shape) @ ((np.array(shape) - 1) / 2))
        wave = complex(spectrum[row, column])
        # a cosine of amplitude A has the power A^2 / 4 x pixels in each of its two bins
        strength = 2 * np.sqrt(total[row, column] * np.prod(box) / (shape[0] * shape[1]))
        amplitudes.append(wave / abs(wave) * turn * strength)
        frequencies.append((bins + offset) / shape)
    return np.reshape(frequencies, (-1, 2)), np.array(amplitudes, np.complex128)
