"""Random sets of places in the plane: packings, and networks of three bonds each."""

from __future__ import annotations

import numpy as np
from scipy.spatial import Voronoi, cKDTree

from stemnet.simulation.defects.pieces import spread_out

TRIES = 8
"""Per separation^2 of area: enough for nine tenths of the densest random packing."""

RELAXING = 40
"""Rounds of relaxation of a random network."""


def scattered(low: np.ndarray, size: np.ndarray, separation: float, rng: np.random.Generator) -> np.ndarray:
    """Places (N, 2) [A] in a rectangle, as dense as random sequential addition makes them, none closer than asked."""
    tries = low + size * rng.random((int(TRIES * size.prod() / separation**2), 2))
    # The earlier of two stays: random sequential addition.
    return tries[spread_out(tries, separation, -np.arange(len(tries)))]


def random_network(
    low: np.ndarray, high: np.ndarray, separation: float, rng: np.random.Generator
) -> np.ndarray:
    """Places with three neighbors each, in rings of any size: corners of the Voronoi cells of scattered seeds.

    Parameters
    ----------
    low, high : ndarray, shape (2,)
        Corners of the area [A].
    separation : float
        Least distance between two places [A]; bonds relax towards 1.2 times that.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (N, 2)
        [A]
    """
    bond = 1.2 * separation
    low, high = low - 4 * bond, high + 4 * bond
    # As many seeds as a honeycomb of that bond has rings: packings fill 0.65 per separation^2.
    seeds = scattered(low, high - low, np.sqrt(0.65 * 1.5 * np.sqrt(3)) * bond, rng)
    cells = Voronoi(seeds)
    inside = np.all((cells.vertices > low) & (cells.vertices < high), axis=1)
    ridges = np.array(cells.ridge_vertices)
    bonds = ridges[(ridges >= 0).all(1)]
    bonds = bonds[inside[bonds].all(1)]
    yx = cells.vertices.copy()
    for _ in range(RELAXING):
        tree = cKDTree(yx[inside])
        close = np.flatnonzero(inside)[tree.query_pairs(1.5 * bond, output_type="ndarray")]
        # Bonded places go to a bond's length, all others out of reach of one.
        for ends, aim, only_push in ((bonds, bond, False), (close, 1.5 * bond, True)):
            apart = yx[ends[:, 1]] - yx[ends[:, 0]]
            length = np.maximum(np.hypot(apart[:, 0], apart[:, 1]), 1e-9)
            lack = aim - length
            if only_push:
                is_bond = np.isin(_keys(ends, len(yx)), _keys(bonds, len(yx)))
                lack = np.where(is_bond, 0.0, np.maximum(lack, 0))
            push = (0.15 * lack / length)[:, None] * apart
            np.add.at(yx, ends[:, 1], push)
            np.add.at(yx, ends[:, 0], -push)
    kept = yx[inside & np.all((yx >= low + 4 * bond) & (yx <= high - 4 * bond), axis=1)]
    return kept[spread_out(kept, separation, -np.arange(len(kept)))]


def _keys(pairs: np.ndarray, count: int) -> np.ndarray:
    """One number for each unordered pair."""
    return pairs.min(1) * count + pairs.max(1)
