"""Embeddings: descriptors to a few numbers per row, by any scikit-learn transformer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA

from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError


@dataclass(frozen=True)
class Embedding:
    """Latent coordinates of every row, and the method that made them.

    Parameters
    ----------
    method : str
        Name in tables and figures, such as ``pca``.
    latent : ndarray, shape (N, d)
        NaN in rows that are not valid.
    model : estimator
        Fitted on the complete rows: ``transform``, ``inverse_transform``.
    descriptors : Descriptors
        What was embedded.
    reconstruction_error : float
        Root mean square over rows and numbers of row minus decoded latent, in
        the unit of the descriptors (training rows).
    explained_variance_ratio : ndarray, shape (d,), or None
        For methods that know it (PCA).
    """

    method: str
    latent: np.ndarray
    model: BaseEstimator
    descriptors: Descriptors
    reconstruction_error: float
    explained_variance_ratio: np.ndarray | None = None


def embed(descriptors: Descriptors, estimator: BaseEstimator, method: str | None = None) -> Embedding:
    """Fit a copy of `estimator` on the complete rows and embed them.

    Parameters
    ----------
    descriptors : Descriptors
    estimator : scikit-learn transformer
        With ``n_components``, ``fit``, ``transform`` and ``inverse_transform``.
    method : str, optional
        By default the estimator's class name in lower case.

    Returns
    -------
    Embedding

    Raises
    ------
    StemnetError
        If there are too few complete rows or numbers for the latent, or all rows are equal.
    """
    rows = descriptors.complete
    method = method or type(estimator).__name__.lower()
    d = estimator.n_components
    if min(len(rows) - 1, rows.shape[1]) < d:
        raise StemnetError(
            f"{method} with {d} components was given {len(rows)} complete rows of {rows.shape[1]} numbers; "
            f"it needs at least {d + 1} rows and {d} numbers. Use a larger field of view or fewer components."
        )
    if is_constant(rows):
        raise StemnetError(
            f"{method} was given {len(rows)} equal rows; there is nothing to tell apart. "
            "Use measured positions, or other descriptors."
        )
    model = clone(estimator).fit(rows)
    if isinstance(model, PCA):
        _fix_signs(model)
    latent = np.full((len(descriptors), d), np.nan)
    latent[descriptors.valid] = model.transform(rows)
    error = reconstruction_error(model, rows)
    return Embedding(
        method, latent, model, descriptors, error, getattr(model, "explained_variance_ratio_", None)
    )


def reconstruction_error(model: BaseEstimator, rows: np.ndarray) -> float:
    """Root mean square of rows minus their decoded latents."""
    return float(np.sqrt(np.mean((rows - model.inverse_transform(model.transform(rows))) ** 2)))


def is_constant(rows: np.ndarray) -> bool:
    """Whether rows (n, D) differ by no more than rounding."""
    return not np.ptp(rows, axis=0).max(initial=0.0) > 1e-9 * np.abs(rows).max(initial=1e-300)


def _fix_signs(pca: PCA) -> None:
    """Turn each component so that its weighted sum is positive.

    The largest entry cannot decide: opposite neighbors move by equal amounts in
    a homogeneous mode, and rounding would choose between them.
    """
    weights = 1.0 / np.sqrt(1.0 + np.arange(pca.components_.shape[1]))
    pca.components_[pca.components_ @ weights < 0] *= -1
