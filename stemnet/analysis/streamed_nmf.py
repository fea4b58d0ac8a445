"""Non-negative factors of tables too large to hold, learned online from a stream of blocks.

Unmixing by non-negative factors is that of D. D. Lee and H. S. Seung, Nature
401, 788 (1999), learned online as A. Lefevre, F. Bach and C. Fevotte, WASPAA
(2011).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Self

import numpy as np
from sklearn.decomposition import NMF, MiniBatchNMF
from sklearn.exceptions import ConvergenceWarning

from stemnet.analysis.streamed import COMPONENTS, Streamed, check_size, valid_blocks
from stemnet.descriptors.spectra_stream import Block
from stemnet.errors import StemnetError

SAMPLE = 2000  # rows that the first factors of NMF are learned from
KEPT = 0.7  # weight of what was learned one pass of the data ago, as in MiniBatchNMF


class StreamedNMF(Streamed):
    """Non-negative factors: scikit-learn's MiniBatchNMF, fed block by block.

    The blocks of an image come from top to bottom, and what is learned last
    weighs most. The factors therefore start from rows taken evenly from the
    whole image, and blocks forget as slowly as their share of it.

    Parameters
    ----------
    n_components : int
    passes : int
        Times that all blocks are seen.
    random_state : int

    Attributes
    ----------
    components_ : ndarray, shape (k, D)
        Not below 0.
    n_samples_seen_ : int
        Rows that were not masked, in one pass.
    """

    def __init__(self, n_components: int = COMPONENTS, passes: int = 1, random_state: int = 0) -> None:
        self.n_components = n_components
        self.passes = passes
        self.random_state = random_state

    def fit(self, source: Iterable[Block], y: None = None) -> Self:
        """Learn from all rows that are not masked.

        Raises
        ------
        StemnetError
            If the rows are too few or too wide, or hold a negative number; if there is no pass.
        """
        if not self.passes >= 1:
            raise StemnetError(
                f"StreamedNMF was to make {self.passes!r} passes; 1 or more is needed. Pass passes=1."
            )
        sample, n = _even_sample(source, SAMPLE)
        check_size(self, n, sample.shape[1])
        again = (rows for _ in range(self.passes) for rows in valid_blocks(source, sign=True))
        rows = next(again)
        with warnings.catch_warnings():
            # a start need not have converged, and rows of few kinds have no sixteen factors
            warnings.simplefilter("ignore", ConvergenceWarning)
            start = NMF(self.n_components, init="nndsvda", max_iter=100, random_state=self.random_state).fit(
                sample
            )
            weights = np.maximum(start.transform(rows), 1e-6).astype(rows.dtype)
        # a batch is a whole block; a block forgets as slowly as its share of all rows
        self.model_ = MiniBatchNMF(
            self.n_components,
            init="custom",
            batch_size=2**31,
            forget_factor=KEPT ** (len(rows) / n),
            random_state=self.random_state,
        )
        self.model_.partial_fit(rows, W=weights, H=start.components_.astype(rows.dtype))
        for rows in again:
            self.model_.partial_fit(rows)
        self.components_ = self.model_.components_
        self.n_samples_seen_ = n
        return self

    def _scores(self, rows: np.ndarray) -> np.ndarray:
        return self.model_.transform(rows.astype(self.components_.dtype, copy=False))


def _even_sample(source: Iterable[Block], most: int) -> tuple[np.ndarray, int]:
    """Up to `most` rows taken evenly, and how many there are; thinned as they come."""
    kept: list[np.ndarray] = []
    n, every = 0, 1
    for rows in valid_blocks(source, sign=True):
        kept.append(rows[-n % every :: every])
        n += len(rows)
        while sum(map(len, kept)) > most:
            kept = [np.concatenate(kept)[::2]]
            every *= 2
    return (np.concatenate(kept) if kept else np.zeros((0, 0))), n
