"""How ordered a map of values on the columns is in space: Moran's I."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

PERMUTATIONS = 99
NEIGHBORS = 6


def morans_i(values: np.ndarray, yx: np.ndarray, random_state: int = 0) -> tuple[float, float]:
    """Spatial autocorrelation of maps over the nearest-neighbor graph (Moran, Biometrika 37, 17, 1950).

    Neighbor vectors of adjacent columns share positions, so their maps are
    somewhat autocorrelated in pure noise too; the permutation null does not
    know this.

    Parameters
    ----------
    values : ndarray, shape (n, d)
        One map per column; constant maps are left out.
    yx : ndarray, shape (n, 2)
        Positions [px].
    random_state : int

    Returns
    -------
    moran : float
        Mean over the maps; 0 for a random arrangement, 1 for smooth maps. NaN
        if there is no varying map or there are fewer than ten positions.
    z : float
        Its distance from the mean of random permutations of the rows, in
        standard deviations.
    """
    values = values - values.mean(axis=0)
    scale = values.std(axis=0)
    values = values[:, scale > 0] / scale[scale > 0]
    if len(yx) < 10 or not values.shape[1]:
        return float("nan"), float("nan")
    _, near = cKDTree(yx).query(yx, k=NEIGHBORS + 1)
    near = near[:, 1:]

    def moran(z):
        return float((z * z[near].mean(axis=1)).mean())

    rng = np.random.default_rng(random_state)
    null = np.array([moran(rng.permutation(values)) for _ in range(PERMUTATIONS)])
    observed = moran(values)
    return observed, float((observed - null.mean()) / max(null.std(), 1e-12))
