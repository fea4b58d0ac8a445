"""Joint maximum-likelihood fit of all columns of one image, with an error bar for each.

The image is modelled as a smooth background plus a Gaussian per column. The
noise variance is a straight line in the model, learned from the residuals, so
that reweighted least squares is the maximum-likelihood fit of Poisson counts
of any gain and offset (Fisher scoring; P. McCullagh and J. Nelder,
Generalized Linear Models, 1989, ch. 9: quasi-likelihood).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from stemnet.detection.fit_iteration import Matrix, hold_strays, iterate, seen_last
from stemnet.detection.fit_problem import Beginning, Fit, Problem, begin, freedom, resumed, with_unlisted
from stemnet.detection.fit_report import Refinement, report
from stemnet.detection.geometry import Geometry
from stemnet.detection.peak_profile import ROUNDS, halos, learned
from stemnet.errors import StemnetError

__all__ = ["Refinement", "refine"]

SHAPES = ("gaussian", "halo")
_ROUNDS = 3  # times that columns that nobody listed are looked for


def refine(
    image: np.ndarray,
    yx: np.ndarray,
    width: float,
    *,
    max_iterations: int = 15,
    background_spacing: float | None = None,
    width_spread: float = 0.15,
    width_drift: float = 4.0,
    certain: np.ndarray | None = None,
    shape: str = "gaussian",
    rough: bool = False,
    unlisted: bool = True,
    beginning: Beginning | None = None,
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
    width_drift : float
        Largest factor by which the common width may leave `width`.
    certain : ndarray of bool, shape (N,), optional
        Which starts are known to be columns: where there are ten of them,
        these alone settle the common width. By default all are.
    shape : {"gaussian", "halo"}
        Whether columns are Gaussians, or have a halo of twice their width in
        common that is learned from the image; that takes about twice as long,
        and pays at high doses where the probe has tails.
    rough : bool
        Stop as soon as the steps are a small part of a column's width, and
        measure neither ellipticities nor cross-sections: enough to tell
        columns from nothing, at less than half of the time.
    unlisted : bool
        Look for columns beside the starts in the light that is left over.
    beginning : Beginning, optional
        Where another fit of the same image has come to, to go on from there.
    device : str or torch.device

    Returns
    -------
    Refinement

    Raises
    ------
    StemnetError
        If the image, the starts or the width cannot be used.
    """
    if shape not in SHAPES:
        raise StemnetError(f"The fit got shape='{shape}'; it must be one of {', '.join(SHAPES)}.")
    image, yx = _checked(image, yx, width)
    certain = np.ones(len(yx), dtype=bool) if certain is None else np.asarray(certain, dtype=bool)
    problem, fit = begin(
        image, yx, float(width), background_spacing, width_spread, width_drift, certain, device
    )
    if beginning is not None:
        problem, fit = resumed(problem, fit, beginning)
    free = freedom(problem, fit)
    iterations, matrix = 0, Matrix(Geometry.of(problem.tiles, fit.state))
    for number in range(_ROUNDS if beginning is None else 1):
        fit, matrix, further, _ = iterate(
            problem, fit, free, max_iterations, matrix, rough=True, warm=beginning is not None or number > 0
        )
        iterations += further
        if not unlisted:
            break
        fit, seen = seen_last(problem, fit, matrix)
        problem, fit, more = with_unlisted(problem, fit, free, seen.pull, seen.weight)
        del seen  # two images that are not needed any more
        if not more:
            break
        free, matrix = freedom(problem, fit), Matrix(Geometry.of(problem.tiles, fit.state))
    if rough:
        fit, free, strayed = hold_strays(problem, fit, free)
        matrix = replace(matrix, seen=None)
        return report(problem, fit, free, matrix, strayed, iterations, False, describe=False)
    fit, matrix, further, settled = iterate(problem, fit, free, max_iterations, matrix, warm=True)
    iterations += further
    if shape == "halo":
        fit, matrix, further, settled = _with_halos(problem, fit, free, matrix, max_iterations, settled)
        iterations += further
    fit, free, strayed = hold_strays(problem, fit, free)
    if strayed.any():
        fit, matrix, _, _ = iterate(problem, fit, free, 3)
    matrix = replace(matrix, seen=None)
    return report(problem, fit, free, matrix, strayed, iterations, settled, describe=True)


def _with_halos(
    problem: Problem, fit: Fit, free: torch.Tensor, matrix: Matrix, most: int, settled: bool
) -> tuple[Fit, Matrix, int, bool]:
    """The fit with halos, or as it was where they do not make it better."""
    fit, seen = seen_last(problem, fit, matrix)
    plain, start, iterations = (fit, matrix, 0, settled), seen, 0
    for _ in range(ROUNDS):
        height = learned(problem, fit, seen.pull, seen.weight)
        fit = replace(fit, halo=height, halos=halos(problem, fit, height))
        fit, matrix, further, settled = iterate(
            problem, fit, free, most, replace(matrix, seen=None), warm=True
        )
        iterations += further
        fit, seen = seen_last(problem, fit, matrix)
    # the same yardstick for both
    residual = seen.pull / seen.weight.clamp(min=1e-30)
    better = float((start.weight * residual.square()).sum()) < start.misfit
    return (fit, matrix, iterations, settled) if better else plain


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
