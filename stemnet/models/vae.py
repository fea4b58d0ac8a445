"""A variational autoencoder for rows of numbers (neighbor vectors, flattened patches)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from stemnet.models.family import Family
from stemnet.models.precision import FullLinear, Perceptron


class VAE(Family):
    """Gaussian encoder and decoder, each a linear map plus a perceptron.

    What is told of a row moves the row that is decoded by a linear map of its
    own, which starts as a regression: what it explains is nothing that the
    latent need hold. The perceptrons start at zero, so that the network begins as a linear one;
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
    n_conditions, n_classes : int
        See `Family`.
    likelihood : {"gaussian", "bernoulli"}
        Of a number given what is decoded: normal with a variance that is
        learned, or a share between 0 and 1 whose logit is decoded.
    """

    def __init__(
        self,
        n_features: int,
        n_components: int,
        hidden: Sequence[int] = (64, 64),
        n_conditions: int = 0,
        n_classes: int = 0,
        likelihood: str = "gaussian",
    ) -> None:
        super().__init__(n_features, n_conditions, n_classes)
        self.likelihood = likelihood
        self.encoder_linear = FullLinear(n_features, n_components)
        self.encoder = perceptron([n_features + self.n_context, *hidden, 2 * n_components])
        self.decoder_linear = FullLinear(n_components, n_features)
        self.told_linear = FullLinear(n_conditions, n_features, bias=False) if n_conditions else None
        self.decoder = perceptron([n_components + self.n_context, *reversed(hidden), n_features])
        self.log_noise = nn.Parameter(torch.zeros(()), requires_grad=likelihood == "gaussian")

    def encode(self, x: Tensor, context: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the posterior, each (N, d), of rows (N, D)."""
        middle = self._middle(context, offset)
        rest = x - (middle.sigmoid() if self.likelihood == "bernoulli" else middle)
        mean, log_variance = self.encoder(torch.cat([rest, context], dim=1)).chunk(2, dim=1)
        return self.encoder_linear(rest) + mean, log_variance.clamp(-20.0, 5.0)

    def decode(self, z: Tensor, context: Tensor, offset: Tensor) -> Tensor:
        """Mean rows (N, D), or their logits, of latents (N, d)."""
        linear = self._middle(context, offset) + self.decoder_linear(z)
        return linear + self.decoder(torch.cat([z, context], dim=1))

    def _middle(self, context: Tensor, offset: Tensor) -> Tensor:
        """Rows, or their logits, at the middle of the latent: of the class, and of what is told."""
        return (
            offset if self.told_linear is None else offset + self.told_linear(context[:, : self.n_conditions])
        )

    def bound(self, data: Tensor, noise: Tensor, context: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
        """See `Family`."""
        mean, log_variance = self.encode(data, context, offset)
        decoded = self.decode(mean + torch.exp(0.5 * log_variance) * noise, context, offset)
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
        if self.likelihood == "bernoulli":
            likelihood = (data * decoded - nn.functional.softplus(decoded)).sum(dim=1)
        else:
            constant = math.log(2 * math.pi) + self.log_noise
            square = (data - decoded).square() * torch.exp(-self.log_noise)
            likelihood = -0.5 * (square + constant).sum(dim=1)
        return likelihood, divergence


def perceptron(widths: Sequence[int]) -> Perceptron:
    """Linear layers of these widths with SiLU between; the last one starts with zero weights."""
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths[:-1]):
        layers += [nn.Linear(n_in, n_out), nn.SiLU()]
    last = nn.Linear(widths[-2], widths[-1])
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return Perceptron(*layers, last)
