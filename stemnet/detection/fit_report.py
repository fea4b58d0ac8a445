"""What the joint fit found: values and standard errors of every column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from stemnet.detection.column_blocks import gradient
from stemnet.detection.column_model import render_stretch
from stemnet.detection.column_shape import ellipticities, stretches
from stemnet.detection.covariance import marginal_covariance
from stemnet.detection.cross_sections import RADIUS, cell_sums
from stemnet.detection.fit_iteration import Matrix, assembled, regularized
from stemnet.detection.fit_problem import Beginning, Fit, Problem
from stemnet.detection.geometry import Geometry
from stemnet.detection.looking import measured
from stemnet.detection.noise import Correlation, correlation_factors
from stemnet.detection.normal_equations import NormalEquations
from stemnet.detection.peak_profile import RATIO

_DESCRIBED = (
    "ellipticity",
    "ellipticity_angle",
    "ellipticity_1",
    "ellipticity_2",
    "ellipticity_sigma",
    "cross_section",
    "cross_section_sigma",
)


@dataclass(frozen=True)
class Refinement:
    """What the joint fit says of the columns; row i is start i.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        Positions [px]; the start where `ok` is False.
    amplitude, width, intensity : ndarray, shape (N,)
        Peak height [image units], sigma [px], and volume ``2 pi amplitude
        width^2`` [image units x px^2], with that of the halo where columns have one.
    sigma_y, sigma_x : ndarray, shape (N,)
        Standard errors of the position [px]; NaN where `ok` is False.
    amplitude_sigma, width_sigma, intensity_sigma : ndarray, shape (N,)
        Standard errors. Faint columns share the common width, which is then
        what these errors rest on.
    significance : ndarray, shape (N,)
        Amplitude over its standard error.
    ellipticity, ellipticity_angle : ndarray, shape (N,)
        Major over minor axis, minus 1, with what noise alone adds taken off,
        and the direction of the major axis, from +x towards +y [rad]. These
        and the next are NaN where the fit was not asked to describe columns.
    ellipticity_1, ellipticity_2, ellipticity_sigma : ndarray, shape (N,)
        Its components e1 (longer along x) and e2 (longer along the diagonal
        from +x to +y), unbiased, and the standard error of either; see
        `column_shape`.
    cross_section, cross_section_sigma : ndarray, shape (N,)
        Light above the background in the column's own cell of the image
        [image units x px^2], with the standard error of counting; see
        `cross_sections`. Cells at the edge of the image are cut off.
    ok : ndarray of bool, shape (N,)
        False where the column could not be fitted: it ran away from its
        start, has no light, repeats an earlier start, or lies off the image.
    background : ndarray, shape (H, W)
        The smooth background [image units].
    noise : tuple of float
        a and b of the noise variance ``a + b x model`` [image units].
    halo : float
        Height of the columns' halos in parts of their own; 0 for Gaussians.
    common_width : float
        Sigma that the columns have in common [px].
    residual_rms, chi2 : float
        Root mean square of image minus model [image units], and the same in
        units of the noise, squared (reduced chi-squared).
    correlation : Correlation
        Factors by which correlated noise inflates the variances; they are
        included in the standard errors.
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
    width_sigma: np.ndarray
    intensity_sigma: np.ndarray
    significance: np.ndarray
    ellipticity: np.ndarray
    ellipticity_angle: np.ndarray
    ellipticity_1: np.ndarray
    ellipticity_2: np.ndarray
    ellipticity_sigma: np.ndarray
    cross_section: np.ndarray
    cross_section_sigma: np.ndarray
    ok: np.ndarray
    background: np.ndarray
    noise: tuple[float, float]
    halo: float
    common_width: float
    residual_rms: float
    chi2: float
    correlation: Correlation
    model: np.ndarray
    unlisted_yx: np.ndarray
    unlisted_significance: np.ndarray
    iterations: int
    converged: bool

    def beginning(self, rows: np.ndarray) -> Beginning:
        """What a fit of chosen starts alone can begin with."""
        return Beginning(
            self.amplitude[rows], self.width[rows], self.background, self.noise, self.unlisted_yx
        )


@dataclass(frozen=True)
class _Ending:
    """The fit at its end, measured once more for the errors."""

    fit: Fit
    geometry: Geometry
    free: torch.Tensor  # (N, 4), or (N, 6) with shapes
    model: torch.Tensor  # (tiles, T, T)
    residual: torch.Tensor  # (tiles, T, T)
    weight: torch.Tensor  # (tiles, T, T)
    equations: NormalEquations
    own: torch.Tensor  # (N, K, K), regularized


def report(
    problem: Problem,
    fit: Fit,
    free: torch.Tensor,
    matrix: Matrix,
    strayed: torch.Tensor,
    iterations: int,
    settled: bool,
    describe: bool,
) -> Refinement:
    """Values and standard errors of the listed columns, and what was found beside them."""
    scale, end = problem.scale, _ended(problem, fit, free, matrix, describe)
    fit, state = end.fit, end.fit.state
    stretch = _stretch(problem, end) if describe else None
    explained = None if stretch is None else _explained(problem, end, stretch)
    if explained is None:
        stretch = None
    left, whitened = explained or (1.0, end.residual * end.weight.sqrt())
    del explained
    correlation = correlation_factors(problem.tiles, whitened, float(np.exp(fit.common)))
    del whitened  # as large as the image

    pair = end.equations.pair[:, :4, :4]
    covariance = left * marginal_covariance(end.own[:, :4, :4], end.equations.i, end.equations.j, pair)
    variance = torch.diagonal(covariance, dim1=1, dim2=2).clamp(min=0).clone()
    variance[:, 3] = torch.where(free[:, 3] > 0, variance[:, 3], fit.spread**2)
    ok = _fitted(end, free) & (free[:, 0] > 0) & ~strayed & torch.isfinite(variance).all(1)
    deviation = (
        variance * variance.new_tensor([correlation.position] * 2 + [correlation.amplitude] * 2)
    ).sqrt()
    amplitude_sigma = torch.where(free[:, 2] > 0, deviation[:, 2], torch.nan)
    lit = (free[:, 2] > 0) & (state.amplitude > 0)
    significance = torch.where(lit, state.amplitude / amplitude_sigma, 0.0)
    # the errors of log A and of 2 q in the volume's logarithm compensate each other in part
    peak = state.amplitude.clamp(min=1e-12)
    relative = variance[:, 2] / peak**2 + 4 * covariance[:, 2, 3] / peak + 4 * variance[:, 3]
    whole = 1 + fit.halo * RATIO**2
    volume = 2 * np.pi * state.amplitude * state.width**2 * scale * whole
    volume_sigma = volume * (relative.clamp(min=0) * correlation.amplitude).sqrt()
    rows = {
        "sigma_y": deviation[:, 0],
        "sigma_x": deviation[:, 1],
        "width_sigma": state.width * deviation[:, 3],
        "intensity_sigma": volume_sigma,
    } | (_described(problem, end, stretch, left, correlation, ok) if describe else _nothing(end))
    rows = {name: torch.where(ok, values, torch.nan) for name, values in rows.items()} | {
        "yx": torch.where(ok[:, None], state.yx, problem.start),
        "amplitude": state.amplitude * scale,
        "amplitude_sigma": amplitude_sigma * scale,
        "width": state.width,
        "intensity": volume,
        "significance": significance,
        "ok": ok,
    }
    unknowns = int(free.sum()) + fit.surface.numel()
    square = float((end.weight * end.residual.square()).sum())
    offset, slope = fit.noise
    return Refinement(
        **{name: values[: problem.listed].cpu().numpy() for name, values in rows.items()},
        background=problem.grid.evaluate(fit.surface).cpu().numpy() * scale + problem.dark,
        model=problem.tiles.join(end.model).cpu().numpy() * scale + problem.dark,
        noise=(offset * scale**2 - slope * scale * problem.dark, slope * scale),
        halo=fit.halo,
        common_width=float(np.exp(fit.common)),
        residual_rms=float(end.residual.square().sum() / problem.measured) ** 0.5 * scale,
        chi2=fit.excess * square / max(problem.measured - unknowns, 1),
        correlation=correlation,
        unlisted_yx=state.yx[problem.listed :].cpu().numpy(),
        unlisted_significance=significance[problem.listed :].cpu().numpy(),
        iterations=iterations,
        converged=settled,
    )


def _ended(problem: Problem, fit: Fit, free: torch.Tensor, matrix: Matrix, describe: bool) -> _Ending:
    geometry = matrix.geometry
    fit, model, residual, weight = measured(problem, fit, geometry)
    # the shape of a column is free where its width is
    free = torch.cat([free, free[:, 3:].repeat(1, 2)], 1) if describe else free
    # of a rough fit the errors need be known roughly: the matrix of its last step will do where it holds
    last = None if describe else matrix.equations
    before = last if last and last.weighed_as(weight) else None
    equations = assembled(problem, fit, geometry, weight, free, before)
    own = regularized(equations, fit, free, loose=1e-6)  # errors come without this damping
    return _Ending(fit, geometry, free, model, residual, weight, equations, own)


def _fitted(end: _Ending, free: torch.Tensor) -> torch.Tensor:
    """Columns that have light in pixels that were measured."""
    fit, state = end.fit, end.fit.state
    # against what a column wholly measured would weigh: a hundredth of that is no measurement
    bright = fit.excess * (fit.noise[0] + fit.noise[1] * (float(end.model.mean()) + state.amplitude))
    measured_part = end.equations.own[:, 2, 2] * bright.clamp(min=1e-10) / (np.pi * state.width**2)
    return (free[:, 2] > 0) & (state.amplitude > 0) & (measured_part > 0.01)


def _stretch(problem: Problem, end: _Ending) -> torch.Tensor:
    """The step from round columns to their shapes, (N, 2)."""
    pull, state = end.weight * end.residual, end.fit.state
    force = gradient(end.geometry, pull, state, shapes=True)
    force[:, 3] += (end.fit.centers - state.log_width) / end.fit.spread**2
    below = problem.grid.project_tiled(pull) + end.equations.restore(end.fit.surface)
    return stretches(end.equations, end.own, force * end.free, below)


def _explained(problem: Problem, end: _Ending, stretch: torch.Tensor) -> tuple[float, torch.Tensor] | None:
    """Part of the misfit that is no matter of the columns' shapes, and the residuals in its units.

    What the shapes explain is no noise, and must not widen the errors. None
    where they explain nothing: a step from a fit that has not settled, as in
    an image that was denoised, may lead anywhere.
    """
    state = end.fit.state
    oval = render_stretch(end.geometry.columns, state.yx, state.amplitude, state.width, stretch)
    whitened = oval.mul_(problem.mask).neg_().add_(end.residual).mul_(end.weight.sqrt())
    misfit = float(torch.linalg.vector_norm(whitened, dtype=torch.float64) ** 2) / max(problem.measured, 1)
    before = float((end.weight * end.residual.square()).sum()) / max(problem.measured, 1)
    if not misfit <= before:
        return None
    left = max(min(misfit, 1.0), 1 / end.fit.excess)
    return left, whitened.div_(left**0.5)


def _described(
    problem: Problem,
    end: _Ending,
    stretch: torch.Tensor | None,
    left: float,
    correlation: Correlation,
    ok: torch.Tensor,
) -> dict[str, torch.Tensor]:
    """Shapes of the columns, NaN where they are not known, and the light of their cells."""
    cells = torch.full((len(ok), 2), torch.nan, dtype=torch.float64, device=ok.device)
    if ok.any():
        # what was not measured is taken as the model has it
        light = torch.where(problem.mask, problem.image, end.model)
        light -= problem.grid.evaluate_tiled(end.fit.surface, problem.tiles.size)
        variance = end.weight.clamp(min=1e-30).reciprocal_().mul_(left).mul_(problem.mask)
        radius = RADIUS * float(np.exp(end.fit.common))
        cells[ok] = cell_sums(problem.tiles, end.fit.state.yx[ok], radius, (light, variance))
    found = _nothing(end) | {
        "cross_section": cells[:, 0] * problem.scale,
        "cross_section_sigma": (cells[:, 1] * correlation.amplitude).sqrt() * problem.scale,
    }
    if stretch is None:
        return found
    shape = ellipticities(stretch, end.equations, end.own, left * correlation.shape)
    return found | {
        "ellipticity": shape.magnitude,
        "ellipticity_angle": shape.angle,
        "ellipticity_1": shape.components[:, 0],
        "ellipticity_2": shape.components[:, 1],
        "ellipticity_sigma": shape.sigma,
    }


def _nothing(end: _Ending) -> dict[str, torch.Tensor]:
    """Of what was not asked for, or is not known: NaN."""
    return dict.fromkeys(_DESCRIBED, torch.full_like(end.fit.state.amplitude, torch.nan))
