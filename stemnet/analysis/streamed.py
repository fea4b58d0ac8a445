"""Tables too large to hold: estimators that learn from a stream of blocks.

They follow the scikit-learn contract, with a source of blocks in place of an
array: anything that gives `Block`s as often as it is iterated, such as a
`SpectraStream`, or `blocks` of a table that fits.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError

from stemnet.descriptors.spectra_stream import Block
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError

COMPONENTS = 16
WIDEST = 4096  # numbers per row; the eigenvectors of more take minutes


def blocks(descriptors: Descriptors, rows: int = 4096) -> list[Block]:
    """A table that fits, as a source of blocks.

    Parameters
    ----------
    descriptors : Descriptors
    rows : int
        Rows in a block.

    Returns
    -------
    list of Block
    """
    return [
        Block(first, descriptors.values[first : first + rows], descriptors.valid[first : first + rows])
        for first in range(0, len(descriptors), rows)
    ]


def score_map(scores: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Scores (N, k) of windows as maps, shape (rows, columns, k); NaN where a window is masked.

    Raises
    ------
    StemnetError
        If the grid holds another number of windows.
    """
    if len(scores) != grid[0] * grid[1]:
        raise StemnetError(
            f"{len(scores)} scores do not fill a grid of {grid[0]} x {grid[1]} windows; one per window is needed. "
            "Pass the grid of the stream that was transformed."
        )
    return scores.reshape(*grid, -1)


class Streamed(TransformerMixin, BaseEstimator, ABC):
    """What estimators of a stream have in common: scores block by block."""

    n_components: int

    def transform(self, source: Iterable[Block]) -> np.ndarray:
        """Scores of all rows, shape (N, k), float32; NaN in rows that are masked."""
        if not hasattr(self, "components_"):
            raise NotFittedError(f"This {type(self).__name__} is not fitted yet; call fit first.")
        parts = []
        for part in source:
            scores = np.full((len(part.rows), len(self.components_)), np.nan, np.float32)
            if part.valid.any():
                rows = _complete(part)
                _same_width(rows, self.components_.shape[1])
                scores[part.valid] = self._scores(rows)
            parts.append(scores)
        return np.concatenate(parts) if parts else np.empty((0, len(self.components_)), np.float32)

    def fit_transform(self, source: Iterable[Block], y: None = None) -> np.ndarray:
        """Fit, then transform; the source is iterated once more."""
        return self.fit(source).transform(source)

    def inverse_transform(self, scores: np.ndarray) -> np.ndarray:
        """Rows (N, D) that scores (N, k) stand for."""
        return scores @ self.components_ + getattr(self, "mean_", 0.0)

    @abstractmethod
    def fit(self, source: Iterable[Block], y: None = None) -> Self:
        """Learn from all rows that are not masked."""

    @abstractmethod
    def _scores(self, rows: np.ndarray) -> np.ndarray:
        """Scores (n, k) of complete rows."""


def valid_blocks(source: Iterable[Block], sign: bool = False) -> Iterator[np.ndarray]:
    """Complete rows of all blocks that have some.

    Parameters
    ----------
    source : iterable of Block
    sign : bool
        Whether numbers below 0 are refused.

    Yields
    ------
    ndarray, shape (n, D)

    Raises
    ------
    StemnetError
        If rows differ in width, are too wide, or hold what they may not.
    """
    width = None
    for part in source:
        if part.valid.any():
            rows = _complete(part, sign)
            width = width or rows.shape[1]
            _same_width(rows, width)
            if width > WIDEST:
                raise StemnetError(
                    f"Rows of {width} numbers were given; at most {WIDEST} are taken. "
                    "Use smaller windows, or keep fewer frequencies (highest=)."
                )
            yield rows


def check_size(model: Streamed, n: int, d: int) -> None:
    """Refuse a fit of more components than rows or numbers allow.

    Parameters
    ----------
    model : Streamed
    n, d : int
        Complete rows, and numbers in each.

    Raises
    ------
    StemnetError
    """
    if not 1 <= model.n_components <= min(n - 1, d):
        raise StemnetError(
            f"{type(model).__name__} with {model.n_components} components was given {n} complete rows of {d} numbers; "
            f"it needs more rows than components, and {model.n_components} numbers. "
            "Use a larger field of view, a smaller step or fewer components."
        )


def _complete(part: Block, sign: bool = False) -> np.ndarray:
    """Rows of a block that are not masked."""
    rows = part.rows if part.valid.all() else part.rows[part.valid]
    if rows.ndim != 2 or not np.isfinite(rows).all() or (sign and rows.min(initial=0.0) < 0):
        needed = "finite numbers of 0 or more" if sign else "finite numbers"
        raise StemnetError(
            f"The block from row {part.first} on, of shape {part.rows.shape}, holds other than {needed} in rows that "
            "are valid. Mask these rows, or use other descriptors."
        )
    return rows


def _same_width(rows: np.ndarray, width: int) -> None:
    if rows.shape[1] != width:
        raise StemnetError(
            f"Rows of {rows.shape[1]} numbers came after rows of {width}; all must have as many. "
            "Use the same windows throughout."
        )
