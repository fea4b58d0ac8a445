"""Tilts of octahedra that share their anions, measured together.

Corners are shared: every anion between two B columns tells one angle, which
turns both octahedra, one way and the other. Neighbors turn by nearly as much, so
that the amplitude is a smooth field of which each anion is one noisy sample. How
smooth it is, and how noisy the samples are beyond what the positions' errors
say, the image tells by its marginal likelihood, with weak expectations where it
tells little; the field at an octahedron is then the best linear prediction
(kriging; C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine
Learning, MIT Press, 2006, ch. 2 and 5).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from scipy.spatial import cKDTree

from stemnet.columns import Columns
from stemnet.descriptors.cell_doubling import table_with_errors
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.octahedral_tilt import complete_octahedra, parity
from stemnet.descriptors.table import Descriptors

LEARNED = 600
"""Anions, those nearest to the middle of the grain, from which smoothness is learned."""
AROUND = 80
"""Nearest anions that an octahedron's amplitude is predicted from."""
CHUNK = 1000
FEWEST = 12
"""Anions of a grain below which neighbors are not asked."""
LENGTHS = (0.5, 30.0)
"""Between which the length of the field is sought, in distances of B columns."""

USUAL = np.array([[0.1, 4.0, 0.05], [1.4, 0.7, 1.4]])
"""What is expected before the image is asked, and within which factor, in logarithms: the variance of the field in its
squared mean, its length, and the noise that errors of position do not hold, in the variance that they do."""
SIMPLEX = np.vstack([np.zeros(3), 0.7 * np.eye(3)])
"""Where the search begins, in logarithms around the start."""


def tilt_field(columns: Columns, lattice: Lattice | None = None, *, center: int | None = None) -> Descriptors:
    """Measure the angle of each octahedron with the help of those around it.

    Parameters
    ----------
    columns, lattice, center
        As for `octahedral_tilt`.

    Returns
    -------
    Descriptors
        ``tilt_field_rad``, ``tilt_field_amplitude_rad`` as the names of
        `octahedral_tilt`, and their standard errors ``sigma_...``, which hold
        the errors of position and how far the field may differ from its
        neighbors. Valid where `octahedral_tilt` is, in grains of a dozen anions or more.

    Raises
    ------
    StemnetError
        As `octahedral_tilt`.
    """
    grains, (parts, _) = complete_octahedra(columns, lattice, center)
    values = np.full((len(columns), 4), np.nan)
    for part in parts:
        b_rows = part[0]
        anions, sample, variance = _samples(columns, grains, *part)
        if len(anions) < FEWEST:
            continue
        spacing = float(np.median(np.hypot(*(columns.yx[part[1]] - columns.yx[b_rows, None]).T)))
        amplitude, sigma = predicted(
            columns.yx[anions] / spacing, sample, variance, columns.yx[b_rows] / spacing
        )
        sense = parity(grains, b_rows)
        sign = -1 if np.median(amplitude) < 0 else 1
        values[b_rows] = np.column_stack([amplitude * sense, sign * amplitude, sigma, sigma])
    return table_with_errors(columns, values, ("tilt_field_rad", "tilt_field_amplitude_rad"), True)


def _samples(columns, grains, center, neighbors, anions):
    """Rows of the anions (m,), the amplitude that each tells and its variance by the errors of position, (m,)."""
    rows, first = np.unique(anions.ravel(), return_index=True)
    at, arm = np.unravel_index(first, anions.shape)
    one, other = center[at], neighbors[at, arm]
    half = (columns.yx[other] - columns.yx[one]) / 2
    reach = columns.yx[rows] - columns.yx[one]
    sine = half[:, 1] * reach[:, 0] - half[:, 0] * reach[:, 1]
    angle = np.arctan2(sine, (half * reach).sum(axis=1)) * parity(grains, one)
    variance = np.zeros(len(rows))
    if "sigma_y" in columns and "sigma_x" in columns:
        across = half[:, ::-1] ** 2 / (half**2).sum(axis=1, keepdims=True) ** 2
        square = np.stack([columns["sigma_y"], columns["sigma_x"]], axis=1) ** 2
        variance = (across * (square[rows] + (square[one] + square[other]) / 4)).sum(axis=1)
    known = np.isfinite(angle) & np.isfinite(variance)
    return rows[known], angle[known], variance[known]


def predicted(
    yx: np.ndarray, sample: np.ndarray, variance: np.ndarray, places: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A smooth field from noisy samples of it.

    Parameters
    ----------
    yx : ndarray, shape (m, 2)
    sample, variance : ndarray, shape (m,)
        Values of the field, and the variance of their errors as far as it is known.
    places : ndarray, shape (n, 2)
        Where the field is wanted.

    Returns
    -------
    value, sigma : ndarray, shape (n,)
    """
    inner = np.argsort(np.hypot(*(yx - yx.mean(axis=0)).T), kind="stable")[:LEARNED]
    strength, length, more, mean = _learned(yx[inner], sample[inner], variance[inner])
    count = min(AROUND, len(yx))
    near = cKDTree(yx).query(places, k=count)[1].reshape(len(places), count)
    value, sigma = np.empty(len(places)), np.empty(len(places))
    for start in range(0, len(places), CHUNK):
        part = slice(start, start + CHUNK)
        rows = near[part]
        between = strength * _kernel(_distances(yx[rows]), length)
        noisy = between + (variance[rows] + more)[:, :, None] * np.eye(count)
        toward = strength * _kernel(np.hypot(*np.moveaxis(yx[rows] - places[part, None], -1, 0)), length)
        weight = np.linalg.solve(noisy, toward[..., None])[..., 0]
        value[part] = mean + (weight * (sample[rows] - mean)).sum(axis=1)
        sigma[part] = np.sqrt(np.maximum(strength - (weight * toward).sum(axis=1), 0.0))
    return value, sigma


def _learned(yx, sample, variance):
    """Variance of the field, its length, variance of the noise that is not known of, and the mean of the field."""
    distance = _distances(yx)
    spread = float(np.var(sample)) + 1e-12
    scale = np.array(
        [float(np.mean(sample)) ** 2 + spread / 10, 1.0, float(np.median(variance)) + spread / 100]
    )
    usual = np.log(USUAL[0] * scale)

    def parts(log):
        strength, length, more = np.exp(log)
        noisy = strength * _kernel(distance, length) + np.diag(variance + more + 1e-9 * spread)
        factor = cho_factor(noisy, lower=True)
        ones = cho_solve(factor, np.ones(len(sample)))
        mean = float(ones @ sample / ones.sum())
        return factor, mean

    def loss(log):
        factor, mean = parts(log)
        off = sample - mean
        unlikely = ((log - usual) / USUAL[1]) ** 2
        return float(np.log(np.diag(factor[0])).sum() + off @ cho_solve(factor, off) / 2 + unlikely.sum() / 2)

    bounds = np.log([(1e-4 * spread, 10 * spread), LENGTHS, (1e-5 * spread, 3 * spread)])
    steps = {"maxfev": 120, "xatol": 0.05, "fatol": 0.01, "initial_simplex": usual + SIMPLEX}
    best = minimize(loss, usual, bounds=bounds, method="Nelder-Mead", options=steps)
    return *np.exp(best.x), parts(best.x)[1]


def _distances(yx):
    """Between all points (..., m, 2), (..., m, m)."""
    return np.hypot(*np.moveaxis(yx[..., :, None, :] - yx[..., None, :, :], -1, 0))


def _kernel(distance, length):
    """Correlation of the field by distance, Matern's of order 3/2."""
    scaled = np.sqrt(3) * distance / length
    return (1 + scaled) * np.exp(-scaled)
