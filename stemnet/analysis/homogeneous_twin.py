"""The homogeneous twin of an image: its reflections and its noise, the same everywhere.

What windows find in a twin is what noise alone gives them, since no place in it
differs from another.
"""

from __future__ import annotations

import numpy as np
from scipy import fft
from scipy.ndimage import maximum_filter, uniform_filter

ANNULUS = 0.01  # width of the rings in which the noise's power is taken [cycles/px]
APART = 3.0  # waves of the surrogate stand this many cycles per window apart, else they would beat


def homogeneous_twin(image: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """An image with the reflections and the noise of another, the same everywhere.

    One plane wave for each reflection that a window can tell apart, with all
    the power around it and the phase of its peak, all shifted by one random
    vector; and Gaussian noise with the median power of each ring of the spectrum
    (a reflection hardly moves a median), stronger in bright places as the image's.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        Without NaN, of mean 0.
    size : int
        Side of a window [px].
    rng : numpy Generator

    Returns
    -------
    ndarray, shape (H, W), float32
    """
    weight = np.outer(*(np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2 for n in image.shape)).astype(
        np.float32
    )
    spectrum = fft.fft2((image - np.average(image, weights=weight)) * weight)
    power = np.abs(spectrum) ** 2 / (weight**2).sum()  # white noise of variance 1 has power 1
    fy, fx = np.fft.fftfreq(image.shape[0])[:, None], np.fft.fftfreq(image.shape[1])[None]
    noise = _noise_power(power, np.hypot(fy, fx))
    frequencies, amplitudes = _reflections(spectrum, power, noise, size)
    y, x = (np.arange(n) - (n - 1) / 2 + rng.uniform(-size, size) for n in image.shape)
    down = (np.exp(2j * np.pi * np.outer(y, frequencies[:, 0])) * amplitudes).astype(np.complex64)
    across = np.exp(2j * np.pi * np.outer(frequencies[:, 1], x)).astype(np.complex64)
    crystal = down.real @ across.real - down.imag @ across.imag
    variance = _variance_of_light(image, crystal, uniform_filter(power, 3, mode="wrap") > 3 * noise)
    white = rng.standard_normal(image.shape, dtype=np.float32) * np.sqrt(variance)
    return crystal + fft.ifft2(fft.fft2(white) * np.sqrt(noise)).real.astype(np.float32)


def _variance_of_light(image: np.ndarray, crystal: np.ndarray, signal: np.ndarray) -> np.ndarray:
    """Noise variance over its mean in every pixel of the twin: counted electrons are noisier where it is bright.

    A straight line of squared residuals against what stands above the noise;
    noise that follows the crystal's period is shared between reflections.
    """
    spectrum = fft.fft2(image)
    clean = fft.ifft2(np.where(signal, spectrum, 0)).real
    residual = np.square(image - clean)
    slope, offset = np.polyfit(clean.ravel(), residual.ravel(), 1)
    least = 0.05 * residual.mean()  # a dark pixel has noise too
    variance = np.maximum(max(slope, 0.0) * crystal + (offset if slope > 0 else residual.mean()), least)
    return (variance / variance.mean()).astype(np.float32) if least > 0 else np.ones_like(image)


def _noise_power(power: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Median power of rings, as the mean of the exponential law that noise follows, at every frequency."""
    # five bins at least: the median of a narrower ring could be a reflection's
    ring = (radius / max(ANNULUS, 5 / min(radius.shape))).astype(int)
    order = np.argsort(ring, axis=None, kind="stable")
    ends = np.cumsum(np.bincount(ring.ravel()))
    medians = [
        np.median(part) / np.log(2) if len(part) else 0.0
        for part in np.split(power.ravel()[order], ends[:-1])
    ]
    return np.asarray(medians)[ring]


def _reflections(
    spectrum: np.ndarray, power: np.ndarray, noise: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies (y, x) [cycles/px], shape (R, 2), and complex amplitudes about the image's center, shape (R,)."""
    shape = power.shape
    cell = [max(1, round(n / size)) for n in shape]  # bins to a cycle per window
    around = [2 * round(APART * c) + 1 for c in cell]
    # the power of a reflection is spread by the domains that it comes from: added up over what a window resolves
    box = [2 * c + 1 for c in cell]
    total = uniform_filter(power - noise, box, mode="wrap") * np.prod(box)
    sure = 2 * np.log(power.size) * noise
    peak = (power == maximum_filter(power, around, mode="wrap")) & (power > sure) & (total > 0)
    near = np.arange(-1, 2)
    frequencies, amplitudes = [], []
    for place in np.argwhere(peak):
        bins = (place + np.array(shape) // 2) % shape - np.array(shape) // 2
        if tuple(bins) <= (0, 0) or (2 * np.abs(bins) >= shape).any():
            continue
        part = power[np.ix_((place[0] + near) % shape[0], (place[1] + near) % shape[1])]
        offset = np.array([part.sum(axis=1) @ near, part.sum(axis=0) @ near]) / part.sum()
        turn = np.exp(2j * np.pi * (bins / shape) @ ((np.array(shape) - 1) / 2))
        phase = spectrum[tuple(place)] * turn / np.abs(spectrum[tuple(place)])
        # a cosine of amplitude A has the power A^2 / 4 x pixels in each of its two bins
        amplitudes.append(phase * 2 * np.sqrt(total[tuple(place)] / power.size))
        frequencies.append((bins + offset) / shape)
    return np.reshape(frequencies, (-1, 2)), np.array(amplitudes, np.complex128)
