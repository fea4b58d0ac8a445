"""The local Bravais lattice, from positions alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from stemnet.descriptors.autocorrelation import (
    GATE,
    MIN_COLUMNS,
    best_pair,
    local_contrast,
    partners,
    search,
)
from stemnet.descriptors.basis import by_angle, neighbor_count, reduced, same_lattice

PATCH = 150  # columns of a part of the image that is searched by itself, at most
PATCHES = 8  # such parts, at least, in the columns of an image: a part as large as a grain holds two of them
SAMPLE = 2500  # columns whose surroundings are looked at; enough for any image


@dataclass(frozen=True)
class Lattice:
    """A two-dimensional Bravais lattice.

    Parameters
    ----------
    vectors : ndarray, shape (2, 2)
        The primitive vectors a and b as rows (y, x) [px], reduced.
    k : int
        Neighbors that each site has: 6 where a and b stand well off a right
        angle (hexagonal-like), else 4.
    confidence : float
        Share of the columns that have their lattice neighbors, 0 to 1.
    note : str
        What the user should know; empty when the lattice fits throughout.
    """

    vectors: np.ndarray
    k: int
    confidence: float
    note: str = ""

    @property
    def template(self) -> np.ndarray:
        """The k shortest lattice vectors, shape (k, 2) [px], by increasing angle atan2(y, x)."""
        a, b = self.vectors
        half = [a, b] if self.k == 4 else [a, b, a - b if a @ b > 0 else a + b]
        return by_angle(np.concatenate([half, np.negative(half)]))


def column_spacing(yx: np.ndarray) -> float:
    """Median distance from a column to its nearest neighbor [px]."""
    return float(np.median(cKDTree(yx).query(yx, k=2)[0][:, 1]))


def find_lattice(yx: np.ndarray, intensity: np.ndarray | None = None) -> Lattice | None:
    """Find the lattice that most columns obey.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        Positions of one image [px].
    intensity : ndarray, shape (N,), optional
        Intensity of each column, any unit; tells sublattices apart that
        positions cannot (the A and B sites of a perovskite).

    Returns
    -------
    Lattice or None
        None when there are fewer than twelve columns or no lattice fits. Of
        several grains the dominant one, which `note` then says.
    """
    yx = np.asarray(yx, dtype=np.float64)
    if len(yx) < MIN_COLUMNS or not np.isfinite(yx).all():
        return None
    # every n-th column in reading order: the choice must not depend on the order of the rows
    rank = np.lexsort((yx[:, 1], yx[:, 0]))
    centers = rank[:: -(-len(yx) // SAMPLE)]
    spacing = column_spacing(yx)
    if spacing == 0:  # more than half of the positions are doubles
        return None
    contrast = None if intensity is None else local_contrast(yx, np.asarray(intensity, dtype=np.float64))
    found = search(yx, centers, spacing, contrast)
    if len(yx) >= 2 * PATCH:
        found = _of_largest_grain(yx, centers, spacing, contrast, found)
    needed = 0.22 + 2.2 / np.sqrt(len(centers))
    if found is None or found[1] < needed:
        return None
    vectors, confidence = found
    note = ""
    if confidence < 0.75:
        note = (
            f"The lattice fits {confidence:.0%} of the columns only (several grains, disorder or missed "
            "columns); it is that of the largest part."
        )
    return Lattice(vectors, neighbor_count(vectors), confidence, note)


def _of_largest_grain(yx, centers, spacing, contrast, whole):
    """The lattice that most patches of the image agree on, and the share of all columns that fit it.

    Two grains have coincidence vectors that fit both better than either's own
    lattice fits the image; within a patch there is mostly one grain.
    """
    low, high = yx.min(axis=0), yx.max(axis=0)
    seeds = np.stack(np.meshgrid(*[np.arange(0.125, 1, 0.25)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    tree, size = cKDTree(yx), min(PATCH, len(yx) // PATCHES)
    found = [] if whole is None else [whole[0]]
    local = []
    for patch in tree.query(low + seeds * (high - low), k=size)[1]:
        patch = np.sort(patch)
        part = search(yx[patch], np.arange(size), spacing, None if contrast is None else contrast[patch])
        if part is not None and part[1] >= 0.5:
            local.append(part[0])
    found += local
    if not found:
        return None
    votes = np.array([sum(same_lattice(one, other) for other in local) for one in found])
    winner = found[int(votes.argmax())]  # of equals the first: the whole image's, then in reading order
    if whole is not None and winner is whole[0]:
        return whole
    mates = [one for one in local if same_lattice(winner, one)]
    vectors = np.mean([np.round(winner @ np.linalg.inv(one)) @ one for one in mates], axis=0)
    partner, testable = partners(yx, tree, centers, vectors, GATE * spacing)
    _, fit = best_pair(vectors, partner >= 0, testable, np.ones(2, bool))
    return reduced(vectors), fit
