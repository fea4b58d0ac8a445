"""How far columns are off their lattice at random: errors of position, static disorder and jitter of the scan together.

The middle of two opposite neighbors is where a column of a lattice stands,
however the lattice is strained. What columns are off it by is what strain and
error bars have to reckon with; the fit of the image knows of its own part only.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from stemnet.columns import Columns
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.neighbors import neighbor_vectors, sublattice_of

ENOUGH = 12
"""Columns of a sublattice from which a scatter is told."""
SHARE = 1.5
"""Variance of a column against the middle of two others, in that of one."""


def position_scatter(columns: Columns, lattice: Lattice) -> np.ndarray:
    """Scatter of columns about the middle of opposite neighbors, by sublattice.

    Parameters
    ----------
    columns : Columns
        With ``sublattice`` where it is known.
    lattice : Lattice

    Returns
    -------
    ndarray, shape (N, 2)
        Standard deviation of a column along y and x [px], the same for all of a
        sublattice, by the median of absolute values; NaN where there are too few.
    """
    n = len(columns)
    label = sublattice_of(columns, lattice)
    frame = {"frame": columns["frame"]} if "frame" in columns else {}
    bare = Columns(columns.yx, columns.shape, None, {"sublattice": label, **frame})
    table = neighbor_vectors(bare, lattice=lattice)
    vectors = table.values.reshape(n, lattice.k, 2)
    opposite = _pairs(lattice.template)
    middle = np.stack([(vectors[:, i] + vectors[:, j]) / 2 for i, j in opposite], axis=1)
    result = np.full((n, 2), np.nan)
    for s in np.unique(label[label >= 0]):
        off = middle[(label == s) & table.valid].reshape(-1, 2)
        if len(off) >= ENOUGH * len(opposite):
            result[label == s] = np.median(np.abs(off), axis=0) / (norm.ppf(0.75) * np.sqrt(SHARE))
    return result


def _pairs(template: np.ndarray) -> list[tuple[int, int]]:
    """Which of the vectors (k, 2) are opposite to each other."""
    apart = np.hypot(*(template[:, None] + template).T)
    return [(i, int(j)) for i, j in enumerate(apart.argmin(axis=0)) if i < j]
