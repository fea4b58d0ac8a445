"""Vortices of a vector field on the cells of a lattice.

A vortex is where the vectors turn once on the way around some cells (Mermin,
Rev. Mod. Phys. 51, 591, 1979).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from stemnet.descriptors.field_gradients import usable_rows
from stemnet.errors import StemnetError


@dataclass(frozen=True)
class Vortices:
    """Points around which a vector field turns.

    Parameters
    ----------
    yx : ndarray, shape (V, 2)
        [px]
    winding : ndarray of int, shape (V,)
        1 for vortices, -1 for antivortices (saddles), whatever their sense.
    circulation : ndarray, shape (V,)
        Mean component along the way around, of unit vectors: 1 runs from +x
        towards +y, -1 the other way; near 0 are antivortices and hedgehogs.
    margin : ndarray, shape (V,)
        How many standard errors the nearest step is from half a turn, at which
        the winding would be another; infinite without errors.
    """

    yx: np.ndarray
    winding: np.ndarray
    circulation: np.ndarray
    margin: np.ndarray

    def __len__(self) -> int:
        return len(self.yx)


def find_vortices(
    cells: np.ndarray,
    yx: np.ndarray,
    vectors: np.ndarray,
    errors: np.ndarray | None = None,
    *,
    valid: np.ndarray | None = None,
    loop: int = 2,
    margin: float = 2.0,
) -> Vortices:
    """Count how often vectors turn on the way around squares of cells.

    Parameters
    ----------
    cells : ndarray of int, shape (N, 2)
        From `lattice_indices`, of one frame; -1 where unknown.
    yx, vectors, errors, valid
        As in `field_gradients`; one valid row per cell (one sublattice).
    loop : int
        Cells along each edge of a square. 1 is the plaquette of four columns;
        larger ones pass around a core in which the vectors fade.
    margin : float
        Standard errors by which each step must miss half a turn. Ways along
        which one does not, as across a 180-degree wall, are left out.

    Returns
    -------
    Vortices
        Squares around the same point are put together.

    Raises
    ------
    StemnetError
        If there is no complete square.
    """
    rows = usable_rows(yx, vectors, valid)
    rows = rows[(cells[rows] >= 0).all(axis=1)]
    ways = _squares(cells[rows], loop) if len(rows) else np.empty((0, 4 * loop), int)
    if not len(ways):
        raise StemnetError(
            f"No square of {loop} by {loop} cells is complete among {len(rows)} vectors with a cell. "
            "Take a larger part of the image, a smaller loop, or find the lattice indices first."
        )
    ways = rows[ways]
    y, x = np.moveaxis(yx[ways], -1, 0)
    backwards = (x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(axis=1) < 0
    ways[backwards] = ways[backwards, ::-1]
    angle = np.arctan2(vectors[ways, 0], vectors[ways, 1])
    step = (np.roll(angle, -1, axis=1) - angle + np.pi) % (2 * np.pi) - np.pi
    winding = np.rint(step.sum(axis=1) / (2 * np.pi)).astype(int)
    sure = np.full(len(ways), np.inf)
    if errors is not None:
        length = np.hypot(vectors[:, 0], vectors[:, 1])
        blur = (np.hypot(errors[:, 0], errors[:, 1]) / np.sqrt(2) / np.maximum(length, 1e-300))[ways]
        sure = ((np.pi - np.abs(step)) / np.hypot(blur, np.roll(blur, -1, axis=1))).min(axis=1)
    hits = np.nonzero((winding != 0) & (sure >= margin))[0]
    way = np.roll(yx[ways[hits]], -1, axis=1) - yx[ways[hits]]
    unit = vectors[ways[hits]] / np.hypot(vectors[ways[hits], 0], vectors[ways[hits], 1])[..., None]
    along = ((unit + np.roll(unit, -1, axis=1)) / 2 * way).sum(axis=(1, 2)) / np.hypot(*way.T).sum(axis=0)
    center = yx[ways[hits]].mean(axis=1)
    size = np.hypot(*way.T).max(initial=0.0)
    pairs = (
        cKDTree(center).query_pairs(1.5 * size, output_type="ndarray") if len(hits) else np.empty((0, 2), int)
    )
    pairs = pairs[winding[hits][pairs[:, 0]] == winding[hits][pairs[:, 1]]]
    graph = csr_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(hits),) * 2)
    amount, part = connected_components(graph, directed=False) if len(hits) else (0, np.empty(0, int))
    groups = [part == number for number in range(amount)]
    order = sorted(range(amount), key=lambda number: tuple(center[groups[number]].mean(axis=0)))
    groups = [groups[number] for number in order]
    return Vortices(
        np.array([center[group].mean(axis=0) for group in groups]).reshape(-1, 2),
        np.array([winding[hits][group][0] for group in groups], dtype=int),
        np.array([along[group].mean() for group in groups]),
        np.array([sure[hits][group].max() for group in groups]),
    )


def _squares(cells, loop):
    """Rows around every complete square of cells, in the sense from a towards b, shape (P, 4 loop)."""
    grid = np.full(cells.max(axis=0) + 1, -1)
    grid[cells[:, 0], cells[:, 1]] = np.arange(len(cells))
    side, none, full = np.arange(loop), np.zeros(loop, int), np.full(loop, loop)
    way = np.stack([[*side, *full, *side[::-1] + 1, *none], [*none, *side, *full, *side[::-1] + 1]], axis=1)
    high = np.array(grid.shape) - loop
    if (high <= 0).any():
        return np.empty((0, 4 * loop), int)
    corner = (
        np.stack(np.meshgrid(*(np.arange(n) for n in high), indexing="ij"), axis=-1).reshape(-1, 1, 2) + way
    )
    found = grid[corner[..., 0], corner[..., 1]]
    return found[(found >= 0).all(axis=1)]
