"""Judging a network's peaks by matching them to the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.detection.matching import match


@dataclass
class Tally:
    """Counts gathered over validation examples at a range of thresholds.

    Columns that cannot be seen are neither missed nor, when found, false.

    Parameters
    ----------
    thresholds : ndarray, shape (K,)
    """

    thresholds: np.ndarray

    def __post_init__(self) -> None:
        count = len(self.thresholds)
        self.hit = np.zeros(count)
        self.false = np.zeros(count)
        self.missed = np.zeros(count)
        self.square = np.zeros(count)

    def add(
        self, found: np.ndarray, score: np.ndarray, truth: np.ndarray, visible: np.ndarray, radius: float
    ) -> None:
        """Count one example.

        Parameters
        ----------
        found : ndarray, shape (N, 2)
            Peaks [px].
        score : ndarray, shape (N,)
        truth : ndarray, shape (M, 2)
        visible : ndarray of bool, shape (M,)
        radius : float
            Largest distance of a match [px].
        """
        for k, threshold in enumerate(self.thresholds):
            kept = found[score >= threshold]
            pairs = match(kept, truth, radius).pairs
            needed = pairs[visible[pairs[:, 1]]]
            self.hit[k] += len(needed)
            self.false[k] += len(kept) - len(pairs)
            self.missed[k] += visible.sum() - len(needed)
            self.square[k] += ((kept[needed[:, 0]] - truth[needed[:, 1]]) ** 2).sum()

    @property
    def f1(self) -> np.ndarray:
        """F1 at each threshold, shape (K,)."""
        return 2 * self.hit / np.maximum(2 * self.hit + self.false + self.missed, 1)

    @property
    def best(self) -> int:
        """Index of the threshold with the highest F1; the middle one of those equally good."""
        good = np.flatnonzero(self.f1 >= self.f1.max() - 1e-3)
        return int(good[len(good) // 2])

    def scores(self) -> dict[str, float]:
        """F1, precision, recall, RMSE per axis [px] and threshold, at the best threshold."""
        k = self.best
        return {
            "f1": float(self.f1[k]),
            "precision": float(self.hit[k] / max(self.hit[k] + self.false[k], 1)),
            "recall": float(self.hit[k] / max(self.hit[k] + self.missed[k], 1)),
            "rmse": float(np.sqrt(self.square[k] / max(2 * self.hit[k], 1))),
            "threshold": float(self.thresholds[k]),
        }
