"""How columns stand to their nearest neighbors, in a few numbers that need no lattice.

Bond-orientational order is that of D. R. Nelson and B. I. Halperin, Physical
Review B 19, 2457 (1979): |psi| tells order from disorder, its phase the
orientation.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from stemnet.columns import Columns
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError


def nearest_bonds(columns: Columns, k: int = 6) -> Descriptors:
    """Length, its spread, and the orientation of the bonds to the k nearest neighbors.

    Parameters
    ----------
    columns : Columns
        Of one frame; positions and, where present, ``intensity``.
    k : int
        Neighbors; the orientation repeats every 360 / k degrees.

    Returns
    -------
    Descriptors
        ``length``, ``length_spread`` (standard deviation over the k) in
        angstrom where the sampling is known, else px; ``order_cos_1``,
        ``order_sin_1``, the mean of exp(i k angle); ``intensity_1``, over the
        median of all. Columns nearer to the edge than to their k-th neighbor
        are not valid.

    Raises
    ------
    StemnetError
        If there are no more than k columns, or those of several frames.
    """
    if len(columns) <= k or k < 2:
        raise StemnetError(
            f"{len(columns)} columns were given for {k} neighbors each; at least {max(k, 2) + 1} are needed. "
            "Use a larger field of view or fewer neighbors."
        )
    if "frame" in columns and len(np.unique(columns["frame"])) > 1:
        raise StemnetError(
            f"Columns of {len(np.unique(columns['frame']))} frames were given; neighbors are those of one frame. "
            "Select the columns of one frame."
        )
    distance, neighbor = cKDTree(columns.yx).query(columns.yx, k=k + 1)
    bond = columns.yx[neighbor[:, 1:]] - columns.yx[:, None]
    length = distance[:, 1:] * (columns.sampling or 1.0)
    order = np.exp(1j * k * np.arctan2(bond[..., 0], bond[..., 1])).mean(axis=1)
    values = [length.mean(axis=1), length.std(axis=1), order.real, order.imag]
    unit = "px" if columns.sampling is None else "A"
    names = [f"length_{unit}", f"length_spread_{unit}", "order_cos_1", "order_sin_1"]
    if "intensity" in columns:
        intensity = np.asarray(columns["intensity"], dtype=np.float64)
        typical = float(np.nanmedian(np.abs(intensity)))
        values.append(intensity / (typical or 1.0))
        names.append("intensity_1")
    margin = np.minimum(columns.yx + 0.5, np.array(columns.shape) - 0.5 - columns.yx).min(axis=1)
    table = np.stack(values, axis=1)
    valid = (margin >= distance[:, -1]) & np.isfinite(table).all(axis=1)
    table[~valid] = np.nan
    return Descriptors(table, tuple(names), columns.yx, valid)
