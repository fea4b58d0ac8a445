"""A variational autoencoder of what a row is like, apart from how it lies: its angle, shift and scale.

The decoder makes each row once, in an orientation of its own, and the row is
compared with it at all angles (`turning`), so that the angle is inferred, not
learned: its posterior is exact to the second order, and a rotated row has the
same latent. A shift and a scale are inferred by Gauss-Newton steps along their
generators, with Gaussian priors. Peers evaluate a perceptron of the
coordinates on every pixel instead (Bepler et al., NeurIPS 2019).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from stemnet.models.family import Family
from stemnet.models.precision import FullLinear, in_full
from stemnet.models.turning import Turning
from stemnet.models.vae import perceptron

MOVES = 3
"""Gauss-Newton steps of shift and scale."""
PIECES = 3
"""In which a move is made, each to the second order: two pixels of columns of sigma 2 px to a percent."""


@dataclass(frozen=True)
class Pose:
    """How rows lie.

    Parameters
    ----------
    angle, angle_variance : Tensor, shape (N,)
        [rad], [rad^2]
    moves, move_variance : Tensor, shape (N, G)
        Along each generator, in its unit.
    evidence : Tensor, shape (N,)
        What the rows' log-likelihood loses by not knowing the pose [nats]: its
        divergence from the prior, negative.
    """

    angle: Tensor
    angle_variance: Tensor
    moves: Tensor
    move_variance: Tensor
    evidence: Tensor


class RotatingVAE(Family):
    """Encoder and decoder of the numbers of rows, whatever their rotation.

    Parameters
    ----------
    orders : Tensor of int, shape (D,)
        Of the complex numbers of a row; see `Turning`.
    n_components : int
        Size of the latent, d.
    n_values : int
        Measured values a row, for the likelihood; more than 2 D where the
        numbers do not stand for all of them.
    hidden : sequence of int
        Widths of the hidden layers of the encoder; the decoder mirrors them.
    generators : Tensor, shape (G, 2 D, 2 D)
        Of the moves that do not count; none for rotations alone.
    spreads : sequence of float
        Standard deviations of the moves' priors, in the generators' units.
    n_conditions, n_classes : int
        See `Family`; conditions must not know how a row lies.
    """

    generators: Tensor
    precision: Tensor

    def __init__(
        self,
        orders: Tensor,
        n_components: int,
        n_values: int,
        hidden: Sequence[int] = (64, 64),
        generators: Tensor | None = None,
        spreads: Sequence[float] = (),
        n_conditions: int = 0,
        n_classes: int = 0,
    ) -> None:
        size = 2 * len(orders)
        super().__init__(size, n_conditions, n_classes)
        self.n_values = n_values
        self.turning = Turning(orders)
        self.register_buffer("generators", torch.zeros(0, size, size) if generators is None else generators)
        self.register_buffer("precision", 1 / torch.tensor(list(spreads), dtype=torch.float32) ** 2)
        # the mean row, in the orientation that rows are decoded in
        self.offset.requires_grad_(True)
        context = self.n_context
        self.encoder_linear = FullLinear(size, n_components)
        self.encoder = perceptron([size + context, *hidden, 2 * n_components])
        self.first = perceptron([len(orders) + context, hidden[0], n_components])
        self.decoder_linear = FullLinear(n_components, size, bias=False)
        self.decoder = perceptron([n_components + context, *reversed(hidden), size])
        self.log_noise = nn.Parameter(torch.zeros(()))

    def decode(self, z: Tensor, context: Tensor, offset: Tensor) -> Tensor:
        """Numbers (N, 2 D) of latents (N, d), in their own orientation."""
        return offset + self.decoder_linear(z) + self.decoder(torch.cat([z, context], dim=1))

    def encode(self, data: Tensor, context: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the latent's posterior, each (N, d), of rows (N, 2 D + 1)."""
        numbers = data[:, :-1]
        real, imaginary = numbers.chunk(2, dim=1)
        # sizes know nothing of angles: they say roughly which orientation to take the row in
        sizes = (real**2 + imaginary**2).sqrt()
        coarse = self.first(torch.cat([sizes, context], dim=1))
        with torch.no_grad():
            lies = self.pose(numbers, self.decode(coarse, context, offset))
            upright = self.upright(numbers, lies)
        rest = upright - offset
        mean, log_variance = self.encoder(torch.cat([rest, context], dim=1)).chunk(2, dim=1)
        return coarse + self.encoder_linear(rest) + mean, log_variance.clamp(-20.0, 5.0)

    @in_full
    def pose(self, numbers: Tensor, decoded: Tensor) -> Pose:
        """How rows lie, given what they are like; no gradient flows through it."""
        noise = self.log_noise.exp()
        moves = numbers.new_zeros(len(numbers), len(self.generators))
        variance, moved = torch.ones_like(moves), decoded
        for _ in range(MOVES if len(self.generators) else 0):
            angle, _ = self.turning.best(self.turning.series(numbers, moved))
            rest = self.turning.turned(numbers, -angle) - moved
            slopes = self._slopes(moved)
            hessian = slopes @ slopes.transpose(1, 2) / noise + torch.diag(self.precision)
            force = (slopes @ rest[..., None])[..., 0] / noise - self.precision * moves
            moves = moves + torch.linalg.solve(hessian, force[..., None])[..., 0]
            variance = torch.linalg.inv(hessian).diagonal(dim1=1, dim2=2)
            moved = self.moved(decoded, moves)
        angle, bend = self.turning.best(self.turning.series(numbers, moved))
        bend = bend.clamp(min=1e-12) / noise
        # a flat series leaves the angle as unknown as before
        lost = (0.5 * torch.log(2 * torch.pi / bend) - math.log(2 * torch.pi)).clamp(max=0.0)
        if len(self.generators):
            wide = (
                self.precision * moves**2 + variance * self.precision - 1 - (variance * self.precision).log()
            )
            lost = lost - 0.5 * wide.sum(dim=1)
        return Pose(angle, 1 / bend, moves, variance, lost)

    @in_full
    def moved(self, decoded: Tensor, moves: Tensor) -> Tensor:
        """Rows (N, 2 D) after moves (N, G)."""
        piece = moves[..., None] / PIECES
        for _ in range(PIECES if len(self.generators) else 0):
            step = (piece * self._slopes(decoded)).sum(dim=1)
            decoded = decoded + step + 0.5 * (piece * self._slopes(step)).sum(dim=1)
        return decoded

    def _slopes(self, rows: Tensor) -> Tensor:
        """What each generator adds to rows (N, 2 D), shape (N, G, 2 D)."""
        return torch.stack([rows @ generator for generator in self.generators], dim=1)

    def upright(self, numbers: Tensor, pose: Pose) -> Tensor:
        """Rows (N, 2 D) taken back from their pose."""
        return self.moved(self.turning.turned(numbers, -pose.angle), -pose.moves)

    def posed(self, decoded: Tensor, pose: Pose) -> Tensor:
        """Decoded rows (N, 2 D) put into their pose."""
        return self.turning.turned(self.moved(decoded, pose.moves), pose.angle)

    def bound(self, data: Tensor, noise: Tensor, context: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
        """See `Family`; the divergence of the pose is taken off the log-likelihood.

        Data are (N, 2 D + 1): numbers, and the sum of squares that they do not stand for.
        """
        numbers, rest = data[:, :-1], data[:, -1]
        mean, log_variance = self.encode(data, context, offset)
        decoded = self.decode(mean + torch.exp(0.5 * log_variance) * noise, context, offset)
        with torch.no_grad():
            pose = self.pose(numbers, decoded)
        apart = self.turning.turned(numbers, -pose.angle) - self.moved(decoded, pose.moves)
        square = apart.square().sum(dim=1) + rest
        constant = self.n_values * (math.log(2 * math.pi) + self.log_noise)
        likelihood = -0.5 * (square * torch.exp(-self.log_noise) + constant) + pose.evidence
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
        return likelihood, divergence
