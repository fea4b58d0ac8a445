"""What is done to a finished image before anyone sees it: binning, denoising, sharpening."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from stemnet.simulation.artefacts.kinds import Draw, Response, View
from stemnet.simulation.artefacts.limits import ANY, POSITIVE, held


@dataclass(frozen=True)
class Filtering(Response):
    """A Gaussian low-pass filter, an unsharp mask of twice the columns' width after it, and a Gaussian high-pass.

    Low-pass and high-pass together are the band-pass filter that many images have seen before they are published.

    Parameters
    ----------
    lowpass : float
        Sigma of the filter [px].
    sharpen : float
        Strength of the mask.
    highpass : float
        Sigma of the Gaussian mean that is taken off [px]; the mean of the whole image stays. 0: nothing is.
    """

    lowpass: float = 1.0
    sharpen: float = 0.0
    highpass: float = 0.0
    stage: ClassVar[int] = 40

    def __post_init__(self) -> None:
        held(self, lowpass=POSITIVE, sharpen=ANY, highpass=POSITIVE)

    def parameters(self, view: View) -> dict[str, float]:
        """All three, and sigma of the mask [px]."""
        return {
            "lowpass": self.lowpass,
            "sharpen": self.sharpen,
            "mask": 2 * view.width,
            "highpass": self.highpass,
        }

    @staticmethod
    def apply(images: Tensor, parameters: Mapping[str, Tensor], draw: Draw) -> Tensor:
        """Multiply the spectrum of each image, its edges mirrored, by the filter's."""
        height, width = images.shape[-2:]
        pad = min(16, height - 1, width - 1)
        framed = torch.nn.functional.pad(images[:, None], (pad,) * 4, mode="reflect")[:, 0]
        down = torch.fft.fftfreq(height + 2 * pad, device=images.device)[:, None] ** 2
        right = torch.fft.rfftfreq(width + 2 * pad, device=images.device)[None, :] ** 2

        def fall(sigma: Tensor) -> Tensor:
            scale = -2 * (math.pi * sigma) ** 2
            return torch.exp(scale * down) * torch.exp(scale * right)

        passed = fall(parameters["lowpass"])
        if bool((parameters["sharpen"] != 0).any()):
            passed *= 1 + parameters["sharpen"] * (1 - fall(parameters["mask"]))
        if bool((parameters["highpass"] > 0).any()):
            kept = torch.where(parameters["highpass"] > 0, 1 - fall(parameters["highpass"]), 1.0)
            kept[..., 0, 0] = 1.0
            passed *= kept
        spectrum = torch.fft.rfft2(framed)
        # A product with real numbers, without making them complex first.
        torch.view_as_real(spectrum).mul_(passed[..., None])
        filtered = torch.fft.irfft2(spectrum, s=framed.shape[-2:])
        return filtered[:, pad : pad + height, pad : pad + width]
