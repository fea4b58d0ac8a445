"""Clusters against planted classes: who is who, and what is mistaken for what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment


@dataclass(frozen=True)
class Confusion:
    """Planted classes against the clusters that stand for them.

    Parameters
    ----------
    counts : ndarray of int, shape (classes, clusters)
        Rows of each class in each cluster; cluster i stands for class i, and
        those beyond the classes for none.
    cluster : ndarray of int, shape (clusters,)
        Which cluster, by its own number, a column of the counts is; -1 where
        there are fewer clusters than classes.
    """

    counts: np.ndarray
    cluster: np.ndarray

    @property
    def accuracy(self) -> float:
        """Share of the rows that are in the cluster of their class."""
        return float(np.trace(self.counts) / max(self.counts.sum(), 1))

    @property
    def recall(self) -> np.ndarray:
        """Share of each class that is in its cluster, (classes,)."""
        return np.diag(self.counts) / np.maximum(self.counts.sum(axis=1), 1)

    @property
    def f1(self) -> np.ndarray:
        """Harmonic mean of recall and precision of each class, (classes,)."""
        return np.diag(_f1(self.counts))


def matched(labels: np.ndarray, truth: np.ndarray) -> Confusion:
    """Match clusters to classes one to one, so that the classes' mean F1 is largest.

    By F1, not by counts: a rare class would otherwise be given whatever cluster
    is left (assignment: Kuhn, Naval Research Logistics Quarterly 2, 83, 1955).

    Parameters
    ----------
    labels, truth : ndarray of int, shape (n,)
        -1 counts in neither.

    Returns
    -------
    Confusion
    """
    labels, truth = np.asarray(labels).astype(int), np.asarray(truth).astype(int)
    both = (labels >= 0) & (truth >= 0)
    numbers, column = np.unique(labels[both], return_inverse=True)
    classes, row = np.unique(truth[both], return_inverse=True)
    missing = max(len(classes) - len(numbers), 0)
    counts = np.zeros((len(classes), len(numbers) + missing), int)
    np.add.at(counts, (row, column), 1)
    given = linear_sum_assignment(_f1(counts), maximize=True)[1]
    order = np.concatenate([given, np.setdiff1d(np.arange(counts.shape[1]), given)]).astype(int)
    return Confusion(counts[:, order], np.append(numbers, np.full(missing, -1))[order])


def _f1(counts: np.ndarray) -> np.ndarray:
    """F1 of every cluster as every class, (classes, clusters)."""
    return 2 * counts / np.maximum(counts.sum(axis=1, keepdims=True) + counts.sum(axis=0), 1)
