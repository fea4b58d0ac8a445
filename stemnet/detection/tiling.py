"""A network over an image of any size in bounded memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from stemnet.models.inference import InferenceUNet

TILE = 1024
"""Longest side of a tile without its frame [px]; a multiple of any network's stride."""
FRAME = 160
"""Widest frame of a tile [px]; a multiple of any network's stride. The deepest levels reach further, but hardly look
there: probabilities of the shipped network change by 1e-4 or so, in noise beside a border by up to 3e-3."""


def apply_tiled(
    network: InferenceUNet,
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
    network : InferenceUNet
    image : Tensor, shape (H, W)
        Normalized.
    tile : int
        Longest side of a tile without its frame [px].
    progress : callable, optional
        Called with (tiles done, tiles in all).

    Returns
    -------
    Tensor, shape (H, W)
    """
    height, width = image.shape
    stride, reach = network.stride, min(network.reach, FRAME)
    tall, wide = (-(-side // stride) * stride for side in image.shape)
    result = image.new_empty(height, width)
    tiles = [
        (rows, columns) for rows in _shares(tall, tile, stride) for columns in _shares(wide, tile, stride)
    ]
    with torch.inference_mode():
        for done, ((top, bottom), (left, right)) in enumerate(tiles):
            y0, y1 = max(top - reach, 0), min(bottom + reach, tall)
            x0, x1 = max(left - reach, 0), min(right + reach, wide)
            part = image[y0:y1, x0:x1]
            seen = functional.pad(part, (0, x1 - x0 - part.shape[1], 0, y1 - y0 - part.shape[0]))
            frame = (top - y0, y1 - bottom, left - x0, x1 - right)
            answer = network(seen[None, None], frame)[0, 0].sigmoid_()
            result[top:bottom, left:right] = answer[: height - top, : width - left]
            if progress:
                progress(done + 1, len(tiles))
    return result


def _shares(length: int, most: int, stride: int) -> list[tuple[int, int]]:
    """Begin and end of about equal shares of a length, each of whole strides and no longer than the most that fit."""
    strides, most = length // stride, -(-most // stride)
    share = -(-strides // -(-strides // most)) * stride
    return [(begin, min(begin + share, length)) for begin in range(0, length, share)]
