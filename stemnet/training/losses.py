"""Losses on logits (B, H, W) against soft targets, with a weight per pixel."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class PeakBCE:
    """Binary cross-entropy in which the few pixels on columns count more.

    Parameters
    ----------
    peak_weight : float
        A pixel on top of a column counts ``1 + peak_weight`` times.
    """

    peak_weight: float = 8.0

    def __call__(self, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """Mean over the pixels that count."""
        loss = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
        weight = weight * (1 + self.peak_weight * target)
        return (loss * weight).sum() / weight.sum().clamp_min(1)


@dataclass(frozen=True)
class PeakMSE:
    """Squared error of the probability, with the same weighting."""

    peak_weight: float = 8.0

    def __call__(self, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """Mean over the pixels that count."""
        weight = weight * (1 + self.peak_weight * target)
        return (torch.square(logits.sigmoid() - target) * weight).sum() / weight.sum().clamp_min(1)


@dataclass(frozen=True)
class SoftDice:
    """One minus the Dice overlap of probability and target (Milletari et al., 3DV 2016), mean over images."""

    smooth: float = 1.0

    def __call__(self, logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """Mean over the batch."""
        probability = logits.sigmoid() * weight
        target = target * weight
        shared = (probability * target).sum((1, 2))
        total = (probability**2).sum((1, 2)) + (target**2).sum((1, 2))
        return (1 - (2 * shared + self.smooth) / (total + self.smooth)).mean()
