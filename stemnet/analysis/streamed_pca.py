"""Principal components of tables too large to hold, from one pass over a stream of blocks.

Sliding-window PCA of images is that of R. K. Vasudevan et al., Applied Physics
Letters 106, 091601 (2015).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import numpy as np

from stemnet.analysis.streamed import COMPONENTS, Streamed, check_size, valid_blocks
from stemnet.descriptors.spectra_stream import Block
from stemnet.errors import StemnetError


class StreamedPCA(Streamed):
    """Principal components from one pass over the rows.

    Mean and covariance are gathered block by block and merged without
    cancellation (T. F. Chan, G. H. Golub and R. J. LeVeque, The American
    Statistician 37, 242, 1983), so the result is that of all rows at once to
    rounding, and all eigenvalues are known: the noise floor needs them.

    Parameters
    ----------
    n_components : int

    Attributes
    ----------
    components_ : ndarray, shape (k, D)
    mean_ : ndarray, shape (D,)
    eigenvalues_ : ndarray, shape (D,)
        Of the covariance, falling.
    explained_variance_, explained_variance_ratio_ : ndarray, shape (k,)
    n_samples_seen_ : int
        Rows that were not masked.
    """

    def __init__(self, n_components: int = COMPONENTS) -> None:
        self.n_components = n_components

    def fit(self, source: Iterable[Block], y: None = None) -> Self:
        """Learn from all rows that are not masked.

        Raises
        ------
        StemnetError
            If the rows are too few, too wide, or all equal.
        """
        n, mean, scatter = _moments(source)
        check_size(self, n, len(mean))
        values, vectors = np.linalg.eigh(scatter / (n - 1))
        values = np.maximum(values[::-1], 0.0)
        if not values[0] > 1e-18 * (mean @ mean + 1e-300):
            raise StemnetError(
                f"PCA was given {n} equal rows; there is nothing to tell apart. Use an image with contrast."
            )
        components = vectors.T[::-1][: self.n_components]
        # the sign that `embed` gives: a weighted sum decides, since rounding would choose among equal entries
        sign = np.sign(components @ (1 / np.sqrt(1.0 + np.arange(len(mean)))))
        self.components_ = components * np.where(sign == 0, 1.0, sign)[:, None]
        self.mean_ = mean
        self.eigenvalues_ = values
        self.explained_variance_ = values[: self.n_components]
        self.explained_variance_ratio_ = self.explained_variance_ / values.sum()
        self.n_samples_seen_ = n
        return self

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        weights = self.components_.astype(rows.dtype)
        return rows @ weights.T - (self.mean_ @ self.components_.T).astype(rows.dtype)


def _moments(source: Iterable[Block]) -> tuple[int, np.ndarray, np.ndarray]:
    """Number of rows, mean (D,) and sum of squares about it (D, D)."""
    n, mean, scatter = 0, np.zeros(0), np.zeros((0, 0))
    for rows in valid_blocks(source):
        rows = rows.astype(np.float64)
        here = rows.mean(axis=0)
        rows -= here
        if n == 0:
            n, mean, scatter = len(rows), here, rows.T @ rows
            continue
        total = n + len(rows)
        scatter += rows.T @ rows
        shift = here - mean
        scatter += np.outer(shift, shift * (n * len(rows) / total))
        mean += shift * (len(rows) / total)
        n = total
    return n, mean, scatter
