"""Dislocations: where a circuit that closes in the image does not close in the lattice.

Every bond of a Delaunay triangulation is given the lattice vector that it is;
around a triangle these add up to zero, or to a Burgers vector (A. Stukowski, J.
Mech. Phys. Solids 70, 314, 2014). A column that is displaced, missing or too
many spoils triangles on all sides, whose sum is zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay, QhullError

LONGEST = 2.3
"""Of the longer lattice vector: beyond, a bond leads over a gap, and its lattice vector is anyone's guess."""
ROUNDS = 3  # of lattice vectors and of the local distortion in turn
SMOOTH = 2  # how often the distortion is averaged over neighbors


@dataclass(frozen=True)
class Dislocations:
    """Cores of dislocations seen end on.

    Parameters
    ----------
    yx : ndarray, shape (D, 2)
        Middle of the triangles that do not close [px].
    steps : ndarray of int, shape (D, 2)
        Burgers vector in lattice vectors a and b: the displacement's increase around
        the core, from x to y.
    burgers : ndarray, shape (D, 2)
        The same, (y, x) [px].
    extent : ndarray, shape (D,)
        Root mean square distance of the triangles' corners from the core [px].
    """

    yx: np.ndarray
    steps: np.ndarray
    burgers: np.ndarray
    extent: np.ndarray

    def __len__(self) -> int:
        return len(self.yx)


def find_dislocations(yx: np.ndarray, vectors: np.ndarray) -> Dislocations:
    """Find the dislocations among columns of one sublattice of one grain.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        [px]
    vectors : ndarray, shape (2, 2)
        Lattice vectors a and b as rows (y, x) [px].

    Returns
    -------
    Dislocations
        From left to right. What lies at the edge of the columns, where no circuit
        closes, is not among them.
    """
    try:
        simplices = np.asarray(Delaunay(yx).simplices)
    except (QhullError, ValueError):  # too few columns, or all on a line
        return _none()
    simplices = _turned(yx, simplices)
    edges = np.concatenate([simplices[:, [0, 1]], simplices[:, [1, 2]], simplices[:, [2, 0]]])
    bond = yx[edges[:, 1]] - yx[edges[:, 0]]
    short = np.hypot(*bond.T) < LONGEST * np.linalg.norm(vectors, axis=1).max()
    steps = _steps(len(yx), edges[short], bond[short], vectors)
    full = np.zeros((len(edges), 2), int)
    full[short] = steps
    third = len(simplices)
    # the other way round: the lattice vectors lack what the displacement gains
    around = -(full[:third] + full[third : 2 * third] + full[2 * third :])
    whole = short[:third] & short[third : 2 * third] & short[2 * third :]
    broken = np.nonzero(whole & around.any(axis=1))[0]
    outside = np.zeros(len(yx), bool)
    outside[simplices[~whole].ravel()] = True
    outside[_rim(simplices)] = True
    return _grouped(yx, simplices, broken, around, outside, vectors)


def _turned(yx, simplices):
    """Triangles with their corners running from x to y."""
    first, second, third = (yx[simplices[:, i]] for i in range(3))
    one, two = second - first, third - first
    clockwise = one[:, 1] * two[:, 0] - one[:, 0] * two[:, 1] < 0
    turned = simplices.copy()
    turned[clockwise] = simplices[clockwise][:, ::-1]
    return turned


def _steps(n, edges, bond, vectors):
    """Lattice vector (E, 2) of every bond, by the distortion that the bonds around it share."""
    inverse = np.linalg.inv(vectors)
    fraction = bond @ inverse
    for _ in range(ROUNDS):
        steps = np.round(fraction).astype(int)
        moment, product = np.zeros((n, 2, 2)), np.zeros((n, 2, 2))
        fits = np.abs(fraction - steps).max(axis=1) < 0.3
        for end in (0, 1):
            rows = edges[fits, end]
            np.add.at(moment, rows, steps[fits, :, None] * steps[fits, None, :])
            np.add.at(product, rows, steps[fits, :, None] * bond[fits, None, :])
        for _ in range(SMOOTH):
            moment, product = (whole + _around(n, edges, whole) for whole in (moment, product))
        moment += 1e-6 * np.eye(2)
        local = np.linalg.solve(moment, product + 1e-6 * vectors)
        here = (local[edges[:, 0]] + local[edges[:, 1]]) / 2
        singular = np.abs(np.linalg.det(here)) < 0.3 * abs(np.linalg.det(vectors))
        here[singular] = vectors
        fraction = np.linalg.solve(here.transpose(0, 2, 1), bond[..., None])[..., 0]
    return np.round(fraction).astype(int)


def _around(n, edges, values):
    """Sum of values (n, 2, 2) over the columns that a column is bonded to."""
    rows, others = np.concatenate([edges, edges[:, ::-1]]).T
    graph = coo_array((np.ones(len(rows)), (rows, others)), shape=(n, n)).tocsr()
    return (graph @ values.reshape(n, 4)).reshape(n, 2, 2)


def _rim(simplices):
    """Columns at the hull: those of sides that one triangle has alone."""
    sides = np.sort(
        np.concatenate([simplices[:, [0, 1]], simplices[:, [1, 2]], simplices[:, [2, 0]]]), axis=1
    )
    pairs, times = np.unique(sides, axis=0, return_counts=True)
    return np.unique(pairs[times == 1])


def _grouped(yx, simplices, broken, around, outside, vectors):
    """Dislocations of the groups of broken triangles that share corners, where these do not add up to zero."""
    if not len(broken):
        return _none()
    corners = simplices[broken]
    rows = np.repeat(np.arange(len(broken)), 3)
    touching = coo_array((np.ones(len(rows)), (rows, corners.ravel())), shape=(len(broken), len(yx))).tocsr()
    amount, group = connected_components(touching @ touching.T, directed=False)
    found = []
    for number in range(amount):
        mine = np.nonzero(group == number)[0]
        total = around[broken[mine]].sum(axis=0)
        if not total.any() or outside[corners[mine]].any():
            continue
        # triangles that cancel each other beside the core do not say where it is
        place = yx[corners[mine]].reshape(-1, 2)
        middle = place.mean(axis=0)
        found.append((middle, total, total @ vectors, np.sqrt(((place - middle) ** 2).sum(axis=1).mean())))
    if not found:
        return _none()
    found.sort(key=lambda one: one[0][1])
    return Dislocations(*(np.array(part) for part in zip(*found, strict=True)))


def _none() -> Dislocations:
    return Dislocations(np.zeros((0, 2)), np.zeros((0, 2), int), np.zeros((0, 2)), np.zeros(0))
