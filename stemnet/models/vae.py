"""A variational autoencoder for rows of numbers (neighbor vectors, flattened patches)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn


class VAE(nn.Module):
    """Gaussian encoder and decoder, each a linear map plus a perceptron.

    The perceptrons start at zero, so that the network begins as a linear one;
    with the linear maps of probabilistic PCA (which is the optimum of a linear
    VAE: Lucas et al., NeurIPS 2019) training starts from an informative latent
    and adds what is not linear. Kingma and Welling, ICLR 2014; the noise
    variance is learned as in Rybkin et al., ICML 2021.

    Parameters
    ----------
    n_features : int
        Numbers per row, D.
    n_components : int
        Size of the latent, d.
    hidden : sequence of int
        Widths of the hidden layers of the encoder; the decoder mirrors them.
    learn_noise : bool
        Whether the noise variance is learned or stays as set.
    """

    def __init__(
        self, n_features: int, n_components: int, hidden: Sequence[int] = (64, 64), learn_noise: bool = True
    ) -> None:
        super().__init__()
        self.encoder_linear = nn.Linear(n_features, n_components)
        self.encoder = perceptron([n_features, *hidden, 2 * n_components])
        self.decoder_linear = nn.Linear(n_components, n_features)
        self.decoder = perceptron([n_components, *reversed(hidden), n_features])
        self.log_noise = nn.Parameter(torch.zeros(()), requires_grad=learn_noise)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the posterior, each (N, d), of rows (N, D)."""
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        return self.encoder_linear(x) + mean, log_variance.clamp(-20.0, 5.0)

    def decode(self, z: Tensor) -> Tensor:
        """Mean rows (N, D) of latents (N, d)."""
        return self.decoder_linear(z) + self.decoder(z)

    def forward(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Log-likelihood [nats] (N,) and Kullback-Leibler divergence [nats] (N, d).

        Parameters
        ----------
        x : Tensor, shape (N, D)
        noise : Tensor, shape (N, d)
            Standard normal numbers of the caller's generator.
        """
        mean, log_variance = self.encode(x)
        residual = x - self.decode(mean + torch.exp(0.5 * log_variance) * noise)
        constant = math.log(2 * math.pi) + self.log_noise
        likelihood = -0.5 * (residual.square() * torch.exp(-self.log_noise) + constant).sum(dim=1)
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
        return likelihood, divergence


def perceptron(widths: Sequence[int]) -> nn.Sequential:
    """Linear layers of these widths with SiLU between; the last one starts with zero weights."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths[:-1]):
        layers += [nn.Linear(n_in, n_out), nn.SiLU()]
    last = nn.Linear(widths[-2], widths[-1])
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(*layers, last)
