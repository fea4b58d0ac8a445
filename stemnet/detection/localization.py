"""Peaks of a probability map to sub-pixel positions."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


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
    size = 2 * radius + 1
    highest = functional.max_pool2d(probability[:, None], size, 1, radius)[:, 0]
    peak = _one_each((probability == highest) & (probability >= threshold), probability, size)
    image, y, x = torch.nonzero(peak, as_tuple=True)
    score = probability[image, y, x]
    steps = torch.arange(-radius, radius + 1, device=probability.device)
    dy, dx = torch.meshgrid(steps, steps, indexing="ij")
    disk = dy**2 + dx**2 <= radius**2 + 1
    dy, dx = dy[disk], dx[disk]
    padded = functional.pad(probability, (radius,) * 4)
    around = padded[image[:, None], y[:, None] + radius + dy, x[:, None] + radius + dx]
    total = around.sum(1).clamp_min(1e-9)
    centre = torch.stack([y + (around * dy).sum(1) / total, x + (around * dx).sum(1) / total], dim=1)
    return image, centre, score


def _one_each(peak: Tensor, probability: Tensor, size: int) -> Tensor:
    """Of equal neighbors on a flat top (a saturated sigmoid's), the one nearest its middle, then the first."""
    half = size // 2
    company = functional.avg_pool2d(peak.float()[:, None], size, 1, half, divisor_override=1)[:, 0]
    if not bool((peak & (company > 1.5)).any()):
        return peak
    height, width = probability.shape[-2:]
    around = functional.avg_pool2d(probability[:, None], size, 1, half)[:, 0]
    row = torch.arange(height, 0, -1, device=peak.device, dtype=around.dtype)[:, None]
    column = torch.arange(width, 0, -1, device=peak.device, dtype=around.dtype)
    for rank in (around, row, column):
        score = torch.where(peak, rank, -1.0)
        peak = peak & (score == functional.max_pool2d(score[:, None], size, 1, half)[:, 0])
    return peak
