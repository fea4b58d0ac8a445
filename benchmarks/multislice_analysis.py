"""Numbers from column images: what `multislice.py` compares. Knows of arrays and formulas, not of abTEM."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, least_squares

from stemnet.simulation.crystal import scattering
from stemnet.simulation.depth import brightness


def periodic_image(
    samples: np.ndarray, cell: tuple[float, float], y: np.ndarray, x: np.ndarray, sigma: float
) -> np.ndarray:
    """Band-limited interpolation of one period, blurred by a Gaussian.

    Parameters
    ----------
    samples : ndarray, shape (M, N)
        On a regular grid over one cell, first at its corner.
    cell : tuple of float
        Height and width [A].
    y, x : ndarray, shape (H,), (W,)
        Rows and columns that are asked for [A].
    sigma : float
        Of the blur [A].

    Returns
    -------
    ndarray, shape (H, W)
    """
    spectrum = np.fft.fft2(samples) / samples.size
    ky, kx = (np.fft.fftfreq(n, 1 / n) / length for n, length in zip(samples.shape, cell, strict=True))
    spectrum = spectrum * np.exp(-2 * (np.pi * sigma) ** 2 * (ky[:, None] ** 2 + kx[None, :] ** 2))
    waves_y, waves_x = np.exp(2j * np.pi * np.outer(y, ky)), np.exp(2j * np.pi * np.outer(kx, x))
    return (waves_y @ spectrum @ waves_x).real


@dataclass(frozen=True)
class Fit:
    """Gaussian columns on a constant: integrated intensity, width [A] of each kind, background, residual rms."""

    volume: np.ndarray
    width: np.ndarray
    background: float
    residual: float


def fit_columns(
    image: np.ndarray, sampling: float, yx: np.ndarray, kind: np.ndarray, tied: tuple[int, ...]
) -> Fit:
    """Fit one volume a kind and one width for each group of kinds; columns outside the frame count too.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    sampling : float
        [A/px]
    yx : ndarray, shape (N, 2)
        Columns [A].
    kind : ndarray of int, shape (N,)
    tied : tuple of int
        Which width each kind has: (0, 1, 1) gives the last two kinds one width.

    Returns
    -------
    Fit
    """
    rows, cols = (np.arange(n) * sampling for n in image.shape)

    def shapes(widths: np.ndarray) -> np.ndarray:
        maps = [np.ones(image.shape)]
        for each, group in enumerate(tied):
            s = widths[group]
            along_y = np.exp(-((rows[:, None] - yx[None, kind == each, 0]) ** 2) / (2 * s * s))
            along_x = np.exp(-((cols[:, None] - yx[None, kind == each, 1]) ** 2) / (2 * s * s))
            maps.append(along_y @ along_x.T / (2 * np.pi * s * s))
        return np.stack([each.ravel() for each in maps], axis=1)

    scale = image.std()

    def misfit(widths: np.ndarray) -> np.ndarray:
        design = shapes(widths)
        return (design @ np.linalg.lstsq(design, image.ravel(), rcond=None)[0] - image.ravel()) / scale

    widths = least_squares(misfit, np.full(max(tied) + 1, 0.45), bounds=(0.15, 1.2)).x
    levels = np.linalg.lstsq(shapes(widths), image.ravel(), rcond=None)[0]
    residual = float(np.sqrt(np.mean(misfit(widths) ** 2)) * scale)
    return Fit(levels[1:], widths[list(tied)], float(levels[0]), residual)


def scaled_to(image: np.ndarray, target: np.ndarray) -> tuple[float, float, float]:
    """Least-squares factor and offset that bring an image to a target, and the rms that is left."""
    design = np.stack([image.ravel(), np.ones(image.size)], axis=1)
    (factor, offset), *_ = np.linalg.lstsq(design, target.ravel(), rcond=None)
    left = factor * image + offset - target
    return float(factor), float(offset), float(np.sqrt(np.mean(left**2)))


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson correlation of two arrays of one shape."""
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def implied_exponent(ratio: float, first: str, second: str) -> float:
    """The n for which the sums of Z^n of two columns' formulas have this ratio; NaN if none of 0.2 to 4 does."""

    def excess(n: float) -> float:
        one, other = scattering([first, second], n)
        return float(np.log(one / other) - np.log(ratio))

    if not ratio > 0 or excess(0.2) * excess(4.0) > 0:
        return float("nan")
    return float(brentq(excess, 0.2, 4.0))


def fitted_exponent(numbers: np.ndarray, cross_sections: np.ndarray) -> float:
    """The n of Z^n through cross-sections, least squares in the logarithms."""
    return float(np.polyfit(np.log(numbers), np.log(cross_sections), 1)[0])


def peak_place(profile: np.ndarray, x: np.ndarray, near: float, reach: float = 0.7) -> float:
    """Where a line profile (N,) over x [A] has the peak next to `near`: a Gaussian on a constant, [A]."""
    window = np.abs(x - near) < 1.2
    top = x[window][np.argmax(profile[window])]
    window = np.abs(x - top) < reach
    here, values = x[window], profile[window]

    def misfit(p: np.ndarray) -> np.ndarray:
        return p[0] * np.exp(-((here - p[1]) ** 2) / (2 * p[2] ** 2)) + p[3] - values / values.max()

    return float(least_squares(misfit, [0.8, top, 0.5, 0.1]).x[1])


def decay_fit(thickness: np.ndarray, volume: np.ndarray) -> tuple[float, float, float]:
    """Fit the exponential decay of `stemnet.simulation.depth` to a column's integrated intensity.

    Parameters
    ----------
    thickness : ndarray, shape (T,)
        [A]
    volume : ndarray, shape (T,)
        Of any unit, all positive.

    Returns
    -------
    slope : float
        Intensity per A of a specimen too thin to decay.
    mu : float
        [1/A]
    rms : float
        Relative residual.
    """

    def misfit(p: np.ndarray) -> np.ndarray:
        return np.exp(p[0]) * brightness(np.exp(p[1]), thickness) / volume - 1

    start = [np.log(volume[0] / thickness[0]), np.log(1 / thickness[-1])]
    done = least_squares(misfit, start, bounds=([-np.inf, np.log(1e-6)], [np.inf, np.log(1.0)]))
    slope, mu = np.exp(done.x)
    return float(slope), float(mu), float(np.sqrt(np.mean(done.fun**2)))
