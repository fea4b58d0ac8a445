"""Embeddings: descriptors to a few numbers per row, by any scikit-learn transformer."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning

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
        If there are too few complete rows or numbers for the latent, all rows are
        equal, the latent cannot be decoded, or the estimator was trained on other numbers.
    """
    method = method or type(estimator).__name__.lower()
    d = estimator.n_components
    rows = enough_rows(descriptors, d, method)
    with warnings.catch_warnings():
        # what did not settle says so in n_iter_
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            model = clone(estimator).fit(rows)
        except ValueError as problem:
            # independent components of rows that hardly differ in some direction divide by nothing
            raise StemnetError(
                f"{method} cannot be fitted to {len(rows)} rows of {rows.shape[1]} numbers ({problem}). Use fewer "
                f"components, or leave {method} out."
            ) from problem
    trained = getattr(getattr(model, "card_", None), "names", ())
    if trained and trained != descriptors.names:
        raise StemnetError(
            f"{method} was trained on rows of {trained[0]}, {trained[1]}, ..., and rows of {descriptors.names[0]}, "
            f"{descriptors.names[1]}, ... were given. Describe the columns in the same way, with sampling= where it is "
            "unknown."
        )
    if isinstance(model, PCA):
        _fix_signs(model)
    latent = np.full((len(descriptors), d), np.nan)
    latent[descriptors.valid] = model.transform(rows)
    try:
        error = reconstruction_error(model, rows)
    except ValueError as problem:
        # UMAP decodes in the triangles of its latent, of which a line has none
        raise StemnetError(
            f"{method} cannot decode a latent of {d} ({problem}), so it cannot be compared. Use a larger latent, or "
            f"leave {method} out."
        ) from problem
    return Embedding(
        method, latent, model, descriptors, error, getattr(model, "explained_variance_ratio_", None)
    )


def enough_rows(descriptors: Descriptors, d: int, method: str) -> np.ndarray:
    """Complete rows (n, D) for an embedding into d numbers.

    Raises
    ------
    StemnetError
        If they are too few, or all equal.
    """
    rows = descriptors.complete
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
    return rows


def reconstruction_error(model: BaseEstimator, rows: np.ndarray) -> float:
    """Root mean square of rows minus their decoded latents, turned as each row is where the model knows how."""
    if hasattr(model, "reconstruct"):
        decoded = model.reconstruct(rows)
    else:
        decoded = model.inverse_transform(model.transform(rows))
    return float(np.sqrt(np.mean((rows - decoded) ** 2)))


def is_constant(rows: np.ndarray) -> bool:
    """Whether rows (n, D) differ by no more than rounding."""
    return not np.ptp(rows, axis=0).max(initial=0.0) > 1e-9 * np.abs(rows).max(initial=1e-300)


def steady_signs(components: np.ndarray) -> np.ndarray:
    """Signs (m,) with which the weighted sum of each component (m, D) is positive.

    The largest entry cannot decide: opposite neighbors move by equal amounts in
    a homogeneous mode, and rounding would choose between them.
    """
    weights = 1.0 / np.sqrt(1.0 + np.arange(components.shape[1]))
    return np.where(components @ weights < 0, -1.0, 1.0)


def _fix_signs(pca: PCA) -> None:
    pca.components_ *= steady_signs(pca.components_)[:, None]
