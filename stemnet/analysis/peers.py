"""Classical methods that scikit-learn has, as what this package asks of every method.

Non-negative factors for rows that are signed, and hierarchical clusters that
know where a new row belongs.
"""

from __future__ import annotations

import warnings
from typing import Self

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.cluster import AgglomerativeClustering
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

BLOCK = 4096  # rows whose distances to the means are held at once


class NonNegativeParts(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Non-negative matrix factorization of rows that may be signed, above the least value of each number.

    From each number its minimum over the rows of the fit is subtracted, and
    `inverse_transform` adds it again; a later row below a minimum counts as
    lying on it. Where the minimum lies is a matter of the noise and of outliers,
    and so are the parts to that extent. Nothing is centered: about one of the
    parts is spent on the way from the minimum to the mean row, so PCA, which
    gets the mean for nothing, reconstructs better with as many components.

    Parameters
    ----------
    n_components : int
        Number of parts.
    max_iter : int
        Rounds of coordinate descent at most.
    tol : float
        Relative gain of a round at which it stops.
    random_state : int, RandomState or None

    Attributes
    ----------
    minimum_ : ndarray, shape (D,)
        What is subtracted, in the unit of the rows.
    components_ : ndarray, shape (n_components, D)
        Not below 0; they add to the minimum.
    n_iter_ : int
        Rounds run.

    Notes
    -----
    D. D. Lee and H. S. Seung, Nature 401, 788 (1999); coordinate descent of
    A. Cichocki and A.-H. Phan, IEICE Transactions on Fundamentals E92-A, 708 (2009).
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        max_iter: int = 1000,
        tol: float = 1e-4,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.n_components = n_components
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, X, y=None) -> Self:
        """Learn minimum and parts of rows (N, D); `y` is ignored.

        Raises
        ------
        ValueError
            If X has fewer than two rows, or NaN.
        """
        self.fit_transform(X)
        return self

    def fit_transform(self, X, y=None) -> np.ndarray:
        """Learn from rows (N, D), and return how much of each part is in each, (N, n_components)."""
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        self.minimum_ = X.min(axis=0)
        self.model_ = NMF(
            self.n_components,
            init="nndsvda",
            max_iter=self.max_iter,
            tol=self.tol,
            random_state=self.random_state,
        )
        if self.n_components > min(X.shape):
            self.model_.set_params(init="random")
        with warnings.catch_warnings():
            # n_iter_ says whether it came to its end
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.model_.fit(X - self.minimum_)
        self.components_, self.n_iter_ = self.model_.components_, self.model_.n_iter_
        self._n_features_out = self.n_components
        return self.transform(X)

    def transform(self, X) -> np.ndarray:
        """How much of each part is in each row, shape (N, n_components), not below 0."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return self.model_.transform(np.maximum(X - self.minimum_, 0))

    def inverse_transform(self, X) -> np.ndarray:
        """Rows (N, D) of amounts (N, n_components): the parts added up, above the minimum."""
        check_is_fitted(self)
        return check_array(X, dtype=np.float64) @ self.components_ + self.minimum_


class NearestMeanTree(ClusterMixin, BaseEstimator):
    """Hierarchical clustering that can say to which cluster a new row belongs: to the one with the nearest mean.

    The tree needs the distances of all pairs of rows. It is therefore grown on
    at most `most` rows, drawn at random, which takes 8 most^2 bytes at the
    worst, however many rows there are; all others go to the cluster with the
    nearest mean. With a linkage other than ward, whose clusters need not be
    round, the nearest mean may be another cluster than the tree's.

    Parameters
    ----------
    n_clusters : int
    linkage : "ward", "average", "complete" or "single"
        What the distance of two groups is; ward: the variance that joining adds.
    most : int
        Rows that the tree is grown on.
    random_state : int, RandomState or None
        Of the draw; not used where there are no more rows than `most`.

    Attributes
    ----------
    labels_ : ndarray of int, shape (N,)
        Of the rows of the fit: the tree's where it had the row.
    cluster_centers_ : ndarray, shape (n_clusters, D)
        Mean of the tree's rows in each cluster.

    Notes
    -----
    J. H. Ward, Journal of the American Statistical Association 58, 236 (1963).
    """

    def __init__(
        self,
        n_clusters: int = 2,
        *,
        linkage: str = "ward",
        most: int = 3000,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.linkage = linkage
        self.most = most
        self.random_state = random_state

    def fit(self, X, y=None) -> Self:
        """Grow the tree on rows (N, D), or on a part of them; `y` is ignored.

        Raises
        ------
        ValueError
            If there are fewer than two rows, or NaN.
        """
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        grown = np.arange(len(X))
        if len(X) > self.most:
            grown = check_random_state(self.random_state).permutation(len(X))[: self.most]
        tree = AgglomerativeClustering(self.n_clusters, linkage=self.linkage).fit_predict(X[grown])
        self.cluster_centers_ = np.array([X[grown[tree == c]].mean(axis=0) for c in range(self.n_clusters)])
        self.labels_ = self.predict(X)
        self.labels_[grown] = tree
        return self

    def predict(self, X) -> np.ndarray:
        """Cluster with the nearest mean, for rows (N, D)."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        blocks = [X[first : first + BLOCK] for first in range(0, len(X), BLOCK)]
        return np.concatenate([cdist(block, self.cluster_centers_).argmin(axis=1) for block in blocks])
