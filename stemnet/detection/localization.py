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
    peak = (probability == highest) & (probability >= threshold)
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
