"""How much of what was planted a latent holds: probes, information, angles between subspaces."""

from __future__ import annotations

import numpy as np
from scipy.linalg import subspace_angles
from scipy.spatial import cKDTree
from scipy.special import digamma
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.neighbors import KNeighborsRegressor

PROBE_NEIGHBORS = 15
"""Rows that the nearest-neighbor probe takes the mean of."""
INFORMATION_NEIGHBORS = 4
"""Rows that the densities behind an information are measured by."""


def linear_probe(latent: np.ndarray, truth: np.ndarray, other: np.ndarray, other_truth: np.ndarray) -> float:
    """Share of the variance of a planted variable that a linear map of the latent explains (R2).

    Parameters
    ----------
    latent : ndarray, shape (n, d)
    truth : ndarray, shape (n,)
        What the map is fitted to.
    other : ndarray, shape (m, d)
    other_truth : ndarray, shape (m,)
        What it is judged on: other rows, or those of another image.

    Returns
    -------
    float
        1 for all, 0 for none, less where the map misleads; NaN without variation.
    """
    if _too_plain(truth, other_truth):
        return float("nan")
    return float(r2_score(other_truth, LinearRegression().fit(latent, truth).predict(other)))


def neighbor_probe(
    latent: np.ndarray, truth: np.ndarray, other: np.ndarray, other_truth: np.ndarray
) -> float:
    """The same as `linear_probe` by the mean of the nearest rows in the latent, whatever its shape."""
    if _too_plain(truth, other_truth):
        return float("nan")
    return float(r2_score(other_truth, near_values(latent, truth, other)))


def near_values(latent: np.ndarray, truth: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Mean planted value (m,) of the rows nearest to other ones (m, d) in the latent (n, d).

    Latents count in units of their own standard deviation.
    """
    scale = _scale(latent)
    probe = KNeighborsRegressor(min(PROBE_NEIGHBORS, len(truth))).fit(latent / scale, truth)
    return probe.predict(other / scale)


def mutual_information(
    latent: np.ndarray, truth: np.ndarray, neighbors: int = INFORMATION_NEIGHBORS
) -> float:
    """Information of the whole latent (n, d) about a planted variable (n,) [nats].

    By distances to nearest rows (Kraskov, Stoegbauer and Grassberger, Phys.
    Rev. E 69, 066138, 2004, first estimator); for Gaussians of correlation rho
    it is -log(1 - rho^2) / 2. Not below 0; NaN with fewer rows than needed.
    """
    n = len(truth)
    if n <= neighbors + 1 or np.ptp(truth) == 0:
        return float("nan")
    x, y = latent / _scale(latent), (truth / truth.std())[:, None]
    distance = cKDTree(np.hstack([x, y])).query(np.hstack([x, y]), k=neighbors + 1, p=np.inf)[0][:, -1]
    nearer = np.nextafter(distance, 0)
    counts = [cKDTree(part).query_ball_point(part, nearer, p=np.inf, return_length=True) for part in (x, y)]
    shared = digamma(neighbors) + digamma(n) - np.mean(digamma(counts[0]) + digamma(counts[1]))
    return float(max(shared, 0.0))


def subspace_angle(rows: np.ndarray, latent: np.ndarray, variables: np.ndarray) -> float:
    """Largest angle between the directions that variables move rows in, and those that the latent moves them in.

    Directions are slopes of rows against variables and against latents, by
    least squares; for principal components they are the components (Bjoerck
    and Golub, Mathematics of Computation 27, 579, 1973, for the angle).

    Parameters
    ----------
    rows : ndarray, shape (n, D)
    latent : ndarray, shape (n, d)
    variables : ndarray, shape (n, m)
        m at most d.

    Returns
    -------
    float
        [deg], 0 to 90; NaN where there are more variables than latents, or none.
    """
    if not 0 < variables.shape[1] <= latent.shape[1]:
        return float("nan")
    moved = [
        np.linalg.lstsq(by - by.mean(axis=0), rows - rows.mean(axis=0), rcond=None)[0].T
        for by in (variables, latent)
    ]
    return float(np.degrees(subspace_angles(*moved).max()))


def angle_errors(
    found: np.ndarray, planted: np.ndarray, fold: int | np.ndarray = 1, group: np.ndarray | None = None
) -> np.ndarray:
    """Differences of angles, less the one that all rows of a group have in common.

    A model is free to choose which orientation it calls 0, once for each kind
    of neighborhood.

    Parameters
    ----------
    found, planted : ndarray, shape (n,)
        [rad]
    fold : int or ndarray of int, shape (n,)
        Angles are the same modulo 2 pi / fold.
    group : ndarray of int, shape (n,), optional
        By default all are one.

    Returns
    -------
    ndarray, shape (n,)
        [rad], within pi / fold.
    """
    fold = np.broadcast_to(fold, found.shape)
    group = np.zeros(len(found), int) if group is None else group
    apart = np.exp(1j * fold * (found - planted))
    common = {g: np.angle(apart[group == g].mean()) for g in np.unique(group)}
    return np.angle(apart * np.exp(-1j * np.array([common[g] for g in group]))) / fold


def _scale(latent: np.ndarray) -> np.ndarray:
    spread = latent.std(axis=0)
    return np.where(spread > 0, spread, 1.0)


def _too_plain(truth: np.ndarray, other_truth: np.ndarray) -> bool:
    return len(truth) < 2 or np.ptp(truth) == 0 or np.ptp(other_truth) == 0
