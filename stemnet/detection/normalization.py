"""How an image is prepared for the network; part of what the weights mean."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Normalization:
    """Local contrast normalization.

    The local mean is taken off and the rest divided by the local standard
    deviation, so that gradients, supports and detector settings do not matter;
    a floor on the deviation keeps empty regions quiet, and asinh keeps hot
    pixels and heavy columns from drowning the weak ones.

    Parameters
    ----------
    window : float
        Sigma of the Gaussian neighborhood [px].
    floor : float
        Least deviation, as a share of the image's median of local deviations.
    """

    window: float = 16.0
    floor: float = 0.35

    def __call__(self, images: Tensor) -> Tensor:
        """Normalize images (B, H, W); NaN pixels come out as 0. Returns (B, H, W), float32."""
        # In place throughout: every copy of a large image is 64 MB.
        known = torch.isfinite(images)
        values = torch.where(known, images, 0.0).float()
        weight = known.float()
        # Shifting first keeps the variance accurate on images with a large offset.
        typical = values.sum((1, 2), keepdim=True) / weight.sum((1, 2), keepdim=True).clamp_min(1)
        unknown = known.logical_not_()
        values.sub_(typical).masked_fill_(unknown, 0.0)
        share = self._blur(weight).clamp_min_(1e-6)
        del weight
        mean = self._blur(values).div_(share)
        variance = self._blur(values**2).div_(share)
        del share
        variance.sub_(mean**2).clamp_min_(0)
        step = max(1, min(images.shape[-2:]) // 256)
        thinned = (slice(None), slice(None, None, step), slice(None, None, step))
        seen = variance[thinned].sqrt().masked_fill_(unknown[thinned], torch.nan).flatten(1)
        floor = self.floor * seen.nanmedian(1).values.nan_to_num()
        scale = variance.add_(floor[:, None, None] ** 2).sqrt_().clamp_min_(1e-12)
        return values.sub_(mean).mul_(2).div_(scale).asinh_().masked_fill_(unknown, 0.0)

    def _blur(self, images: Tensor) -> Tensor:
        """Gaussian filter without wrap or padding bias (divide by the blurred weight).

        Done on a grid four times coarser: a window of 16 px has no finer detail.
        """
        step = max(1, int(self.window // 4))
        height, width = images.shape[-2:]
        pad_y, pad_x = -height % step, -width % step
        whole = functional.pad(images, (0, pad_x, 0, pad_y)) if pad_x or pad_y else images
        coarse = functional.avg_pool2d(whole[:, None], step)
        sigma = self.window / step
        radius = math.ceil(3 * sigma)
        taps = torch.arange(-radius, radius + 1, device=images.device, dtype=torch.float32)
        kernel = torch.exp(-0.5 * (taps / sigma) ** 2)
        kernel = kernel / kernel.sum()
        coarse = functional.conv2d(coarse, kernel.view(1, 1, -1, 1), padding=(radius, 0))
        coarse = functional.conv2d(coarse, kernel.view(1, 1, 1, -1), padding=(0, radius))
        size = ((height + pad_y), (width + pad_x))
        fine = functional.interpolate(coarse, size=size, mode="bilinear", align_corners=False)
        return fine[:, 0, :height, :width]
