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
    cell = max(1, int(width / 1.5))
    sigma, pad = width / cell, int(_OUTSIDE * width / cell + 0.5)
    over = torch.nn.functional.pad(
        torch.stack([force, weight])[None], (0, -force.shape[1] % cell, 0, -force.shape[0] % cell)
    )
    pooled = torch.nn.functional.avg_pool2d(over, cell)[0] * cell**2
    reach = int(3 * sigma + 0.5)
    offset = torch.arange(-reach, reach + 1, device=force.device, dtype=force.dtype)
    profile = torch.exp(-0.5 * (offset / sigma) ** 2)
    seen = torch.nn.functional.pad(pooled, (reach + pad,) * 4)[:, None]
    parts = []
    for k in (0, 1):
        kernel = profile ** (k + 1)
        down = torch.nn.functional.conv2d(seen[k : k + 1], kernel[None, None, :, None])
        parts.append(torch.nn.functional.conv2d(down, kernel[None, None, None, :])[0, 0])
    push, information = parts
    measured = information > 1e-4 * information.max()
    score = torch.where(measured, push / information.clamp(min=1e-30).sqrt(), 0.0)
    window = 2 * int(sigma + 0.5) + 1
    highest = torch.nn.functional.max_pool2d(score[None], window, 1, window // 2)[0]
    peak = (score == highest) & (score > _SIGNIFICANT) & (push > faintest * information)
    found = (torch.nonzero(peak).double() - pad) * cell + (cell - 1) / 2
    if len(found) and len(yx):
        apart, beside = cKDTree(yx.cpu().numpy()).query(found.cpu().numpy())
        apart, beside = torch.as_tensor(apart).to(found), torch.as_tensor(beside).to(yx.device)
        bright = (push / information.clamp(min=1e-30))[peak] > _FLANK * amplitude[beside]
        found = found[(apart > _CLEAR * width) & (bright | (apart > _FAR * width))]
    return found
