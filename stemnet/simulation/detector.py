"""What the detector makes of the electrons: backgrounds, counting, reading out."""

from __future__ import annotations

import numpy as np
import torch


def smooth_field(knots: torch.Tensor, shape: tuple[int, int]) -> torch.Tensor:
    """Smooth backgrounds from coarse random knots, (B, h, w) -> (B, H, W)."""
    fields = torch.nn.functional.interpolate(knots[:, None], shape, mode="bicubic", align_corners=True)
    return fields[:, 0]


def texture(white: torch.Tensor, length: torch.Tensor) -> torch.Tensor:
    """Amorphous support: white noise (B, H, W) filtered to a correlation length (B,) [px], unit variance."""
    height, width = white.shape[-2:]
    ky = torch.fft.fftfreq(height, device=white.device)[:, None]
    kx = torch.fft.rfftfreq(width, device=white.device)[None, :]
    fall = torch.exp(-2 * (np.pi * length[:, None, None]) ** 2 * (ky**2 + kx**2))
    filtered = torch.fft.irfft2(torch.fft.rfft2(white) * fall, s=(height, width))
    return filtered / filtered.std((1, 2), keepdim=True).clamp_min(1e-6)


def count(expected: torch.Tensor, generators: list[torch.Generator]) -> torch.Tensor:
    """Poisson counts of expected electrons, each image (B, H, W) from its own generator."""
    pairs = zip(expected.clamp_min(0), generators, strict=True)
    return torch.stack([torch.poisson(image, generator=generator) for image, generator in pairs])


def read_out(
    counts: torch.Tensor, read_noise: torch.Tensor, afterglow: torch.Tensor, generators: list[torch.Generator]
) -> torch.Tensor:
    """Add afterglow along the fast axis and read noise, both (B,) in electrons (afterglow as a share).

    Afterglow: each pixel leaves a share of its signal to the next two.
    """
    glow = afterglow[:, None, None]
    late = torch.nn.functional.pad(counts, (2, 0))
    smeared = counts * (1 - glow) + glow * (0.7 * late[..., 1:-1] + 0.3 * late[..., :-2])
    noise = torch.stack([torch.randn(counts.shape[1:], generator=g, device=g.device) for g in generators])
    return smeared + noise * read_noise[:, None, None]
