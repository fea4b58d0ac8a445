"""Who is a neighbor of whom: the k nearest, all within a radius, or those that share a facet of their Voronoi cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from stemnet.columns import Columns
from stemnet.descriptors.lattice import column_spacing
from stemnet.descriptors.voronoi import voronoi_facets
from stemnet.errors import StemnetError

SMALLEST_FACET = 0.05
"""Share of the perimeter: noise gives diagonal neighbors of a square lattice some 0.02, near ones have 0.25."""
WAYS = ("nearest", "radius", "voronoi")


@dataclass(frozen=True)
class Bonds:
    """Pairs of neighbors, from each column to those around it.

    Parameters
    ----------
    first, second : ndarray of int, shape (E,)
        Rows of the columns, by increasing `first`, then `second`.
    vectors : ndarray, shape (E, 2)
        From the first to the second [px].
    weight : ndarray, shape (E,)
        How much of a neighbor: the facet's share of the perimeter, else 1.
    complete : ndarray of bool, shape (N,)
        Columns none of whose neighbors may lie outside of the image.
    """

    first: np.ndarray
    second: np.ndarray
    vectors: np.ndarray
    weight: np.ndarray
    complete: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """Number of neighbors, shape (N,)."""
        return np.bincount(self.first, minlength=len(self.complete))

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sum over the bonds of every column, shape (N,), of a real or complex value for each bond, (E,)."""
        n = len(self.complete)
        if np.iscomplexobj(values):
            real, imaginary = (np.bincount(self.first, part, n) for part in (values.real, values.imag))
            return real + 1j * imaginary
        return np.bincount(self.first, values, n)


def find_bonds(
    columns: Columns, neighbors: str = "voronoi", *, k: int = 6, radius: float | None = None
) -> Bonds:
    """Find the neighbors of every column in its frame.

    Parameters
    ----------
    columns : Columns
    neighbors : "nearest", "radius" or "voronoi"
        The k nearest; all within the radius; or all with a facet of a twentieth
        of the perimeter or more, weighted by it, so that the outcome changes
        little when a neighbor is lost (W. Mickel et al., J. Chem. Phys. 138,
        044501, 2013).
    k : int
        Neighbors, where the nearest are asked for.
    radius : float, optional
        [A], or [px] where the sampling is unknown; by default 1.35 times the
        median distance of the nearest, short of the second shell of square and
        hexagonal lattices.

    Returns
    -------
    Bonds

    Raises
    ------
    StemnetError
        If an option does not exist, or there are too few columns.
    """
    if neighbors not in WAYS:
        raise StemnetError(f"neighbors={neighbors!r} is unknown; use one of {', '.join(WAYS)}.")
    if neighbors == "voronoi":
        facets = voronoi_facets(columns)
        share = facets.share
        kept = share >= SMALLEST_FACET
        return Bonds(
            facets.first[kept], facets.second[kept], facets.vectors[kept], share[kept], facets.complete
        )
    least = k + 1 if neighbors == "nearest" else 2
    if k < 1 or (radius is not None and not radius > 0) or len(columns) < least:
        raise StemnetError(
            f"{len(columns)} columns were given for k={k}, radius={radius}; neighbors need a k of 1 or more or a "
            f"positive radius, and here {max(least, 2)} columns."
        )
    yx = apart(columns)
    tree = cKDTree(yx)
    margin = np.minimum(columns.yx + 0.5, np.array(columns.shape) - 0.5 - columns.yx).min(axis=1)
    if neighbors == "nearest":
        distance, second = tree.query(yx, k=k + 1)
        own = second == np.arange(len(yx))[:, None]
        # among doubles a column need not be the nearest to itself
        own[~own.any(axis=1), -1] = True
        far = distance[~own].reshape(-1, k).max(axis=1)
        first, second = np.repeat(np.arange(len(yx)), k), second[~own]
    else:
        reach = 1.35 * column_spacing(yx) if radius is None else radius / (columns.sampling or 1.0)
        pairs = tree.query_pairs(reach, output_type="ndarray")
        first, second = np.concatenate([pairs, pairs[:, ::-1]]).T
        far = np.full(len(yx), reach)
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    return Bonds(first, second, yx[second] - yx[first], np.ones(len(first)), margin >= far)


def apart(columns: Columns) -> np.ndarray:
    """Positions (N, 2) [px] with the frames laid side by side, too far apart to be neighbors."""
    if "frame" not in columns:
        return columns.yx
    return columns.yx + np.outer(np.asarray(columns["frame"], float), [10.0 * max(columns.shape), 0.0])
