"""How many neighbors a column has, and how far they are."""

from __future__ import annotations

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.bonds import find_bonds
from stemnet.descriptors.table import Descriptors
from stemnet.descriptors.voronoi import position_variance


def coordination(
    columns: Columns,
    *,
    neighbors: str = "radius",
    k: int = 6,
    radius: float | None = None,
    errors: bool = False,
) -> Descriptors:
    """Count neighbors and measure their bonds.

    Parameters
    ----------
    columns : Columns
        With ``sigma_y``, ``sigma_x`` [px] where errors are wanted.
    neighbors, k, radius
        As in `find_bonds`.
    errors : bool
        Add the standard error of the mean length.

    Returns
    -------
    Descriptors
        ``coordination_1``, the number of neighbors; ``effective_coordination_1``,
        in which longer bonds count less, as in R. Hoppe, Z. Kristallogr. 150, 23
        (1979); ``length_A`` and ``length_spread_A``, mean and standard deviation of
        the bonds' lengths (px where the sampling is unknown); with errors
        ``sigma_length_A``. Valid where no neighbor may lie outside of the image;
        without a neighbor, lengths are not known and the row is not valid.

    Raises
    ------
    StemnetError
        If an option does not exist, there are too few columns, or positions have no errors.
    """
    bonds = find_bonds(columns, neighbors, k=k, radius=radius)
    scale, unit = (1.0, "px") if columns.sampling is None else (columns.sampling, "A")
    counts = bonds.counts
    length = np.hypot(*bonds.vectors.T)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = bonds.sums(length) / counts
        spread = np.sqrt(bonds.sums((length - mean[bonds.first]) ** 2) / counts)
        values = [counts, _effective(bonds, length), mean * scale, spread * scale]
        names = ["coordination_1", "effective_coordination_1", f"length_{unit}", f"length_spread_{unit}"]
        if errors:
            variance = position_variance(columns)
            slope = bonds.vectors / (length * counts[bonds.first])[:, None]
            own = np.stack([bonds.sums(axis) for axis in slope.T], axis=1)
            total = bonds.sums((slope**2 * variance[bonds.second]).sum(axis=1))
            values.append(np.sqrt(total + (own**2 * variance).sum(axis=1)) * scale)
            names.append(f"sigma_length_{unit}")
    valid = bonds.complete & (counts > 0)
    table = np.stack(values, axis=1).astype(float)
    table[~valid] = np.nan
    return Descriptors(table, tuple(names), columns.yx, valid)


def _effective(bonds, length):
    """Hoppe's effective coordination number of every column, (N,)."""
    least = np.full(len(bonds.complete), np.inf)
    np.minimum.at(least, bonds.first, length)
    weight = np.exp(1 - (length / least[bonds.first]) ** 6)
    typical = bonds.sums(length * weight) / bonds.sums(weight)
    return bonds.sums(np.exp(1 - (length / typical[bonds.first]) ** 6))
