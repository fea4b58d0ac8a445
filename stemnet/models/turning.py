"""Angles between rows of numbers that a rotation only turns.

A row holds the real, then the imaginary parts of D complex numbers, each with
an order m; a rotation by phi multiplies number d by exp(i m_d phi). The overlap
of two rows is then a short Fourier series in the angle between them, so that
all angles are compared at once and the best one is found to any precision.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stemnet.models.precision import in_full

ANGLES = 64
"""Angles at which the series is looked at first."""
NEWTON = 3
"""Steps from there to its maximum."""


class Turning(nn.Module):
    """Rotations of rows, and the angle by which one row is turned against another.

    Parameters
    ----------
    orders : Tensor of int, shape (D,)
        Of the complex numbers.
    """

    known: Tensor
    place: Tensor
    gather: Tensor
    angles: Tensor
    waves: Tensor

    def __init__(self, orders: Tensor) -> None:
        super().__init__()
        known, place = torch.unique(orders, return_inverse=True)
        angles = torch.arange(ANGLES) * (2 * torch.pi / ANGLES)
        waves = known[:, None] * angles
        self.register_buffer("known", known.float(), persistent=False)
        self.register_buffer("place", place, persistent=False)
        self.register_buffer("gather", nn.functional.one_hot(place, len(known)).float(), persistent=False)
        self.register_buffer("angles", angles, persistent=False)
        self.register_buffer("waves", torch.cat([waves.cos(), waves.sin()]), persistent=False)

    def turned(self, rows: Tensor, angle: Tensor) -> Tensor:
        """Rows (N, 2 D) rotated by angles (N,) [rad]."""
        phase = angle[:, None] * self.known
        c, s = phase.cos()[:, self.place], phase.sin()[:, self.place]
        real, imaginary = rows.chunk(2, dim=1)
        return torch.cat([real * c - imaginary * s, real * s + imaginary * c], dim=1)

    @in_full
    def series(self, rows: Tensor, others: Tensor) -> Tensor:
        """Coefficients (N, 2 M) of the overlap of rows with others that are rotated, by the angle."""
        a, b = rows.chunk(2, dim=1)
        c, d = others.chunk(2, dim=1)
        return torch.cat([(a * c + b * d) @ self.gather, (b * c - a * d) @ self.gather], dim=1)

    @in_full
    def best(self, series: Tensor) -> tuple[Tensor, Tensor]:
        """Angles (N,) [rad] of the largest overlap, and the curvature (N,) of its negative there."""
        m = self.known
        angle = self.angles[(series @ self.waves).argmax(dim=1)]
        even, odd = series.chunk(2, dim=1)
        for step in range(NEWTON + 1):
            c, s = (angle[:, None] * m).cos(), (angle[:, None] * m).sin()
            slope = ((odd * c - even * s) * m).sum(dim=1)
            bend = ((even * c + odd * s) * m**2).sum(dim=1)
            if step < NEWTON:
                move = slope / bend.clamp(min=1e-12)
                angle = angle + move.clamp(-torch.pi / ANGLES, torch.pi / ANGLES)
        return angle, bend
