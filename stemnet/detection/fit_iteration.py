"""Steps of the joint fit: Fisher scoring with a learned prior of the widths, damped where it fails."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from stemnet.detection.column_blocks import Blocks
from stemnet.detection.fit_problem import Fit, Problem
from stemnet.detection.geometry import Geometry, State
from stemnet.detection.looking import Look, look, relearned
from stemnet.detection.normal_equations import Ground, NormalEquations
from stemnet.detection.width_prior import width_prior

_STEP = 0.3  # longest step of a position per iteration, in sigma
_REUSES = 4  # steps that one matrix serves after its own
_MOSTLY = 0.98  # a geometry serves a rough fit while it holds for this share of the columns
_LEAST = 0.02  # damping of a fit that needs any
_STIFF = 1e3  # damping beyond which no step leads anywhere


@dataclass(frozen=True)
class Matrix:
    """What of one step serves the next: normal equations, the geometry they were measured with, the last look."""

    geometry: Geometry
    equations: NormalEquations | None = None
    used: int = 0
    seen: Look | None = None  # of the fit as it was returned


def iterate(
    problem: Problem,
    fit: Fit,
    free: torch.Tensor,
    most: int,
    matrix: Matrix | None = None,
    rough: bool = False,
    warm: bool = False,
) -> tuple[Fit, Matrix, int, bool]:
    """Fisher scoring, damped where it fails (Levenberg-Marquardt), until the positions stand still.

    Columns that are not significant may wander on. `rough` stops as soon as
    the steps are a small part of a column's width. `warm` says that all but a
    few columns stand where they belong already.
    """
    matrix = matrix or Matrix(Geometry.of(problem.tiles, fit.state))
    damping, least, settled, trusted = 0.0, 0.0, False, None
    seen, matrix = matrix.seen, replace(matrix, seen=None)
    for iteration in range(1, most + 1):
        if not matrix.geometry.serves(fit.state, _MOSTLY if rough else 0.998):
            matrix, seen = Matrix(Geometry.of(problem.tiles, fit.state)), None
        if seen is None:
            fit, seen = _seen(problem, fit, matrix.geometry, trusted[1] if trusted else None, iteration > 1)
        if trusted is not None:
            if _worse(seen, trusted[1]):
                # What failed once with so little damping would fail again.
                least = max(_LEAST, 3 * least if damping <= least else least)
                (fit, seen), damping, settled = trusted, max(10 * damping, 0.1), False
                matrix = Matrix(Geometry.of(problem.tiles, fit.state))
                if damping > _STIFF:
                    break
            else:
                damping = max(damping / 5, least)
                if settled:
                    return fit, replace(matrix, seen=seen), iteration - 1, True
        trusted = fit, replace(seen, pull=seen.pull.new_empty(0))
        before = matrix.equations if matrix.equations and matrix.equations.weighed_as(seen.weight) else None
        reused = matrix.used + 1 if before else 0
        equations = assembled(problem, fit, matrix.geometry, seen.weight, free, before)
        own = regularized(equations, fit, free, damping)
        force = seen.force.clone()
        common, centers, spread = width_prior(problem, fit, equations.own, force, free)
        force[:, 3] += (centers - fit.state.log_width) / fit.spread**2
        below = seen.below + equations.restore(fit.surface)
        step, surface = equations.solve(own, force * free, below)
        state, held = _advanced(problem, fit.state, step, common)
        if damping and held.any():
            step, surface = _around_held(
                equations, own, (force * free, below), state.since(fit.state), surface, held
            )
            state, _ = _advanced(problem, fit.state, step, common)
        moved, last = (state.yx - fit.state.yx).abs(), fit.common
        fit = replace(fit, state=state, surface=fit.surface + surface)
        fit = replace(fit, common=common, centers=centers, spread=spread)
        # the matrix of one step serves the next ones while steps are a small part of a column's width
        close = (warm or iteration > 1) and _still(problem, fit, own, moved, last, rough=True)
        keep = close and reused < _REUSES and _alike(trusted[0].state, state)
        matrix = replace(matrix, equations=equations if keep else None, used=reused)
        still = rough or (iteration > 1 and _still(problem, fit, own, moved, last))
        settled = damping <= least and close and still
        seen = None
    if trusted is not None and seen is None:
        # no step is kept that nobody looked at
        fit, seen = _seen(problem, fit, matrix.geometry, trusted[1])
        if _worse(seen, trusted[1]):
            (fit, seen), matrix = trusted, Matrix(Geometry.of(problem.tiles, trusted[0].state))
    return fit, replace(matrix, seen=seen), most, False


def _worse(seen: Look, before: Look) -> bool:
    """Whether a step made the fit worse, by the weights before it: the same yardstick on both sides of it."""
    return seen.misfit_before > 1.05 * before.misfit


def seen_last(problem: Problem, fit: Fit, matrix: Matrix) -> tuple[Fit, Look]:
    """The look at the fit that `iterate` returned, taken now if the last step was not looked at."""
    if matrix.seen is not None and len(matrix.seen.pull):
        return fit, matrix.seen
    return _seen(problem, fit, matrix.geometry)


def _seen(
    problem: Problem, fit: Fit, geometry: Geometry, before: Look | None = None, learn: bool = True
) -> tuple[Fit, Look]:
    """A look at the image, with the noise learned anew where the model is worth it."""
    ground = problem.grid.evaluate_tiled(fit.surface, problem.tiles.size)
    if learn or fit.noise[1] > 0:
        fit = relearned(problem, fit, geometry, ground)
    return fit, look(problem, fit, geometry, ground, before)


def _alike(before: State, after: State) -> bool:
    """Whether a step was so short that the blocks before it hold after it, for all but a few columns."""
    step = after.since(before)
    near = (step[:, :2].abs().amax(1) < 0.1 * after.width) & (step[:, 3].abs() < 0.1)
    return bool(near.double().mean() > 0.99)


def _still(
    problem: Problem,
    fit: Fit,
    own: torch.Tensor,
    moved: torch.Tensor,
    width_before: float,
    rough: bool = False,
) -> bool:
    """Whether all but a few of the significant columns have stopped moving, and the common width too.

    Those that nobody listed, mostly just off the image, may wander on: what
    they still move is little to the others.
    """
    counts = fit.state.amplitude * own[:, 2, 2].clamp(min=0).sqrt() > 5
    counts[problem.listed :] = False
    if not counts.any():
        return True
    if rough:
        near = (moved[counts] < 0.05 * fit.state.width[counts, None]).all(1)
        return abs(fit.common - width_before) < 0.01 and float(near.double().mean()) > 0.95
    sigma = torch.diagonal(own[counts], dim1=1, dim2=2)[:, :2].rsqrt()
    # in parts of an error bar: what is left to go adds in squares, and is nothing beside it
    apart = torch.where(moved[counts] < 1e-4, 0.0, moved[counts] / sigma).amax(1)
    close, nearly = (float((apart < limit).double().mean()) for limit in (0.03, 0.1))
    return abs(fit.common - width_before) < 1e-3 and close > 0.97 and nearly > 0.995


def assembled(
    problem: Problem,
    fit: Fit,
    geometry: Geometry,
    weight: torch.Tensor,
    free: torch.Tensor,
    before: NormalEquations | None = None,
) -> NormalEquations:
    """Normal equations of what is free of (y, x, A, q), (N, 4), or of the two parameters of shape too, (N, 6).

    They are measured under the weights, or where columns stand as they did
    before, taken from there.
    """
    shapes = free.shape[1] > 4
    equations = NormalEquations.assemble(
        before.blocks if before else Blocks.of(geometry, weight, fit.state, shapes),
        before.ground if before else Ground.of(geometry, weight, fit.state, problem.grid, shapes),
        weight,
        fit.state,
        problem.grid,
        problem.stiffness,
        fit.surface,
    )
    return equations.masked(free)


def regularized(
    equations: NormalEquations, fit: Fit, free: torch.Tensor, damping: float = 0.0, loose: float = 1.0
) -> torch.Tensor:
    """The columns' own blocks with the prior of the width and a little damping.

    A position that the image does not know moves as if it were known to one
    sigma: no bias, shorter steps. `loose` is the part of this that is kept.
    """
    state = fit.state
    own = equations.own.clone()
    ridge = 1e-4 * torch.diagonal(own, dim1=1, dim2=2) + 1e-12
    ridge[:, :2] = loose * state.width[:, None] ** -2
    ridge[:, 2] += 1e-6 * own[:, 2, 2].mean()
    ridge[:, 3] = fit.spread**-2
    ridge += damping * torch.diagonal(own, dim1=1, dim2=2)
    return own * free[:, :, None] * free[:, None, :] + torch.diag_embed(ridge * free + (1 - free))


def _advanced(
    problem: Problem, state: State, step: torch.Tensor, common: float
) -> tuple[State, torch.Tensor]:
    """The columns after a step of bounded length, and which of their parameters were held back by the bounds."""
    longest = (_STEP * state.width / step[:, :2].norm(dim=1).clamp(min=1e-300)).clamp(max=1.0)
    away = state.yx + step[:, :2] * longest[:, None] - problem.start
    back = (problem.limit / away.norm(dim=1).clamp(min=1e-300)).clamp(max=1.0)
    yx = problem.start + away * back[:, None]
    log_width = (state.log_width + step[:, 3].clamp(-0.25, 0.25)).clamp(common - 0.7, common + 0.7)
    amplitude = (state.amplitude + step[:, 2]).clamp(0, problem.brightest)
    after = State(yx, amplitude, log_width)
    short = (after.since(state) - step).abs() > 1e-3 * step.abs() + 1e-9
    return after, short


def _around_held(
    equations: NormalEquations,
    own: torch.Tensor,
    force: tuple[torch.Tensor, torch.Tensor],
    step: torch.Tensor,
    surface: torch.Tensor,
    held: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The step of all else, where some parameters go no further than their bounds allow.

    Otherwise the background and the neighbors would make up for steps that
    are not taken, such as columns that the solution would make negative.
    """
    free = (~held).double()
    done, below = equations.multiply(own, step, surface)
    own = own * free[:, :, None] * free[:, None, :] + torch.diag_embed(1 - free)
    further, more = equations.masked(free).solve(own, (force[0] - done) * free, force[1] - below)
    return step + further, surface + more


def hold_strays(problem: Problem, fit: Fit, free: torch.Tensor) -> tuple[Fit, torch.Tensor, torch.Tensor]:
    """Columns that ran to the limit go back to their start and keep it; the others are fitted around them."""
    away = (fit.state.yx - problem.start).norm(dim=1)
    strayed = (away > 0.99 * problem.limit) & (free[:, 0] > 0)
    yx = torch.where(strayed[:, None], problem.start, fit.state.yx)
    held = free.clone()
    held[strayed, :2] = 0
    return replace(fit, state=replace(fit.state, yx=yx)), held, strayed
