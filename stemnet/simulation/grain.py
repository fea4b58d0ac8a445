"""An amorphous support that lasts: the same grain in every frame of a movie, moving with the specimen."""

from __future__ import annotations

import math

import torch
from scipy.fft import next_fast_len
from torch import Tensor

from stemnet.simulation.scene import Scene

ROOM = 64
"""Pixels that the grain's period is longer than the frame."""


def lasting_grain(scene: Scene, device: torch.device | str = "cpu") -> Tensor:
    """The support of a scene with a seed of its own, twice its deviation bright in the mean.

    It is carried by the drift of the frame, not by what strays within one
    (jitter, hum), and repeats a little beyond the frame.

    Parameters
    ----------
    scene : Scene
    device : torch.device or str

    Returns
    -------
    Tensor, shape (H, W)
        [e-/px]
    """
    high, wide = (next_fast_len(side + ROOM, real=True) for side in scene.shape)
    generator = torch.Generator(device).manual_seed(int(scene.grain_seed or 0))
    white = torch.randn((high, wide), generator=generator, device=device)
    ky = torch.fft.fftfreq(high, device=device)[:, None]
    kx = torch.fft.rfftfreq(wide, device=device)[None, :]
    fall = torch.exp(-2 * (math.pi * scene.support_length) ** 2 * (ky**2 + kx**2))
    y, x = scene.grain_shift
    turn = -2 * math.pi * (ky * (y % high) + kx * (x % wide))
    # Every frequency but those of the first and last column stands for two.
    twice = torch.full((wide // 2 + 1,), 2.0, device=device)
    twice[0] = 1.0
    if wide % 2 == 0:
        twice[-1] = 1.0
    deviation = ((fall**2 * twice).sum() / (high * wide)).sqrt()
    spectrum = torch.fft.rfft2(white) * torch.polar(fall, turn.expand_as(fall).contiguous())
    texture = torch.fft.irfft2(spectrum, s=(high, wide)) / deviation
    return scene.support * (2 + texture[: scene.shape[0], : scene.shape[1]])
