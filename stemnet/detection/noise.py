"""Noise of an image, learned from the image itself.

Electron counts, scaled counts and gray values with an offset all obey one
law: the variance is a straight line in the mean, ``v = a + b m`` (Poisson
counts with gain b; a holds offset and read noise).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from stemnet.detection.column_model import Tiles, membership, moments


def _cross_mean(image: torch.Tensor) -> torch.Tensor:
    """Mean of the four neighbors of every inner pixel, shape (..., H - 2, W - 2)."""
    sides = image[..., :-2, 1:-1] + image[..., 2:, 1:-1] + image[..., 1:-1, :-2] + image[..., 1:-1, 2:]
    return sides / 4


def _inner(mask: torch.Tensor) -> torch.Tensor:
    """Inner pixels that are measured together with their four neighbors."""
    whole = mask[..., 1:-1, 1:-1] & mask[..., :-2, 1:-1] & mask[..., 2:, 1:-1]
    return whole & mask[..., 1:-1, :-2] & mask[..., 1:-1, 2:]


def pixel_variance(patches: torch.Tensor, mask: torch.Tensor) -> float:
    """Variance of the noise of one pixel of patches (S, h, w), from its difference to its neighbors (median)."""
    difference = (patches[..., 1:-1, 1:-1] - _cross_mean(patches))[_inner(mask)]
    if not len(difference):
        return 0.0
    return float((1.4826 * difference.abs().median()) ** 2 / 1.25)


def variance_line(residual: torch.Tensor, model: torch.Tensor, mask: torch.Tensor) -> tuple[float, float]:
    """Offset a and slope b of the noise variance ``a + b model``.

    Residuals are high-passed (a pixel minus its four neighbors) before they
    are squared: noise is left almost whole, whereas a missing column or a
    wrong column shape, smooth over pixels, is left out.

    Parameters
    ----------
    residual, model : Tensor, shape (S, h, w)
        Image minus model, and model, in patches of the image.
    mask : Tensor of bool, shape (S, h, w)
        Pixels that are measured.

    Returns
    -------
    tuple of float
        a and b; b is never negative, and ``a + b model`` never for the
        models seen.
    """
    inner = _inner(mask)
    if not inner.any():
        return (float((residual[mask] ** 2).mean()) if mask.any() else 0.0), 0.0
    square = ((residual[..., 1:-1, 1:-1] - _cross_mean(residual)) ** 2)[inner] / 1.25
    # the high-passed variance mixes the pixel and a sixteenth of each of its neighbors
    mean = ((model[..., 1:-1, 1:-1] + _cross_mean(model) / 4) / 1.25)[inner]
    if len(square) < 32:
        return (float(square.mean()) if len(square) else 0.0), 0.0
    mean, order = torch.sort(mean)
    square = square[order].double()
    edges = torch.cat([torch.linspace(0, 0.9, 19)[:-1], torch.linspace(0.9, 1, 11)])
    edges = (edges * len(mean)).long()
    count = torch.diff(edges).double().to(mean.device)

    def by_bin(values: torch.Tensor) -> torch.Tensor:
        total = torch.nn.functional.pad(torch.cumsum(values.double(), 0), (1, 0))
        return torch.diff(total[edges.to(values.device)]) / count.clamp(min=1)

    mean_of, square_of = by_bin(mean), by_bin(square)
    filled = count > 0
    m, v, number = (x[filled].cpu().numpy() for x in (mean_of, square_of, count))
    predicted = np.full_like(v, v.mean())
    offset, slope = float(v.mean()), 0.0
    if offset <= 0:
        return 0.0, 0.0
    for _ in range(4):
        # squares of few counts scatter far more than those of a Gaussian: the fourth moment of Poisson counts
        scatter = 2 * predicted**2 + slope**2 * predicted
        weight = number / np.maximum(scatter, 1e-12 * v.max() ** 2)
        center = np.average(m, weights=weight)
        spread = np.average((m - center) ** 2, weights=weight)
        level = np.average(v, weights=weight)
        slope = max(0.0, np.average((m - center) * v, weights=weight) / spread) if spread > 0 else 0.0
        offset = level - slope * center
        predicted = np.maximum(offset + slope * m, 0.1 * v.min())
    return float(offset), float(slope)


@dataclass(frozen=True)
class Correlation:
    """Factors by which correlated noise inflates variances over those of white noise; at least 1."""

    position: float = 1.0
    amplitude: float = 1.0
    shape: float = 1.0


def correlation_factors(
    tiles: Tiles, whitened: torch.Tensor, width: float, probes: int = 3000
) -> Correlation:
    """How much correlated noise inflates the variances of what is fitted to a column.

    The residuals are looked at through a column, through its derivative along
    an axis, and through the difference of its second derivatives.

    Parameters
    ----------
    tiles : Tiles
    whitened : Tensor, shape (tiles, T, T)
        Residuals over their standard deviation per pixel; 0 where there is no measurement.
    width : float
        Sigma of a column [px].
    probes : int
        Number of places where the residuals are looked at.

    Returns
    -------
    Correlation
    """
    height, breadth = tiles.shape
    nth = torch.arange(probes, dtype=torch.float64, device=whitened.device)
    # an additive recurrence covers the image evenly and agrees with no lattice (R2 sequence, M. Roberts 2018)
    yx = torch.stack(
        [nth * 0.7548776662466927 % 1 * (height - 1), nth * 0.5698402909980532 % 1 * (breadth - 1)], 1
    )
    sigma = torch.full((probes,), float(width), dtype=torch.float64, device=whitened.device)
    seen = moments(membership(tiles, yx, 3.5 * sigma), whitened, yx, sigma, 3)
    measured = (whitened != 0).float()
    half = sigma / 2**0.5
    expected = moments(membership(tiles, yx, 3.5 * half), measured, yx, half, 5)
    whole = expected[:, 0, 0] > 0.9 * torch.pi * width**2
    if whole.sum() < 30:
        return Correlation()
    seen, expected = seen[whole], expected[whole]
    position = torch.cat(
        [seen[:, 1, 0] / (expected[:, 2, 0] / 2).sqrt(), seen[:, 0, 1] / (expected[:, 0, 2] / 2).sqrt()]
    )
    amplitude = seen[:, 0, 0] / expected[:, 0, 0].sqrt()
    fourth = expected[:, 4, 0] - 2 * expected[:, 2, 2] + expected[:, 0, 4]
    shape = torch.cat(
        [
            (seen[:, 2, 0] - seen[:, 0, 2]) / (fourth / 4).clamp(min=1e-30).sqrt(),
            seen[:, 1, 1] / (expected[:, 2, 2] / 4).clamp(min=1e-30).sqrt(),
        ]
    )
    factors = (float((1.4826 * x.abs().median()) ** 2) for x in (position, amplitude, shape))
    return Correlation(*(max(1.0, factor) for factor in factors))
