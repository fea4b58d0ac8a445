"""A mixture of Gaussians whose labels know those of the neighbors: for domains, where noise hides single columns."""

from __future__ import annotations

from typing import Self

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.sparse import coo_matrix, csr_matrix
from scipy.spatial import cKDTree
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.utils.validation import check_is_fitted, validate_data

from stemnet.errors import StemnetError

REACH = 1.35
"""Rows are neighbors within so many median distances to the nearest: four on a square lattice, six on a hexagonal."""
STRONGEST = 3.0
"""Coupling from which neighbors that agree decide alone; the estimate of one that has no limit ends here [nats]."""
SWEEPS = 3
"""Of the mean field after each look at the rows."""
SETTLED = 1e-3
"""Mean change of a probability at which it has converged."""


class DomainMixture(ClusterMixin, BaseEstimator):
    """Gaussians of one shape, and a Potts field: a column is likely what the columns around it are.

    A row says of a column what its errors allow; where phases form domains, its
    neighbors say the rest. How much they count is learned from the labels
    themselves: where these lie at random it is next to nothing, and the result
    is that of the mixture alone. Walls stay where rows put them, but a single odd
    column among others is outvoted: look for defects by other means.

    Without places it is the mixture alone.

    Parameters
    ----------
    n_components : int
        Number of classes.
    n_numbers : int
        Rows that are longer are looked at in so many principal components.
    n_init : int
        Starts of the mixture.
    max_iter : int
        Rounds at most.
    random_state : int, RandomState or None

    Attributes
    ----------
    means_ : ndarray, shape (n_components, D)
        In the unit of the rows.
    coupling_ : float
        What each neighbor of a class adds to the log-odds of it [nats]; 0 without places.
    labels_ : ndarray of int, shape (N,)
    n_iter_ : int
        Rounds run.

    Notes
    -----
    Hidden Markov random field (J. Besag, Journal of the Royal Statistical
    Society B 48, 259, 1986), by expectation-maximization with a mean field
    (G. Celeux, F. Forbes and N. Peyrard, Pattern Recognition 36, 131, 2003); the
    coupling maximizes the pseudo-likelihood (J. Besag, The Statistician 24,
    179, 1975).
    """

    def __init__(
        self,
        n_components: int = 2,
        *,
        n_numbers: int = 16,
        n_init: int = 5,
        max_iter: int = 100,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.n_components = n_components
        self.n_numbers = n_numbers
        self.n_init = n_init
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(self, X, y=None, places=None) -> Self:
        """Learn classes of rows (N, D).

        Parameters
        ----------
        X : array_like, shape (N, D)
        y : ignored
        places : array_like, shape (N, 2), optional
            Where each row belongs, in any unit.

        Raises
        ------
        StemnetError
            If places are not as many as rows.
        ValueError
            If X has fewer rows than classes, or NaN.
        """
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        self.axes_ = PCA(min(self.n_numbers, *X.shape), svd_solver="full").fit(X)
        rows = self.axes_.transform(X)
        self.mixture_ = GaussianMixture(
            self.n_components, covariance_type="tied", n_init=self.n_init, random_state=self.random_state
        ).fit(rows)
        share = self.mixture_.predict_proba(rows)
        self.coupling_, self.n_iter_ = 0.0, int(self.mixture_.n_iter_)
        if places is not None and self.n_components > 1:
            share = self._settled(rows, share, _neighbors(places, len(X)))
        self.labels_ = share.argmax(axis=1)
        self.means_ = self.axes_.inverse_transform(self.mixture_.means_)
        return self

    def predict_proba(self, X, places=None) -> np.ndarray:
        """Probability of each class, (N, n_components); places as `fit` takes them."""
        check_is_fitted(self)
        rows = self.axes_.transform(validate_data(self, X, dtype=np.float64, reset=False))
        share = self.mixture_.predict_proba(rows)
        if places is None or self.coupling_ == 0:
            return share
        around, said = _neighbors(places, len(rows)), self._said(rows)
        for _ in range(self.max_iter):
            before, share = share, _swept(said, share, around, self.coupling_)
            if np.abs(share - before).mean() < SETTLED:
                break
        return share

    def predict(self, X, places=None) -> np.ndarray:
        """The likeliest class of each row, (N,); places as `fit` takes them."""
        return self.predict_proba(X, places).argmax(axis=1)

    def _settled(self, rows: np.ndarray, share: np.ndarray, around: csr_matrix) -> np.ndarray:
        """Probabilities (N, K) when classes, coupling and field agree with each other."""
        for self.n_iter_ in range(1, self.max_iter + 1):  # noqa: B020
            before = share
            self._learn(rows, share)
            self.coupling_ = _coupling(share, around)
            said = self._said(rows)
            for _ in range(SWEEPS):
                share = _swept(said, share, around, self.coupling_)
            if np.abs(share - before).mean() < SETTLED:
                break
        return share

    def _learn(self, rows: np.ndarray, share: np.ndarray) -> None:
        """Means, and the covariance that all classes have, from probabilities."""
        known = share.sum(axis=0)
        # a class that has lost all its rows stays where it was
        kept = known > 1e-3
        means = np.where(
            kept[:, None], share.T @ rows / np.maximum(known, 1e-3)[:, None], self.mixture_.means_
        )
        away = rows[:, None] - means
        covariance = np.einsum("nk,nki,nkj->ij", share, away, away) / len(rows)
        covariance += self.mixture_.reg_covar * np.eye(rows.shape[1])
        self.mixture_.means_, self.mixture_.covariances_ = means, covariance
        precision = np.linalg.inv(np.linalg.cholesky(covariance)).T
        self.mixture_.precisions_cholesky_ = precision

    def _said(self, rows: np.ndarray) -> np.ndarray:
        """Log-likelihood of each class, (N, K), up to what they share."""
        turned = rows @ self.mixture_.precisions_cholesky_
        means = self.mixture_.means_ @ self.mixture_.precisions_cholesky_
        return -0.5 * ((turned[:, None] - means) ** 2).sum(axis=2)


def _neighbors(places: object, count: int) -> csr_matrix:
    """Which rows are neighbors, (N, N), 1 or 0."""
    yx = np.asarray(places, dtype=np.float64)
    if yx.shape != (count, 2) or not np.isfinite(yx).all():
        raise StemnetError(
            f"Places of shape {yx.shape} were given for {count} rows; give a finite (y, x) for each."
        )
    if count < 2:
        return csr_matrix((count, count))
    tree = cKDTree(yx)
    spacing = np.median(tree.query(yx, k=2)[0][:, 1])
    one, other = tree.query_pairs(REACH * spacing, output_type="ndarray").T
    pairs = np.concatenate([one, other]), np.concatenate([other, one])
    return coo_matrix((np.ones(len(pairs[0])), pairs), shape=(count, count)).tocsr()


def _swept(said: np.ndarray, share: np.ndarray, around: csr_matrix, coupling: float) -> np.ndarray:
    """One step of the mean field; half of it, since all at once would swing between two answers."""
    return 0.5 * (share + softmax(said + coupling * (around @ share), axis=1))


def _coupling(share: np.ndarray, around: csr_matrix) -> float:
    """Coupling that explains the labels of neighbors best [nats]."""
    agree = around @ share

    def cost(coupling: float) -> float:
        return -float((share * log_softmax(coupling * agree, axis=1)).sum())

    return float(minimize_scalar(cost, bounds=(0.0, STRONGEST), method="bounded").x)
