"""Vegard's law: strain against composition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError


@dataclass(frozen=True)
class Vegard:
    """A line through strain against composition: strain = intercept + slope x composition.

    Parameters
    ----------
    slope, intercept : float
        Strain per unit of composition, and strain at composition 0.
    slope_error, intercept_error : float
        Standard errors.
    count : int
        Columns that the line went through.
    """

    slope: float
    intercept: float
    slope_error: float
    intercept_error: float
    count: int


def vegard(
    table: Descriptors,
    composition: np.ndarray,
    *,
    name: str = "dilatation",
    together: float | None = None,
) -> Vegard:
    """Fit strain against local composition by a line (Vegard's law).

    Strain that composition does not explain is smooth, so pairs of near columns
    are counted as dependent (T. G. Conley, J. Econometrics 92, 1, 1999).
    Errors of position, on the contrary, cancel between columns that share
    neighbors; that is not counted on: standard errors are never below those of
    independent columns, and too large where noise of positions is all there is.

    Parameters
    ----------
    table : Descriptors
        From `strain`.
    composition : ndarray, shape (N,)
        Of every column, taken as exact; NaN where it is unknown. Where it varies
        from cell to cell the slope comes out low: strain spans two cells.
    name : str
        Which strain; half the slope of ``dilatation`` is the linear expansion
        of a layer free in its plane.
    together : float, optional
        Distance within which columns are dependent [px]; by default five times
        that of nearest columns.

    Returns
    -------
    Vegard

    Raises
    ------
    StemnetError
        If the table lacks that strain, the lengths differ, or fewer than three
        compositions are known.
    """
    if name not in table.names:
        raise StemnetError(f"The table has no '{name}'; choose one of {', '.join(table.names)}.")
    composition = np.asarray(composition, dtype=float)
    if composition.shape != (len(table),):
        raise StemnetError(
            f"{composition.shape} compositions came for {len(table)} columns; give one for each."
        )
    rows = np.nonzero(table.valid & np.isfinite(composition))[0]
    if len(np.unique(composition[rows])) < 3:
        raise StemnetError(
            f"{len(rows)} columns have both strain and composition, with {len(np.unique(composition[rows]))} different "
            "compositions; a slope needs three or more. Measure composition from intensities in a wider region."
        )
    yx, y = table.yx[rows], table.values[rows, table.names.index(name)]
    design = np.stack([np.ones(len(rows)), composition[rows]], axis=1)
    inverse = np.linalg.inv(design.T @ design)
    intercept, slope = inverse @ design.T @ y
    tree = cKDTree(yx)
    radius = together or 5 * float(np.median(tree.query(yx, k=2)[0][:, 1]))
    pull = design * (y - intercept - slope * composition[rows])[:, None]
    first, second = tree.query_pairs(radius, output_type="ndarray").T
    cross = pull[first].T @ pull[second]
    apart = np.diag(inverse @ pull.T @ pull @ inverse)
    error = np.sqrt(np.maximum(apart, apart + 2 * np.diag(inverse @ cross @ inverse)))
    return Vegard(float(slope), float(intercept), float(error[1]), float(error[0]), len(rows))
