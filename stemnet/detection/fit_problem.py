"""What the joint fit is asked: one image in tiles, its starts, and the model as it stands."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.spatial import cKDTree

from stemnet.detection.background import Grid
from stemnet.detection.column_model import Tiles, tile_size
from stemnet.detection.geometry import State
from stemnet.detection.noise import pixel_variance
from stemnet.detection.residual_peaks import residual_peaks

_STRAY = 1.5  # a column further than this many sigma from its start has run away
_OFF = 2.5  # columns further off the image than this many sigma are not fitted
# columns further off than this have the common width; four times as far off, they keep their start
_EDGE = 0.5
_FAINT = 0.1  # a column that nobody listed is fitted if it is brighter than this part of the typical one
_SAMPLE = 1 << 17  # pixels that tell the variance of the noise to a percent
_ROWS = 256  # of an image that are held in double precision at a time
_TWIN = 0.3  # starts closer than this many sigma are one column


@dataclass(frozen=True)
class Problem:
    """One image, normalized and cut into tiles, with the start and what stays fixed."""

    tiles: Tiles
    image: torch.Tensor  # (tiles, T, T), 0 where not measured
    mask: torch.Tensor  # (tiles, T, T), bool: measured
    grid: Grid
    start: torch.Tensor  # (N, 2)
    listed: int  # the first so many starts were given, the others are light that was left over
    certain: torch.Tensor  # whose widths settle the one that all have in common, (N,)
    limit: torch.Tensor  # (N,) px
    spread: float
    log_widths: tuple[float, float]  # bounds of the width that columns have in common
    stiffness: float
    brightest: float  # no column is brighter
    typical: float  # mean of the measured pixels
    measured: int  # their number
    dark: float  # level of the image that is 0 here
    scale: float  # contrast of the image that is 1 here


@dataclass(frozen=True)
class Fit:
    """The model as it stands."""

    state: State
    surface: torch.Tensor
    common: float  # log of the common width
    spread: float  # standard deviation of the log widths about `centers`
    noise: tuple[float, float]
    centers: torch.Tensor  # log of the width that columns as bright as each have in common, (N,)
    excess: float = 1.0  # squared residuals over the noise: light that the model has no shape for
    halo: float = 0.0  # height of the columns' halos in parts of theirs,
    halos: torch.Tensor | None = None  # and their light, (tiles, T, T)


@dataclass(frozen=True)
class Beginning:
    """Where another fit of the same image has come to; units as in the image.

    Parameters
    ----------
    amplitude, width : ndarray, shape (N,)
        Of each start; peak height, and sigma [px].
    background : ndarray, shape (H, W)
    noise : tuple of float
        a and b of the noise variance ``a + b x model``.
    unlisted_yx : ndarray, shape (P, 2)
        Columns beside the starts [px].
    """

    amplitude: np.ndarray
    width: np.ndarray
    background: np.ndarray
    noise: tuple[float, float]
    unlisted_yx: np.ndarray


def begin(
    image: np.ndarray,
    yx: np.ndarray,
    width: float,
    spacing: float | None,
    spread: float,
    drift: float,
    certain: np.ndarray,
    device: str | torch.device,
) -> tuple[Problem, Fit]:
    """The problem that an image and starts pose, and the model before the first step."""
    low, high = _range(image)
    scale = high - low
    height, breadth = image.shape
    pixels = torch.as_tensor(_scaled(image, low, scale), device=device)
    mask = torch.isfinite(pixels)
    measured = int(mask.sum())
    if measured < mask.numel():
        pixels = torch.where(mask, pixels, 0.0)
    tiles = Tiles((height, breadth), tile_size(width))
    cut, mask = tiles.cut(pixels), tiles.cut(mask)
    start = torch.as_tensor(yx, device=device)
    nearest = _nearest(yx, width)
    if spacing is None:
        typical = np.median(nearest[np.isfinite(nearest)]) if np.isfinite(nearest).any() else 0.0
        spacing = max(16 * width, 4 * typical)
    grid = Grid.over((height, breadth), float(spacing))
    problem = Problem(
        tiles=tiles,
        image=cut,
        mask=mask,
        grid=grid,
        start=start,
        listed=len(yx),
        certain=torch.as_tensor(certain, device=device),
        limit=torch.as_tensor(np.minimum(_STRAY * width, nearest / 2), device=device),
        spread=spread,
        log_widths=(float(np.log(width / drift)), float(np.log(width * drift))),
        brightest=3 * max(1.0, float(pixels.max())),
        typical=float(pixels.sum()) / measured,
        measured=measured,
        dark=low,
        scale=scale,
        stiffness=1 / 0.3**2,  # knots differ from a plane by some 0.3 of the contrast
    )
    state = State(start, torch.zeros_like(start[:, 0]), torch.full_like(start[:, 0], np.log(width)))
    surface = torch.zeros(grid.shape, dtype=torch.float64, device=device)
    some = slice(None, None, max(1, len(cut) * tiles.size**2 // _SAMPLE))
    noise = (max(pixel_variance(cut[some], mask[some]), 1e-9), 0.0)
    return problem, Fit(state, surface, float(np.log(width)), spread, noise, state.log_width)


def _scaled(image: np.ndarray, dark: float, scale: float) -> np.ndarray:
    """The image with one level at 0 and one at 1, float32; in double precision up to there, some rows at a time."""
    pixels = np.empty(image.shape, dtype=np.float32)
    for top in range(0, len(image), _ROWS):
        band = slice(top, top + _ROWS)
        pixels[band] = (image[band] - np.float64(dark)) / scale
    return pixels


def _range(image: np.ndarray) -> tuple[float, float]:
    """Dark and bright level, which become 0 and 1."""
    sample = image.reshape(-1)[:: max(1, image.size >> 19)].astype(np.float64)
    sample = sample[np.isfinite(sample)]
    if not len(sample):
        sample = image[np.isfinite(image)].astype(np.float64)
    low, high = np.percentile(sample, [1.0, 99.9])
    return float(low), float(high) if high > low else float(low) + max(1.0, abs(float(low)))


def _nearest(yx: np.ndarray, width: float) -> np.ndarray:
    """Distance of every start to its neighbor [px], starts that repeat another left out."""
    nearest = np.full(len(yx), np.inf)
    single = ~_twins(yx, _TWIN * width)
    if single.sum() > 1:
        nearest[single] = cKDTree(yx[single]).query(yx[single], k=2)[0][:, 1]
    return nearest


def resumed(problem: Problem, fit: Fit, beginning: Beginning) -> tuple[Problem, Fit]:
    """The same from where another fit of the image has come to, with the columns that it found unlisted."""

    def tensor(values: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(values, device=problem.start.device)

    offset, slope = beginning.noise
    amplitude = tensor(beginning.amplitude / problem.scale).clamp(0, problem.brightest)
    fit = replace(
        fit,
        state=State(fit.state.yx, amplitude, tensor(beginning.width).log()),
        surface=problem.grid.nearest(tensor((beginning.background - problem.dark) / problem.scale)),
        noise=((offset + slope * problem.dark) / problem.scale**2, slope / problem.scale),
    )
    return _joined(problem, fit, tensor(beginning.unlisted_yx))


def with_unlisted(
    problem: Problem, fit: Fit, free: torch.Tensor, pull: torch.Tensor, weight: torch.Tensor
) -> tuple[Problem, Fit, bool]:
    """The same with columns added where significant light is left over; those that strayed start anew."""
    join, state, width = problem.tiles.join, fit.state, float(np.exp(fit.common))
    lit = state.amplitude[(state.amplitude > 0) & (free[:, 0] > 0)]
    if not len(lit):
        return problem, fit, False
    faintest = _FAINT * float(lit.median())
    more = residual_peaks(join(pull), join(weight), width, state.yx, state.amplitude, faintest)
    if not len(more):
        return problem, fit, False
    away = (state.yx - problem.start).norm(dim=1) > 0.8 * problem.limit
    yx = torch.where(away[:, None], problem.start, state.yx)
    return *_joined(problem, replace(fit, state=replace(state, yx=yx)), more), True


def _joined(problem: Problem, fit: Fit, more: torch.Tensor) -> tuple[Problem, Fit]:
    """The same with columns at these places, of no light as yet."""
    state, width = fit.state, float(np.exp(fit.common))
    start = torch.cat([problem.start, more])
    nearest = torch.as_tensor(_nearest(start.cpu().numpy(), width), device=start.device)
    none = torch.zeros_like(more[:, 0])
    state = State(
        torch.cat([state.yx, more]),
        torch.cat([state.amplitude, none]),
        torch.cat([state.log_width, none + fit.common]),
    )
    limit = torch.minimum(nearest / 2, torch.full_like(nearest, _STRAY * width))
    certain = torch.cat([problem.certain, torch.zeros_like(none, dtype=torch.bool)])
    fit = replace(fit, state=state, centers=torch.cat([fit.centers, none + fit.common]))
    return replace(problem, start=start, limit=limit, certain=certain), fit


def _twins(yx: np.ndarray, radius: float) -> np.ndarray:
    """Starts that repeat an earlier one."""
    pairs = cKDTree(yx).query_pairs(radius, output_type="ndarray")
    twin = np.zeros(len(yx), dtype=bool)
    twin[pairs.max(axis=1)] = True
    return twin


def freedom(problem: Problem, fit: Fit) -> torch.Tensor:
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
