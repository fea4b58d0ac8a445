"""Neighbor vectors: the local environment of each column, in one order for all columns.

The descriptor of local crystallography (Belianinov et al., Nat. Commun. 6,
7801, 2015): NA_i = (r0, r1, ...), the vectors from column i to its neighbors,
numbered in the same sense everywhere. Here the number of a neighbor is the
direction of the lattice template that it fills, so equal environments get
equal rows whatever the orientation of the crystal.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist

from stemnet.columns import Columns
from stemnet.descriptors.basis import by_angle
from stemnet.descriptors.lattice import Lattice, find_lattice
from stemnet.descriptors.sublattices import assign_sublattices
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError

GATE = 0.35  # a neighbor lies within this part of the template's smallest spacing
ORDERS = ("template", "angle", "distance")


def neighbor_vectors(
    columns: Columns,
    *,
    k: int | None = None,
    center: int | None = None,
    neighbors: str | int = "same",
    order: str = "template",
    lattice: Lattice | None = None,
) -> Descriptors:
    """Vectors from each column to its k neighbors.

    Parameters
    ----------
    columns : Columns
        The field ``sublattice`` is used where present, found otherwise; columns
        of different ``frame`` are never neighbors.
    k : int, optional
        Number of neighbors; by default what the lattice has (4 or 6), or the
        first shell when the neighbors are of another sublattice.
    center : int, optional
        Describe the columns of this sublattice only; the others are masked.
    neighbors : "same", "all" or int
        Neighbors of the column's own sublattice, of any, or of the given one.
    order : "template", "angle" or "distance"
        ``template``: neighbor i is the column nearest to where lattice
        direction i, adapted to the smooth local strain, points; directions run
        by increasing atan2(y, x) from the one next to the +x axis. ``angle``:
        the k nearest columns by angle from the same direction. ``distance``:
        the k nearest columns, nearest first.
    lattice : Lattice, optional
        Found from the positions by default. Without any lattice the template
        order falls back to the angle order, measured from the +x axis.

    Returns
    -------
    Descriptors
        ``r0y, r0x, r1y, r1x, ...`` in A, or in px where the sampling is unknown;
        a row is valid where all k neighbors are there.

    Raises
    ------
    StemnetError
        If an option, or a sublattice asked for, does not exist.
    """
    _check(k, neighbors, order)
    lattice = lattice or lattice_of(columns)
    label = sublattice_of(columns, lattice)
    for wanted in (center, neighbors):
        if isinstance(wanted, int) and wanted not in label:
            known = ", ".join(map(str, np.unique(label[label >= 0]))) or "none"
            raise StemnetError(
                f"Sublattice {wanted} was asked for, but the columns have: {known}. Choose one of these."
            )
    yx = _apart(columns)
    k = k or _default_k(lattice, label, yx, center, neighbors, order)
    vectors = np.full((len(columns), k, 2), np.nan)
    for s in np.unique(label[label >= 0]) if center is None else [center]:
        rows = np.nonzero(label == s)[0]
        others = np.nonzero(np.isin(label, _kinds(label, s, neighbors)))[0]
        if order == "template" and lattice is not None:
            template = _template(lattice, label, yx, s, neighbors, k)
            if len(template) != k:
                raise StemnetError(
                    f"k={k} neighbors were asked for in the order of the lattice, which names {len(template)}. "
                    "Use fewer, or order=angle."
                )
            vectors[rows] = _matched(yx, rows, others, template)
        else:
            start = -np.pi / k
            if lattice is not None:
                start += np.arctan2(*lattice.template[0])
            vectors[rows] = _nearest(columns, yx, rows, others, k, order, start)
    unit, scale = ("px", 1.0) if columns.sampling is None else ("A", columns.sampling)
    valid = np.asarray(np.isfinite(vectors).all(axis=(1, 2)))
    values = np.where(valid[:, None], vectors.reshape(len(columns), 2 * k) * scale, np.nan)
    names = tuple(f"r{i}{axis}_{unit}" for i in range(k) for axis in "yx")
    return Descriptors(values, names, columns.yx, valid)


def sublattice_of(columns: Columns, lattice: Lattice | None) -> np.ndarray:
    """The field ``sublattice`` where present, else found from the lattice; all 0 without a lattice."""
    if "sublattice" in columns:
        return np.asarray(columns["sublattice"], dtype=int)
    return np.zeros(len(columns), int) if lattice is None else assign_sublattices(columns, lattice)


def _check(k, neighbors, order):
    if k is not None and not (isinstance(k, int) and k >= 1):
        raise StemnetError(f"k={k!r} neighbors were asked for; a number of 1 or more is needed, such as 6.")
    if not isinstance(neighbors, int) and neighbors not in ("same", "all"):
        raise StemnetError(f"neighbors={neighbors!r} is unknown; use 'same', 'all' or a sublattice number.")
    if order not in ORDERS:
        raise StemnetError(f"order={order!r} is unknown; use one of {', '.join(ORDERS)}.")


def lattice_of(columns: Columns) -> Lattice | None:
    """Lattice of the columns; of several frames, of the one that has most."""
    rows = np.arange(len(columns))
    if "frame" in columns and len(columns):
        values, counts = np.unique(columns["frame"], return_counts=True)
        rows = np.nonzero(columns["frame"] == values[counts.argmax()])[0]
    intensity = columns["intensity"][rows] if "intensity" in columns else None
    return find_lattice(columns.yx[rows], intensity)


def _apart(columns):
    """Positions with the frames laid side by side, too far apart to be neighbors."""
    if "frame" not in columns:
        return columns.yx
    return columns.yx + np.outer(np.asarray(columns["frame"], float), [10.0 * max(columns.shape), 0.0])


def _default_k(lattice, label, yx, center, neighbors, order):
    if lattice is None:
        return 6
    if neighbors == "same":
        return lattice.k
    shell = _sites(lattice, label, yx, 0 if center is None else center, neighbors)
    length = np.hypot(*shell.T)
    return int((length < 1.25 * length[2]).sum())  # a dumbbell partner alone is no neighborhood


def _template(lattice, label, yx, s, neighbors, k):
    """Where the k neighbors of a column of sublattice s should be, shape (k, 2) [px]."""
    if neighbors == "same" and k == lattice.k:
        return lattice.template
    return by_angle(_sites(lattice, label, yx, s, neighbors)[:k])


def _kinds(label, s, neighbors):
    """Sublattices that the neighbors of sublattice s are taken from."""
    if neighbors == "same":
        return [s]
    return np.unique(label[label >= 0]) if neighbors == "all" else [neighbors]


def _sites(lattice, label, yx, s, neighbors):
    """Ideal vectors from sublattice s to the sites around it, nearest first, shape (M, 2) [px]."""
    kinds = _kinds(label, s, neighbors)
    m = np.stack(np.meshgrid(*[np.arange(-4, 5)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    sites = np.concatenate([(m + _offset(lattice, label, yx, s, t)) @ lattice.vectors for t in kinds])
    length = np.hypot(*sites.T)
    step = 0.05 * length[length > 1e-6 * length.max()].min()
    order = np.argsort(np.round(length / step), kind="stable")
    return sites[order][length[order] > step]


def _offset(lattice, label, yx, s, t):
    """Mean place of sublattice t in the cell seen from sublattice s, fractions of (a, b)."""
    if s == t:
        return np.zeros(2)
    here, there = yx[label == s], yx[label == t]
    _, near = cKDTree(there).query(here, k=min(4, len(there)))
    fraction = (there[near.reshape(len(here), -1)] - here[:, None]) @ np.linalg.inv(lattice.vectors)
    return np.angle(np.exp(2j * np.pi * fraction).mean(axis=(0, 1))) / (2 * np.pi)


def _matched(yx, rows, others, template):
    """Vectors to the columns nearest to the template around each row, shape (n, k, 2); NaN where none is."""
    gate = GATE * pdist(np.concatenate([template, [[0.0, 0.0]]])).min()
    tree, place = cKDTree(yx[others]), yx[rows]

    def look(target):
        distance, found = tree.query(place[:, None] + target, distance_upper_bound=gate)
        there = np.concatenate([yx[others], [[np.nan, np.nan]]])[found]
        return there - place[:, None], found, np.isfinite(distance)

    vectors, _, there = look(template)
    # the template follows the strain that a column shares with its twelve nearest of a kind
    _, near = cKDTree(place).query(place, k=min(12, len(place)))
    near = near.reshape(len(place), -1)
    count = there[near].sum(axis=1)[..., None]
    shift = np.where(there[..., None], vectors - template, 0.0)[near].sum(axis=1) / np.maximum(count, 1)
    vectors, found, there = look(template + shift)
    ordered = np.sort(np.where(there, found, -1 - np.arange(len(template))), axis=1)
    taken_twice = (np.diff(ordered, axis=1) == 0).any(axis=1)
    vectors[taken_twice] = np.nan
    return vectors


def _nearest(columns, yx, rows, others, k, order, start):
    """Vectors to the k nearest columns, shape (n, k, 2); NaN near the border, where some may be missing."""
    vectors = np.full((len(rows), k, 2), np.nan)
    if len(others) <= k:
        return vectors
    distance, near = cKDTree(yx[others]).query(yx[rows], k=k + 1)
    # a column is not its own neighbor; where it is not among the candidates, the farthest is one too many
    own = others[near] == rows[:, None]
    own[~own.any(axis=1), -1] = True
    near, distance = near[~own].reshape(len(rows), k), distance[~own].reshape(len(rows), k)
    vectors = yx[others][near] - yx[rows][:, None]
    if order != "distance":
        angle = (np.arctan2(vectors[..., 0], vectors[..., 1]) - start) % (2 * np.pi)
        vectors = np.take_along_axis(vectors, np.argsort(angle, axis=1)[..., None], axis=1)
    place, last = columns.yx[rows], distance[:, -1]
    edge = np.minimum(place, np.array(columns.shape) - 1 - place).min(axis=1) + 0.5
    complete = (last <= edge) & (last <= 1.8 * np.median(last))
    return np.where(complete[:, None, None], vectors, np.nan)
