"""How well an autoencoder does on rows that no training saw, beside PCA on the same ones."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA

from stemnet.analysis.embedding import Embedding
from stemnet.analysis.road import about_embedding
from stemnet.analysis.vae import VariationalAutoencoder
from stemnet.analysis.vae_rows import TurningPatches
from stemnet.descriptors.table import Descriptors

MOST = 5000
"""Rows that scores are computed on, evenly spaced."""


def scores(model: VariationalAutoencoder, train: np.ndarray, test: np.ndarray) -> dict[str, float]:
    """Numbers of an autoencoder.

    Parameters
    ----------
    model : VariationalAutoencoder
    train, test : ndarray, shape (N, D)
        Rows that it was trained on, and others.

    Returns
    -------
    dict
        ``elbo``, per row of the others [nats, in the data's unit]; ``error_held_out``, root mean square of these rows
        minus what the model makes of them, and ``error_held_out_pca``, the same by PCA of the same latent, fitted to
        the same training rows [unit of the rows]; ``elbo_validation``, the bound that stopped the training [nats,
        standardized]; ``informative``, how many latents carry more than a tenth of a nat; ``epochs``; and the numbers
        of rows.
    """
    some, known = _spaced(test), _spaced(train)
    # of patches that turn only the disk counts, its rim in part
    counts = (
        model.prepared_.waves.weight
        if isinstance(model.prepared_, TurningPatches)
        else np.ones(some.shape[1])
    )
    pca = PCA(min(model.n_components, *known.shape), svd_solver="full").fit(known)
    return {
        "elbo": model.score(some),
        "error_held_out": _error(some, model.reconstruct(some), counts),
        "error_held_out_pca": _error(some, pca.inverse_transform(pca.transform(some)), counts),
        "elbo_validation": float(model.validation_score_),
        "informative": int((model.kl_ > 0.1).sum()),
        "epochs": int(model.n_iter_),
        "rows_train": len(train),
        "rows_test": len(test),
    }


def remarks(model: VariationalAutoencoder, names: tuple[str, ...], rows: np.ndarray) -> list[str]:
    """What the user should know of a latent: that it has collapsed, or stayed linear."""
    some = _spaced(rows)
    table = Descriptors(some, names, np.zeros((len(some), 2)), np.ones(len(some), bool))
    return about_embedding(Embedding("vae", np.zeros((len(some), model.n_components)), model, table, np.nan))


def _error(rows: np.ndarray, decoded: np.ndarray, counts: np.ndarray) -> float:
    return float(np.sqrt((((rows - decoded.reshape(rows.shape)) ** 2) @ counts).mean() / counts.sum()))


def _spaced(rows: np.ndarray) -> np.ndarray:
    return rows[:: -(-len(rows) // MOST)]
