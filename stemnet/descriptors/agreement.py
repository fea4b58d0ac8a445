"""Whether the vectors of neighboring cells agree: what they have in common, and what chance would make of it."""

from __future__ import annotations

import numpy as np
from scipy import stats
from scipy.spatial import cKDTree

from stemnet.descriptors.lattice import Lattice

PAIR_GATE = 0.35  # two cells are a pair where one is within this part of a cell of the other's place


def row_agreement(
    yx: np.ndarray, vectors: np.ndarray, errors: np.ndarray, lattice: Lattice, line: np.ndarray
) -> tuple[float, float]:
    """Share of the variance that vectors two cells apart, across the scan lines, have in common.

    The covariance of pairs over their variance (Moran, Biometrika 37, 17,
    1950). Its probability comes from the sums over rows of cells, for what the
    cells of one row share is no agreement between rows: the better of Student's
    t and of Wilcoxon's signed ranks, times two, and no less than that of the
    errors alone.

    Parameters
    ----------
    yx, vectors, errors : ndarray, shape (N, 2)
        Without their mean; frames apart.
    lattice : Lattice
    line : ndarray of int, shape (N,)
        Row of cells.

    Returns
    -------
    shared, chance : float
        0 and 1 without pairs in three rows or more.
    """
    steps = 2 * lattice.template
    first, second = _pairs(yx, steps[steps[:, 0] >= 0.5 * np.hypot(*steps.T)], lattice)
    count = len(np.unique(line[first]))
    if count < 3:
        return 0.0, 1.0
    product = (vectors[first] * vectors[second]).sum(axis=1)
    square = ((vectors[first] ** 2 + vectors[second] ** 2) / 2).sum(axis=1)
    sums = np.bincount(line[first], product)[np.unique(line[first])]
    spread = np.sqrt(max((((sums - sums.mean()) ** 2).sum()) * count / (count - 1), 1e-300))
    # t is the sharper one of few rows, ranks where some rows are polar and some are not
    by_size = stats.t.sf(product.sum() / spread, count - 1)
    by_rank = stats.wilcoxon(sums, alternative="greater").pvalue if np.any(sums) else 1.0
    by_error = stats.norm.sf(
        product.sum() / max(np.sqrt(((errors[first] * errors[second]) ** 2).sum()), 1e-300)
    )
    chance = max(min(1.0, 2 * min(by_size, by_rank)), by_error)
    return float(product.sum() / max(square.sum(), 1e-300)), float(chance)


def neighbor_agreement(yx: np.ndarray, vectors: np.ndarray, lattice: Lattice) -> float:
    """Least share of the variance that vectors of next cells have in common, along a, b and the diagonals.

    Negative where they alternate from cell to cell, which errors do not make: those that
    neighbors share are positive. NaN without neighbors.
    """
    shares = []
    a, b = lattice.vectors
    for step in (a, b, a + b, a - b):
        first, second = _pairs(yx, step[None], lattice)
        square = (vectors[first] ** 2 + vectors[second] ** 2).sum() / 2
        shares.append((vectors[first] * vectors[second]).sum() / square if square > 0 else np.nan)
    return float(np.nanmin(shares)) if np.isfinite(shares).any() else np.nan


def _pairs(yx, steps, lattice):
    """Rows (first, second) of places that a step (S, 2) leads from and to."""
    gate = PAIR_GATE * np.hypot(*lattice.vectors.T).min()
    distance, other = cKDTree(yx).query(yx[:, None] + steps, distance_upper_bound=gate)
    first, way = np.nonzero(np.isfinite(distance))
    return first, other[first, way]
