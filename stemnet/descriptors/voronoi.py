"""Voronoi cells: who is whose neighbor without any distance given, and how much room every column has.

The cell of a column is all that is nearer to it than to any other (G. Voronoi,
J. reine angew. Math. 134, 198, 1908); columns whose cells share a facet are
neighbors in the sense of Delaunay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import QhullError, Voronoi

from stemnet.columns import Columns
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError


@dataclass(frozen=True)
class Facets:
    """Facets of the Voronoi cells, every one twice: from either of its columns.

    Parameters
    ----------
    first, second : ndarray of int, shape (F,)
        Rows of the cell's own column and of the one beyond, by increasing `first`, then `second`.
    length : ndarray, shape (F,)
        [px]; infinite where the facet never ends.
    middle : ndarray, shape (F, 2)
        Of the facet [px].
    vectors : ndarray, shape (F, 2)
        From the first column to the second [px].
    complete : ndarray of bool, shape (N,)
        Cells that no column outside of the image could change.
    """

    first: np.ndarray
    second: np.ndarray
    length: np.ndarray
    middle: np.ndarray
    vectors: np.ndarray
    complete: np.ndarray

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sum over the facets of every cell, shape (N,), of a value for each, (F,)."""
        return np.bincount(self.first, values, len(self.complete))

    @property
    def share(self) -> np.ndarray:
        """Length as a part of the mean perimeter of the two cells, shape (F,); NaN at cells without end."""
        perimeter = self.sums(self.length)
        with np.errstate(invalid="ignore"):
            return 2 * self.length / (perimeter[self.first] + perimeter[self.second])


def voronoi_facets(columns: Columns) -> Facets:
    """Divide the plane between the columns of every frame.

    Parameters
    ----------
    columns : Columns

    Returns
    -------
    Facets

    Raises
    ------
    StemnetError
        If a frame has fewer than four columns, or all of them on a line.
    """
    n = len(columns)
    frame = np.asarray(columns["frame"]) if "frame" in columns else np.zeros(n, int)
    complete = np.zeros(n, bool)
    parts = []
    for number in np.unique(frame):
        rows = np.nonzero((frame == number) & np.isfinite(columns.yx).all(axis=1))[0]
        *part, complete[rows] = _of_frame(columns.yx[rows], columns.shape)
        parts.append((rows[part[0]], rows[part[1]], *part[2:]))
    if not parts:
        raise StemnetError(
            "No column was given; Voronoi cells need four or more. Lower the threshold of detection."
        )
    first, second, length, middle = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    vectors = columns.yx[second] - columns.yx[first]
    return Facets(first, second, length[order], middle[order], vectors, complete)


def _of_frame(yx, shape):
    """Rows of both columns, length and middle of every facet in both directions, and which cells are complete."""
    try:
        diagram = Voronoi(yx)
    except (QhullError, ValueError) as error:
        raise StemnetError(
            f"{len(yx)} columns were given that span no area; Voronoi cells need four or more that are not on one "
            "line. Use a larger field of view."
        ) from error
    pair, corner = np.asarray(diagram.ridge_points), np.asarray(diagram.ridge_vertices)
    ends = diagram.vertices[np.maximum(corner, 0)]
    endless = (corner < 0).any(axis=1)
    length = np.where(endless, np.inf, np.hypot(*(ends[:, 1] - ends[:, 0]).T))
    middle = np.where(endless[:, None], np.nan, ends.mean(axis=1))
    # a corner of a cell is as far from three columns: within that distance none may lie unseen
    radius = np.hypot(*(ends - yx[pair[:, 0], None]).transpose(2, 0, 1))
    low, high = -0.5, np.array(shape) - 0.5
    edge = np.minimum(ends - low, high - ends).min(axis=2)
    open_ = endless | (radius > edge).any(axis=1)
    complete = np.bincount(pair.ravel(), minlength=len(yx)) > 0
    complete[pair[open_].ravel()] = False
    first, second = np.concatenate([pair, pair[:, ::-1]]).T
    return first, second, np.tile(length, 2), np.tile(middle, (2, 1)), complete


def voronoi_area(columns: Columns, *, errors: bool = False) -> Descriptors:
    """Room that every column has.

    Parameters
    ----------
    columns : Columns
        With ``sublattice`` where it is known: columns are compared with those of
        their own; ``sigma_y``, ``sigma_x`` [px] where errors are wanted.
    errors : bool
        Add standard errors, which follow from those of the positions: the area
        of cell i changes by L / d (p_j - m) with its neighbor p_j, where L is
        the length of their facet, m its middle and d the distance of the two.

    Returns
    -------
    Descriptors
        ``area_A2`` (``area_px2`` where the sampling is unknown), and
        ``area_deviation_1``, over the median of the kind, less one; with errors
        ``sigma_area_A2``, ``sigma_area_deviation_1``. Valid where no column
        outside of the image could change the cell.

    Raises
    ------
    StemnetError
        If there are too few columns, or errors are asked for where positions have none.
    """
    facets = voronoi_facets(columns)
    scale, unit = (1.0, "px2") if columns.sampling is None else (columns.sampling**2, "A2")
    distance = np.hypot(*facets.vectors.T)
    bounded = np.isfinite(facets.length)
    area = facets.sums(np.where(bounded, facets.length * distance / 4, 0.0)) * scale
    kind = np.asarray(columns["sublattice"]) if "sublattice" in columns else np.zeros(len(columns), int)
    typical = np.full(len(columns), np.nan)
    for s in np.unique(kind):
        mine = (kind == s) & facets.complete
        if mine.any():
            typical[kind == s] = np.median(area[mine])
    values, names = [area, area / typical - 1], [f"area_{unit}", "area_deviation_1"]
    if errors:
        sigma = _area_error(columns, facets, distance) * scale
        values += [sigma, sigma / typical]
        names += [f"sigma_{name}" for name in names]
    table = np.stack(values, axis=1)
    table[~facets.complete] = np.nan
    return Descriptors(table, tuple(names), columns.yx, facets.complete)


def _area_error(columns, facets, distance):
    variance = position_variance(columns)
    bounded = np.isfinite(facets.length)
    beyond = columns.yx[facets.second] - np.where(bounded[:, None], facets.middle, 0.0)
    slope = np.where(bounded, facets.length / distance, 0.0)[:, None] * beyond
    own = np.stack([facets.sums(part) for part in slope.T], axis=1)
    total = facets.sums((slope**2 * variance[facets.second]).sum(axis=1)) + (own**2 * variance).sum(axis=1)
    return np.sqrt(total)


def position_variance(columns: Columns) -> np.ndarray:
    """Variances of y and x, shape (N, 2) [px^2].

    Raises
    ------
    StemnetError
        If the columns have no standard errors.
    """
    if "sigma_y" not in columns or "sigma_x" not in columns:
        raise StemnetError(
            "Errors were asked for, but the columns have no sigma_y and sigma_x; fit them, or use errors=false."
        )
    return np.stack([columns["sigma_y"], columns["sigma_x"]], axis=1).astype(float) ** 2
