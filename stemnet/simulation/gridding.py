"""Points to a grid and a grid to points, through a short kernel: the two halves of a non-uniform Fourier transform.

A kernel of six pixels spreads each column over the grid, and its transform is
divided out again in Fourier space; reading a band-limited image between its
pixels is the same in reverse (Dutt and Rokhlin, SIAM J. Sci. Comput. 14, 1368,
1993). The Kaiser-Bessel window of Jackson et al., IEEE Trans. Med. Imaging 10,
473 (1991), makes the error about 1e-5 of a column's peak as long as columns
are 1.5 grid pixels wide.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

TAPS = 6
SHAPE = 11.8
"""Of the Kaiser-Bessel window, for images that hold little beyond 0.36 periods a pixel."""
FINE = 4096
"""Places between two pixels that are told apart when an image is read: 1e-4 px."""


def _window(fraction: np.ndarray) -> np.ndarray:
    """The kernel (N, TAPS) at the six grid points around places `fraction` (N,) beside their middle."""
    taps = np.arange(TAPS) - (TAPS - 1) / 2
    distance = (taps - fraction[:, None]) / (TAPS / 2)
    return np.i0(SHAPE * np.sqrt(np.clip(1 - distance**2, 0, None))) / np.i0(SHAPE)


@lru_cache(maxsize=4)
def _table(device: torch.device) -> Tensor:
    """The kernel over the fractions that are told apart, (TAPS, FINE)."""
    fraction = (np.arange(FINE) + 0.5) / FINE - 0.5
    return torch.as_tensor(_window(fraction).T.astype(np.float32), device=device).contiguous()


def spread(
    yx: np.ndarray,
    amount: np.ndarray,
    image: np.ndarray,
    shape: tuple[int, int, int],
    device: torch.device | str = "cpu",
) -> Tensor:
    """Spread points over grids.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        In grid pixels; three pixels or more inside.
    amount : ndarray, shape (N,)
    image : ndarray of int, shape (N,)
        Which grid.
    shape : tuple of int
        (B, R, C).
    device : torch.device or str

    Returns
    -------
    Tensor, shape (B, R, C)
    """
    _, rows, cols = shape
    # An even number of taps has its middle between two grid points.
    middle = np.floor(yx) + 0.5
    weights = [torch.as_tensor(_window(part).astype(np.float32), device=device) for part in (yx - middle).T]
    first = middle.astype(np.int64) - (TAPS // 2 - 1)
    start = torch.as_tensor((image * rows + first[:, 0]) * cols + first[:, 1], device=device)
    step = torch.arange(TAPS, device=device)
    place = (start[:, None] + step * cols)[:, :, None] + step
    down = weights[0] * torch.as_tensor(amount.astype(np.float32), device=device)[:, None]
    value = down[:, :, None] * weights[1][:, None, :]
    grid = torch.zeros(shape, device=device)
    grid.view(-1).index_add_(0, place.view(-1), value.view(-1))
    return grid


def read_along(grid: Tensor, pixels: Tensor, offset: Tensor, axis: int) -> Tensor:
    """Read grids (B, R, C) between their pixels along one axis.

    Parameters
    ----------
    grid : Tensor, shape (B, R, C)
    pixels : Tensor, int64, shape (H,) for axis 1, (W,) for axis 2
        Grid pixels along the axis.
    offset : Tensor, float32, shape (B, H, C) for axis 1, (B, R, W) for axis 2
        How far beside them the grid is read [grid pixels].
    axis : int
        1 or 2.

    Returns
    -------
    Tensor
        Of the shape of `offset`.
    """
    _, rows, cols = grid.shape
    whole = offset.floor()
    # A place just below a pixel may round to it.
    fine = ((offset - whole) * FINE).to(torch.int64).clamp_(max=FINE - 1).reshape(-1)
    first = whole.to(torch.int64) + (pixels[:, None] if axis == 1 else pixels) - (TAPS // 2 - 1)
    image = torch.arange(len(grid), device=grid.device)[:, None, None] * rows
    if axis == 1:
        index = (image + first) * cols + torch.arange(cols, device=grid.device)
    else:
        index = (image + torch.arange(rows, device=grid.device)[:, None]) * cols + first
    index, flat, table = index.reshape(-1), grid.reshape(-1), _table(grid.device)
    result = torch.zeros(len(index), device=grid.device)
    for tap in range(TAPS):
        result.addcmul_(flat.index_select(0, index), table[tap].index_select(0, fine))
        index += cols if axis == 1 else 1
    return result.view(offset.shape)


def read_rows(grid: Tensor, place: Tensor) -> Tensor:
    """Read grids (B, R, C), complex or real, between their rows at places (B, H): (B, H, C)."""
    size, rows, cols = grid.shape
    whole = place.floor()
    fine = ((place - whole) * FINE).to(torch.int64).clamp_(max=FINE - 1)
    first = whole.to(torch.int64) - (TAPS // 2 - 1) + torch.arange(size, device=grid.device)[:, None] * rows
    weights = _table(grid.device)[:, fine]
    flat = grid.reshape(size * rows, cols)
    result = torch.zeros(size * place.shape[1], cols, dtype=grid.dtype, device=grid.device)
    for tap in range(TAPS):
        result += flat.index_select(0, (first + tap).view(-1)) * weights[tap].view(-1, 1)
    return result.view(size, place.shape[1], cols)


def correction(frequency: np.ndarray) -> np.ndarray:
    """One over the kernel's transform at frequencies [1/px], float64."""
    inner = SHAPE**2 - (np.pi * TAPS * frequency) ** 2
    root = np.sqrt(inner.astype(complex))
    transform = (np.sinh(root) / root).real * TAPS / np.i0(SHAPE)
    return 1 / transform
