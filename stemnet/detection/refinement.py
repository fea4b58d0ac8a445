"""Joint maximum-likelihood fit of all columns of one image, with an error bar for each.

The image is modelled as a smooth background plus a Gaussian per column. The
noise variance is a straight line in the model, learned from the residuals, so
that reweighted least squares is the maximum-likelihood fit of Poisson counts
of any gain and offset (Fisher scoring; P. McCullagh and J. Nelder,
Generalized Linear Models, 1989, ch. 9: quasi-likelihood).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.spatial import cKDTree

from stemnet.detection.background import Grid
from stemnet.detection.column_model import Tiles, render, tile_size
from stemnet.detection.noise import correlation_factors, pixel_variance, variance_line
from stemnet.detection.normal_equations import (
    Geometry,
    NormalEquations,
    State,
    gradient,
    marginal_covariance,
)
from stemnet.detection.residual_peaks import residual_peaks
from stemnet.errors import StemnetError

_STEP = 0.3  # longest step of a position per iteration, in sigma
_STRAY = 1.5  # a column further than this many sigma from its start has run away
_OFF = 2.5  # columns further off the image than this many sigma are not fitted
# columns further off than this have the common width; four times as far off, they keep their start
_EDGE = 0.5
_TIGHTEST = 0.01  # widths are never taken to be more alike than this
_FAINT = 0.1  # a column that nobody listed is fitted if it is brighter than this part of the typical one
_STIFF = 1e3  # damping beyond which no step leads anywhere
_ROUNDS = 3  # times that such columns are looked for
_TWIN = 0.3  # starts closer than this many sigma are one column


@dataclass(frozen=True)
class Refinement:
    """What the joint fit says of the columns; row i is start i.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        Positions [px]; the start where `ok` is False.
    amplitude, width, intensity : ndarray, shape (N,)
        Peak height [image units], sigma [px], and volume ``2 pi amplitude
        width^2`` [image units x px^2].
    sigma_y, sigma_x : ndarray, shape (N,)
        Standard errors of the position [px]; NaN where `ok` is False.
    amplitude_sigma, significance : ndarray, shape (N,)
        Standard error of the amplitude, and amplitude over it.
    ok : ndarray of bool, shape (N,)
        False where the column could not be fitted: it ran away from its
        start, has no light, repeats an earlier start, or lies off the image.
    background : ndarray, shape (H, W)
        The smooth background [image units].
    noise : tuple of float
        a and b of the noise variance ``a + b x model`` [image units].
    common_width : float
        Sigma that the columns have in common [px].
    residual_rms, chi2 : float
        Root mean square of image minus model [image units], and the same in
        units of the noise, squared (reduced chi-squared).
    correlation : tuple of float
        Factors by which correlated noise inflates the variances of positions
        and amplitudes; they are included in the standard errors.
    model : ndarray, shape (H, W)
        Background and all columns, also those that were not listed; image
        minus model is what the fit leaves over.
    unlisted_yx, unlisted_significance : ndarray, shape (P, 2) and (P,)
        Columns that no start stood for: significant light was left over, and
        they were fitted with the others so that they pull on none. Some lie a
        little off the image.
    iterations : int
    converged : bool
    """

    yx: np.ndarray
    amplitude: np.ndarray
    width: np.ndarray
    intensity: np.ndarray
    sigma_y: np.ndarray
    sigma_x: np.ndarray
    amplitude_sigma: np.ndarray
    significance: np.ndarray
    ok: np.ndarray
    background: np.ndarray
    noise: tuple[float, float]
    common_width: float
    residual_rms: float
    chi2: float
    correlation: tuple[float, float]
    model: np.ndarray
    unlisted_yx: np.ndarray
    unlisted_significance: np.ndarray
    iterations: int
    converged: bool


@dataclass(frozen=True)
class _Problem:
    """One image, normalized and cut into tiles, with the start and what stays fixed."""

    tiles: Tiles
    image: torch.Tensor  # (tiles, T, T), 0 where not measured
    mask: torch.Tensor  # (tiles, T, T) bool
    grid: Grid
    start: torch.Tensor  # (N, 2)
    limit: torch.Tensor  # (N,) px
    spread: float
    stiffness: float
    brightest: float  # no column is brighter


@dataclass(frozen=True)
class _Fit:
    """The model as it stands."""

    state: State
    surface: torch.Tensor
    common: float  # log of the common width
    spread: float  # standard deviation of the log widths about it
    noise: tuple[float, float]
    excess: float = 1.0  # squared residuals over the noise: light that the model has no shape for


def refine(
    image: np.ndarray,
    yx: np.ndarray,
    width: float,
    *,
    max_iterations: int = 15,
    background_spacing: float | None = None,
    width_spread: float = 0.15,
    device: str | torch.device = "cpu",
) -> Refinement:
    """Fit all columns of an image together.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        Bright columns on a darker ground, any unit; NaN where there is no
        measurement.
    yx : ndarray, shape (N, 2)
        Starting positions [px], within about a sigma of the columns.
    width : float
        Rough sigma of the columns [px]; half or twice the true one will do.
    max_iterations : int
        Most steps of each stage: a rough fit, up to two more with the light
        that it leaves over fitted as further columns, and the final one.
    background_spacing : float, optional
        Distance of the knots of the background [px]; by default sixteen
        sigma, and four distances of neighbors.
    width_spread : float
        Largest standard deviation of the prior of log(sigma) about the common
        width; the spread itself is learned from the image. Faint columns
        share the common width, bright ones have their own.
    device : str or torch.device

    Returns
    -------
    Refinement

    Raises
    ------
    StemnetError
        If the image, the starts or the width cannot be used.
    """
    image, yx = _checked(image, yx, width)
    low, high = _range(image)
    problem, fit = _begin(image, yx, float(width), low, high - low, background_spacing, width_spread, device)
    free = _free(problem, fit)
    iterations, matrix = 0, None
    for _ in range(_ROUNDS):
        fit, matrix, further, _ = _iterate(problem, fit, free, max_iterations, rough=True)
        iterations += further
        problem, fit, more = _with_unlisted(problem, fit, free, matrix.geometry)
        if not more:
            break
        free, matrix = _free(problem, fit), None
    fit, matrix, further, settled = _iterate(problem, fit, free, max_iterations, matrix)
    iterations += further
    fit, free, strayed = _hold_strays(problem, fit, free)
    if strayed.any():
        fit, matrix, _, _ = _iterate(problem, fit, free, 3)
    return _report(problem, fit, free, matrix, strayed, len(yx), low, high - low, iterations, settled)


def _checked(image: np.ndarray, yx: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    image = np.asarray(image)
    if image.ndim != 2 or image.dtype.kind not in "fiub" or min(image.shape) < 2:
        raise StemnetError(
            f"The fit got an array of shape {image.shape} and type {image.dtype}; it needs one real image "
            "(rows, columns). Pass one frame."
        )
    yx = np.asarray(yx, dtype=np.float64)
    if yx.size == 0:
        yx = yx.reshape(0, 2)
    if yx.ndim != 2 or yx.shape[1] != 2 or not np.isfinite(yx).all():
        raise StemnetError(
            f"The fit got starting positions of shape {yx.shape}, or some that are not finite; it needs "
            "(N, 2) positions in pixels, row and column. Remove the others first."
        )
    if not (np.isfinite(width) and width > 0):
        raise StemnetError(f"The fit got a column width of {width}; it needs a sigma in pixels above 0.")
    if not np.isfinite(image).any():
        raise StemnetError("The image holds no finite pixel, so there is nothing to fit. Check the file.")
    return image, np.ascontiguousarray(yx)


def _range(image: np.ndarray) -> tuple[float, float]:
    """Dark and bright level, which become 0 and 1."""
    sample = image.reshape(-1)[:: max(1, image.size >> 19)].astype(np.float64)
    sample = sample[np.isfinite(sample)]
    if not len(sample):
        sample = image[np.isfinite(image)].astype(np.float64)
    low, high = np.percentile(sample, [1.0, 99.9])
    return float(low), float(high) if high > low else float(low) + max(1.0, abs(float(low)))


def _begin(
    image: np.ndarray,
    yx: np.ndarray,
    width: float,
    low: float,
    scale: float,
    spacing: float | None,
    spread: float,
    device: str | torch.device,
) -> tuple[_Problem, _Fit]:
    height, breadth = image.shape
    pixels = torch.as_tensor((image.astype(np.float64) - low) / scale, dtype=torch.float32, device=device)
    mask = torch.isfinite(pixels)
    pixels = torch.where(mask, pixels, 0.0)
    tiles = Tiles((height, breadth), tile_size(width))
    start = torch.as_tensor(yx, device=device)
    nearest = _nearest(yx, width)
    if spacing is None:
        typical = np.median(nearest[np.isfinite(nearest)]) if np.isfinite(nearest).any() else 0.0
        spacing = max(16 * width, 4 * typical)
    grid = Grid.over((height, breadth), float(spacing))
    problem = _Problem(
        tiles=tiles,
        image=tiles.cut(pixels),
        mask=tiles.cut(mask.float()) > 0,
        grid=grid,
        start=start,
        limit=torch.as_tensor(np.minimum(_STRAY * width, nearest / 2), device=device),
        spread=spread,
        brightest=3 * max(1.0, float(pixels.max())),
        stiffness=1 / 0.3**2,  # knots differ from a plane by some 0.3 of the contrast
    )
    state = State(start, torch.zeros_like(start[:, 0]), torch.full_like(start[:, 0], np.log(width)))
    surface = torch.zeros(grid.shape, dtype=torch.float64, device=device)
    noise = (max(pixel_variance(pixels, mask), 1e-9), 0.0)
    return problem, _Fit(state, surface, float(np.log(width)), spread, noise)


def _nearest(yx: np.ndarray, width: float) -> np.ndarray:
    """Distance of every start to its neighbor [px], starts that repeat another left out."""
    nearest = np.full(len(yx), np.inf)
    single = ~_twins(yx, _TWIN * width)
    if single.sum() > 1:
        nearest[single] = cKDTree(yx[single]).query(yx[single], k=2)[0][:, 1]
    return nearest


def _with_unlisted(
    problem: _Problem, fit: _Fit, free: torch.Tensor, geometry: Geometry
) -> tuple[_Problem, _Fit, bool]:
    """The same with columns added where significant light is left over; those that strayed start anew."""
    _, residual, weight = _measure(problem, fit, geometry)
    join, state, width = problem.tiles.join, fit.state, float(np.exp(fit.common))
    lit = state.amplitude[(state.amplitude > 0) & (free[:, 0] > 0)]
    if not len(lit):
        return problem, fit, False
    faintest = _FAINT * float(lit.median())
    more = residual_peaks(join(weight * residual), join(weight), width, state.yx, state.amplitude, faintest)
    if not len(more):
        return problem, fit, False
    start = torch.cat([problem.start, more])
    nearest = torch.as_tensor(_nearest(start.cpu().numpy(), width), device=start.device)
    away = (state.yx - problem.start).norm(dim=1) > 0.8 * problem.limit
    yx = torch.where(away[:, None], problem.start, state.yx)
    none = torch.zeros_like(more[:, 0])
    state = State(
        torch.cat([yx, more]),
        torch.cat([state.amplitude, none]),
        torch.cat([state.log_width, none + fit.common]),
    )
    limit = torch.minimum(nearest / 2, torch.full_like(nearest, _STRAY * width))
    return replace(problem, start=start, limit=limit), replace(fit, state=state), True


def _twins(yx: np.ndarray, radius: float) -> np.ndarray:
    """Starts that repeat an earlier one."""
    pairs = cKDTree(yx).query_pairs(radius, output_type="ndarray")
    twin = np.zeros(len(yx), dtype=bool)
    twin[pairs.max(axis=1)] = True
    return twin


def _free(problem: _Problem, fit: _Fit) -> torch.Tensor:
    """Which of (y, x, A, q) of each column are fitted, (N, 4); twins and columns off the image are not."""
    yx, width = problem.start, float(np.exp(fit.common))
    twin = torch.as_tensor(_twins(yx.cpu().numpy(), _TWIN * width), device=yx.device)
    size = torch.tensor(problem.tiles.shape, dtype=yx.dtype, device=yx.device)
    off = ((yx < -_OFF * width) | (yx > size - 1 + _OFF * width)).any(1)
    free = (~(twin | off)).double()[:, None].repeat(1, 4)
    # the little light that a column off the image throws into it tells not all of it
    beyond = torch.maximum(-yx, yx - (size - 1)).amax(1) / width
    free[beyond > _EDGE, 3] = 0
    free[beyond > 4 * _EDGE, :2] = 0
    return free


def _measure(
    problem: _Problem, fit: _Fit, geometry: Geometry
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Model, residual and weights in tiles."""
    state = fit.state
    model = problem.tiles.cut(problem.grid.evaluate(fit.surface))
    model += render(geometry.columns, state.yx, state.amplitude, state.width)
    residual = torch.where(problem.mask, problem.image - model, 0.0)
    return model, residual, _weights(problem, model, fit)


def _weights(problem: _Problem, model: torch.Tensor, fit: _Fit) -> torch.Tensor:
    """Inverse variance of every pixel; the variance never falls below a part of its typical value."""
    offset, slope = fit.noise
    floor = max(1e-10, 0.02 * (offset + slope * float(model.mean())))
    return problem.mask / ((offset + slope * model).clamp(min=floor) * fit.excess)


def _relearned(problem: _Problem, fit: _Fit, model: torch.Tensor, residual: torch.Tensor) -> _Fit:
    """The same model with the noise that its residuals show.

    Where the model does not describe the image to within the noise, what is
    left over counts as noise too: it limits what the columns tell of themselves.
    """
    join = problem.tiles.join
    noise = variance_line(join(residual), join(model), join(problem.mask))
    fit = replace(fit, noise=noise, excess=1.0)
    misfit = float((_weights(problem, model, fit) * residual.square()).sum()) / max(
        int(problem.mask.sum()), 1
    )
    return replace(fit, excess=max(1.0, misfit))


@dataclass(frozen=True)
class _Matrix:
    """Normal equations and the geometry that they were measured with; either serves for several steps."""

    geometry: Geometry
    equations: NormalEquations | None = None
    used: int = 0


def _iterate(
    problem: _Problem,
    fit: _Fit,
    free: torch.Tensor,
    most: int,
    matrix: _Matrix | None = None,
    rough: bool = False,
) -> tuple[_Fit, _Matrix, int, bool]:
    """Fisher scoring, damped where it fails (Levenberg-Marquardt), until the positions stand still.

    Columns that are not significant may wander on. `rough` stops as soon as
    the steps are a small part of a column's width.
    """
    matrix = matrix or _Matrix(Geometry.of(problem.tiles, fit.state))
    damping, settled, trusted = 0.0, False, None
    for iteration in range(1, most + 1):
        if not matrix.geometry.serves(fit.state):
            matrix = _Matrix(Geometry.of(problem.tiles, fit.state))
        model, residual, weight = _measure(problem, fit, matrix.geometry)
        if trusted is not None:
            before, old_weight, misfit = trusted
            # weights of the step before: the same yardstick on both sides of it
            if float((old_weight * residual.square()).sum()) > 1.05 * misfit:
                fit, damping, settled = before, max(10 * damping, 0.1), False
                matrix = _Matrix(Geometry.of(problem.tiles, fit.state))
                if damping > _STIFF:
                    break
                model, residual, weight = _measure(problem, fit, matrix.geometry)
            else:
                damping = damping / 5 if damping > 0.01 else 0.0
                if settled:
                    return fit, matrix, iteration - 1, True
        if iteration > 1 or fit.noise[1] > 0:
            fit = _relearned(problem, fit, model, residual)
            weight = _weights(problem, model, fit)
        trusted = fit, weight, float((weight * residual.square()).sum())
        equations = matrix.equations
        if equations is None or not equations.weighed_as(weight):
            equations = _assembled(problem, fit, matrix.geometry, weight, free)
            matrix = replace(matrix, equations=None)
        own = _regularized(equations, fit, free, damping)
        force = gradient(matrix.geometry, weight * residual, fit.state)
        common, spread = _width_prior(problem, fit, equations.own, force, free)
        force[:, 3] += (common - fit.state.log_width) / fit.spread**2
        below = problem.grid.project(problem.tiles.join(weight * residual)) + equations.restore(fit.surface)
        step, surface = equations.solve(own, force * free, below)
        state, moved = _advanced(problem, fit.state, step, common)
        last = fit.common
        fit = replace(fit, state=state, surface=fit.surface + surface, common=common, spread=spread)
        # the matrix of one step serves the next two while steps are a small part of a column's width
        close = iteration > 1 and _still(fit, own, moved, last, rough=True)
        reused = matrix.used + 1 if matrix.equations is not None else 0
        keep = close and reused < 2 and bool((moved.amax(1) < 0.1 * state.width).all())
        matrix = replace(matrix, equations=equations if keep else None, used=reused)
        settled = damping == 0 and close and (rough or _still(fit, own, moved, last))
    return fit, matrix, most, False


def _still(
    fit: _Fit, own: torch.Tensor, moved: torch.Tensor, width_before: float, rough: bool = False
) -> bool:
    """Whether all but a few of the significant columns have stopped moving, and the common width too."""
    counts = fit.state.amplitude * own[:, 2, 2].clamp(min=0).sqrt() > 5
    if not counts.any():
        return True
    if rough:
        near = (moved[counts] < 0.05 * fit.state.width[counts, None]).all(1)
        return abs(fit.common - width_before) < 0.01 and float(near.double().mean()) > 0.95
    sigma = torch.diagonal(own[counts], dim1=1, dim2=2)[:, :2].rsqrt()
    near = ((moved[counts] < 0.03 * sigma) | (moved[counts] < 1e-4)).all(1)
    return abs(fit.common - width_before) < 1e-3 and float(near.double().mean()) > 0.995


def _assembled(
    problem: _Problem, fit: _Fit, geometry: Geometry, weight: torch.Tensor, free: torch.Tensor
) -> NormalEquations:
    """Normal equations of what is free."""
    equations = NormalEquations.assemble(
        geometry, weight, fit.state, problem.grid, problem.stiffness, fit.surface
    )
    return replace(
        equations,
        pair=equations.pair * free[equations.i][:, :, None] * free[equations.j][:, None, :],
        coupling=equations.coupling * free[:, :, None],
    )


def _regularized(
    equations: NormalEquations, fit: _Fit, free: torch.Tensor, damping: float = 0.0
) -> torch.Tensor:
    """The columns' own blocks with the prior of the width and a little damping."""
    state = fit.state
    own = equations.own.clone()
    # A position that the image does not know moves as if it were known to one sigma: no bias, shorter steps.
    ridge = torch.stack(
        [
            state.width**-2,
            state.width**-2,
            1e-4 * own[:, 2, 2] + 1e-6 * own[:, 2, 2].mean() + 1e-12,
            torch.full_like(state.amplitude, fit.spread**-2),
        ],
        1,
    )
    ridge += damping * torch.diagonal(own, dim1=1, dim2=2)
    own = own * free[:, :, None] * free[:, None, :] + torch.diag_embed(ridge * free + (1 - free))
    return own


def _width_prior(
    problem: _Problem, fit: _Fit, own: torch.Tensor, force: torch.Tensor, free: torch.Tensor
) -> tuple[float, float]:
    """Center and spread of the log widths, from the widths that the columns themselves ask for.

    Empirical Bayes: the center is a weighted median; the spread is what the
    scatter of the best known half exceeds its errors by.
    """
    lit = (fit.state.amplitude > 0) & (free[:, 3] > 0) & (own[:, 2, 2] > 0)
    if not lit.any():
        return fit.common, fit.spread
    height, cross, wide = own[lit, 2, 2], own[lit, 2, 3], own[lit, 3, 3]
    information = (wide - cross**2 / height).clamp(min=1e-300)
    ask = (force[lit, 3] - cross / height * force[lit, 2]) / information
    value = fit.state.log_width[lit] + ask.clamp(-0.3, 0.3)
    typical = float(information.median())
    # a few bright columns must not outvote the others
    vote = information.clamp(max=4 * typical)
    ascending, order = torch.sort(value)
    total = torch.cumsum(vote[order], 0)
    center = float(ascending[int(torch.searchsorted(total, total[-1:] / 2).clamp(max=len(value) - 1))])
    best = information >= typical
    scatter = float((value[best] - center).abs().median() * 1.4826) ** 2 - float(
        (1 / information[best]).median()
    )
    return center, float(np.clip(max(scatter, 0.0) ** 0.5, min(_TIGHTEST, problem.spread), problem.spread))


def _advanced(
    problem: _Problem, state: State, step: torch.Tensor, common: float
) -> tuple[State, torch.Tensor]:
    """The columns after a step of bounded length, and how far each moved (N, 2) [px]."""
    longest = (_STEP * state.width / step[:, :2].norm(dim=1).clamp(min=1e-300)).clamp(max=1.0)
    away = state.yx + step[:, :2] * longest[:, None] - problem.start
    back = (problem.limit / away.norm(dim=1).clamp(min=1e-300)).clamp(max=1.0)
    yx = problem.start + away * back[:, None]
    log_width = (state.log_width + step[:, 3].clamp(-0.25, 0.25)).clamp(common - 0.7, common + 0.7)
    amplitude = (state.amplitude + step[:, 2]).clamp(0, problem.brightest)
    return State(yx, amplitude, log_width), (yx - state.yx).abs()


def _hold_strays(problem: _Problem, fit: _Fit, free: torch.Tensor) -> tuple[_Fit, torch.Tensor, torch.Tensor]:
    """Columns that ran to the limit go back to their start and keep it; the others are fitted around them."""
    away = (fit.state.yx - problem.start).norm(dim=1)
    strayed = (away > 0.99 * problem.limit) & (free[:, 0] > 0)
    yx = torch.where(strayed[:, None], problem.start, fit.state.yx)
    held = free.clone()
    held[strayed, :2] = 0
    return replace(fit, state=replace(fit.state, yx=yx)), held, strayed


def _report(
    problem: _Problem,
    fit: _Fit,
    free: torch.Tensor,
    matrix: _Matrix,
    strayed: torch.Tensor,
    listed: int,
    low: float,
    scale: float,
    iterations: int,
    settled: bool,
) -> Refinement:
    geometry = matrix.geometry
    model, residual, _ = _measure(problem, fit, geometry)
    fit = _relearned(problem, fit, model, residual)
    weight = _weights(problem, model, fit)
    state = fit.state
    common = float(np.exp(fit.common))
    equations = _assembled(problem, fit, geometry, weight, free)
    own = _regularized(equations, fit, free)
    loose = torch.zeros_like(free)
    loose[:, :2] = state.width[:, None] ** -2
    own = own - torch.diag_embed(loose * free * (1 - 1e-6))  # errors come without this damping
    covariance = marginal_covariance(own, equations)
    whitened = residual * weight.sqrt()
    correlation = correlation_factors(problem.tiles, whitened, common)
    variance = torch.diagonal(covariance, dim1=1, dim2=2).clamp(min=0)

    fitted = (free[:, 2] > 0) & (state.amplitude > 0)
    # against what a column wholly measured would weigh: a hundredth of that is no measurement
    bright = fit.excess * (fit.noise[0] + fit.noise[1] * (float(model.mean()) + state.amplitude))
    measured_part = equations.own[:, 2, 2] * bright.clamp(min=1e-10) / (np.pi * state.width**2)
    ok = fitted & (free[:, 0] > 0) & ~strayed & (measured_part > 0.01) & torch.isfinite(variance).all(1)
    sigma = torch.where(ok[:, None], (variance[:, :2] * correlation[0]).sqrt(), torch.nan)
    amplitude_sigma = torch.where(free[:, 2] > 0, (variance[:, 2] * correlation[1]).sqrt(), torch.nan)
    significance = torch.where(fitted, state.amplitude / amplitude_sigma, 0.0)
    measured = int(problem.mask.sum())
    unknowns = int(free.sum()) + fit.surface.numel()
    offset, slope = fit.noise
    rows = {
        "yx": torch.where(ok[:, None], state.yx, problem.start),
        "amplitude": state.amplitude * scale,
        "width": state.width,
        "intensity": 2 * np.pi * state.amplitude * scale * state.width**2,
        "sigma_y": sigma[:, 0],
        "sigma_x": sigma[:, 1],
        "amplitude_sigma": amplitude_sigma * scale,
        "significance": significance,
        "ok": ok,
    }
    return Refinement(
        **{name: values[:listed].cpu().numpy() for name, values in rows.items()},
        background=problem.grid.evaluate(fit.surface).cpu().numpy() * scale + low,
        model=problem.tiles.join(model).cpu().numpy() * scale + low,
        noise=(offset * scale**2 - slope * scale * low, slope * scale),
        common_width=common,
        residual_rms=float(residual.double().square().sum() / measured) ** 0.5 * scale,
        chi2=fit.excess * float(whitened.double().square().sum()) / max(measured - unknowns, 1),
        correlation=correlation,
        unlisted_yx=state.yx[listed:].cpu().numpy(),
        unlisted_significance=significance[listed:].cpu().numpy(),
        iterations=iterations,
        converged=settled,
    )
