"""Doubling of the unit cell, from positions.

Octahedra that turn by turns about the beam move the anions between them, and
through them the cations: neighboring cells shift oppositely, and the cell is
doubled. Only what projects is measured, see `octahedral_tilt`.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import correlate

from stemnet.columns import Columns
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.reference import Reference, reference_lattice
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError

DOUBLINGS = ((0.5, 0.5), (0.5, 0.0), (0.0, 0.5))


def cell_doubling(
    columns: Columns,
    lattice: Lattice | None = None,
    reference: Reference | None = None,
    *,
    wave_vector: tuple[float, float] = (0.5, 0.5),
) -> Descriptors:
    """Measure how far columns shift by turns from cell to cell.

    The order parameter of a wave vector q is the displacement times
    exp(2 pi i q . cell), here +1 and -1, averaged over the 3 x 3 cells around a
    column with weights 1/4, 1/2, 1/4 along each axis. Where the sign alternates
    these weights reject everything that varies linearly, so strain, drift and
    shifts of whole sublattices do not pass for it.

    Parameters
    ----------
    columns : Columns
        With ``sigma_y``, ``sigma_x`` [px] where errors are wanted.
    lattice : Lattice, optional
        Of the cell that is not doubled; found from the positions by default.
        Pass it where shifts are strong: the doubled cell is found then.
    reference : Reference, optional
        Cells already counted; instead of `lattice`.
    wave_vector : tuple of float
        In reciprocal vectors of the lattice: (1/2, 1/2), (1/2, 0) or (0, 1/2).

    Returns
    -------
    Descriptors
        ``doubling_y_A``, ``doubling_x_A`` (in px without a sampling): the
        amplitude of the shift, which changes sign across an antiphase boundary;
        ``doubling_A``: its component along the axis in which most columns of
        the sublattice shift, positive for most of them. Which sign of the
        vector belongs to which domain is arbitrary. With ``sigma_...`` for each
        where positions have errors. Valid where all nine columns are there.

    Raises
    ------
    StemnetError
        If the wave vector is another one, there are too few columns, or no
        lattice is found.
    """
    wave_vector = (float(wave_vector[0]), float(wave_vector[1]))
    if wave_vector not in DOUBLINGS:
        raise StemnetError(
            f"The wave vector {wave_vector} was asked for, which does not double a cell; choose one of "
            f"{', '.join(map(str, DOUBLINGS))}."
        )
    grains = reference or reference_lattice(columns, lattice)
    filters = [np.array([1, -2, 1] if q else [1, 2, 1]) / 4 * (-1 if q else 1) for q in wave_vector]
    kernel = filters[0][:, None] * filters[1]
    with_errors = "sigma_y" in columns and "sigma_x" in columns
    values = np.full((len(columns), 6 if with_errors else 3), np.nan)
    for g, s in np.unique(np.stack([grains.grain, grains.sublattice], 1)[grains.valid], axis=0):
        rows = np.nonzero((grains.grain == g) & (grains.sublattice == s))[0]
        cells = grains.cells[rows]
        sign = 1 - 2 * ((cells @ np.array([q > 0 for q in wave_vector])) % 2)
        order = _filtered(cells, grains.displacement[rows], kernel) * sign[:, None]
        axis = _main_axis(order)
        values[rows, :3] = np.column_stack([order, order @ axis])
        if with_errors:
            sigma = np.stack([columns["sigma_y"][rows], columns["sigma_x"][rows]], axis=1)
            variance = _filtered(cells, sigma**2, kernel**2)
            values[rows, 3:] = np.sqrt(np.column_stack([variance, variance @ axis**2]))
    unit, scale = ("px", 1.0) if columns.sampling is None else ("A", columns.sampling)
    names = tuple(f"doubling{part}_{unit}" for part in ("_y", "_x", ""))
    return table_with_errors(columns, values * scale, names, with_errors)


def table_with_errors(
    columns: Columns, values: np.ndarray, names: tuple[str, ...], with_errors: bool
) -> Descriptors:
    """Table of values (N, D) under these names, or the first half of them, where the second is their errors."""
    valid = np.isfinite(values).all(axis=1)
    names = names + (tuple(f"sigma_{name}" for name in names) if with_errors else ())
    return Descriptors(np.where(valid[:, None], values, np.nan), names, columns.yx, valid)


def _filtered(cells, vectors, kernel):
    """Weighted sums over the 3 x 3 cells around each column, (n, 2); NaN where one is missing."""
    at = tuple((cells - cells.min(axis=0)).T)
    grid = np.full((*(np.ptp(cells, axis=0) + 1), 2), np.nan)
    grid[at] = vectors
    return np.stack(
        [correlate(grid[..., i], kernel, mode="constant", cval=np.nan)[at] for i in (0, 1)], axis=1
    )


def _main_axis(order):
    """Unit vector along which most of the vectors (n, 2) lie, in the sense of most of them."""
    order = order[np.isfinite(order).all(axis=1)]
    axis = np.linalg.eigh(order.T @ order)[1][:, -1]
    return axis if np.median(order @ axis) >= 0 else -axis if len(order) else axis
