"""The image as a sum of Gaussian columns, rendered and measured tile by tile.

A Gaussian is separable, so all columns that reach into one T x T tile are
rendered by one small matrix product ``rows^T @ columns``, and all moments of
an image under all columns by two. No K x K window is ever gathered or
scattered, and memory stays bounded however many columns there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

REACH = 4.2  # a column is rendered out to this many sigma; beyond, it holds 1.5e-4 of its peak
_CHUNK = 1 << 17  # numbers per work array: small enough to stay in the cache of one core


@dataclass(frozen=True)
class Tiles:
    """An (H, W) image cut into T x T tiles (the last ones are padded).

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image [px].
    size : int
        Edge of a tile [px].
    """

    shape: tuple[int, int]
    size: int

    @property
    def grid(self) -> tuple[int, int]:
        """Number of tiles down and across."""
        return -(-self.shape[0] // self.size), -(-self.shape[1] // self.size)

    def cut(self, image: torch.Tensor) -> torch.Tensor:
        """(H, W) image to (tiles, T, T); the padding is zero."""
        (rows, cols), size = self.grid, self.size
        pad = (0, cols * size - self.shape[1], 0, rows * size - self.shape[0])
        padded = torch.nn.functional.pad(image, pad)
        return padded.view(rows, size, cols, size).permute(0, 2, 1, 3).reshape(-1, size, size)

    def join(self, tiles: torch.Tensor) -> torch.Tensor:
        """(tiles, T, T) back to the (H, W) image."""
        (rows, cols), size = self.grid, self.size
        image = tiles.view(rows, cols, size, size).permute(0, 2, 1, 3).reshape(rows * size, cols * size)
        return image[: self.shape[0], : self.shape[1]]


def tile_size(width: float) -> int:
    """Edge of a tile [px] that keeps the products large and the overlap small, for columns of this sigma."""
    return int(np.clip(8 * round(width), 16, 64))


@dataclass(frozen=True)
class Membership:
    """Which Gaussians reach into which tiles.

    Tiles are grouped with tiles that hold about as many Gaussians, padded to
    the same number with the index `count`, which stands for no Gaussian. The
    last groups are the tiles that hold none.
    """

    tiles: Tiles
    count: int
    groups: tuple[tuple[torch.Tensor, torch.Tensor], ...]  # (tile indices (t,), Gaussian indices (t, n))


def sampled(where: Membership, pixels: int) -> Membership:
    """The same for tiles of about so many pixels, spread over the image and over full and empty tiles alike."""
    number = sum(len(tile) for tile, _ in where.groups)
    step = max(1, number * where.tiles.size**2 // pixels)
    groups, first = [], step // 2
    for tile, column in where.groups:
        if first < len(tile):
            groups.append((tile[first::step], column[first::step]))
        first = (first - len(tile)) % step if first < len(tile) else first - len(tile)
    return Membership(where.tiles, where.count, tuple(groups))


def membership(tiles: Tiles, yx: torch.Tensor, reach: torch.Tensor) -> Membership:
    """Sort Gaussians into the tiles that they reach.

    Parameters
    ----------
    tiles : Tiles
    yx : Tensor, shape (N, 2)
        Centers [px].
    reach : Tensor, shape (N,)
        Half of the edge of the square that a Gaussian fills [px].

    Returns
    -------
    Membership
    """
    (rows, cols), size, device = tiles.grid, tiles.size, yx.device
    limit = torch.tensor([rows, cols], device=device)
    first = torch.floor((yx - reach[:, None]).round() / size).long().clamp(min=0)
    last = torch.minimum(torch.floor((yx + reach[:, None]).round() / size).long(), limit - 1)
    span = (last - first + 1).clamp(min=0)
    number = span[:, 0] * span[:, 1]
    column = torch.repeat_interleave(torch.arange(len(yx), device=device), number)
    begin = torch.cumsum(number, 0) - number
    nth = torch.arange(len(column), device=device) - begin[column]
    across = span[column, 1].clamp(min=1)
    tile = (first[column, 0] + nth // across) * cols + first[column, 1] + nth % across

    tile, order = torch.sort(tile, stable=True)
    column = column[order]
    used, counts = torch.unique_consecutive(tile, return_counts=True)
    place = torch.arange(len(tile), device=device)
    place = place - torch.repeat_interleave(torch.cumsum(counts, 0) - counts, counts)
    by_count = torch.argsort(counts, stable=True)
    rank = torch.empty_like(by_count)
    rank[by_count] = torch.arange(len(by_count), device=device)
    row = torch.repeat_interleave(rank, counts)
    order = torch.argsort(row, stable=True)
    row, place, column = row[order], place[order], column[order]

    sizes = counts[by_count].cpu().numpy()
    groups, start, at = [], 0, 0
    while start < len(sizes):
        # the last tile of a group is the fullest: it sets the padding and the memory
        stop = min(start + 4096, int(np.searchsorted(sizes, 1.3 * sizes[start] + 2, side="right")))
        room = sizes[start:stop] * size * np.arange(1, stop - start + 1) <= _CHUNK
        stop = start + max(1, int(room.sum()))
        total = int(sizes[start:stop].sum())
        members = torch.full((stop - start, int(sizes[stop - 1])), len(yx), device=device)
        members[row[at : at + total] - start, place[at : at + total]] = column[at : at + total]
        groups.append((used[by_count[start:stop]], members))
        start, at = stop, at + total
    empty = torch.ones(rows * cols, dtype=torch.bool, device=device)
    empty[used] = False
    for rest in torch.split(torch.nonzero(empty)[:, 0], max(1, _CHUNK // size**2)):
        if len(rest):
            groups.append((rest, rest.new_empty(len(rest), 0)))
    return Membership(tiles, len(yx), tuple(groups))


def profiles(
    where: Membership, yx: torch.Tensor, width: torch.Tensor, powers: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Per group: tile and Gaussian indices, and u^a exp(-u^2/2) down and across, (t, n, powers, T)."""
    size, across = where.tiles.size, where.tiles.grid[1]
    far = torch.full((1, 2), -1e6, dtype=yx.dtype, device=yx.device)
    yx = torch.cat([yx, far])  # the Gaussian that is none
    width = torch.cat([width, torch.ones(1, dtype=width.dtype, device=width.device)]).float()
    pixel = torch.arange(size, device=yx.device, dtype=torch.float32)
    for tile, column in where.groups:
        # float64 up to here: float32 resolves no more than 1e-3 px in a large image
        corner = torch.stack([tile // across, tile % across], 1) * size
        local = (yx[column] - corner[:, None]).float()
        u = (pixel - local.permute(2, 0, 1)[..., None]) / width[column][..., None]  # (2, t, n, T)
        u.clamp_(-1e3, 1e3)
        bell = (u * u).mul_(-0.5).exp_()
        if powers == 1:
            profile = bell[:, :, :, None]
        else:
            profile = u.new_empty(*u.shape[:3], powers, size)  # (2, t, n, powers, T)
            profile[..., 0, :] = bell
            for k in range(1, powers):
                torch.mul(profile[..., k - 1, :], u, out=profile[..., k, :])
        yield tile, column, profile[0], profile[1]


def render(where: Membership, yx: torch.Tensor, amplitude: torch.Tensor, width: torch.Tensor) -> torch.Tensor:
    """Sum of Gaussians ``amplitude exp(-|r - r_k|^2 / 2 width^2)``, shape (tiles, T, T), float32."""
    (rows, cols), size = where.tiles.grid, where.tiles.size
    out = torch.zeros(rows * cols, size, size, device=yx.device)
    amplitude = torch.cat([amplitude, amplitude.new_zeros(1)]).float()
    for tile, column, down, across in profiles(where, yx, width, 1):
        down = down[:, :, 0] * amplitude[column][..., None]
        out[tile] = down.transpose(1, 2) @ across[:, :, 0]
    return out


def render_stretch(
    where: Membership, yx: torch.Tensor, amplitude: torch.Tensor, width: torch.Tensor, stretch: torch.Tensor
) -> torch.Tensor:
    """What small ellipticities add to round columns, to first order, shape (tiles, T, T), float32.

    Sum of ``amplitude (e1 (u_x^2 - u_y^2) / 2 + e2 u_y u_x) exp(-u^2 / 2)``;
    `stretch` holds (e1, e2), (N, 2).
    """
    (rows, cols), size = where.tiles.grid, where.tiles.size
    out = torch.zeros(rows * cols, size, size, device=yx.device)
    peak = amplitude[:, None] * torch.cat([stretch, -stretch[:, :1]], 1) / amplitude.new_tensor([2, 1, 2])
    peak = torch.cat([peak, peak.new_zeros(1, 3)]).float()
    for tile, column, down, across in profiles(where, yx, width, 3):
        down = (down * peak[column][..., None]).flatten(1, 2)
        out[tile] = down.transpose(1, 2) @ across.flip(2).flatten(1, 2)
    return out


def moments(
    where: Membership, field: torch.Tensor, yx: torch.Tensor, width: torch.Tensor, powers: int
) -> torch.Tensor:
    """Moments of an image under Gaussians.

    Parameters
    ----------
    where : Membership
    field : Tensor, shape (tiles, T, T)
    yx : Tensor, shape (N, 2)
        Centers [px].
    width : Tensor, shape (N,)
        Sigma [px].
    powers : int
        Number of powers, from 0.

    Returns
    -------
    Tensor, shape (N, powers, powers)
        Entry (a, b) is the sum over pixels of ``field * u_y^a u_x^b
        exp(-u^2 / 2)`` with u = (r - r_k) / width.
    """
    out = torch.zeros(where.count + 1, powers * powers, device=yx.device)
    for tile, column, down, across in profiles(where, yx, width, powers):
        t, n, _, size = down.shape
        part = (down.reshape(t, n * powers, size) @ field.index_select(0, tile)).view(t * n, powers, size)
        part = part @ across.reshape(t * n, powers, size).transpose(1, 2)
        out.index_add_(0, column.reshape(-1), part.reshape(t * n, powers**2))
    return out[:-1].view(-1, powers, powers)


def render_columns(
    shape: tuple[int, int], yx: np.ndarray, amplitude: np.ndarray, width: np.ndarray | float
) -> np.ndarray:
    """Image of Gaussian columns on zero background.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns [px].
    yx : ndarray, shape (N, 2)
        Positions [px]; they may lie outside the image.
    amplitude : ndarray, shape (N,)
        Peak heights.
    width : float or ndarray, shape (N,)
        Sigma [px].

    Returns
    -------
    ndarray, shape (H, W), float32
    """
    yx_ = torch.as_tensor(np.asarray(yx, dtype=np.float64).reshape(-1, 2))
    if not len(yx_):
        return np.zeros(shape, dtype=np.float32)
    height = torch.as_tensor(np.broadcast_to(amplitude, len(yx_)).astype(np.float64))
    sigma = torch.as_tensor(np.broadcast_to(width, len(yx_)).astype(np.float64))
    tiles = Tiles((int(shape[0]), int(shape[1])), tile_size(float(sigma.median())))
    where = membership(tiles, yx_, REACH * sigma)
    return tiles.join(render(where, yx_, height, sigma)).numpy()
