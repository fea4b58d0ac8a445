"""Neighbor vectors where neighbors are those of the Voronoi cells, or all within a radius."""

from __future__ import annotations

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.bonds import find_bonds
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.neighbors import lattice_of
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError

SAME = ("same", "all")


def bond_vectors(
    columns: Columns,
    *,
    neighbors: str = "voronoi",
    k: int | None = None,
    radius: float | None = None,
    among: str = "all",
    lattice: Lattice | None = None,
) -> Descriptors:
    """Vectors to the neighbors, by angle, as `neighbor_vectors` gives them for the k nearest and by the lattice.

    Parameters
    ----------
    columns : Columns
        With ``sublattice`` where `among` is "same".
    neighbors : "voronoi" or "radius"
        Neighbors with the largest facets of the Voronoi cell, or the nearest within the radius.
    k : int, optional
        Number of neighbors; by default as many as most columns have.
    radius : float, optional
        As in `find_bonds`.
    among : "all" or "same"
        Neighbors of any sublattice, or of the column's own.
    lattice : Lattice, optional
        Angles are counted from its first direction; found from the positions by default.

    Returns
    -------
    Descriptors
        ``r0y, r0x, r1y, ...`` in A, or in px where the sampling is unknown. A row
        is valid where there are k neighbors, and none may lie outside of the image.

    Raises
    ------
    StemnetError
        If an option does not exist, or there are too few columns.
    """
    if neighbors not in ("voronoi", "radius") or among not in SAME or (k is not None and k < 1):
        raise StemnetError(
            f"neighbors={neighbors!r}, among={among!r}, k={k!r} were asked for; use voronoi or radius, all or same, "
            "and a k of 1 or more. For the k nearest or those of the lattice use descriptor=nearest or neighbors."
        )
    lattice = lattice or lattice_of(columns)
    kind = np.zeros(len(columns), int)
    if among == "same" and "sublattice" in columns:
        kind = np.asarray(columns["sublattice"], int)
    parts, most = [], []
    for s in np.unique(kind[kind >= 0]):
        rows = np.nonzero(kind == s)[0]
        bonds = find_bonds(columns.select(rows), neighbors, radius=radius)
        parts.append((rows, bonds))
        most.append(bonds.counts[bonds.complete])
    if not parts:
        raise StemnetError("No column has a sublattice; neighbors of the same one need it. Use among=all.")
    counts = np.concatenate(most)
    k = k or max(int(np.bincount(counts).argmax()) if len(counts) else 6, 1)
    vectors, valid = np.full((len(columns), k, 2), np.nan), np.zeros(len(columns), bool)
    start = -np.pi / k + (0.0 if lattice is None else float(np.arctan2(*lattice.template[0])))
    for rows, bonds in parts:
        enough = (bonds.counts >= k) & bonds.complete
        chosen = _by_angle(bonds, k, enough, neighbors == "voronoi", start)
        vectors[rows[enough]], valid[rows] = chosen, enough
    unit, scale = ("px", 1.0) if columns.sampling is None else ("A", columns.sampling)
    names = tuple(f"r{i}{axis}_{unit}" for i in range(k) for axis in "yx")
    return Descriptors(vectors.reshape(len(columns), 2 * k) * scale, names, columns.yx, valid)


def _by_angle(bonds, k, enough, by_facet, start):
    """The k first neighbors of the rows that have enough, by angle, shape (n, k, 2) [px]."""
    rank = -bonds.weight if by_facet else np.hypot(*bonds.vectors.T)
    order = np.lexsort((rank, bonds.first))
    begin = np.cumsum(bonds.counts) - bonds.counts
    taken = order[begin[enough][:, None] + np.arange(k)]
    vectors = bonds.vectors[taken]
    angle = (np.arctan2(vectors[..., 0], vectors[..., 1]) - start) % (2 * np.pi)
    return np.take_along_axis(vectors, np.argsort(angle, axis=1)[..., None], axis=1)
