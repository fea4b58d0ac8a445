"""The segmentation network."""

from __future__ import annotations

import torch
from torch import nn


class DoubleConv(nn.Sequential):
    """Two 3x3 convolutions, each normalized and activated."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.SiLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.SiLU(),
        )


class UNet(nn.Module):
    """A plain U-Net (Ronneberger et al., MICCAI 2015) that keeps the image's size.

    Parameters
    ----------
    base : int
        Channels of the first level; each further level doubles them.
    levels : int
        Resolutions; 4 levels of base 16 are 0.49 million parameters.
    inputs, outputs : int
        Channels of the image and of the logits.
    """

    def __init__(self, base: int = 16, levels: int = 4, inputs: int = 1, outputs: int = 1) -> None:
        super().__init__()
        channels = [base * 2**level for level in range(levels)]
        self.down = nn.ModuleList(
            DoubleConv(inputs if level == 0 else channels[level - 1], channels[level])
            for level in range(levels)
        )
        self.up = nn.ModuleList(
            DoubleConv(channels[level + 1] + channels[level], channels[level]) for level in range(levels - 1)
        )
        self.head = nn.Conv2d(base, outputs, 1)

    @property
    def stride(self) -> int:
        """Input sides must be multiples of this [px]."""
        return 2 ** (len(self.down) - 1)

    @property
    def reach(self) -> int:
        """An output pixel depends on inputs no further than this [px]; a multiple of `stride`."""
        # Two convolutions a level reach 2 px at its resolution; all levels but
        # the deepest are passed twice; pooling windows add less than a stride.
        once = 2 * 2 ** (len(self.down) - 1)
        twice = sum(4 * 2**level for level in range(len(self.down) - 1))
        return -(-(once + twice + self.stride) // self.stride) * self.stride

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logits (B, outputs, H, W) of images (B, inputs, H, W)."""
        skipped = []
        x = image
        for level, block in enumerate(self.down):
            x = block(x)
            if level < len(self.up):
                skipped.append(x)
                x = nn.functional.max_pool2d(x, 2)
        for level in reversed(range(len(self.up))):
            x = nn.functional.interpolate(x, scale_factor=2, mode="nearest")
            x = self.up[level](torch.cat([x, skipped[level]], dim=1))
        return self.head(x)
