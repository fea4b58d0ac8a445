"""Where the training of an autoencoder starts: probabilistic PCA, of rows as they are or put upright."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import torch

from stemnet.models.rotating_vae import RotatingVAE
from stemnet.models.vae import VAE

PCA_ROWS = 5000
"""Rows that a start is computed from."""
ROUNDS = 10
"""Times that rows are aligned to their mean."""


def start_as_pca(model: VAE | RotatingVAE, rows: np.ndarray, spare: float = 0.0) -> None:
    """Set linear maps, posterior widths and noise as in probabilistic PCA (Tipping and Bishop, 1999).

    Parameters
    ----------
    model : VAE or RotatingVAE
    rows : ndarray, shape (N, D)
        Centered.
    spare : float
        Sum of squares per row, and the number of values it stands in, beyond
        the rows: noise that no number of a row holds.
    """
    rows = rows[:: -(-len(rows) // PCA_ROWS)]
    n, features = rows.shape
    d = model.encoder_linear.out_features
    _, singular, axes = np.linalg.svd(rows, full_matrices=False)
    variance = np.zeros(d)
    known = min(d, len(singular))
    variance[:known] = singular[:known] ** 2 / n
    directions = np.zeros((d, features))
    directions[:known] = axes[:known]
    values = getattr(model, "n_values", features)
    rest = ((singular[known:] ** 2).sum() / n + spare) / max(values - known, 1)
    noise = max(rest, 1e-4)
    signal = np.maximum(variance, 1.01 * noise)
    loadings = directions * np.sqrt(signal - noise)[:, None]
    with torch.no_grad():
        model.decoder_linear.weight.copy_(torch.from_numpy(loadings.T))
        if model.decoder_linear.bias is not None:
            model.decoder_linear.bias.zero_()
        model.encoder_linear.weight.copy_(torch.from_numpy(loadings / signal[:, None]))
        model.encoder_linear.bias.zero_()
        last = cast(torch.nn.Linear, model.encoder[-1])
        last.bias[d:].copy_(torch.from_numpy(np.log(noise / signal)))
        model.log_noise.fill_(math.log(noise))


def start_upright(model: RotatingVAE, rows: np.ndarray, rng: np.random.Generator) -> None:
    """Set the template to the mean of the aligned rows, and the rest as PCA of these.

    Rows are aligned to one of them, then to their mean, again and again
    (class averaging without classes: Penczek et al., Ultramicroscopy 40, 33, 1992).

    Parameters
    ----------
    model : RotatingVAE
    rows : ndarray, shape (N, 2 D + 1)
        Numbers, and the sum of squares that they do not stand for.
    rng : Generator
        Chooses the first row.
    """
    rows = rows[:: -(-len(rows) // PCA_ROWS)]
    numbers = torch.as_tensor(rows[:, :-1], dtype=torch.float32)
    template = numbers[int(rng.integers(len(numbers)))]
    with torch.no_grad():
        for _ in range(ROUNDS):
            angle, _ = model.turning.best(model.turning.series(numbers, template.expand_as(numbers)))
            upright = model.turning.turned(numbers, -angle)
            template = upright.mean(dim=0)
        model.template.copy_(template)
        for _ in range(ROUNDS if len(model.generators) else 0):
            values = torch.as_tensor(rows[:, -1], dtype=torch.float32)
            square = (upright - template).square().sum(dim=1) + values
            model.log_noise.fill_(math.log(float(square.mean()) / model.n_values))
            upright = model.upright(numbers, model.pose(numbers, template.expand_as(numbers)))
            template = upright.mean(dim=0)
            model.template.copy_(template)
    start_as_pca(model, (upright - template).double().numpy(), float(rows[:, -1].mean()))
