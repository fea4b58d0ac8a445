"""Normal equations of all columns and the background of one image, and their solution."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from stemnet.detection.background import Grid
from stemnet.detection.column_blocks import POWERS_X, POWERS_Y, SUMS, Blocks, heights
from stemnet.detection.column_model import moments
from stemnet.detection.geometry import Geometry, State

# Crowded images are fitted too well by wide columns on a ground below the darkest pixels.
_SUNK = 0.2  # a ground this part of the contrast below the dark level
_LIFT = 0.1  # is pulled back, by this part of the weight of the pixels


@dataclass(frozen=True)
class Ground:
    """How the background answers, alone and to the columns, per unit of their amplitudes and slopes.

    Only the way to the solution depends on it, but it must go with the
    columns' own blocks: together they are positive definite.
    """

    mean_weight: float
    parts: torch.Tensor  # (N, 4 or 6, 16)
    nodes: torch.Tensor  # flat indices of the coefficients over each column, (N, 16)
    band: torch.Tensor  # each coefficient with the 7 x 7 about it, (49, coefficients)

    @classmethod
    def of(cls, geometry: Geometry, weight: torch.Tensor, state: State, grid: Grid, shapes: bool) -> Ground:
        """Measure it under the weights, given in tiles."""
        nodes, parts = _answer(geometry, weight, state, grid, shapes)
        return cls(float(weight.mean()), parts, nodes, _band(geometry.tiles.join(weight), grid))

    def coupling(self, state: State) -> torch.Tensor:
        """Blocks (N, 4 or 6, 16) between columns and the coefficients of the background over them."""
        return self.parts * heights(state, self.parts.shape[1] > 4)[:, :, None]


@dataclass(frozen=True)
class NormalEquations:
    """The symmetric matrix of the fit, in parts.

    Own blocks of the columns (N, K, K), blocks (P, K, K) of neighbors i, j,
    with K = 4 parameters of each, or 6 with shapes, and the background: its own part by quadrature on coarse cells, its
    coupling to a column to second order about the column, since it changes
    slowly.
    """

    own: torch.Tensor
    i: torch.Tensor
    j: torch.Tensor
    pair: torch.Tensor
    grid: Grid
    blocks: Blocks
    ground: Ground
    coupling: torch.Tensor  # (N, K, 16)
    band: torch.Tensor  # of the background alone, as in `Ground`
    mean_weight: float
    stiffness: float
    lift: torch.Tensor  # pull on each coefficient of the background that has sunk below the dark level

    @classmethod
    def assemble(
        cls,
        blocks: Blocks,
        ground: Ground,
        weight: torch.Tensor,
        state: State,
        grid: Grid,
        stiffness: float,
        surface: torch.Tensor,
    ) -> NormalEquations:
        """Put together what was measured, of columns as high as they are and weights as large on the whole."""
        mean = float(weight.mean())
        level = mean / max(ground.mean_weight, 1e-300)
        own, pair = blocks.at(state, level)
        return cls(
            own=own,
            i=blocks.i,
            j=blocks.j,
            pair=pair,
            grid=grid,
            blocks=blocks,
            ground=ground,
            coupling=level * ground.coupling(state),
            band=level * ground.band,
            mean_weight=mean,
            stiffness=stiffness,
            lift=_inner(surface < -_SUNK) * (_LIFT * float(weight.sum()) / surface.numel()),
        )

    def masked(self, free: torch.Tensor) -> NormalEquations:
        """Without what ties parameters to others that are not free, (N, K); own blocks are left as they are."""
        return replace(
            self,
            pair=self.pair * free[self.i][:, :, None] * free[self.j][:, None, :],
            coupling=self.coupling * free[:, :, None],
        )

    def multiply(
        self, own: torch.Tensor, column: torch.Tensor, surface: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Product with a vector: columns (N, K) and coefficients of the background; `own` as regularized."""
        first, second = column.index_select(0, self.i), column.index_select(0, self.j)
        out = torch.einsum("nab,nb->na", own, column)
        out.index_add_(0, self.i, torch.einsum("pab,pb->pa", self.pair, second))
        out.index_add_(0, self.j, torch.einsum("pab,pa->pb", self.pair, first))
        over = surface.reshape(-1).index_select(0, self.ground.nodes.reshape(-1)).view(-1, 16)
        out += torch.einsum("nak,nk->na", self.coupling, over)

        around = torch.nn.functional.unfold(surface[None, None], 7, padding=3)[0]
        below = (self.band * around).sum(0).view_as(surface) + self.roughen(surface)
        light = torch.einsum("nak,na->nk", self.coupling, column)
        below.view(-1).index_add_(0, self.ground.nodes.reshape(-1), light.reshape(-1))
        return out, below

    def weighed_as(self, weight: torch.Tensor) -> bool:
        """Whether what was measured was so under weights of this level, to a few percent."""
        return abs(self.ground.mean_weight / max(float(weight.mean()), 1e-300) - 1) < 0.05

    def restore(self, surface: torch.Tensor) -> torch.Tensor:
        """Force of the penalties, of roughness and of darker than dark, on a background."""
        return -self.roughen(surface) - self.lift * _SUNK

    def roughen(self, surface: torch.Tensor) -> torch.Tensor:
        """Product of the matrix of the penalties with a vector."""
        down = self.grid.down.roughness(surface.device)
        across = self.grid.across.roughness(surface.device)
        rough = self.stiffness * (down @ surface + surface @ across + 1e-4 * surface)
        return rough + self.lift * surface

    def solve(
        self,
        own: torch.Tensor,
        column: torch.Tensor,
        surface: torch.Tensor,
        tolerance: float = 3e-3,
        most: int = 60,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Conjugate gradients, preconditioned by the columns' own blocks and a separable background."""
        inverse = torch.linalg.inv(own)
        mean = max(self.mean_weight, 1e-300)
        left, right = (
            torch.linalg.inv(spline.gram(own.device) + self.stiffness / mean * spline.roughness(own.device))
            for spline in (self.grid.down, self.grid.across)
        )

        def precondition(c: torch.Tensor, s: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return torch.einsum("nab,nb->na", inverse, c), left @ s @ right / mean

        x, u = torch.zeros_like(column), torch.zeros_like(surface)
        zc, zs = precondition(column, surface)
        pc, ps = zc, zs
        rho = float((column * zc).sum() + (surface * zs).sum())
        goal = rho * tolerance**2
        for _ in range(most):
            if not rho > max(goal, 1e-300):
                break
            ac, as_ = self.multiply(own, pc, ps)
            curvature = float((pc * ac).sum() + (ps * as_).sum())
            if curvature <= 0:
                break
            step = rho / curvature
            x, u = x + step * pc, u + step * ps
            column, surface = column - step * ac, surface - step * as_
            zc, zs = precondition(column, surface)
            rho, previous = float((column * zc).sum() + (surface * zs).sum()), rho
            pc, ps = zc + rho / previous * pc, zs + rho / previous * ps
        return x, u


def _answer(
    geometry: Geometry, weight: torch.Tensor, state: State, grid: Grid, shapes: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Nodes and parts of the `Ground` over columns."""
    width = state.width
    moment = moments(geometry.columns, weight, state.yx, width, 5).double()
    nodes, down, across = grid.taylor_at(state.yx)
    power = width[:, None, None] ** torch.arange(3, dtype=width.dtype, device=width.device)
    down, across = down * power, (across * power).transpose(1, 2)
    used = 6 if shapes else 5
    parts = torch.stack(
        [
            (down @ moment[:, i : i + 3, j : j + 3] @ across).view(-1, 16)
            for i, j in zip(POWERS_Y[:used].tolist(), POWERS_X[:used].tolist(), strict=True)
        ],
        1,
    )
    sums = SUMS[: 6 if shapes else 4, :used].to(parts.device)
    return nodes, sums @ parts


def _inner(mask: torch.Tensor) -> torch.Tensor:
    """A mask without its rim: the outermost coefficients lie off the image, where a slope may lead anywhere."""
    out = torch.zeros_like(mask)
    out[1:-1, 1:-1] = mask[1:-1, 1:-1]
    return out


def _band(weight: torch.Tensor, grid: Grid) -> torch.Tensor:
    """Inner products of each basis function with the 7 x 7 about it, (49, coefficients).

    Weights are summed over cells of about a sixteenth of the knot spacing.
    """
    edge = max(1, int(min(grid.down.spacing, grid.across.spacing) / 16))
    height, width = weight.shape
    padded = torch.nn.functional.pad(weight, (0, -width % edge, 0, -height % edge))
    total = torch.nn.functional.avg_pool2d(padded[None, None], edge)[0, 0].double() * edge**2
    down, across = (
        spline.products(
            torch.arange(count, dtype=torch.float64, device=weight.device) * edge + (edge - 1) / 2
        )
        for spline, count in ((grid.down, total.shape[0]), (grid.across, total.shape[1]))
    )
    return torch.einsum("arm,rc,bcn->abmn", down, total, across).reshape(49, -1)
