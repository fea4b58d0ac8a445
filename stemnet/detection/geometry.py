"""Where columns are: which of them, and which products of two of them, reach into which tiles of the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree

from stemnet.detection.column_model import REACH, Membership, Tiles, membership, sampled

# columns further apart than this many sigma share less than 3 % of any entry of their blocks, 0.1 % of a variance
PAIR_REACH = 5.5
_MARGIN = 0.3  # columns may move by this many sigma before it is measured anew what reaches where
_WINDOW = 3.8  # reach of a product of Gaussians, in its own sigma: all but 1e-2 of its fourth moment
_SAMPLE = 1 << 16  # pixels that settle the two numbers of the noise to a percent or two
_WINDOW_EDGE = 6.0  # the same where the middle of it may lie off the image


@dataclass(frozen=True)
class State:
    """Columns of the current model: yx (N, 2), amplitude (N,), log_width (N,); float64."""

    yx: torch.Tensor
    amplitude: torch.Tensor
    log_width: torch.Tensor

    @property
    def width(self) -> torch.Tensor:
        """Sigma [px]."""
        return self.log_width.exp()

    def since(self, before: State) -> torch.Tensor:
        """The step (N, 4) by (y, x, A, q) from the state before."""
        amplitude, log_width = self.amplitude - before.amplitude, self.log_width - before.log_width
        return torch.cat([self.yx - before.yx, amplitude[:, None], log_width[:, None]], 1)


def neighbor_pairs(yx: torch.Tensor, reach: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Indices i < j of all columns closer than `reach` [px]."""
    pairs = cKDTree(yx.cpu().numpy()).query_pairs(reach, output_type="ndarray")
    pairs = torch.as_tensor(np.sort(pairs, axis=1).astype(np.int64), device=yx.device)
    return pairs[:, 0], pairs[:, 1]


@dataclass(frozen=True)
class Geometry:
    """Which columns, and which products of two columns, reach into which tiles.

    It is measured with a margin and serves until the columns have moved or
    grown by more than that.
    """

    tiles: Tiles
    state: State
    i: torch.Tensor  # neighbors i < j
    j: torch.Tensor
    columns: Membership
    squares: Membership  # the columns' squares, which are narrower
    products: Membership  # the products of neighbors
    sample: Membership  # the columns again, in tiles enough to learn the noise from

    @classmethod
    def of(cls, tiles: Tiles, state: State) -> Geometry:
        """Geometry of the columns where they stand."""
        width = state.width
        own = torch.arange(len(width), device=width.device)
        i, j = (
            neighbor_pairs(state.yx, (PAIR_REACH + _MARGIN) * float(width.median()))
            if len(own)
            else (own, own)
        )
        squares, products = (_window(tiles, *product(state, *pair)[:2]) for pair in ((own, own), (i, j)))
        columns = membership(tiles, state.yx, (REACH + _MARGIN) * width)
        return cls(tiles, state, i, j, columns, squares, products, sampled(columns, _SAMPLE))

    def serves(self, state: State, share: float = 0.998) -> bool:
        """Whether this share of the columns is still within the margin."""
        if not len(state.yx):
            return True
        moved = (state.yx - self.state.yx).abs().amax(1) / self.state.width
        grown = (state.log_width - self.state.log_width).clamp(min=0) * REACH
        return bool((moved + grown < _MARGIN).double().mean() > share)


def _window(tiles: Tiles, center: torch.Tensor, sigma: torch.Tensor) -> Membership:
    """Tiles that products of Gaussians reach."""
    size = torch.tensor(tiles.shape, dtype=center.dtype, device=center.device)
    edge = (torch.minimum(center, size - 1 - center) < sigma[:, None]).any(1)
    return membership(tiles, center, torch.where(edge, _WINDOW_EDGE, _WINDOW + _MARGIN) * sigma)


def product(
    state: State, i: torch.Tensor, j: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Center (P, 2), sigma (P,) and height (P,) of the product of two Gaussians."""
    first, second = state.width[i] ** 2, state.width[j] ** 2
    total = first + second
    center = (state.yx[i] * second[:, None] + state.yx[j] * first[:, None]) / total[:, None]
    height = torch.exp(-0.5 * ((state.yx[i] - state.yx[j]) ** 2).sum(1) / total)
    return center, (first * second / total).sqrt(), height
