"""Light of each column's own cell of the image, without a model of its shape.

Every pixel belongs to its nearest column (Voronoi cells, cut at a radius),
and a cell's light above the background is the column's intensity: the
scattering cross-section of S. Van Aert et al., Ultramicroscopy 109, 1236
(2009), and H. E et al., Ultramicroscopy 133, 109 (2013), in image units. It
holds whatever the shape of the probe; where columns overlap, cells exchange
light, which the fitted volume does not.
"""

from __future__ import annotations

import torch

from stemnet.detection.column_model import Tiles, membership

RADIUS = 3.5  # cells reach this many sigma: all but 0.2 % of a column's light, and little of the ground
_CHUNK = 1 << 21  # squared distances held at once


def cell_sums(
    tiles: Tiles, yx: torch.Tensor, radius: float, fields: tuple[torch.Tensor, ...]
) -> torch.Tensor:
    """Sums of images over the cells of columns.

    Parameters
    ----------
    tiles : Tiles
    yx : Tensor, shape (N, 2)
        Columns that share out the pixels [px].
    radius : float
        Pixels further from any column than this belong to none [px].
    fields : tuple of Tensor, each shape (tiles, T, T)

    Returns
    -------
    Tensor, shape (N, len(fields)), float64
    """
    (_, across), size = tiles.grid, tiles.size
    out = torch.zeros(len(yx) + 1, len(fields), dtype=torch.float64, device=yx.device)
    pixel = torch.arange(size, device=yx.device, dtype=torch.float32)
    far = torch.full((1, 2), -1e6, dtype=yx.dtype, device=yx.device)
    placed = torch.cat([yx, far])
    where = membership(tiles, yx, torch.full_like(yx[:, 0], radius))
    for tile_, column_ in where.groups:
        step = max(1, _CHUNK // size**2)
        for tile, column in zip(torch.split(tile_, step), torch.split(column_, step), strict=True):
            corner = torch.stack([tile // across, tile % across], 1) * size
            apart = (pixel - (placed[column] - corner[:, None]).float()[..., None]).square()  # (t, n, 2, T)
            least = torch.full((len(tile), size, size), radius**2, device=yx.device)
            nearest = torch.full((len(tile), size, size), len(yx), device=yx.device)
            for k in range(column.shape[1]):
                square = apart[:, k, 0, :, None] + apart[:, k, 1, None, :]
                nearer = square < least
                least = torch.minimum(square, least)
                nearest = torch.where(nearer, column[:, k, None, None], nearest)
            for n, field in enumerate(fields):
                out[:, n] += torch.bincount(
                    nearest.reshape(-1), field[tile].reshape(-1), minlength=len(yx) + 1
                )
    return out[:-1]
