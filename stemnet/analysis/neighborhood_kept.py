"""Whether rows that are alike stay neighbors in the latent, and the other way round."""

from __future__ import annotations

import numpy as np
from sklearn.manifold import trustworthiness as of_the_map

NEAREST = 10
"""Neighbors that should be kept."""
MOST = 800
"""Rows that are looked at, the first; distances between all pairs are needed."""


def trustworthiness(rows: np.ndarray, latent: np.ndarray, nearest: int = NEAREST) -> float:
    """Whether neighbors in the latent (n, d) are neighbors among the rows (n, D): 1 if all are, 0.5 for chance.

    Venna and Kaski, ICANN 2001. Distances of rows are Euclidean: a latent that
    does not know how rows are turned parts from them on purpose, and scores low
    where they are. NaN with fewer than twice as many rows as neighbors.
    """
    rows, latent = rows[:MOST], latent[:MOST]
    if len(rows) <= 2 * nearest:
        return float("nan")
    return float(of_the_map(rows, latent, n_neighbors=nearest))


def continuity(rows: np.ndarray, latent: np.ndarray, nearest: int = NEAREST) -> float:
    """Whether neighbors among the rows are neighbors in the latent: trustworthiness, the two exchanged."""
    return trustworthiness(latent, rows, nearest)
