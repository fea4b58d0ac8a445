"""Errors of neighbor vectors, from those of the positions at both of their ends."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from stemnet.columns import Columns
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError


def neighbor_errors(columns: Columns, table: Descriptors) -> np.ndarray:
    """Covariance of the errors of every row of neighbor vectors.

    The k vectors of a row share the error of their own column, so their errors
    are not independent.

    Parameters
    ----------
    columns : Columns
        One frame, with ``sigma_y``, ``sigma_x`` [px]; where a column has none, that of most is taken.
    table : Descriptors
        From `neighbor_vectors` of these columns, in A or px.

    Returns
    -------
    ndarray, shape (N, 2 k, 2 k)
        [unit^2 of the table]; NaN in rows that are not valid.

    Raises
    ------
    StemnetError
        If no position has an error.
    """
    n, k = len(columns), len(table.names) // 2
    sigma = np.column_stack([columns.fields.get(f"sigma_{axis}", np.full(n, np.nan)) for axis in "yx"])
    known = np.isfinite(sigma) & (sigma > 0)
    if not known.any(axis=0).all():
        raise StemnetError(
            f"None of the {n} columns has standard errors of its position; the errors of neighbor vectors follow from "
            "these. Use fitted columns, with sigma_y and sigma_x."
        )
    scale = 1.0 if table.names[0].endswith("_px") else float(columns.sampling or 1.0)
    usual = [np.median(part[fine]) for part, fine in zip(sigma.T, known.T, strict=True)]
    variance = np.where(known, sigma, usual) ** 2 * scale**2
    rows = np.nonzero(table.valid)[0]
    vectors = table.values[rows].reshape(len(rows), k, 2) / scale
    # the end of a vector says which column it leads to
    partner = cKDTree(columns.yx).query(columns.yx[rows, None] + vectors)[1]
    covariance = np.full((n, k, 2, k, 2), np.nan)
    found = np.zeros((len(rows), k, 2, k, 2))
    for axis in (0, 1):
        found[:, :, axis, :, axis] = variance[rows, axis][:, None, None]
        found[:, np.arange(k), axis, np.arange(k), axis] += variance[partner, axis]
    covariance[rows] = found
    return covariance.reshape(n, 2 * k, 2 * k)
