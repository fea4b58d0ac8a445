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

    Columns are several pixels wide, so the finest level may work on blocks of
    pixels, each pixel of a block being a channel of its own: nothing is thrown
    away, the answer has a logit for every pixel again, and with blocks of 2 x 2
    a network of twice the channels takes the time of one without (sub-pixel
    convolution: Shi et al., CVPR 2016).

    Parameters
    ----------
    base : int
        Channels of the first level; each further level doubles them.
    levels : int
        Resolutions; 4 levels of base 24 are 1.1 million parameters.
    inputs, outputs : int
        Channels of the image and of the logits.
    block : int
        Edge of a block of pixels that the first level takes as one [px].
    most : int or None
        Channels that no level exceeds: deep levels see far at little cost in
        time, but double all parameters where their channels double.
    """

    def __init__(
        self,
        base: int = 16,
        levels: int = 4,
        inputs: int = 1,
        outputs: int = 1,
        block: int = 1,
        most: int | None = None,
    ) -> None:
        super().__init__()
        self.block = block
        channels = [min(base * 2**level, most or base * 2**level) for level in range(levels)]
        self.down = nn.ModuleList(
            DoubleConv(inputs * block**2 if level == 0 else channels[level - 1], channels[level])
            for level in range(levels)
        )
        self.up = nn.ModuleList(
            DoubleConv(channels[level + 1] + channels[level], channels[level]) for level in range(levels - 1)
        )
        self.head = nn.Conv2d(base, outputs * block**2, 1)

    @property
    def stride(self) -> int:
        """Input sides must be multiples of this [px]."""
        return self.block * 2 ** (len(self.down) - 1)

    @property
    def reach(self) -> int:
        """An output pixel depends on inputs no further than this [px]; a multiple of `stride`."""
        # Two convolutions a level reach 2 px at its resolution; all levels but
        # the deepest are passed twice; pooling windows add less than a stride.
        once = 2 * self.block * 2 ** (len(self.down) - 1)
        twice = sum(4 * self.block * 2**level for level in range(len(self.down) - 1))
        return -(-(once + twice + self.stride) // self.stride) * self.stride

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Logits (B, outputs, H, W) of images (B, inputs, H, W)."""
        skipped = []
        x = nn.functional.pixel_unshuffle(image, self.block)
        for level, block in enumerate(self.down):
            x = block(x)
            if level < len(self.up):
                skipped.append(x)
                x = nn.functional.max_pool2d(x, 2)
        for level in reversed(range(len(self.up))):
            x = nn.functional.interpolate(x, scale_factor=2, mode="nearest")
            x = self.up[level](torch.cat([x, skipped[level]], dim=1))
        return nn.functional.pixel_shuffle(self.head(x), self.block)
