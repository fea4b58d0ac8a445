"""Peaks of a probability map to sub-pixel positions."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

BAND = 256
"""Rows in which peaks are sought at a time [px]."""


def locate(probability: Tensor, threshold: float, radius: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """Find local maxima and their probability-weighted centroids.

    Parameters
    ----------
    probability : Tensor, shape (B, H, W)
        0 to 1.
    threshold : float
        Peaks below are not reported.
    radius : int
        Two peaks are further apart than this, and the centroid is taken over
        the disk of this radius [px].

    Returns
    -------
    image : Tensor of int, shape (N,)
        Which image of the batch.
    yx : Tensor, shape (N, 2), float32
        Positions [px].
    score : Tensor, shape (N,)
        Probability at the peak.
    """
    # Of equal neighbors one is left after four windows, each of which looks a radius further.
    margin, height = 4 * radius, probability.shape[1]
    found = []
    for top in range(0, height, BAND):
        first, bottom = max(top - margin, 0), min(top + BAND, height)
        seen = probability[:, first : bottom + margin]
        peak = _peaks(seen, threshold, radius)
        peak[:, : top - first] = peak[:, bottom - first :] = False
        image, y, x = torch.nonzero(peak, as_tuple=True)
        found.append((image, _centroids(seen, image, y, x, first, radius), seen[image, y, x]))
    image, yx, score = (torch.cat(parts) for parts in zip(*found, strict=True))
    order = torch.argsort(image, stable=True)
    return image[order], yx[order], score[order]


def _peaks(probability: Tensor, threshold: float, radius: int) -> Tensor:
    """Whether a pixel is a peak, (B, H, W)."""
    peak = (probability == _highest(probability, radius)) & (probability >= threshold)
    return _one_each(peak, probability, radius)


def _highest(values: Tensor, radius: int) -> Tensor:
    """Maximum over the square of 2 radius + 1 pixels a side around each pixel, (B, H, W)."""
    return _over_window(torch.maximum, values, radius, -torch.inf)


def _over_window(combine: Callable[..., Tensor], values: Tensor, radius: int, beyond: float) -> Tensor:
    """Combine each pixel's square window, rows and columns one after the other, (B, H, W).

    Shifted copies take a tenth of the time of a pooling operation, which on a CPU looks for indices too.
    """
    for axis in (1, 2):
        ends = [0, 0, radius, radius] if axis == 1 else [radius, radius]
        padded, length = functional.pad(values, ends, value=beyond), values.shape[axis]
        values = padded.narrow(axis, 0, length).clone()
        for shift in range(1, 2 * radius + 1):
            combine(values, padded.narrow(axis, shift, length), out=values)
    return values


def _centroids(probability: Tensor, image: Tensor, y: Tensor, x: Tensor, top: int, radius: int) -> Tensor:
    """Centroids (N, 2) over disks around pixels of rows that begin at a row `top` of the image."""
    steps = torch.arange(-radius, radius + 1, device=probability.device)
    dy, dx = torch.meshgrid(steps, steps, indexing="ij")
    disk = dy**2 + dx**2 <= radius**2 + 1
    dy, dx = dy[disk], dx[disk]
    padded = functional.pad(probability, (radius,) * 4)
    around = padded[image[:, None], y[:, None] + radius + dy, x[:, None] + radius + dx]
    total = around.sum(1).clamp_min(1e-9)
    return torch.stack([y + top + (around * dy).sum(1) / total, x + (around * dx).sum(1) / total], dim=1)


def _one_each(peak: Tensor, probability: Tensor, radius: int) -> Tensor:
    """Of equal neighbors on a flat top (a saturated sigmoid's), the one nearest its middle, then the first."""
    company = _over_window(torch.add, peak.to(torch.int16), radius, 0)
    if not bool((peak & (company > 1)).any()):
        return peak
    height, width = probability.shape[-2:]
    around = functional.avg_pool2d(probability[:, None], 2 * radius + 1, 1, radius)[:, 0]
    row = torch.arange(height, 0, -1, device=peak.device, dtype=around.dtype)[:, None]
    column = torch.arange(width, 0, -1, device=peak.device, dtype=around.dtype)
    for rank in (around, row, column):
        score = torch.where(peak, rank, -1.0)
        peak = peak & (score == _highest(score, radius))
    return peak
