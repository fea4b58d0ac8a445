"""A batch of scenes to images, in torch, on any device, without a loop over columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from stemnet.simulation.detector import count, read_out, smooth_field, texture
from stemnet.simulation.scene import Scene

TILE = 384
"""Frames wider than this are rendered in equal tiles: the synthesis costs columns times pixels."""
ALIKE = 4
"""Scenes rendered at once."""
REACH = 5.0
"""Columns further outside the frame than this many widths are left out."""
FAR_REACH = 15.0
"""The same for tiles of a frame: no seam where long tails would end."""


def render(scenes: Sequence[Scene], device: torch.device | str = "cpu") -> torch.Tensor:
    """Images of scenes of one shape, with all noise, each from its own seed.

    What else is in the batch changes the expected counts by less than a
    hundredth of the peak (where far tails wrap around the padding), and so can
    change the draw of the counts, never their law.

    Parameters
    ----------
    scenes : sequence of Scene
    device : torch.device or str

    Returns
    -------
    Tensor, shape (B, H, W), float32
        Electrons per pixel.
    """
    generators = [torch.Generator(device).manual_seed(scene.seed) for scene in scenes]
    image = expected(scenes, device)
    support = _column(scenes, "support", device)
    if bool((support > 0).any()):
        white = torch.stack([torch.randn(scenes[0].shape, generator=g, device=device) for g in generators])
        length = _column(scenes, "support_length", device)
        # Scattering from an amorphous layer adds; its mean belongs to the background.
        image = image + support[:, None, None] * (texture(white, length) + 2).clamp_min(0)
    image = count(image, generators)
    image = read_out(
        image, _column(scenes, "read_noise", device), _column(scenes, "afterglow", device), generators
    )
    return _processed(image, scenes)


def expected(scenes: Sequence[Scene], device: torch.device | str = "cpu") -> torch.Tensor:
    """Expected electrons per pixel from columns and smooth background, before support and noise.

    Parameters
    ----------
    scenes : sequence of Scene
        All of one shape.
    device : torch.device or str

    Returns
    -------
    Tensor, shape (B, H, W), float32
    """
    height, width = scenes[0].shape
    columns = torch.zeros(len(scenes), height, width, device=device)
    high, wide = (math.ceil(length / math.ceil(length / TILE)) for length in (height, width))
    reach = REACH if (high, wide) == (height, width) else FAR_REACH
    for top in range(0, height, high):
        for left in range(0, width, wide):
            size = (min(high, height - top), min(wide, width - left))
            tiles = [_window(scene, top, left, size) for scene in scenes]
            # Alike in number of columns, so that little is spent on padding.
            by_number = np.argsort([len(_near(tile, reach)) for tile in tiles], kind="stable")
            for start in range(0, len(tiles), ALIKE):
                group = by_number[start : start + ALIKE]
                block = _synthesis([tiles[i] for i in group], reach, device)
                columns[group, top : top + size[0], left : left + size[1]] = block
    knots = torch.as_tensor(np.stack([scene.knots for scene in scenes]), dtype=torch.float32, device=device)
    return columns.clamp_min(0) + smooth_field(knots, (height, width)).clamp_min(0)


def _synthesis(scenes: Sequence[Scene], reach: float, device: torch.device | str) -> torch.Tensor:
    """Sum of the columns' images by Fourier synthesis.

    The spectrum of N points is a product of two small matrices, exact at any
    sub-pixel position; the probe multiplies it; and rows offset by scan errors
    are read by an inverse transform at their true places.
    """
    height, width = scenes[0].shape
    margin = max(_margin(scene, reach) for scene in scenes)
    rows, cols = height + 2 * margin, width + 2 * margin
    near = [_near(scene, reach) for scene in scenes]
    most = max(1, *(len(index) for index in near))
    yx = np.zeros((len(scenes), most, 2))
    electrons = np.zeros((len(scenes), most), dtype=np.float32)
    for b, (scene, index) in enumerate(zip(scenes, near, strict=True)):
        yx[b, : len(index)] = scene.yx[index]
        electrons[b, : len(index)] = scene.electrons[index]
    ky = np.fft.fftfreq(rows)
    kx = np.fft.rfftfreq(cols)
    to_ky = _phase(-ky[None, :, None] * yx[:, None, :, 0], device)
    to_kx = _phase(-yx[:, :, None, 1] * kx[None, None, :], device)
    weights = torch.as_tensor(electrons, device=device)[:, :, None]
    spectrum = torch.bmm(to_ky, to_kx * weights) * _transfer(scenes, ky, kx, device)
    offsets = np.stack([scene.offsets for scene in scenes])
    beam_y = np.arange(height)[None, :] + offsets[..., 0]
    from_ky = _phase(beam_y[:, :, None] * ky[None, None, :], device) / rows
    beam_x = _phase(offsets[..., 1][:, :, None] * kx[None, None, :], device)
    lines = torch.bmm(from_ky, spectrum) * beam_x
    return torch.fft.irfft(lines, n=cols, dim=-1)[..., :width]


def _phase(turns: np.ndarray, device: torch.device | str) -> torch.Tensor:
    """exp(2 pi i turns); whole turns are taken off in float64, so that float32 keeps its digits."""
    part = (turns - np.rint(turns)).astype(np.float32)
    angle = torch.as_tensor(part * np.float32(2 * np.pi), device=device)
    return torch.complex(angle.cos(), angle.sin())


def _transfer(
    scenes: Sequence[Scene], ky: np.ndarray, kx: np.ndarray, device: torch.device | str
) -> torch.Tensor:
    """Probe, source, thermal smearing and tails on the image's frequencies, (B, rows, cols // 2 + 1)."""
    grid_y = torch.as_tensor(ky, dtype=torch.float32, device=device)[None, :, None]
    grid_x = torch.as_tensor(kx, dtype=torch.float32, device=device)[None, None, :]
    table = torch.as_tensor(np.stack([scene.otf for scene in scenes]), device=device)
    limit = _column(scenes, "otf_limit", device)[:, None, None]
    place = torch.stack(torch.broadcast_tensors(grid_x / limit, grid_y / limit), -1)
    parts = torch.nn.functional.grid_sample(
        torch.stack([table.real, table.imag], 1), place, mode="bilinear", align_corners=True
    )
    otf = torch.complex(parts[:, 0].contiguous(), parts[:, 1].contiguous())
    k2 = grid_y**2 + grid_x**2
    blur = _column(scenes, "blur", device)[:, None, None]
    otf = otf * torch.exp(-2 * (math.pi * blur) ** 2 * k2)
    tails = _column(scenes, "tails", device)[:, None, None]
    reach = 2.2 * _column(scenes, "width", device)[:, None, None]
    return (1 - tails) * otf + tails * torch.exp(-2 * math.pi * reach * k2.sqrt())


def _processed(image: torch.Tensor, scenes: Sequence[Scene]) -> torch.Tensor:
    """Low-pass filter, unsharp mask and saturation, for the images that have any."""
    device = image.device
    saturation = _column(scenes, "saturation", device)[:, None, None]
    lowpass, sharpen = _column(scenes, "lowpass", device), _column(scenes, "sharpen", device)
    if bool(((lowpass > 0) | (sharpen > 0)).any()):
        height, width = image.shape[-2:]
        pad = min(16, height - 1, width - 1)
        framed = torch.nn.functional.pad(image[:, None], (pad,) * 4, mode="reflect")[:, 0]
        k2 = (
            torch.fft.fftfreq(height + 2 * pad, device=device)[:, None] ** 2
            + torch.fft.rfftfreq(width + 2 * pad, device=device)[None, :] ** 2
        )
        smooth = torch.exp(-2 * (math.pi * lowpass[:, None, None]) ** 2 * k2)
        wide = 2 * _column(scenes, "width", device)[:, None, None]
        mask = 1 + sharpen[:, None, None] * (1 - torch.exp(-2 * (math.pi * wide) ** 2 * k2))
        filtered = torch.fft.irfft2(torch.fft.rfft2(framed) * smooth * mask, s=framed.shape[-2:])
        image = filtered[:, pad : pad + height, pad : pad + width]
    return torch.minimum(image, saturation)


def _margin(scene: Scene, reach: float) -> int:
    return math.ceil(reach * scene.width + np.abs(scene.offsets).max())


def _near(scene: Scene, reach: float) -> np.ndarray:
    """Columns whose image can reach the frame, as indices."""
    margin = _margin(scene, reach)
    return np.flatnonzero(np.all((scene.yx > -margin) & (scene.yx < np.array(scene.shape) + margin), axis=1))


def _window(scene: Scene, top: int, left: int, size: tuple[int, int]) -> Scene:
    return replace(
        scene, shape=size, yx=scene.yx - np.array([top, left]), offsets=scene.offsets[top : top + size[0]]
    )


def _column(scenes: Sequence[Scene], name: str, device: torch.device | str) -> torch.Tensor:
    return torch.tensor([getattr(scene, name) for scene in scenes], dtype=torch.float32, device=device)
