"""How far the atoms of one column are spread in projection: what tilts, mistilt and heat do to its width."""

from __future__ import annotations

import numpy as np

from stemnet.simulation.specimen import Specimen

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


def pieces(
    specimen: Specimen, step: float = 0.5, least: float = 0.02
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stand-ins for spread columns, for a renderer that draws all columns of one width.

    A column that is spread becomes a small lattice of equal pieces along its principal
    axes, with its own mean and its own variances. They are something to draw;
    the truth is the column.

    Parameters
    ----------
    specimen : Specimen
    step : float
        Pieces are no further apart than this [A], so that a probe does not
        resolve them; there are at least two along an axis that is spread.
    least : float
        An axis with less spread than this counts as sharp [A].

    Returns
    -------
    rows : ndarray of int, shape (M,)
        The column that each piece belongs to.
    offsets : ndarray, shape (M, 2)
        From the column to the piece [A].
    shares : ndarray, shape (M,)
        Of the column's brightness; those of a column add up to 1.
    """
    rows, offsets, shares = np.arange(len(specimen)), np.zeros((len(specimen), 2)), np.ones(len(specimen))
    if not any(name in specimen.planted for name in SPREAD):
        return rows, offsets, shares
    variances, axes = np.linalg.eigh(spread_of(specimen))
    sigma = np.sqrt(np.maximum(variances, 0))
    for axis in (0, 1):
        wide = sigma[rows, axis] > least
        if not wide.any():
            continue
        # A row of n pieces a distance d apart has a variance of d^2 (n^2 - 1) / 12.
        count = max(2, int(np.ceil(np.sqrt(1 + 12 * (sigma[:, axis].max() / step) ** 2))))
        places = (np.arange(count) - (count - 1) / 2) * np.sqrt(12 / (count**2 - 1))
        split = rows[wide]
        along_axis = (sigma[split, axis, None] * axes[split, :, axis])[:, None] * places[:, None]
        rows = np.concatenate([rows[~wide], np.repeat(split, count)])
        offsets = np.concatenate([offsets[~wide], (offsets[wide][:, None] + along_axis).reshape(-1, 2)])
        shares = np.concatenate([shares[~wide], np.repeat(shares[wide] / count, count)])
    return rows, offsets, shares
