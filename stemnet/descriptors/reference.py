"""The lattice that each grain would have without what happens locally: where columns should be.

A plane through the positions is not enough for that: false columns, defects and
a second domain pull at it, and a scan that drifts ever faster bends it. The fit
weighs columns down that lie off it, and may be of second order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from stemnet.columns import Columns
from stemnet.descriptors.autocorrelation import MIN_COLUMNS
from stemnet.descriptors.indices import lattice_indices, sublattice_offsets
from stemnet.descriptors.lattice import Lattice, column_spacing, find_lattice
from stemnet.descriptors.sublattices import assign_sublattices
from stemnet.errors import StemnetError

FEWEST = 6  # columns of the first grain, whose fit has a parameter each
SMALLEST_GRAIN = 24  # columns of any other: what is left along edges and defects shall not pass for grains
ORDERS = (0, 1, 2)
HUBER, TUKEY = 1.345, 4.685  # 95 % efficient on Gaussian errors
STEPS = 15  # of Huber's weights, which converge from anywhere, then of Tukey's, which forget outliers


@dataclass(frozen=True)
class Reference:
    """An ideal place for every column, and the lattices that it is taken from.

    Parameters
    ----------
    ideal : ndarray, shape (N, 2)
        Places of the columns in the fitted lattice [px]; NaN outside all grains.
    displacement : ndarray, shape (N, 2)
        Actual less ideal place [px]; NaN outside all grains.
    grain : ndarray of int, shape (N,)
        0 to G - 1, -1 where a column belongs to none, or a nearer one has its place.
    cells : ndarray of int, shape (N, 2)
        Cell of each column along the vectors of its grain; -1, -1 outside all grains.
    sublattice : ndarray of int, shape (N,)
        Place in the cell, in each grain the brightest 0; -1 outside all grains.
    fitted : ndarray of bool, shape (N,)
        Whether the column had a say; outliers have none.
    vectors : ndarray, shape (G, 2, 2)
        Lattice vectors a and b at the center of each grain, rows (y, x) [px].
    spread : ndarray, shape (G,)
        Robust standard deviation of the displacements, per axis [px].
    """

    ideal: np.ndarray
    displacement: np.ndarray
    grain: np.ndarray
    cells: np.ndarray
    sublattice: np.ndarray
    fitted: np.ndarray
    vectors: np.ndarray
    spread: np.ndarray

    def __len__(self) -> int:
        return len(self.ideal)

    @property
    def valid(self) -> np.ndarray:
        """Which columns have an ideal place, shape (N,)."""
        return self.grain >= 0

    def rows(self, grain: int) -> np.ndarray:
        """Row numbers of the columns of one grain."""
        return np.nonzero(self.grain == grain)[0]


def reference_lattice(columns: Columns, lattice: Lattice | None = None, *, order: int = 1) -> Reference:
    """Fit a lattice to each connected grain of an image, robustly.

    Every sublattice has an origin of its own, so that neither a polar shift nor
    a displaced kind of column bends the lattice. Weights are iterated from
    Huber's to Tukey's (P. J. Huber and E. M. Ronchetti, Robust Statistics,
    Wiley 2009, chapter 7).

    Parameters
    ----------
    columns : Columns
        With ``intensity`` where it is known, and ``frame`` where there are
        several. Sublattices are found anew: the field may number kinds of
        column that sit twice in the cell, such as the oxygen of a perovskite.
    lattice : Lattice, optional
        Of the first grain; found from the positions by default, as those of
        further grains always are.
    order : int
        0: the lattice is taken as it is, and shifted only. 1: its vectors are
        fitted. 2: they may also change linearly over the grain, as under a
        drift that grows during the scan.

    Returns
    -------
    Reference

    Raises
    ------
    StemnetError
        If the order is another one, there are too few columns, or no lattice is found.
    """
    if order not in ORDERS:
        raise StemnetError(f"A reference of order {order!r} was asked for; choose 0, 1 or 2.")
    if len(columns) < MIN_COLUMNS:
        raise StemnetError(
            f"{len(columns)} columns were found; a reference lattice needs {MIN_COLUMNS} or more. Use an image of a "
            "larger field of view, or lower the threshold of detection."
        )
    n = len(columns)
    ideal, grain = np.full((n, 2), np.nan), np.full(n, -1)
    cells, label, fitted = np.full((n, 2), -1), np.full(n, -1), np.zeros(n, bool)
    vectors: list[np.ndarray] = []
    spread: list[float] = []
    frame = columns["frame"] if "frame" in columns else np.zeros(n, int)
    for number in np.unique(frame):
        rest = np.nonzero((frame == number) & np.isfinite(columns.yx).all(axis=1))[0]
        own, least = lattice, FEWEST
        while len(rest) >= MIN_COLUMNS:
            found = _next_grain(columns.select(rest), own, least)
            if found is None:
                break
            known, its_label, its_cells, start = found
            rows = rest[known]
            if _among(columns.yx[rows], columns.yx[(frame == number) & (grain >= 0)]):
                break
            cells[rows], label[rows] = its_cells[known], its_label[known]
            place, lattice_vectors, width, weight = fit_lattice(
                columns.yx[rows], cells[rows], label[rows], start, order
            )
            alone = _nearest_of_each_place(cells[rows], label[rows], columns.yx[rows] - place)
            ideal[rows], grain[rows], fitted[rows] = place, len(vectors), weight > 0
            for values, unknown in ((ideal, np.nan), (grain, -1), (cells, -1), (label, -1), (fitted, False)):
                values[rows[~alone]] = unknown
            vectors.append(lattice_vectors)
            spread.append(width)
            rest, own, least = rest[~known], None, SMALLEST_GRAIN
    if not vectors:
        raise StemnetError(
            f"The {n} columns follow no lattice; a reference needs a crystal of {MIN_COLUMNS} columns or more. "
            "Check the columns on the image, or pass lattice=."
        )
    return Reference(
        ideal, columns.yx - ideal, grain, cells, label, fitted, np.array(vectors), np.array(spread)
    )


def _next_grain(part, lattice, least):
    """Known columns (n,), sublattice (n,), cells (n, 2) and vectors of the largest grain; None where there is none."""
    lattice = lattice or find_lattice(part.yx, part.fields.get("intensity"))
    if lattice is None:
        return None
    part = part.with_fields(sublattice=assign_sublattices(part, lattice))
    cells = lattice_indices(part, lattice)
    known = cells[:, 0] >= 0
    flat = not known.any() or (np.ptp(cells[known], axis=0) == 0).any()
    if flat or known.sum() < least:
        return None
    return known, part["sublattice"], cells, lattice.vectors


def _among(yx, others):
    """Whether columns lie between others: what a lattice left over, such as a sublattice that moved, is no grain."""
    if not len(others):
        return False
    return float(np.median(cKDTree(others).query(yx)[0])) < column_spacing(yx)


def _nearest_of_each_place(cells, label, displacement):
    """Which columns are the only ones, or the nearest, at their place in the lattice, (n,)."""
    order = np.argsort(np.hypot(*displacement.T), kind="stable")
    first = np.unique(np.column_stack([cells, label])[order], axis=0, return_index=True)[1]
    alone = np.zeros(len(cells), bool)
    alone[order[first]] = True
    return alone


def fit_lattice(
    yx: np.ndarray, cells: np.ndarray, label: np.ndarray, vectors: np.ndarray, order: int
) -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
    """Fit origins, vectors and their change to columns whose cells are known.

    Parameters
    ----------
    yx : ndarray, shape (n, 2)
        [px]
    cells : ndarray of int, shape (n, 2)
    label : ndarray of int, shape (n,)
        Sublattice, none of them -1.
    vectors : ndarray, shape (2, 2)
        Of which the cells were counted [px]; kept where `order` is 0.
    order : int
        As in `reference_lattice`.

    Returns
    -------
    ideal : ndarray, shape (n, 2)
        [px]
    vectors : ndarray, shape (2, 2)
        At the mean place of the columns [px].
    spread : float
        Robust standard deviation per axis [px].
    weight : ndarray, shape (n,)
        0 to 1.
    """
    place = cells + sublattice_offsets(yx, label, vectors)[label]
    place = place - place.mean(axis=0)
    present, number = np.unique(label, return_inverse=True)
    origins = np.eye(len(present))[number]
    start = place @ vectors if order == 0 else np.zeros_like(yx)
    design = [origins, place][: 1 + min(order, 1)]
    if order == 2:
        size = np.abs(place).max(axis=0) + 1.0  # terms of one size keep the solution exact
        design.append(
            np.stack([place[:, 0] ** 2, place[:, 0] * place[:, 1], place[:, 1] ** 2], 1) / size.max()
        )
    ideal, coefficients, spread, weight = _robust(np.concatenate(design, axis=1), yx - start)
    if order:
        vectors = coefficients[len(present) : len(present) + 2]
    return ideal + start, vectors, spread, weight


def _robust(design, target):
    """Fitted values (n, 2), coefficients (P, 2), spread per axis and weights (n,) of an iterated fit."""
    weight, tiny = np.ones(len(target)), 1e-9 * (np.ptp(target, axis=0).max() + 1.0)
    for step in range(2 * STEPS):
        root = np.sqrt(weight)[:, None]
        coefficients = np.linalg.lstsq(design * root, target * root, rcond=None)[0]
        fit = design @ coefficients
        away = np.hypot(*(target - fit).T)
        # the median length of a two-dimensional Gaussian vector is sqrt(2 ln 2) of its spread per axis
        spread = max(float(np.median(away) / np.sqrt(2 * np.log(2))), tiny)
        ratio = away / spread
        if step < STEPS:
            weight = np.minimum(1.0, HUBER / np.maximum(ratio, HUBER))
        else:
            weight = np.where(ratio < TUKEY, (1 - (ratio / TUKEY) ** 2) ** 2, 0.0)
    return fit, coefficients, spread, weight
