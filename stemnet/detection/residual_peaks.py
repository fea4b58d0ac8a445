"""Light that the model of an image leaves over: columns that nobody listed."""

from __future__ import annotations

import torch
from scipy.spatial import cKDTree

_SIGNIFICANT = 6.0  # standard errors of the amplitude
_CLEAR = 1.8  # sigma between a new column and any other: nearer, light left over is a wrong shape
_FAR = 3.5  # nearer than this many sigma, tails that no Gaussian has may look like a faint column,
_FLANK = 0.3  # so that it must have this part of the height of the column beside it
_OUTSIDE = 1.5  # sigma beyond the edge of the image that are looked at


def residual_peaks(
    force: torch.Tensor,
    weight: torch.Tensor,
    width: float,
    yx: torch.Tensor,
    amplitude: torch.Tensor,
    faintest: float,
) -> torch.Tensor:
    """Places where one more column would be significant.

    Parameters
    ----------
    force : Tensor, shape (H, W)
        Residual over its variance; 0 where not measured.
    weight : Tensor, shape (H, W)
        Inverse variance; 0 where not measured.
    width : float
        Sigma of a column [px].
    yx, amplitude : Tensor, shape (N, 2) and (N,)
        Columns in the model: positions [px] and peak heights.
    faintest : float
        Smallest amplitude that counts; fainter light is a matter of the shape of columns.

    Returns
    -------
    Tensor, shape (P, 2)
        Positions to about half a sigma [px]; some a little beyond the edge of
        the image, where the light of a column outside comes in.
    """
    cell = max(1, int(width / 1.4))
    sigma, pad = width / cell, int(_OUTSIDE * width / cell + 0.5)
    reach = int(3 * sigma + 0.5)
    offset = torch.arange(-reach, reach + 1, dtype=torch.float64)
    profile = torch.exp(-0.5 * (offset / sigma) ** 2).tolist()
    push, information = (
        _summed(_summed(torch.nn.functional.pad(_pooled(image, cell), (reach + pad,) * 4), taps).T, taps).T
        for image, taps in ((force, profile), (weight, [tap**2 for tap in profile]))
    )
    measured = information > 1e-4 * information.max()
    score = torch.where(measured, push / information.clamp(min=1e-30).sqrt(), 0.0)
    window = 2 * int(sigma + 0.5) + 1
    highest = _highest(_highest(score, window).T, window).T
    peak = (score == highest) & (score > _SIGNIFICANT) & (push > faintest * information)
    found = (torch.nonzero(peak).double() - pad) * cell + (cell - 1) / 2
    if len(found) and len(yx):
        apart, beside = cKDTree(yx.cpu().numpy()).query(found.cpu().numpy())
        apart, beside = torch.as_tensor(apart).to(found), torch.as_tensor(beside).to(yx.device)
        bright = (push / information.clamp(min=1e-30))[peak] > _FLANK * amplitude[beside]
        found = found[(apart > _CLEAR * width) & (bright | (apart > _FAR * width))]
    return found


def _pooled(image: torch.Tensor, cell: int) -> torch.Tensor:
    """Sums over cells of `cell` x `cell` pixels; those at the end may be smaller."""
    if cell == 1:
        return image
    image = torch.nn.functional.pad(image, (0, -image.shape[1] % cell, 0, -image.shape[0] % cell))
    rows = image[::cell].clone()
    for k in range(1, cell):
        rows += image[k::cell]
    total = rows[:, ::cell].clone()
    for k in range(1, cell):
        total += rows[:, k::cell]
    return total


def _summed(image: torch.Tensor, taps: list[float]) -> torch.Tensor:
    """Weighted sums down the rows, where all taps lie inside: a few long rows are faster shifted than convolved."""
    image = image.contiguous()
    length = len(image) - len(taps) + 1
    total = image[:length] * taps[0]
    for k, tap in enumerate(taps[1:], 1):
        total.add_(image[k : k + length], alpha=tap)
    return total


def _highest(image: torch.Tensor, window: int) -> torch.Tensor:
    """Largest values down the rows in an odd window."""
    half = window // 2
    padded = torch.nn.functional.pad(image.contiguous(), (0, 0, half, half), value=-torch.inf)
    highest = padded[: len(image)].clone()
    for k in range(1, window):
        torch.maximum(highest, padded[k : k + len(image)], out=highest)
    return highest
