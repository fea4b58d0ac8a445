"""A network over an image of any size in bounded memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

TILE = 1024
"""Side of a tile without its frame [px]; a multiple of any network's stride."""
FRAME = 160
"""Widest frame of a tile [px]; a multiple of any network's stride. The deepest levels reach further, but hardly look
there: probabilities of the shipped networks change by 1e-4 or so."""


def apply_tiled(
    network: nn.Module,
    image: Tensor,
    *,
    tile: int = TILE,
    progress: Callable[[int, int], None] | None = None,
) -> Tensor:
    """Probabilities of a large image, tile by tile.

    Each tile is seen with a frame as wide as the network reaches, or `FRAME`
    where that is less, and tiles start at multiples of its stride, so that the
    result is that of the whole image at once; with a frame of less than the
    reach, nearly so.

    Parameters
    ----------
    network : nn.Module
        With ``stride`` and ``reach`` [px]; in evaluation mode.
    image : Tensor, shape (H, W)
        Normalized.
    tile : int
        [px]
    progress : callable, optional
        Called with (tiles done, tiles in all).

    Returns
    -------
    Tensor, shape (H, W)
    """
    height, width = image.shape
    stride, reach = int(network.stride), min(int(network.reach), FRAME)  # type: ignore[arg-type,call-overload]
    tile = -(-tile // stride) * stride
    padded = functional.pad(image, (0, -width % stride, 0, -height % stride))
    tall, wide = padded.shape
    result = torch.empty_like(padded)
    corners = [(top, left) for top in range(0, tall, tile) for left in range(0, wide, tile)]
    with torch.inference_mode():
        for done, (top, left) in enumerate(corners):
            bottom, right = min(top + tile, tall), min(left + tile, wide)
            y0, x0 = max(top - reach, 0), max(left - reach, 0)
            part = padded[y0 : min(bottom + reach, tall), x0 : min(right + reach, wide)]
            seen = part[None, None].contiguous(memory_format=torch.channels_last)
            answer = network(seen)[0, 0].sigmoid()
            result[top:bottom, left:right] = answer[top - y0 : bottom - y0, left - x0 : right - x0]
            if progress:
                progress(done + 1, len(corners))
    return result[:height, :width].clone()
