"""Clusterings: descriptors to one label per row."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from inspect import signature

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, silhouette_score
from sklearn.mixture import GaussianMixture

from stemnet.analysis.embedding import is_constant
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError

CHOICES = (2, 3, 4, 5, 6)
SILHOUETTE_ROWS = 5000


@dataclass(frozen=True)
class Clustering:
    """A label for every row, and the method that gave it.

    Parameters
    ----------
    method : str
        Name in tables and figures, such as ``kmeans_vectors``.
    labels : ndarray of int, shape (N,)
        -1 in rows that are not valid; 0 is the largest cluster.
    centers : ndarray, shape (k, D)
        Mean row of each cluster, in the unit of the descriptors.
    model : estimator
        Fitted; its own numbering of clusters is not that of `labels`.
    descriptors : Descriptors
        What was clustered.
    silhouette : float
        Mean silhouette of (at most 5000 of) the rows, -1 to 1.
    """

    method: str
    labels: np.ndarray
    centers: np.ndarray
    model: BaseEstimator
    descriptors: Descriptors
    silhouette: float

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return len(self.centers)


def cluster(
    descriptors: Descriptors,
    estimator: BaseEstimator,
    n_clusters: int | None = None,
    method: str | None = None,
    choices: Sequence[int] = CHOICES,
    most: int | None = None,
) -> Clustering:
    """Fit a copy of `estimator` on the complete rows and label them.

    Parameters
    ----------
    descriptors : Descriptors
    estimator : scikit-learn clusterer or mixture
        With ``fit_predict`` and ``n_clusters`` or ``n_components``; where it takes
        ``places``, it is told where rows are.
    n_clusters : int, optional
        By default the one of `choices` with the best silhouette (Rousseeuw, 1987).
    method : str, optional
        By default the estimator's class name in lower case.
    choices : sequence of int
        Numbers of clusters to choose from.
    most : int, optional
        Rows that are learned from, taken evenly; the others get the label that
        the model predicts. By default all are.

    Returns
    -------
    Clustering

    Raises
    ------
    StemnetError
        If there are too few complete rows, or all are equal.
    """
    rows = descriptors.complete
    method = method or type(estimator).__name__.lower()
    least = 2 if n_clusters is None else n_clusters
    if len(rows) <= least:
        raise StemnetError(
            f"{method} into {least} clusters was given {len(rows)} complete rows; it needs at least "
            f"{least + 1}. Use a larger field of view or fewer clusters."
        )
    if is_constant(rows):
        raise StemnetError(
            f"{method} was given {len(rows)} equal rows; there is nothing to tell apart. "
            "Use measured positions, or other descriptors."
        )
    # a stride that divides a row of windows would always meet the same ones
    some = (
        np.linspace(0, len(rows) - 1, most).astype(int) if most and most < len(rows) else np.arange(len(rows))
    )
    learned, yx = rows[some], descriptors.yx[descriptors.valid]
    fits = [
        _fit(estimator, learned, k, yx[some])
        for k in ([n_clusters] if n_clusters else [k for k in choices if k < len(learned)])
    ]
    model, found = max(fits, key=lambda fit: _comparable(silhouette(learned, fit[1])))
    if len(learned) < len(rows):
        found = _ranked(rows, model.predict(rows, **_told(model.predict, yx)))
    labels = np.full(len(descriptors), -1)
    labels[descriptors.valid] = found
    centers = np.array([rows[found == c].mean(axis=0) for c in range(found.max() + 1)])
    return Clustering(method, labels, centers, model, descriptors, silhouette(rows, found))


def agreement(labels: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """How well labels (N,) agree with true ones (N,), whatever either's numbers; -1 counts in neither.

    Returns
    -------
    tuple of float
        Adjusted Rand index (L. Hubert and P. Arabie, Journal of Classification
        2, 193, 1985) and normalized mutual information: 1 for the same
        partition, 0 for chance; NaN with fewer than two rows.
    """
    both = (np.asarray(labels) >= 0) & (np.asarray(truth) >= 0)
    if both.sum() < 2:
        return float("nan"), float("nan")
    pair = truth[both], labels[both]
    return float(adjusted_rand_score(*pair)), float(normalized_mutual_info_score(*pair))


def kmeans(seed: int = 0, starts: int = 10) -> KMeans:
    """k-means, for `cluster` to set the number of clusters of."""
    return KMeans(n_init=starts, random_state=seed)


def mixture(seed: int = 0, starts: int = 3) -> GaussianMixture:
    """A mixture of Gaussians of any shape, for `cluster` to set the number of clusters of."""
    return GaussianMixture(n_init=starts, random_state=seed)


def silhouette(rows: np.ndarray, labels: np.ndarray) -> float:
    """Mean silhouette of rows (n, D) under labels (n,), over evenly taken rows; NaN if it has no meaning."""
    step = -(-len(rows) // SILHOUETTE_ROWS)
    rows, labels = rows[::step], labels[::step]
    if not 2 <= len(np.unique(labels)) < len(rows):
        return float("nan")
    return float(silhouette_score(rows, labels))


def with_clusters(estimator: BaseEstimator, k: int) -> BaseEstimator:
    """Return an unfitted copy of a clusterer or mixture for k clusters."""
    name = "n_clusters" if "n_clusters" in estimator.get_params() else "n_components"
    return clone(estimator).set_params(**{name: k})


def _fit(estimator, rows, k, yx):
    model = with_clusters(estimator, k)
    with warnings.catch_warnings():
        # fewer distinct rows than clusters: the labels say so themselves
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = model.fit_predict(rows, **_told(model.fit, yx))
    return model, _ranked(rows, found)


def _told(call, yx):
    """Where rows are, for what takes it."""
    return {"places": yx} if "places" in signature(call).parameters else {}


def _ranked(rows, found):
    """Labels from 0, the largest cluster; of two as large the one whose first row is lower."""
    names, first, inverse, counts = np.unique(
        found, return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.empty(len(names), int)
    rank[np.lexsort((rows[first][:, 0], -counts))] = np.arange(len(names))
    return rank[inverse]


def _comparable(value):
    return -np.inf if np.isnan(value) else value
