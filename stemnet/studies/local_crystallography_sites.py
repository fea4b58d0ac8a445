"""Kinds of site on the lattice of the positions: places of the larger cell on which intensities are ordered."""

from __future__ import annotations

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.indices import lattice_indices
from stemnet.descriptors.lattice import Lattice, find_lattice
from stemnet.descriptors.sublattices import assign_sublattices

LARGEST = 4  # of the larger cells, in cells of the positions
ORDERED = 0.5  # share of the variance of the intensities that a larger cell must explain
ALIKE = 0.5  # least brightness of a kind, against the brightest, that is described on one lattice with it
ENOUGH = 6  # columns a place of the larger cell, else chance explains much


def on_one_lattice(columns: Columns, lattice: Lattice | None) -> tuple[Columns, Lattice | None]:
    """Put columns of like brightness on one lattice, that of their positions, so that their neighbors have one order.

    Where kinds of column take turns, lattice and sublattices may be those of the
    larger cell that the intensities have.

    Parameters
    ----------
    columns : Columns
        With ``sublattice``.
    lattice : Lattice or None

    Returns
    -------
    Columns
        With the sublattices of the returned lattice.
    Lattice or None
    """
    label = np.asarray(columns["sublattice"], dtype=int)
    if lattice is None or label.max(initial=-1) < 1 or "intensity" not in columns:
        return columns, lattice
    fine = find_lattice(columns.yx)
    bright = [np.nanmedian(columns["intensity"][label == s]) for s in np.unique(label[label >= 0])]
    if fine is None or min(bright) < ALIKE * max(bright):
        return columns, lattice
    return columns.with_fields(sublattice=assign_sublattices(columns, fine)), fine


def site_kinds(columns: Columns, lattice: Lattice, sublattice: int) -> np.ndarray:
    """Which place of the smallest ordered cell each column has.

    Columns of different kinds may take turns on a lattice of positions, as
    tellurium and metals do in the rings of Mo-V-Te oxides: by their positions
    alone they are one sublattice, and their environments would be averaged.

    Parameters
    ----------
    columns : Columns
        With ``sublattice``, and ``intensity`` where it is known.
    lattice : Lattice
        Of the positions.
    sublattice : int

    Returns
    -------
    ndarray of int, shape (N,)
        The brightest 0; all 0 where the intensities have no larger cell; -1 on
        other sublattices and where the cell is unknown.
    """
    cells = lattice_indices(columns, lattice)
    intensity = np.asarray(columns.fields.get("intensity", np.ones(len(columns))), dtype=np.float64)
    rows = np.flatnonzero(
        (np.asarray(columns["sublattice"]) == sublattice) & (cells[:, 0] >= 0) & np.isfinite(intensity)
    )
    kinds = np.full(len(columns), -1)
    kinds[rows] = 0
    for size in range(2, LARGEST + 1):
        if len(rows) < ENOUGH * size:
            break
        ways = [_places(cells[rows], *cell) for cell in _cells(size)]
        best = max(ways, key=lambda place: _explained(intensity[rows], place))
        if _explained(intensity[rows], best) >= ORDERED:
            present, number = np.unique(best, return_inverse=True)
            bright = [-np.median(intensity[rows][best == place]) for place in present]
            kinds[rows] = np.argsort(np.argsort(bright, kind="stable"))[number]
            break
    return kinds


def _cells(size: int) -> list[tuple[int, int, int]]:
    """All cells of so many cells: (a, b, d) of the vectors (a, b), (0, d), in Hermite's normal form."""
    return [(a, b, size // a) for a in range(1, size + 1) if size % a == 0 for b in range(size // a)]


def _places(cells: np.ndarray, a: int, b: int, d: int) -> np.ndarray:
    """Place of every cell (n, 2) in the larger one, (n,)."""
    times, first = np.divmod(cells[:, 0], a)
    return first * d + (cells[:, 1] - times * b) % d


def _explained(values: np.ndarray, group: np.ndarray) -> float:
    """Share of the variance of values (n,) that lies between groups (n,)."""
    number = np.unique(group, return_inverse=True)[1]
    amount = np.bincount(number)
    mean = np.bincount(number, values) / amount
    total = ((values - values.mean()) ** 2).sum()
    return float((amount * (mean - values.mean()) ** 2).sum() / total) if total > 0 else 0.0
