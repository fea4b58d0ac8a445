"""One look at the image with the model as it stands: weights, what pulls on every column, the misfit.

The image is gone through once, tile by tile, in pieces that stay in the cache
of one core: a piece is rendered, compared, weighed, and measured under its
columns before the next one is touched.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from stemnet.detection.column_blocks import derivatives
from stemnet.detection.column_model import profiles, render
from stemnet.detection.fit_problem import Fit, Problem
from stemnet.detection.geometry import Geometry
from stemnet.detection.noise import variance_line

_SAMPLE = 1 << 19  # pixels that the final noise is learned from


@dataclass(frozen=True)
class Look:
    """What one look tells.

    Parameters
    ----------
    pull, weight : Tensor, shape (tiles, T, T)
        Residual over variance, and inverse variance; 0 where not measured.
        Of a look that is kept only to go back to the pull is empty.
    force : Tensor, shape (N, 4)
        Gradient by (y, x, A, q) of every column,
    below : Tensor
        and by the background's coefficients.
    misfit : float
        Sum of squared residuals in units of the variance.
    misfit_before : float
        The same residuals under the weights of the look before.
    """

    pull: torch.Tensor
    weight: torch.Tensor
    force: torch.Tensor
    below: torch.Tensor
    misfit: float
    misfit_before: float


def look(
    problem: Problem, fit: Fit, geometry: Geometry, ground: torch.Tensor, before: Look | None = None
) -> Look:
    """Compare the image with the model; `ground` is the background in tiles."""
    state = fit.state
    amplitude = torch.cat([state.amplitude, state.amplitude.new_zeros(1)]).float()
    pull, weight = torch.empty_like(problem.image), torch.empty_like(problem.image)
    moment = torch.zeros(len(amplitude), 9, device=pull.device)
    misfit = misfit_before = 0.0
    for tile, column, down, across in profiles(geometry.columns, state.yx, state.width, 3):
        t, n, _, size = down.shape
        high = down[:, :, 0] * amplitude[column][..., None]
        model = torch.baddbmm(ground.index_select(0, tile), high.transpose(1, 2), across[:, :, 0])
        if fit.halos is not None:
            model += fit.halos.index_select(0, tile)
        residual = problem.image.index_select(0, tile).sub_(model)
        heavy = weights(problem, model, fit, problem.mask.index_select(0, tile))
        pulled = heavy * residual
        part = (down.reshape(t, n * 3, size) @ pulled).view(t * n, 3, size)
        part = part @ across.reshape(t * n, 3, size).transpose(1, 2)
        moment.index_add_(0, column.reshape(-1), part.reshape(t * n, 9))
        misfit += float((pulled * residual).sum())
        if before is not None:
            misfit_before += float((residual.square_() * before.weight.index_select(0, tile)).sum())
        pull[tile], weight[tile] = pulled, heavy
    force = derivatives(moment[:-1].view(-1, 3, 3), state)
    return Look(pull, weight, force, problem.grid.project_tiled(pull), misfit, misfit_before)


def measured(
    problem: Problem, fit: Fit, geometry: Geometry
) -> tuple[Fit, torch.Tensor, torch.Tensor, torch.Tensor]:
    """The fit with the noise of all its residuals; its model, residual and weights in tiles."""
    state = fit.state
    model = problem.grid.evaluate_tiled(fit.surface, problem.tiles.size)
    model += render(geometry.columns, state.yx, state.amplitude, state.width)
    if fit.halos is not None:
        model += fit.halos
    residual = (problem.image - model) * problem.mask
    step = max(1, problem.image.numel() // _SAMPLE)
    tile = torch.arange(step // 2, len(model), step, device=model.device)
    fit = with_noise(problem, fit, model[tile], tile)
    weight = weights(problem, model, replace(fit, excess=1.0), problem.mask)
    excess = max(1.0, float((weight * residual.square()).sum()) / max(problem.measured, 1))
    return replace(fit, excess=excess), model, residual, weight.div_(excess)


def weights(problem: Problem, model: torch.Tensor, fit: Fit, mask: torch.Tensor) -> torch.Tensor:
    """Inverse variance of the measured pixels of tiles; the variance never falls below a part of its typical value."""
    offset, slope = fit.noise
    floor = max(1e-10, 0.02 * (offset + slope * problem.typical))
    variance = (model * (slope * fit.excess)).add_(offset * fit.excess).clamp_(min=floor * fit.excess)
    return mask / variance


def relearned(problem: Problem, fit: Fit, geometry: Geometry, ground: torch.Tensor) -> Fit:
    """The same model with the noise that its residuals show, in a sample of the tiles.

    Where the model does not describe the image to within the noise, what is
    left over counts as noise too: it limits what the columns tell of themselves.
    """
    state, models, tiles = fit.state, [], []
    amplitude = torch.cat([state.amplitude, state.amplitude.new_zeros(1)]).float()
    for tile, column, down, across in profiles(geometry.sample, state.yx, state.width, 1):
        high = down[:, :, 0] * amplitude[column][..., None]
        models.append(torch.baddbmm(ground.index_select(0, tile), high.transpose(1, 2), across[:, :, 0]))
        tiles.append(tile)
    model, tile = torch.cat(models), torch.cat(tiles)
    if fit.halos is not None:
        model += fit.halos.index_select(0, tile)
    return with_noise(problem, fit, model, tile)


def with_noise(problem: Problem, fit: Fit, model: torch.Tensor, tile: torch.Tensor) -> Fit:
    """The same model with the noise that these tiles of it show."""
    image, mask = problem.image.index_select(0, tile), problem.mask.index_select(0, tile)
    residual = (image - model) * mask
    fit = replace(fit, noise=variance_line(residual, model, mask), excess=1.0)
    square = float((weights(problem, model, fit, mask) * residual.square()).sum())
    return replace(fit, excess=max(1.0, square / max(float(mask.sum()), 1.0)))
