"""Putting specimens side by side, and keeping columns apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
from scipy.spatial import cKDTree

from stemnet.errors import StemnetError
from stemnet.simulation.quantities.profiles import Piecewise, settled
from stemnet.simulation.specimen import PlantedField, Quantity, Specimen, joined


def united(parts: Sequence[Specimen], label: Quantity) -> Specimen:
    """Put parts into one space; which part's fields hold at a place, a label says.

    Every part keeps what was planted in it and how its columns were displaced.
    Its fields go on as functions of the places as they are now; fields that a
    part lacks are NaN in it. Deformations of the union count from here.

    Parameters
    ----------
    parts : sequence of Specimen
        Each ends where its place ends.
    label : Quantity
        Row of the part, from 0, at every place.

    Returns
    -------
    Specimen
    """
    names = sorted({name for part in parts for name in part.fields})
    pieces = []
    for part in parts:
        lacking = {name: np.full(len(part), np.nan) for name in names if name not in part.planted}
        vacant = part.vacant if part.vacant is None else replace(part.vacant, flow=(), fields={})
        pieces.append(replace(part.with_planted(**lacking), flow=(), fields={}, vacant=vacant))
    whole = reduce(joined, pieces)
    fields = {
        name: PlantedField(Piecewise(label, tuple(settled(part, name) for part in parts)), 0)
        for name in names
    }
    return replace(whole, fields=fields)


def bounded(specimen: Specimen, depth: Quantity) -> Specimen:
    """Keep columns and vacant sites where a quantity is not negative; beyond, nothing is vacant."""
    vacant = specimen.vacant
    if vacant is not None:
        vacant = vacant.select(depth(vacant.yx) >= 0)
    return replace(specimen.select(depth(specimen.yx) >= 0), vacant=vacant)


def spread_out(
    yx: np.ndarray, closest: float, priority: np.ndarray, groups: np.ndarray | None = None
) -> np.ndarray:
    """Which columns stay when none may be closer than a distance to one that matters more.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        [A]
    closest : float
        Least distance [A].
    priority : ndarray, shape (N,)
        Of two columns too close the one with the larger value stays; of equals, the earlier one goes.
    groups : ndarray of int, shape (N,), optional
        Columns of the same group may be as close as they are.

    Returns
    -------
    ndarray of bool, shape (N,)
        True where a column stays: no two of these are too close, and each
        other one is too close to one of them.
    """
    stays = np.ones(len(yx), dtype=bool)
    if len(yx) < 2 or closest <= 0:
        return stays
    pairs = cKDTree(yx).query_pairs(closest * (1 - 1e-9), output_type="ndarray")
    if groups is not None:
        pairs = pairs[groups[pairs[:, 0]] != groups[pairs[:, 1]]]
    rank = np.empty(len(yx), dtype=int)
    # Rounded, so that a shifted specimen breaks its ties alike.
    rank[np.argsort(np.round(priority, 6), kind="stable")] = np.arange(len(yx))
    while len(pairs):
        unbeaten = np.ones(len(yx), dtype=bool)
        unbeaten[np.where(rank[pairs[:, 0]] < rank[pairs[:, 1]], pairs[:, 0], pairs[:, 1])] = False
        for one, other in (pairs.T, pairs.T[::-1]):
            stays[other[unbeaten[one]]] = False
        pairs = pairs[stays[pairs].all(1)]
    return stays


def eased(yx: np.ndarray, groups: np.ndarray, distance: float, rounds: int = 20) -> np.ndarray:
    """Bring columns of different groups to a distance, their neighbors of the same group following.

    Geometry, not a force field: pairs that are too close go apart by part of
    what they lack, those a little too far come closer by less, and every
    displacement is averaged with those around it.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        [A]
    groups : ndarray of int, shape (N,)
    distance : float
        Wanted between columns of different groups [A].
    rounds : int

    Returns
    -------
    ndarray, shape (N, 2)
        How far each column moves [A].
    """
    move = np.zeros_like(yx)
    pairs = cKDTree(yx).query_pairs(1.6 * distance, output_type="ndarray")
    across = groups[pairs[:, 0]] != groups[pairs[:, 1]]
    pairs, bonds = pairs[across], pairs[~across]
    if not len(pairs):
        return move
    number = 1 + np.bincount(bonds.ravel(), minlength=len(yx))[:, None]
    for _ in range(rounds):
        apart = yx[pairs[:, 1]] + move[pairs[:, 1]] - yx[pairs[:, 0]] - move[pairs[:, 0]]
        length = np.hypot(apart[:, 0], apart[:, 1])
        lack = distance - length
        share = np.where(lack > 0, 1 / 3, np.where(lack > -0.5 * distance, 1 / 12, 0.0))
        push = (share * lack / np.maximum(length, 1e-9))[:, None] * apart
        np.add.at(move, pairs[:, 1], push)
        np.add.at(move, pairs[:, 0], -push)
        around = move.copy()
        np.add.at(around, bonds[:, 0], move[bonds[:, 1]])
        np.add.at(around, bonds[:, 1], move[bonds[:, 0]])
        move = 0.7 * move + 0.3 * around / number
    return move


def in_order(pairs: np.ndarray) -> np.ndarray:
    """Pairs (P, 2) sorted by their first and then their second row."""
    return pairs[np.lexsort(pairs.T[::-1])]


def disjoint_pairs(pairs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pairs (P, 2) of columns in random order, of which no two share a column and none could be added, (Q, 2)."""
    # Sorted first: the order in which a tree finds pairs is its own.
    rest = rng.permutation(in_order(pairs))
    taken = []
    size = int(pairs.max(initial=-1)) + 1
    while len(rest):
        # A pair is taken if it comes first at both of its columns.
        first = np.full(size, len(rest))
        order = np.arange(len(rest))
        for end in (0, 1):
            np.minimum.at(first, rest[:, end], order)
        wins = (first[rest[:, 0]] == order) & (first[rest[:, 1]] == order)
        taken.append(rest[wins])
        used = np.zeros(size, dtype=bool)
        used[rest[wins]] = True
        rest = rest[~used[rest].any(1)]
    return rng.permutation(np.concatenate(taken)) if taken else np.zeros((0, 2), dtype=int)


def first_shell(yx: np.ndarray) -> float:
    """A reach [A] that takes in the nearest neighbors and no others: 1.25 times the median nearest distance.

    Raises
    ------
    StemnetError
        If there are fewer than two columns.
    """
    if len(yx) < 2:
        raise StemnetError(
            f"Neighbors were asked for among {len(yx)} column(s); they need two or more. Grow a larger specimen, "
            "or choose a sublattice that it has."
        )
    return 1.25 * float(np.median(cKDTree(yx).query(yx, k=2)[0][:, 1]))


def between_rows(
    specimen: Specimen, through: Sequence[float], normal: Sequence[float], narrow: bool = False
) -> tuple[float, float]:
    """Move a point along a line's normal to the middle of a wide gap between the rows of columns there.

    A sharp fault that ran through a row of columns would leave to rounding on
    which side each of them is.

    Parameters
    ----------
    specimen : Specimen
    through, normal : sequence of float
        A point of the line [A], and the direction across it.
    narrow : bool
        Take a narrow gap instead, where gaps differ.

    Returns
    -------
    tuple of float
        [A]; the point itself where there are no rows around it.
    """
    y, x = normal
    unit = np.array([y, x], dtype=float) / np.hypot(y, x)
    away = specimen.yx - np.asarray(through, dtype=float)
    across, along = away @ unit, away @ np.array([unit[1], -unit[0]])
    rows = np.sort(across[(np.abs(along) < 15) & (np.abs(across) < 8)])
    gaps = np.diff(rows)
    middle = (rows[1:] + rows[:-1]) / 2
    if not len(gaps) or gaps.max() < 0.05:
        return float(through[0]), float(through[1])
    # Rounded, so that rows that differ in the last digits are one, and equal gaps are equally wide.
    gaps = np.round(gaps, 3)
    if narrow:
        chosen = (gaps > 0.05) & (gaps <= 1.2 * gaps[gaps > 0.05].min())
    else:
        chosen = gaps >= 0.8 * gaps.max()
    middle = middle[chosen]
    y, x = np.asarray(through, dtype=float) + unit * middle[np.argmin(np.round(np.abs(middle - 1e-4), 3))]
    return float(y), float(x)
