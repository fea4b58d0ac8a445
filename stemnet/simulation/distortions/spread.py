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
    yy, xx, yx = (np.asarray(specimen.planted.get(name, zero)) for name in SPREAD)
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


def split_for_rendering(specimen: Specimen, least: float = 0.02) -> Specimen:
    """Draw each spread column as two of half its thickness, for a renderer that knows round columns only.

    The pair stands along the widest direction, a standard deviation to either
    side, and has the spread of the column in that direction. It is no truth:
    the columns of the specimen that came in are.

    Parameters
    ----------
    specimen : Specimen
    least : float
        Columns spread less than this stay whole [A].

    Returns
    -------
    Specimen
    """
    variances, axes = np.linalg.eigh(spread_of(specimen))
    wide = variances[:, 1] > least**2
    if not wide.any():
        return specimen
    step = np.where(wide, np.sqrt(np.maximum(variances[:, 1], 0)), 0.0)[:, None] * axes[:, :, 1]
    halved = replace(specimen, thickness=np.where(wide, 0.5, 1.0) * specimen.thickness, vacant=None)
    pair = joined(halved.displaced(step), halved.displaced(-step).select(wide))
    return replace(pair, vacant=specimen.vacant)
