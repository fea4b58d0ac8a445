"""Normal equations of all columns and the background of one image, and their solution.

Each column has four parameters: y, x, amplitude A, and q = log(sigma); where
shapes are asked for, two more, e1 and e2 of a covariance sigma^2 (1 + E) with
E = [[-e1, e2], [e2, e1]] in (y, x). All second derivatives reduce to moments
of the weights under products of Gaussians, and a product of two Gaussians is a
Gaussian again: the block of a pair of columns is measured under one Gaussian
between them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from stemnet.detection.background import Grid
from stemnet.detection.column_model import moments
from stemnet.detection.geometry import Geometry, State, product

# Crowded images are fitted too well by wide columns on a ground below the darkest pixels.
_SUNK = 0.2  # a ground this part of the contrast below the dark level
_LIFT = 0.1  # is pulled back, by this part of the weight of the pixels


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


# Powers of u_y and of u_x in the derivatives: by y, x, A, the two halves of q, and e2
_Y = torch.tensor([1, 0, 0, 2, 0, 1])
_X = torch.tensor([0, 1, 0, 0, 2, 1])
# the derivatives by (y, x, A, q, e1, e2) as sums of these
_SUMS = torch.tensor(
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


def blocks(geometry: Geometry, weight: torch.Tensor, state: State, shapes: bool = False) -> torch.Tensor:
    """Blocks (P, 4, 4) of the normal matrix between the columns i and j of the geometry (i = j: its own).

    With `shapes` (P, 6, 6): e1 and e2 come after the others.
    """
    width, i, j = state.width, geometry.i, geometry.j
    center, sigma, height = product(state, i, j)
    moment = moments(geometry.products, weight, center, sigma, 5)

    member = torch.stack([width[i], width[j]], 1).float()
    at = torch.stack([state.yx[i], state.yx[j]], 1)
    scale = sigma[:, None].float() / member
    offset = (center[:, None] - at).float() / member[..., None]
    axis = _axis_products(scale, offset)  # (P, 2, 3, 3, 5)
    pair = len(axis)
    down = axis[:, 0].reshape(pair, 9, 5) @ moment  # (P, 9, 5)
    whole = (down @ axis[:, 1].reshape(pair, 9, 5).transpose(1, 2)).view(pair, 3, 3, 3, 3)
    used = 6 if shapes else 5
    y, x = _Y[:used].to(whole.device), _X[:used].to(whole.device)
    powers = whole[:, y[:, None], y[None, :], x[:, None], x[None, :]].double() * height[:, None, None]
    sums = _SUMS[: 6 if shapes else 4, :used].to(powers.device)
    block = sums @ powers @ sums.T

    def factors(k: torch.Tensor) -> torch.Tensor:
        slope, peak = state.amplitude[k] / width[k], state.amplitude[k]
        return torch.stack([slope, slope, torch.ones_like(peak), *[peak] * (block.shape[1] - 3)], 1)

    return block * factors(i)[:, :, None] * factors(j)[:, None, :]


@dataclass(frozen=True)
class Ground:
    """How the background answers, alone and to the columns, per unit of their amplitudes and slopes.

    It changes little while the columns settle, and only the way to the
    solution depends on it: it is measured once for a geometry.
    """

    mean_weight: float
    parts: torch.Tensor  # (N, 4 or 6, 16)
    nodes: torch.Tensor  # flat indices of the coefficients over each column, (N, 16)
    band: torch.Tensor  # each coefficient with the 7 x 7 about it, (49, coefficients)

    @classmethod
    def of(cls, geometry: Geometry, weight: torch.Tensor, state: State, grid: Grid, shapes: bool) -> Ground:
        """Measure it under the weights, given in tiles."""
        width = state.width
        moment = moments(geometry.columns, weight, state.yx, width, 5).double()
        nodes, down, across = grid.taylor_at(state.yx)
        power = width[:, None, None] ** torch.arange(3, dtype=width.dtype, device=width.device)
        down, across = down * power, (across * power).transpose(1, 2)
        used = 6 if shapes else 5
        parts = torch.stack(
            [
                (down @ moment[:, i : i + 3, j : j + 3] @ across).view(-1, 16)
                for i, j in zip(_Y[:used].tolist(), _X[:used].tolist(), strict=True)
            ],
            1,
        )
        sums = _SUMS[: 6 if shapes else 4, :used].to(parts.device)
        band = _band(geometry.tiles.join(weight), grid)
        return cls(float(weight.mean()), sums @ parts, nodes, band)

    def padded(self, count: int) -> Ground:
        """For more columns, the last of which the background does not answer to."""
        more = count - len(self.parts)
        parts = torch.nn.functional.pad(self.parts, (0, 0, 0, 0, 0, more))
        return replace(self, parts=parts, nodes=torch.nn.functional.pad(self.nodes, (0, 0, 0, more)))

    def coupling(self, state: State) -> torch.Tensor:
        """Blocks (N, 4 or 6, 16) between columns and the coefficients of the background over them."""
        slope, height = state.amplitude / state.width, state.amplitude
        factor = [slope, slope, torch.ones_like(height), *[height] * (self.parts.shape[1] - 3)]
        return self.parts * torch.stack(factor, 1)[:, :, None]


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
    ground: Ground
    coupling: torch.Tensor  # (N, K, 16)
    nodes: torch.Tensor  # flat indices of the coefficients over each column, (N, 16)
    band: (
        torch.Tensor
    )  # of the background alone: each coefficient with the 7 x 7 about it, (49, coefficients)
    mean_weight: float
    stiffness: float
    lift: torch.Tensor  # pull on each coefficient of the background that has sunk below the dark level

    @classmethod
    def assemble(
        cls,
        geometry: Geometry,
        weight: torch.Tensor,
        state: State,
        grid: Grid,
        stiffness: float,
        surface: torch.Tensor,
        shapes: bool = False,
        ground: Ground | None = None,
    ) -> NormalEquations:
        """Measure all parts under the weights, given in tiles; the background's anew, or as in `ground`."""
        count = len(state.yx)
        both = blocks(geometry, weight, state, shapes)
        mean = float(weight.mean())
        ground = ground or Ground.of(geometry, weight, state, grid, shapes)
        level = mean / max(ground.mean_weight, 1e-300)
        return cls(
            own=both[:count],
            i=geometry.i[count:],
            j=geometry.j[count:],
            pair=both[count:],
            grid=grid,
            ground=ground,
            coupling=level * ground.coupling(state),
            nodes=ground.nodes,
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
        out = (own * column[:, None, :]).sum(2)
        out.index_add_(0, self.i, (self.pair * column[self.j][:, None, :]).sum(2))
        out.index_add_(0, self.j, (self.pair * column[self.i][:, :, None]).sum(1))
        out += (self.coupling * surface.reshape(-1)[self.nodes][:, None, :]).sum(2)

        around = torch.nn.functional.unfold(surface[None, None], 7, padding=3)[0]
        below = (self.band * around).sum(0).view_as(surface) + self.roughen(surface)
        light = (self.coupling * column[:, :, None]).sum(1)
        below.view(-1).index_add_(0, self.nodes.reshape(-1), light.reshape(-1))
        return out, below

    def weighed_as(self, weight: torch.Tensor) -> bool:
        """Whether these equations were measured under weights of this level, to a few percent."""
        return abs(self.mean_weight / max(float(weight.mean()), 1e-300) - 1) < 0.05

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
            return (inverse * c[:, None, :]).sum(2), left @ s @ right / mean

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
