"""Images brought to the scale at which the network or the fit works best."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

FINE = 6.0
"""Columns at least this wide are fitted on pixels binned to one column in `KEPT` [px]."""
KEPT = 3.0
"""Least sigma of a column after binning [px]: a pixel this coarse costs less than 1 % of the precision."""


def without_spikes(image: Tensor) -> Tensor:
    """Clip hot and dead pixels, which resampling would smear over their surroundings; the fit sees them all."""
    # A sum in double precision is finite where every pixel is; nothing need be copied then.
    complete = bool(image.sum(dtype=torch.float64).isfinite())
    known = image.flatten() if complete else image[torch.isfinite(image)]
    sample = known[:: max(1, len(known) // 2**20)]
    low, high = torch.quantile(sample, torch.tensor([0.001, 0.999], device=image.device))
    room = 2 * (high - low)
    return torch.clamp(image, low - room, high + room)


def zoomed(image: Tensor, zoom: float) -> tuple[Tensor, tuple[float, float]]:
    """Resample an image; returns it with the exact factors by which rows and columns were scaled."""
    if zoom == 1.0:
        return image, (1.0, 1.0)
    known = torch.isfinite(image)
    filled = torch.where(known, image, image[known].median())
    # Taking the median off keeps float32 accurate on images with a large offset.
    level = filled.median()
    height, width = (max(8, round(side * zoom)) for side in image.shape)
    size = (height, width)
    scaled = functional.interpolate(
        (filled - level)[None, None], size=size, mode="bicubic", antialias=zoom < 1, align_corners=False
    )[0, 0]
    if not bool(known.all()):
        gaps = functional.interpolate((~known).float()[None, None], size=size, mode="area")[0, 0]
        scaled = torch.where(gaps > 0.5, torch.nan, scaled)
    return scaled, (height / image.shape[0], width / image.shape[1])


def binning(width: float) -> int:
    """Pixels a side to put together before columns of a sigma [px] are fitted; 1 leaves them alone."""
    return max(1, int(width / KEPT)) if width >= FINE else 1


def binned(image: np.ndarray, factor: int) -> np.ndarray:
    """Mean of blocks of pixels.

    Counts stay counts but for a factor, which the fit learns with the noise.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        NaN where nothing was measured.
    factor : int
        Pixels a side.

    Returns
    -------
    ndarray, shape (ceil(H / factor), ceil(W / factor)), float32
        NaN where most of a block was not measured, or lies beyond the edge.
    """
    if factor == 1:
        return image
    height, width = (-(-side // factor) for side in image.shape)
    beyond = [(0, height * factor - image.shape[0]), (0, width * factor - image.shape[1])]
    whole = np.pad(image, beyond, constant_values=np.nan) if any(after for _, after in beyond) else image
    blocks = whole.reshape(height, factor, width, factor)
    known = np.isfinite(blocks)
    if known.all():
        return blocks.mean(axis=(1, 3), dtype=np.float64).astype(np.float32)
    count = known.sum(axis=(1, 3))
    total = np.where(known, blocks, 0).sum(axis=(1, 3), dtype=np.float64)
    return np.where(count * 2 > factor**2, total / np.maximum(count, 1), np.nan).astype(np.float32)


def to_binned(yx: np.ndarray, factor: int) -> np.ndarray:
    """Positions (N, 2) [px] on the grid of `binned`."""
    return (yx + 0.5) / factor - 0.5


def from_binned(yx: np.ndarray, factor: int) -> np.ndarray:
    """Positions (N, 2) on the grid of `binned`, in pixels of the image."""
    return (yx + 0.5) * factor - 0.5
