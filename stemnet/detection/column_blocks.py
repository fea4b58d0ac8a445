"""Blocks of the normal matrix of the joint fit: of each column, and between neighbors.

Each column has four parameters: y, x, amplitude A, and q = log(sigma); where
shapes are asked for, two more, e1 and e2 of a covariance sigma^2 (1 + E) with
E = [[-e1, e2], [e2, e1]] in (y, x). All second derivatives reduce to moments
of the weights under products of Gaussians, and a product of two Gaussians is a
Gaussian again: the block of a pair of columns is measured under one Gaussian
between them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from stemnet.detection.column_model import moments
from stemnet.detection.geometry import Geometry, State, product

# Powers of u_y and of u_x in the derivatives: by y, x, A, the two halves of q, and e2
POWERS_Y = torch.tensor([1, 0, 0, 2, 0, 1])
POWERS_X = torch.tensor([0, 1, 0, 0, 2, 1])
# the derivatives by (y, x, A, q, e1, e2) as sums of these
SUMS = torch.tensor(
    [
        [1, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0],
        [0, 0, 0, 1, 1, 0],
        [0, 0, 0, -0.5, 0.5, 0],
        [0, 0, 0, 0, 0, 1],
    ],
    dtype=torch.float64,
)


def derivatives(moment: torch.Tensor, state: State, shapes: bool = False) -> torch.Tensor:
    """Inner products of an image with the derivatives by (y, x, A, q) or all six, from its moments (N, 3, 3)."""
    slope = state.amplitude / state.width
    moment = moment.double()
    parts = [
        slope * moment[:, 1, 0],
        slope * moment[:, 0, 1],
        moment[:, 0, 0],
        state.amplitude * (moment[:, 2, 0] + moment[:, 0, 2]),
    ]
    if shapes:
        parts.append(state.amplitude * (moment[:, 0, 2] - moment[:, 2, 0]) / 2)
        parts.append(state.amplitude * moment[:, 1, 1])
    return torch.stack(parts, 1)


def gradient(geometry: Geometry, field: torch.Tensor, state: State, shapes: bool = False) -> torch.Tensor:
    """Inner products (N, 4) of an image, in tiles, with the derivatives of the model by (y, x, A, q).

    With `shapes` (N, 6), by e1 and e2 too.
    """
    return derivatives(moments(geometry.columns, field, state.yx, state.width, 3), state, shapes)


def heights(state: State, shapes: bool) -> torch.Tensor:
    """What the derivatives of a column of height 1 and width 1 are multiplied with, (N, 4 or 6)."""
    slope, peak = state.amplitude / state.width, state.amplitude
    return torch.stack([slope, slope, torch.ones_like(peak), *[peak] * (3 if shapes else 1)], 1)


@dataclass(frozen=True)
class Blocks:
    """Blocks of the normal matrix per unit of the columns' heights and slopes.

    Where columns stand still they hold while their heights change.
    """

    own: torch.Tensor  # (N, K, K), K = 4 parameters of each column, or 6 with shapes
    i: torch.Tensor  # neighbors
    j: torch.Tensor
    pair: torch.Tensor  # (P, K, K)

    @classmethod
    def of(cls, geometry: Geometry, weight: torch.Tensor, state: State, shapes: bool = False) -> Blocks:
        """Measure them under the weights, given in tiles."""
        own, pair = _own(geometry, weight, state, shapes), _between(geometry, weight, state, shapes)
        return cls(own, geometry.i, geometry.j, pair)

    def at(self, state: State, level: float) -> tuple[torch.Tensor, torch.Tensor]:
        """The blocks themselves, of columns as high as they are and weights so many times as large."""
        height = heights(state, self.own.shape[1] > 4)
        i, j = level * height.index_select(0, self.i), height.index_select(0, self.j)
        own = self.own * (level * height)[:, :, None] * height[:, None, :]
        return own, self.pair * i[:, :, None] * j[:, None, :]


def _combined(powers: torch.Tensor, shapes: bool) -> torch.Tensor:
    """Blocks (P, K, K) from products of powers of u, (5 or 6, 5 or 6, P)."""
    used = len(powers)
    sums = SUMS[: 6 if shapes else 4, :used].to(powers.device)
    rows = (sums @ powers.reshape(used, -1)).view(len(sums), used, -1)
    return (sums @ rows).permute(2, 0, 1).contiguous()


def _own(geometry: Geometry, weight: torch.Tensor, state: State, shapes: bool) -> torch.Tensor:
    """Blocks (N, K, K) of single columns, from the moments under their squares."""
    moment = moments(geometry.squares, weight, state.yx, state.width / math.sqrt(2), 5)
    used = 6 if shapes else 5
    y, x = (powers[:used, None] + powers[:used] for powers in (POWERS_Y, POWERS_X))
    # u of a column is that of its square over the square root of two
    scale = 0.5 ** ((y + x).double() / 2)
    powers = moment.view(-1, 25).T.contiguous()[(5 * y + x).to(moment.device)]
    return _combined(powers.double() * scale[..., None].to(moment.device), shapes)


def _between(geometry: Geometry, weight: torch.Tensor, state: State, shapes: bool) -> torch.Tensor:
    """Blocks (P, K, K) of neighbors."""
    width, i, j = state.width, geometry.i, geometry.j
    center, sigma, height = product(state, i, j)
    moment = moments(geometry.products, weight, center, sigma, 5)
    member = torch.stack([width[i], width[j]], 1).float()
    at = torch.stack([state.yx[i], state.yx[j]], 1)
    scale = sigma[:, None].float() / member
    offset = (center[:, None] - at).float() / member[..., None]
    axis = _axis_products(scale, offset).view(-1, 2, 9, 5)
    whole = (axis[:, 0] @ moment @ axis[:, 1].transpose(1, 2)).view(-1, 81).T.contiguous()
    used = 6 if shapes else 5
    y, x = (3 * powers[:used, None] + powers[:used] for powers in (POWERS_Y, POWERS_X))
    return _combined(whole[(9 * y + x).to(whole.device)].double() * height, shapes)


def _axis_products(scale: torch.Tensor, offset: torch.Tensor) -> torch.Tensor:
    """Coefficients (P, 2, 3, 3, 5) of u_i^a u_j^b as polynomials in t, u = scale t + offset, per axis."""
    one, zero = torch.ones_like(offset), torch.zeros_like(offset)
    scale = scale[..., None].expand_as(offset)
    power = torch.stack(
        [
            torch.stack([one, zero, zero], -1),
            torch.stack([offset, scale, zero], -1),
            torch.stack([offset**2, 2 * scale * offset, scale**2], -1),
        ],
        -2,
    )  # (P, member, axis, power of u, power of t)
    first, second = power[:, 0, :, :, None, :], power[:, 1, :, None, :, :]
    out = first.new_zeros(*first.shape[:2], 3, 3, 5)
    for m in range(3):
        out[..., m : m + 3] += first[..., m : m + 1] * second
    return out
