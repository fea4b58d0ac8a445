"""Patches that images have in common: on the disk that every rotation leaves, in units of each image's own contrast.

The mean level of a patch is what thickness and ground make, and the gain of an
image is the detector's; neither says what a column's surroundings are like. Both
are taken off, so that patches of many images can be pooled.
"""

from __future__ import annotations

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.neighbors import lattice_of, sublattice_of
from stemnet.descriptors.patches import column_patches
from stemnet.descriptors.table import Descriptors


def column_disks(
    columns: Columns, image: np.ndarray, size: int | None = None, center: int | None = None
) -> Descriptors:
    """Patches around columns, less their mean on the disk, over the root mean square of all.

    Parameters
    ----------
    columns : Columns
    image : ndarray, shape (H, W) or (T, H, W)
        As `stemnet.descriptors.patches.column_patches` takes it.
    size : int, optional
        Side of a patch [px]; by default three spacings.
    center : int, optional
        Describe the columns of this sublattice only; the others are masked.

    Returns
    -------
    Descriptors
        As `column_patches` gives them; zero outside of the disk.

    Raises
    ------
    StemnetError
        As `column_patches`.
    """
    table = column_patches(columns, image, size)
    side = round(table.values.shape[1] ** 0.5)
    axis = np.arange(side) - (side - 1) / 2
    inside = (np.hypot(*np.meshgrid(axis, axis, indexing="ij")) <= side / 2).ravel()
    valid = table.valid.copy()
    if center is not None and len(columns):
        valid &= sublattice_of(columns, lattice_of(columns)) == center
    values = np.full(table.values.shape, np.nan)
    rows = table.values[valid]
    rows = np.where(inside, rows - rows[:, inside].mean(axis=1, keepdims=True), 0.0)
    contrast = float(np.sqrt(np.mean(rows[:, inside] ** 2))) if len(rows) else 0.0
    values[valid] = rows / (contrast or 1.0)
    return Descriptors(values, table.names, table.yx, valid, row="patch")
