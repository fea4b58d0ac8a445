"""Columns off the middle of their neighbors, with their errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.descriptors.table import Descriptors

ENOUGH = 12  # columns of a kind that its shifts are judged by


@dataclass(frozen=True)
class Shifts:
    """Every column against the middle of its neighbors.

    Parameters
    ----------
    vectors : ndarray, shape (N, 2)
        (y, x) [unit of the neighbor vectors]; NaN where a neighbor is missing.
    errors : ndarray, shape (N, 2)
        Standard errors; NaN where unknown.
    kind : int
        The kind of site that is shifted most; -1 where no kind has columns enough.
    """

    vectors: np.ndarray
    errors: np.ndarray
    kind: int


def shifts(table: Descriptors, errors: np.ndarray | None, kinds: np.ndarray) -> Shifts:
    """Measure how far columns are off the middle of their neighbors.

    Parameters
    ----------
    table : Descriptors
        Neighbor vectors.
    errors : ndarray, shape (N, 2 k, 2 k), or None
        Their covariances.
    kinds : ndarray of int, shape (N,)
        Of site; -1 unknown.

    Returns
    -------
    Shifts
    """
    k = len(table.names) // 2
    vectors = -table.values.reshape(len(table), k, 2).mean(axis=1)
    spread = np.full(vectors.shape, np.nan)
    if errors is not None:
        middle = np.tile(np.eye(2), k) / k
        spread = np.sqrt(np.einsum("ai,nij,aj->na", middle, errors, middle, optimize=True))
    size = {}
    for kind in range(int(kinds.max(initial=-1)) + 1):
        mine = table.valid & (kinds == kind)
        if mine.sum() >= ENOUGH:
            noise = np.nan_to_num(spread[mine] ** 2).sum(axis=1).mean()
            size[kind] = float((vectors[mine] ** 2).sum(axis=1).mean() - noise)
    return Shifts(vectors, spread, max(size, key=lambda kind: size[kind]) if size else -1)
