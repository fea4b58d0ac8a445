"""Assignment of many rows to many columns, few of which are candidates for one another."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching


def assign(
    rows: np.ndarray, cols: np.ndarray, costs: np.ndarray, none: float
) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of least cost, one to one; a row may stay alone at a cost of its own.

    Parameters
    ----------
    rows, cols : ndarray of int, shape (P,)
        Candidates.
    costs : ndarray, shape (P,)
        Not negative.
    none : float
        Cost of a row that stays alone.

    Returns
    -------
    rows, cols : ndarray of int, shape (M,)
    """
    good = costs < none
    rows, cols, costs = rows[good], cols[good], costs[good]
    if not len(rows):
        return rows, cols
    row_names, r = np.unique(rows, return_inverse=True)
    col_names, c = np.unique(cols, return_inverse=True)
    count = len(row_names)
    # costs above zero, which a sparse array does not hold; staying alone is a column of one's own
    weights = np.concatenate([costs, np.full(count, none)]) + none
    at = np.concatenate([r, np.arange(count)]), np.concatenate([c, len(col_names) + np.arange(count)])
    graph = coo_array((weights, at), shape=(count, len(col_names) + count)).tocsr()
    one, other = min_weight_full_bipartite_matching(graph)
    paired = other < len(col_names)
    return row_names[one[paired]], col_names[other[paired]]
