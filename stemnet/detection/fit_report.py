"""What the joint fit found: values and standard errors of every column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from stemnet.detection.fit_iteration import Matrix, assembled, regularized
from stemnet.detection.fit_problem import Fit, Problem, measure, relearned, weights
from stemnet.detection.noise import correlation_factors
from stemnet.detection.normal_equations import marginal_covariance


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


def report(
    problem: Problem,
    fit: Fit,
    free: torch.Tensor,
    matrix: Matrix,
    strayed: torch.Tensor,
    listed: int,
    iterations: int,
    settled: bool,
) -> Refinement:
    """Values and standard errors of the first `listed` columns, and what was found beside them."""
    low, scale = problem.dark, problem.scale
    geometry = matrix.geometry
    model, residual, _ = measure(problem, fit, geometry)
    fit = relearned(problem, fit, model, residual)
    weight = weights(problem, model, fit)
    state = fit.state
    common = float(np.exp(fit.common))
    equations = assembled(problem, fit, geometry, weight, free)
    own = regularized(equations, fit, free)
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
