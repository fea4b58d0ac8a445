"""How far the atoms of one column are spread in projection: what tilts, mistilt and heat do to its width."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stemnet.simulation.specimen import Specimen, joined

SPREAD = ("spread_yy_A2", "spread_xx_A2", "spread_yx_A2")
"""Planted variances of a column's atoms about its position, in projection; mechanisms add up."""


def spread_of(specimen: Specimen) -> np.ndarray:
    """The planted spread of every column, (N, 2, 2) [A^2] in (y, x); 0 where none was planted."""
    zero = np.zeros(len(specimen))
    # Columns that were joined on from a part without any are NaN.
    yy, xx, yx = (np.nan_to_num(specimen.planted.get(name, zero)) for name in SPREAD)
    return np.stack([np.stack([yy, yx], -1), np.stack([yx, xx], -1)], -2)


def widened(specimen: Specimen, variance: np.ndarray) -> Specimen:
    """Add a variance (N, 2, 2) [A^2] to the spread of the columns; no column moves."""
    total = spread_of(specimen) + variance
    return specimen.with_planted(
        spread_yy_A2=total[:, 0, 0], spread_xx_A2=total[:, 1, 1], spread_yx_A2=total[:, 0, 1]
    )


def along(vectors: np.ndarray) -> np.ndarray:
    """The variance of atoms at plus and minus these vectors (N, 2) [A], (N, 2, 2) [A^2]."""
    return vectors[:, :, None] * vectors[:, None, :]


def split_for_rendering(specimen: Specimen, step: float = 0.5, least: float = 0.02) -> Specimen:
    """Draw each spread column as a short row of thin ones, for a renderer that knows round columns only.

    The row lies along the widest direction and has the column's spread in that
    direction; its pieces share the thickness evenly. It is no truth: the columns of
    the specimen that came in are.

    Parameters
    ----------
    specimen : Specimen
    step : float
        Pieces are no further apart than this [A]; two make the least row.
    least : float
        Columns spread less than this stay whole [A].

    Returns
    -------
    Specimen
    """
    variances, axes = np.linalg.eigh(spread_of(specimen))
    sigma = np.sqrt(np.maximum(variances[:, 1:], 0))
    wide = sigma[:, 0] > least
    if not wide.any():
        return specimen
    # A row of n pieces a distance d apart has a variance of d^2 (n^2 - 1) / 12.
    count = max(2, int(np.ceil(np.sqrt(1 + 12 * (sigma.max() / step) ** 2))))
    places = (np.arange(count) - (count - 1) / 2) * np.sqrt(12 / (count**2 - 1))
    rows = replace(specimen.select(wide), vacant=None)
    rows = replace(rows, thickness=rows.thickness / count)
    whole = replace(specimen.select(~wide), vacant=None)
    for place in places:
        whole = joined(whole, rows.displaced(place * (sigma * axes[:, :, 1])[wide]))
    return replace(whole, vacant=specimen.vacant)
