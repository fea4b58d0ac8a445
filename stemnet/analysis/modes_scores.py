"""Scores of modes: what a row of neighbor vectors has of each, with the errors of the vectors or without."""

from __future__ import annotations

import numpy as np

from stemnet.analysis.embedding import steady_signs
from stemnet.analysis.extreme_deconvolution import Deconvolved, deconvolved

ENOUGH = 5  # rows a number of the table, for a distribution of an image's own


def steady_scores(rows: np.ndarray, components: np.ndarray) -> np.ndarray:
    """Scores by generalized least squares: errors of equal size on a column and on each of its k neighbors.

    The covariance of the k vectors is then 1 + J, J being all ones, along y and
    along x, and its inverse 1 - J / (k + 1).

    Parameters
    ----------
    rows : ndarray, shape (N, 2 k)
        Less the mean.
    components : ndarray, shape (m, 2 k)

    Returns
    -------
    ndarray, shape (N, m)
    """
    k = rows.shape[1] // 2
    precision = np.kron(np.eye(k) - np.ones((k, k)) / (k + 1), np.eye(2))
    weighted = components @ precision
    return rows @ weighted.T @ np.linalg.inv(weighted @ components.T)


def leading(covariance: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Largest variances (m,) of a covariance (D, D) and their directions (m, D), of steady signs."""
    value, direction = np.linalg.eigh(covariance)
    components = direction[:, ::-1].T[:count]
    return value[::-1][:count], components * steady_signs(components)[:, None]


def weighted_scores(
    off: np.ndarray, errors: np.ndarray, common: Deconvolved, components: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Scores by generalized least squares with the errors of every row.

    What scatters beside the modes is an error to them as well.

    Parameters
    ----------
    off : ndarray, shape (n, D)
        Rows less their mean.
    errors : ndarray, shape (n, D, D)
        Covariances.
    common : Deconvolved
        Distribution of all rows.
    components : ndarray, shape (m, D)

    Returns
    -------
    scores, sigma : ndarray, shape (n, m)
        With their standard errors.
    """
    beside = np.eye(len(common.mean)) - components.T @ components
    total = errors + beside @ common.covariance @ beside
    weighted = np.linalg.solve(total, np.broadcast_to(components.T, (len(off), *components.T.shape)))
    inverse = np.linalg.inv(components @ weighted)
    scores = np.einsum("nij,ndj,nd->ni", inverse, weighted, off, optimize=True)
    return scores, np.sqrt(np.diagonal(inverse, axis1=1, axis2=2))


def expected_rows(rows: np.ndarray, errors: np.ndarray, image: np.ndarray, common: Deconvolved) -> np.ndarray:
    """Rows without their errors, as the other rows of their image make them likely.

    Parameters
    ----------
    rows : ndarray, shape (n, D)
    errors : ndarray, shape (n, D, D)
        Covariances.
    image : ndarray of int, shape (n,)
        That a row is from; one of few rows takes the distribution of all.
    common : Deconvolved
        Distribution of all rows.

    Returns
    -------
    ndarray, shape (n, D)
    """
    expected = np.empty_like(rows)
    for number in np.unique(image):
        mine = image == number
        enough = mine.sum() >= ENOUGH * rows.shape[1]
        own = deconvolved(rows[mine], errors[mine], common) if enough else common
        expected[mine] = own.expected(rows[mine], errors[mine])
    return expected
