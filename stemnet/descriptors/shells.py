"""Shells of neighbors on one sublattice: by lattice vectors, or within a radius."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from stemnet.columns import Columns
from stemnet.descriptors.indices import lattice_indices
from stemnet.descriptors.lattice import Lattice
from stemnet.errors import StemnetError

STEP = 0.08  # of the shortest vector: shells closer together are one, which drift and strain have split


@dataclass(frozen=True)
class Shells:
    """Who is whose neighbor on one sublattice, shell by shell.

    Parameters
    ----------
    first, second : ndarray of int, shape (E,)
        Rows of every pair, in both directions.
    number : ndarray of int, shape (E,)
        Shell of the pair, 0 the nearest.
    size : ndarray of int, shape (K,)
        Sites that a full shell has.
    distance : ndarray, shape (K,)
        Mean length of the pairs [px]; NaN where there are none.
    member : ndarray of bool, shape (N,)
        Columns whose neighbors were looked for.
    """

    first: np.ndarray
    second: np.ndarray
    number: np.ndarray
    size: np.ndarray
    distance: np.ndarray
    member: np.ndarray

    def __len__(self) -> int:
        return len(self.size)


def lattice_shells(columns: Columns, lattice: Lattice, *, sublattice: int = 0, count: int = 3) -> Shells:
    """Neighbors by lattice vectors, whatever the strain: shells of equal length, nearest first.

    Parameters
    ----------
    columns : Columns
        With ``sublattice``, and ``frame`` where there are several.
    lattice : Lattice
    sublattice : int
    count : int
        Shells, 1 or more.

    Returns
    -------
    Shells

    Raises
    ------
    StemnetError
        If no shell is asked for, or the sublattice has fewer than two columns on the lattice.
    """
    if count < 1:
        raise StemnetError(f"{count} shells of neighbors were asked for; 1 or more are needed, such as 3.")
    cells = lattice_indices(columns, lattice)
    member = (np.asarray(columns["sublattice"]) == sublattice) & (cells[:, 0] >= 0)
    rows = _enough(member, sublattice)
    frame = np.asarray(columns["frame"] if "frame" in columns else np.zeros(len(columns)), dtype=int)
    reach = 2 * count + 1
    steps = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    length = np.linalg.norm(steps @ lattice.vectors, axis=1)
    order = np.argsort(length, kind="stable")[1:]
    shell = np.cumsum(np.diff(length[order], prepend=length[order[0]]) > STEP * length[order[0]])
    order, shell = order[shell < count], shell[shell < count]
    width = cells.max() + 2 * reach + 2

    def code(cell, frame):
        return (frame * width + cell[:, 0] + reach) * width + cell[:, 1] + reach

    # of two columns counted into one cell (a false one beside the true one) neither is anybody's neighbor
    keys, place, times = np.unique(code(cells[rows], frame[rows]), return_index=True, return_counts=True)
    keys, home = keys[times == 1], rows[place[times == 1]]
    pairs = [np.zeros((3, 0), int)]
    for step, number in zip(steps[order], shell, strict=True):
        wanted = code(cells[home] + step, frame[home])
        found = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        there = keys[found] == wanted
        pairs.append(np.stack([home[there], home[found[there]], np.full(there.sum(), number)]))
    return _shells(columns.yx, np.concatenate(pairs, axis=1), np.bincount(shell, minlength=count), member)


def radius_shell(columns: Columns, radius: float, *, sublattice: int = 0) -> Shells:
    """All columns of a sublattice within a radius, as one shell.

    Parameters
    ----------
    columns : Columns
        With ``sublattice``, and ``frame`` where there are several.
    radius : float
        [px]
    sublattice : int

    Returns
    -------
    Shells
        Of a full size that the fullest surroundings have.

    Raises
    ------
    StemnetError
        If no two columns lie within the radius.
    """
    member = np.asarray(columns["sublattice"]) == sublattice
    rows = _enough(member, sublattice)
    frame = np.asarray(columns["frame"] if "frame" in columns else np.zeros(len(columns)), dtype=int)
    apart = np.outer(frame, [2.0 * max(columns.shape) + 2 * radius, 0.0])
    pairs = rows[cKDTree((columns.yx + apart)[rows]).query_pairs(radius, output_type="ndarray")]
    if not len(pairs):
        raise StemnetError(
            f"No two columns of sublattice {sublattice} lie within {radius:g} px; give a radius of at least "
            "the distance to the next column of the kind."
        )
    both = np.concatenate([pairs, pairs[:, ::-1]]).T
    table = np.concatenate([both, np.zeros((1, both.shape[1]), int)])
    return _shells(columns.yx, table, np.array([np.bincount(both[0]).max()]), member)


def _enough(member, sublattice):
    rows = np.flatnonzero(member)
    if len(rows) < 2:
        raise StemnetError(
            f"Sublattice {sublattice} has {len(rows)} columns on the lattice; neighbors need two or more. "
            "Choose another sublattice or a larger field of view."
        )
    return rows


def _shells(yx, table, size, member):
    first, second, number = table
    order = np.lexsort((second, number, first))
    first, second, number = first[order], second[order], number[order]
    length = np.linalg.norm(yx[second] - yx[first], axis=1)
    times = np.bincount(number, minlength=len(size))
    total = np.bincount(number, length, len(size))
    distance = np.divide(total, times, out=np.full(len(size), np.nan), where=times > 0)
    return Shells(first, second, number, size, distance, member)
