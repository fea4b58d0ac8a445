"""Lattices in whole numbers and fractions: completed bases, primitive cells, sites that coincide."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

SAME_SITE = 0.02
"""Two structures are the same where their atoms are no further apart than this [A]."""


def completed(vector: Sequence[int]) -> np.ndarray:
    """A unimodular matrix whose last row is a coprime integer vector, (3, 3).

    The three rows span the whole integer lattice, so that the first two, seen
    along the third, span the projected lattice.

    Parameters
    ----------
    vector : sequence of int, shape (3,)

    Returns
    -------
    ndarray of int, shape (3, 3)
    """
    u, v, w = (int(n) for n in vector)
    if u == v == 0:
        return np.array([[1, 0, 0], [0, 1, 0], [0, 0, w]])
    g, p, q = _bezout(u, v)
    _, s, t = _bezout(g, w)
    in_plane = np.array([u // g, v // g, 0])
    return np.array([[-q, p, 0], s * np.array([0, 0, 1]) - t * in_plane, [u, v, w]])


def _bezout(a: int, b: int) -> tuple[int, int, int]:
    """The greatest common divisor g >= 0 of a and b, and p, q with p a + q b = g."""
    rows = [(a, 1, 0), (b, 0, 1)]
    while rows[1][0]:
        times = rows[0][0] // rows[1][0]
        rows = [rows[1], tuple(first - times * second for first, second in zip(*rows, strict=True))]
    g, p, q = rows[0]
    return (g, p, q) if g >= 0 else (-g, -p, -q)


def spanned(rows: np.ndarray) -> np.ndarray:
    """A basis (D, D) of the lattice that whole-number rows (N, D) span; they span all D directions."""
    left = [[int(n) for n in row] for row in rows]
    basis = []
    for axis in range(len(left[0])):
        busy = [row for row in left if row[axis]]
        left = [row for row in left if not row[axis]]
        while len(busy) > 1:
            busy.sort(key=lambda row: abs(row[axis]))
            pivot = busy[0]
            rest = [
                [n - row[axis] // pivot[axis] * m for n, m in zip(row, pivot, strict=True)]
                for row in busy[1:]
            ]
            left += [row for row in rest if not row[axis]]
            busy = [pivot, *(row for row in rest if row[axis])]
        basis += busy
    return np.array(basis)


def reduced(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two shortest vectors of a plane lattice (Gauss and Lagrange), the shorter one first."""
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    while True:
        if second @ second < first @ first:
            first, second = second, first
        times = np.round(first @ second / (first @ first) * (1 - 1e-9))
        if times == 0:
            return first, second
        second = second - times * first


def coincident(cell: np.ndarray, fractional: np.ndarray, within: float) -> np.ndarray:
    """Group sites of a periodic cell that are closer than `within` [A], directly or by way of others.

    Parameters
    ----------
    cell : ndarray, shape (D, D)
        Rows are the cell vectors [A].
    fractional : ndarray, shape (N, D)
    within : float
        [A]; small against the cell.

    Returns
    -------
    ndarray of int, shape (N,)
        Groups are numbered in the order in which they first appear.
    """
    apart = fractional[:, None] - fractional[None]
    close = np.linalg.norm((apart - np.round(apart)) @ cell, axis=-1) < within
    _, group = connected_components(csr_matrix(close), directed=False)
    _, first, inverse = np.unique(group, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def primitive(
    cell: np.ndarray, fractional: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The smallest cell that repeats a labeled structure, in two or three dimensions.

    Parameters
    ----------
    cell : ndarray, shape (D, D)
        Rows are the cell vectors [A].
    fractional : ndarray, shape (N, D)
    labels : ndarray of int, shape (N,)
        A translation maps every site on one of the same label.

    Returns
    -------
    cell : ndarray, shape (D, D)
        As it was where no translation was found.
    fractional : ndarray, shape (M, D)
        Of the sites that are left, in the new cell.
    rows : ndarray of int, shape (M,)
        Which sites they are.
    """
    everything = cell, fractional, np.arange(len(fractional))
    shifts = _translations(cell, fractional, labels)
    parts = len(shifts)
    whole = np.round(shifts * parts).astype(int)
    if parts == 1 or np.linalg.norm((whole / parts - shifts) @ cell, axis=1).max() > SAME_SITE:
        return everything
    basis = spanned(np.concatenate([parts * np.eye(len(cell), dtype=int), whole]))
    # Translations found within a tolerance may fail to close into a lattice; then the cell stays as it is.
    if abs(round(np.linalg.det(basis))) * parts != parts ** len(cell):
        return everything
    smaller = basis / parts @ cell
    moved = fractional @ np.linalg.inv(basis / parts)
    _, rows = np.unique(coincident(smaller, moved, 3 * SAME_SITE), return_index=True)
    if len(rows) * parts != len(fractional):
        return everything
    return smaller, moved[rows] % 1.0, rows


def _translations(cell: np.ndarray, fractional: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Fractional translations (M, D) within the cell that map the structure on itself, nothing at all included."""
    values, counts = np.unique(labels, return_counts=True)
    rarest = fractional[labels == values[counts.argmin()]]
    lengths = np.linalg.norm(cell, axis=1)
    tree = cKDTree(_wrapped(fractional) * lengths, boxsize=lengths)
    kept = [np.zeros(len(cell))]
    for shift in rarest[1:] - rarest[0]:
        moved = _wrapped(fractional + shift)
        _, partner = tree.query(moved * lengths)
        off = moved - fractional[partner]
        distance = np.linalg.norm((off - np.round(off)) @ cell, axis=1)
        if np.all(labels[partner] == labels) and distance.max() < SAME_SITE:
            kept.append(shift)
    return np.array(kept)


def _wrapped(fractional: np.ndarray) -> np.ndarray:
    """Into [0, 1), short enough of 1 that a length times it stays below the length."""
    wrapped = fractional % 1.0
    return np.where(wrapped > 1.0 - 1e-12, 0.0, wrapped)
