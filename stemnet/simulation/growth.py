"""Specimens to begin with: a field of view filled with a crystal, or with columns at random."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from stemnet.errors import StemnetError
from stemnet.simulation.crystal import Crystal
from stemnet.simulation.specimen import Specimen, rotation

MOST_COLUMNS = 20_000_000
"""More than this is not tried: it would not fit in memory, and no image shows that many."""


def grow(
    crystal: Crystal,
    field_of_view: tuple[float, float],
    *,
    orientation: float = 0.0,
    origin: tuple[float, float] = (0.0, 0.0),
    margin: float = 10.0,
    thickness: float | None = None,
) -> Specimen:
    """Fill a field of view with a crystal.

    Parameters
    ----------
    crystal : Crystal
    field_of_view : tuple of float
        Height and width [A].
    orientation : float
        Rotation of the cell from y towards x [rad].
    origin : tuple of float
        Where the cell's corner sits, in fractions of the cell.
    margin : float
        Columns this far outside the frame are kept [A].
    thickness : float, optional
        Along the beam [A]; one repeat if it is not given.

    Returns
    -------
    Specimen

    Raises
    ------
    StemnetError
        If the columns would not fit in memory, the thickness is not positive,
        or a sheet is given a thickness.
    """
    cell = np.array(crystal.cell) @ rotation(orientation).T
    low = np.array([-margin, -margin])
    high = np.array(field_of_view) + margin
    expected = np.prod(high - low) / abs(np.linalg.det(cell)) * len(crystal.sites)
    if not expected <= MOST_COLUMNS:
        raise StemnetError(
            f"{crystal.name} over {field_of_view[0]:.4g} x {field_of_view[1]:.4g} A would have {expected:.2g} columns; "
            f"{MOST_COLUMNS:.0e} is the most that is tried. Ask for a smaller field of view, or make it in parts."
        )
    corners = np.array([[low[0], low[1]], [low[0], high[1]], [high[0], low[1]], [high[0], high[1]]])
    reach = corners @ np.linalg.inv(cell) - np.array(origin)
    first = np.floor(reach.min(0)).astype(int) - 1
    last = np.ceil(reach.max(0)).astype(int) + 1
    # One row of cells after the other keeps a long thin field at an angle from filling its whole bounding cell.
    sites = np.array(crystal.sites)
    cells = _cells_within(cell, sites, np.array(origin), first, last, low, high)
    index = np.concatenate(
        [np.repeat(cells, len(sites), axis=0), np.tile(np.arange(len(sites)), len(cells))[:, None]], axis=1
    )
    yx = (index[:, :2] + sites[index[:, 2]] + np.array(origin)) @ cell
    inside = np.all((yx >= low) & (yx <= high), axis=1)
    yx, index = yx[inside], index[inside]
    return Specimen(
        yx=yx,
        species=np.array(crystal.species)[index[:, 2]],
        sublattice=np.array(crystal.sublattices)[index[:, 2]],
        displacement=np.zeros_like(yx),
        thickness=np.full(len(yx), repeats_of(crystal, thickness)),
        index=index,
    )


def _cells_within(
    cell: np.ndarray,
    sites: np.ndarray,
    origin: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> np.ndarray:
    """Cells (i, j) that may have a site in the frame, (M, 2)."""
    slack = np.abs(np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) @ cell).max(0)
    slack = slack + np.abs((sites + origin) @ cell).max(0)
    i = np.arange(first[0], last[0] + 1)
    # Of each row of cells i, those j whose corner lies within the frame and the slack around it.
    near, far = np.full(len(i), float(first[1])), np.full(len(i), float(last[1]))
    for axis in (0, 1):
        low_end, high_end = (
            bound - i * cell[0, axis] for bound in (low[axis] - slack[axis], high[axis] + slack[axis])
        )
        step = cell[1, axis]
        if abs(step) > 1e-9:
            ends = np.sort(np.stack([low_end, high_end]) / step, axis=0)
            near, far = np.maximum(near, np.floor(ends[0])), np.minimum(far, np.ceil(ends[1]))
        else:
            far[(low_end > 0) | (high_end < 0)] = -np.inf
    count = np.maximum(far - near + 1, 0)
    count = np.where(np.isfinite(count), count, 0).astype(int)
    inner = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.stack([np.repeat(i, count), np.repeat(near.astype(int), count) + inner], axis=1)


def repeats_of(crystal: Crystal, thickness: float | None) -> float:
    """Number of repeats along the beam in a thickness [A]; 1 if none is given.

    Raises
    ------
    StemnetError
        If the thickness is not positive, or the crystal is a sheet.
    """
    if thickness is None:
        return 1.0
    if crystal.period is None:
        raise StemnetError(
            f"A thickness of {thickness:g} A was asked for, but {crystal.name} is a sheet, one repeat thick; "
            "leave the thickness out, or give a crystal with a period along the beam."
        )
    if not thickness > 0:
        raise StemnetError(f"A thickness of {thickness:g} A was asked for; it must be positive.")
    return thickness / crystal.period


def disordered(
    field_of_view: tuple[float, float],
    *,
    separation: float,
    filling: float,
    species: tuple[str, ...],
    rng: np.random.Generator,
    margin: float = 10.0,
) -> Specimen:
    """Scatter columns at random, no two closer than a separation.

    Parameters
    ----------
    field_of_view : tuple of float
        Height and width [A].
    separation : float
        Least distance between two columns [A].
    filling : float
        Tries per separation^2 of area; about 1.5 fills the plane, 0.05 is a
        support with single atoms.
    species : tuple of str
        Drawn with equal chance.
    rng : numpy.random.Generator
    margin : float
        [A]

    Returns
    -------
    Specimen

    Raises
    ------
    StemnetError
        If the separation is not positive.
    """
    if separation <= 0:
        raise StemnetError(f"A separation of {separation} A was asked for; give a positive one.")
    size = np.array(field_of_view) + 2 * margin
    tries = max(1, rng.poisson(filling * size.prod() / separation**2))
    yx = rng.uniform(0, 1, (tries, 2)) * size - margin
    keep = np.ones(tries, dtype=bool)
    # A try is refused by any earlier one that stands: random sequential addition.
    for earlier, later in sorted(cKDTree(yx).query_pairs(separation)):
        if keep[earlier]:
            keep[later] = False
    yx = yx[keep]
    return Specimen(
        yx=yx,
        species=rng.choice(np.array(species), len(yx)),
        sublattice=np.full(len(yx), -1),
        displacement=np.zeros_like(yx),
        thickness=np.ones(len(yx)),
    )
