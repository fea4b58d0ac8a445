"""Where the training of an autoencoder starts: probabilistic PCA, of rows as they are or put upright."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans

from stemnet.analysis.vae_rows import PlainRows, Prepared, Shares
from stemnet.models.rotating_vae import RotatingVAE
from stemnet.models.vae import VAE

PCA_ROWS = 5000
"""Rows that a start is computed from."""
ROUNDS = 10
"""Times that rows are aligned to their mean."""


def start_as_pca(
    model: VAE | RotatingVAE,
    rows: np.ndarray,
    known: np.ndarray,
    seed: int,
    spare: float = 0.0,
    told: np.ndarray | None = None,
) -> None:
    """Set mean rows, linear maps, posterior widths and noise as in probabilistic PCA (Tipping and Bishop, 1999).

    Parameters
    ----------
    model : VAE or RotatingVAE
    rows : ndarray, shape (N, D)
        Of classes, the mean rows are those of k-means.
    known : ndarray of int, shape (N,)
        Classes that are known, which give the others their numbers; -1 where not.
    seed : int
        Of k-means.
    spare : float
        Sum of squares per row that is noise and in none of its numbers.
    told : ndarray, shape (N, C), optional
        Conditions of mean 0: what a regression on them explains is taken off first.
    """
    step = -(-len(rows) // PCA_ROWS)
    rows, known = rows[::step], known[::step]
    count = max(model.n_classes, 1)
    means = rows.mean(axis=0, keepdims=True)
    if count > 1:
        found = KMeans(count, n_init=10, random_state=seed).fit(rows)
        rows = rows - found.cluster_centers_[found.labels_]
        means = found.cluster_centers_[_numbered(found.labels_, known, count)]
    else:
        rows = rows - means
    if isinstance(model, VAE) and model.told_linear is not None and told is not None:
        explained = np.zeros((told.shape[1], rows.shape[1]))
        if model.likelihood == "gaussian":
            explained = np.linalg.lstsq(told[::step], rows, rcond=None)[0]
            rows = rows - told[::step] @ explained
        with torch.no_grad():
            model.told_linear.weight.copy_(torch.from_numpy(explained.T))
    n, features = rows.shape
    d = int(model.encoder_linear.out_features)
    _, singular, axes = np.linalg.svd(rows, full_matrices=False)
    variance = np.zeros(d)
    rank = min(d, len(singular))
    variance[:rank] = singular[:rank] ** 2 / n
    directions = np.zeros((d, features))
    directions[:rank] = axes[:rank]
    values = getattr(model, "n_values", features)
    rest = ((singular[rank:] ** 2).sum() / n + spare) / max(values - rank, 1)
    noise = max(rest, 1e-4)
    signal = np.maximum(variance, 1.01 * noise)
    loadings = directions * np.sqrt(signal - noise)[:, None]
    slope = np.ones_like(means)
    if getattr(model, "likelihood", "") == "bernoulli":
        # what is decoded is the logit of a share
        means = np.clip(means, 1e-3, 1 - 1e-3)
        slope, means = 1 / (means * (1 - means)), np.log(means / (1 - means))
    with torch.no_grad():
        model.offset.copy_(torch.from_numpy(means))
        model.decoder_linear.weight.copy_(torch.from_numpy((loadings * slope.mean(axis=0)).T))
        if model.decoder_linear.bias is not None:
            model.decoder_linear.bias.zero_()
        model.encoder_linear.weight.copy_(torch.from_numpy(loadings / signal[:, None]))
        model.encoder_linear.bias.zero_()
        last = cast(torch.nn.Linear, model.encoder[-1])
        last.bias[d:].copy_(torch.from_numpy(np.log(noise / signal)))
        if model.log_noise.requires_grad:
            model.log_noise.fill_(math.log(noise))


def _numbered(found: np.ndarray, known: np.ndarray, count: int) -> np.ndarray:
    """Which of the clusters is each class, (count,), by the classes that are known."""
    told = known >= 0
    pairs = np.zeros((count, count))
    np.add.at(pairs, (known[told], found[told]), 1)
    return linear_sum_assignment(-pairs)[1]


def start_upright(model: RotatingVAE, data: np.ndarray, known: np.ndarray, seed: int) -> None:
    """Put rows upright, and set the rest as PCA of these.

    Rows are aligned to one of them, then to their mean, again and again
    (class averaging without classes: Penczek et al., Ultramicroscopy 40, 33, 1992).

    Parameters
    ----------
    model : RotatingVAE
    data : ndarray, shape (N, 2 D + 1)
        Numbers, and the sum of squares that they do not stand for.
    known : ndarray of int, shape (N,)
        As in `start_as_pca`.
    seed : int
        Chooses the first row.
    """
    step = -(-len(data) // PCA_ROWS)
    data, known = data[::step], known[::step]
    numbers = torch.as_tensor(data[:, :-1], dtype=torch.float32)
    rest = torch.as_tensor(data[:, -1], dtype=torch.float32)
    mean = numbers[int(np.random.default_rng(seed).integers(len(numbers)))]
    with torch.no_grad():
        for _ in range(ROUNDS):
            angle, _ = model.turning.best(model.turning.series(numbers, mean.expand_as(numbers)))
            upright = model.turning.turned(numbers, -angle)
            mean = upright.mean(dim=0)
        for _ in range(ROUNDS if len(model.generators) else 0):
            square = (upright - mean).square().sum(dim=1) + rest
            model.log_noise.fill_(math.log(float(square.mean()) / model.n_values))
            upright = model.upright(numbers, model.pose(numbers, mean.expand_as(numbers)))
            mean = upright.mean(dim=0)
    start_as_pca(model, upright.double().numpy(), known, seed, float(data[:, -1].mean()))


def network(
    ready: Prepared, invariance: str, features: int, sizes: tuple[int, tuple[int, ...], int, int]
) -> VAE | RotatingVAE:
    """A network with the initial weights that torch draws.

    Parameters
    ----------
    ready : Prepared
        What makes rows ready for it.
    invariance : str
    features : int
        Numbers of a row that was made ready.
    sizes : tuple
        Of the latent, of the hidden layers, of the condition, and the number of classes.
    """
    latent, hidden, conditions, classes = sizes
    if isinstance(ready, PlainRows | Shares):
        likelihood = "bernoulli" if isinstance(ready, Shares) else "gaussian"
        return VAE(features, latent, hidden, conditions, classes, likelihood)
    moves, spreads = ready.generators(invariance)
    generators = torch.as_tensor(np.array(moves), dtype=torch.float32) if moves else None
    orders = torch.as_tensor(ready.orders)
    return RotatingVAE(orders, latent, ready.values, hidden, generators, spreads, conditions, classes)


def started(
    model: VAE | RotatingVAE,
    data: np.ndarray,
    known: np.ndarray,
    seed: int,
    told: np.ndarray | None = None,
) -> VAE | RotatingVAE:
    """The network at its start.

    Parameters
    ----------
    model : VAE or RotatingVAE
    data : ndarray, shape (N, D)
    known : ndarray of int, shape (N,)
        As in `start_as_pca`.
    seed : int
    told : ndarray, shape (N, C), optional
        As in `start_as_pca`; rows that are put upright start without.
    """
    if isinstance(model, RotatingVAE):
        start_upright(model, data, known, seed)
    else:
        start_as_pca(model, data, known, seed, told=told)
    return model
