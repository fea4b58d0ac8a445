"""Counting electrons: Poisson numbers from one normal number a pixel."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from scipy.interpolate import PchipInterpolator
from scipy.special import gammainc, gammaincc, ndtri
from torch import Tensor

FEW = 400.0
"""Expected counts below which the quantile is read from a table."""
STEPS = (1025, 513)
"""Grid of the table, over the fourth root of the expected counts and over the normal number."""
WIDEST = 5.6
"""Normal numbers beyond this are read at this: one in 5e7."""
FAINTEST = 1e-8
"""Expected counts of the table's first row, which never gives an electron."""


def poisson(expected: Tensor, normal: Tensor) -> Tensor:
    """Poisson counts, several times faster than rejection sampling and the same on every device.

    A count is the quantile of its Poisson law at the normal number's
    probability: the real number q that solves Gamma(q, expected) / Gamma(q) =
    Phi(normal), rounded down. From `FEW` electrons up q is the expansion of
    Giles, ACM Trans. Math. Softw. 42, 7 (2016), to the order 1 / expected;
    below it is interpolated in a table. What results differs from the Poisson
    law by less than 5e-5 in total variation.

    Parameters
    ----------
    expected : Tensor
        Electrons; negative values count as zero.
    normal : Tensor
        Standard normal numbers of the same shape.

    Returns
    -------
    Tensor
        Whole numbers, float32.
    """
    mean = expected.clamp_min(0)
    if not mean.numel() or float(mean.min()) >= FEW:
        return expanded(mean, normal)
    if float(mean.max()) < FEW:
        return tabulated(mean, normal)
    # Torch's `where` is ten times slower than two products.
    few = torch.empty_like(mean)
    torch.lt(mean, FEW, out=few)
    return tabulated(mean, normal) * few + expanded(mean, normal) * (1 - few)


def expanded(mean: Tensor, normal: Tensor) -> Tensor:
    """Counts from the asymptotic quantile, for means of `FEW` and more."""
    root = mean.clamp_min(FEW).sqrt()
    square = normal * normal
    quantile = mean + root * normal + (square / 6 + 1 / 3)
    quantile = quantile - normal * (square + 2) / (72 * root)
    quantile = quantile + (square * (square + 7 / 3) / 270 - 8 / 405) / (root * root)
    return quantile.floor_().clamp_min_(0)


def tabulated(mean: Tensor, normal: Tensor) -> Tensor:
    """Counts from the table of quantiles, for means up to `FEW`."""
    first, last = FAINTEST**0.25, FEW**0.25
    place = torch.empty(1, 1, mean.numel(), 2, device=mean.device)
    place[0, 0, :, 0] = normal.reshape(-1) / WIDEST
    place[0, 0, :, 1] = (mean.sqrt().sqrt_().reshape(-1) - (last + first) / 2) * (2 / (last - first))
    read = torch.nn.functional.grid_sample(
        _quantiles(mean.device)[None, None],
        place,
        mode="bilinear",
        padding_mode="border",
        align_corners=True,
    )
    return read.floor_().reshape(mean.shape)


@lru_cache(maxsize=4)
def _quantiles(device: torch.device) -> Tensor:
    """Real quantiles over (fourth root of the mean, normal number), float32."""
    roots = np.linspace(FAINTEST**0.25, FEW**0.25, STEPS[0])
    normals = np.linspace(-WIDEST, WIDEST, STEPS[1])
    table = np.empty(STEPS)
    near_nothing = np.geomspace(1e-9, 0.2, 120)
    for row, mean in zip(table, roots**4, strict=True):
        # Dense where the law is, out to where it holds less than 1e-8.
        low, high = mean - 6.5 * np.sqrt(mean), mean + 6.5 * np.sqrt(mean) + 12
        counts = np.linspace(max(low, 0.21), high, 500)
        counts = counts if low > 0.21 else np.concatenate([near_nothing, counts])
        below, above = gammaincc(counts, mean), gammainc(counts, mean)
        with np.errstate(divide="ignore"):
            at = np.where(below < 0.5, ndtri(below), -ndtri(above))
        at, known = at[np.isfinite(at)], counts[np.isfinite(at)]
        rising = np.diff(at, prepend=-np.inf) > 1e-12
        row[:] = PchipInterpolator(at[rising], known[rising])(normals)
    return torch.as_tensor(table.clip(0), dtype=torch.float32, device=device)
