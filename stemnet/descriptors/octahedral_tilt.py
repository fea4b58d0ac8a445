"""Octahedral tilt about the beam, from images in which anions are seen (annular bright field, iDPC).

Only what projects is measured. Octahedra tilted about an axis in the image move
their anions along the beam, or split a column into halves that coincide on
average; so do those that turn about the beam oppositely in one layer and the
next (a0a0c-). None of that shifts a column in the image: an angle of 0 here does
not say that there is no tilt. Cations alone may show it by `cell_doubling`.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from stemnet.columns import Columns
from stemnet.descriptors.basis import reduced
from stemnet.descriptors.cell_doubling import table_with_errors
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.neighbors import lattice_of
from stemnet.descriptors.reference import Reference, reference_lattice
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError

ANION_GATE = 0.45  # an anion lies within this share of half a bond from its middle: tilts up to 24 degrees
BOND = (3.3, 4.8)  # distance of B columns [A]: 3.6 to 4.4 in perovskites, and files claim a little wrong
SEEN = 0.3  # share of the inner octahedra whose anions must be found


def octahedral_tilt(
    columns: Columns, lattice: Lattice | None = None, *, center: int | None = None
) -> Descriptors:
    """Measure the angle about the beam of each octahedron whose four anions in the image plane are seen.

    The arms from a B column to its anions are turned onto half the vectors to
    the neighboring B columns by least squares: strain, shear and rotation of
    the lattice turn both, and leave the angle alone.

    Parameters
    ----------
    columns : Columns
        With the anions, and ``sigma_y``, ``sigma_x`` [px] where errors are wanted.
    lattice : Lattice, optional
        Of the cell that holds one octahedron; found from the positions by
        default, with the help of the sampling. Pass it where that is unknown.
    center : int, optional
        Sublattice of the B columns as `assign_sublattices` numbers it, brightest
        first. By default the one around which anions turn most, which an A
        column's neighbors do not; without tilt both are right.

    Returns
    -------
    Descriptors
        ``tilt_rad``, from +x towards +y, of the octahedron around each B column,
        as the simulator plants it; ``tilt_amplitude_rad``, the same without the
        sign that alternates from cell to cell, positive for most columns of a
        grain. With ``sigma_...`` where positions have errors.

    Raises
    ------
    StemnetError
        If there are too few columns, no lattice is found, or the anions are not seen.
    """
    return _tilt_table(columns, *complete_octahedra(columns, lattice, center))


def complete_octahedra(
    columns: Columns, lattice: Lattice | None = None, center: int | None = None
) -> tuple[Reference, tuple[list[tuple[np.ndarray, np.ndarray, np.ndarray]], int]]:
    """The octahedra that `octahedral_tilt` measures, with its parameters.

    Returns
    -------
    grains : Reference
    parts : list of tuple of ndarray of int
        By grain, rows of the B columns (n,), of their neighbors along a, b, -a,
        -b (n, 4), and of the anions between (n, 4).
    possible : int
        How many octahedra have four neighbors; with `parts`, the second of two values.

    Raises
    ------
    StemnetError
        As `octahedral_tilt`.
    """
    best, strength = None, -1.0
    for cell in _cells_to_try(columns, lattice):
        grains = reference_lattice(columns, cell)
        for s in np.unique(grains.sublattice[grains.valid]) if center is None else [center]:
            found = _octahedra(columns, grains, s)
            turned = _turned(columns.yx, grains, found)
            if turned is not None and np.median(np.abs(turned)) > strength:
                best, strength = (grains, found), float(np.median(np.abs(turned)))
    if best is None:
        raise StemnetError(
            f"Among {len(columns)} columns no sublattice has anions half way to its four neighbors; the angle of "
            "octahedra needs an image in which oxygen is seen (annular bright field, iDPC). Use cell_doubling on "
            "cations, or pass the sampling, or the lattice of the cell that holds one octahedron."
        )
    return best


def _cells_to_try(columns, lattice):
    """The cell given; or of the cell found, its double and its half those that can hold one octahedron.

    Where A and B look alike half the cell is found, where tilts are strong the
    doubled one. Cations alone sit on the same places as all columns of a cell
    smaller by sqrt(2), so only the sampling tells which it is.
    """
    if lattice is not None or (found := lattice_of(columns)) is None:
        return [lattice]
    if columns.sampling is None:
        return [found]
    a, b = found.vectors
    cells = [reduced(np.array(v)) for v in ((a, b), (a + b, a - b), ((a + b) / 2, (a - b) / 2))]
    longest = [np.hypot(*cell.T).max() * columns.sampling for cell in cells]
    fitting = [cell for cell, long in zip(cells, longest, strict=True) if BOND[0] < long < BOND[1]]
    return [Lattice(cell, 4, found.confidence) for cell in fitting] or [found]


def _octahedra(columns, grains, s):
    """Rows of the center (n,), of its four neighbors (n, 4) and of the anions between (n, 4); and how many could be.

    Neighbors lie along a, b, -a, -b. Anions need no place in the lattice: those
    of strong tilts have left theirs.
    """
    parts, possible, yx = [], 0, columns.yx
    frame = columns["frame"] if "frame" in columns else np.zeros(len(yx), int)
    for g in range(len(grains.vectors)):
        rows = np.nonzero((grains.grain == g) & (grains.sublattice == s))[0]
        if not len(rows):
            continue
        others = np.ones(len(yx), bool)
        others[rows] = False
        others = np.nonzero(others & (frame == frame[rows[0]]) & np.isfinite(yx).all(axis=1))[0]
        if not len(others):
            continue
        low = grains.cells[rows].min(axis=0) - 1
        number = np.full(np.ptp(grains.cells[rows], axis=0) + 3, -1)
        number[tuple((grains.cells[rows] - low).T)] = rows
        around = [
            number[tuple((grains.cells[rows] - low + step).T)] for step in ((1, 0), (0, 1), (-1, 0), (0, -1))
        ]
        around = np.stack(around, axis=1)
        inner = (around >= 0).all(axis=1)
        center, neighbors = rows[inner], around[inner]
        middle = (yx[center, None] + yx[neighbors]) / 2
        gate = ANION_GATE * np.hypot(*(yx[neighbors] - yx[center, None]).transpose(2, 0, 1)) / 2
        distance, near = cKDTree(yx[others]).query(middle)
        complete = (distance < gate).all(axis=1)
        possible += len(center)
        parts.append((center[complete], neighbors[complete], others[near[complete]]))
    return parts, possible


def _turned(yx, grains, found):
    """Angles without the alternating sign, (n,); None where too few octahedra are complete."""
    parts, possible = found
    amount = sum(len(center) for center, *_ in parts)
    if amount < max(3, SEEN * possible):
        return None
    return np.concatenate([_angle(yx, *part) * parity(grains, part[0]) for part in parts])


def parity(grains: Reference, rows: np.ndarray) -> np.ndarray:
    """+1 and -1 by turns from cell to cell, of rows (n,)."""
    return 1 - 2 * (grains.cells[rows].sum(axis=1) % 2)


def _arms(yx, center, neighbors, anions):
    """Half the vectors to the neighbors, and the vectors to the anions, (n, 4, 2) each."""
    return (yx[neighbors] - yx[center, None]) / 2, yx[anions] - yx[center, None]


def _angle(yx, center, neighbors, anions):
    """Angle from +x towards +y that turns half bonds onto arms best, (n,)."""
    half, arms = _arms(yx, center, neighbors, anions)
    sine = (half[..., 1] * arms[..., 0] - half[..., 0] * arms[..., 1]).sum(axis=1)
    return np.arctan2(sine, (half * arms).sum(axis=(1, 2)))


def _angle_error(yx, sigma, center, neighbors, anions):
    """Its standard error, (n,), where those of the positions (N, 2) are independent."""
    half, arms = _arms(yx, center, neighbors, anions)
    sine = (half[..., 1] * arms[..., 0] - half[..., 0] * arms[..., 1]).sum(axis=1)[:, None, None]
    cosine = (half * arms).sum(axis=(1, 2))[:, None, None]
    square = sine**2 + cosine**2
    by_arm = (cosine * half[..., ::-1] * np.array([1, -1]) - sine * half) / square
    by_neighbor = (cosine * arms[..., ::-1] * np.array([-1, 1]) - sine * arms) / square / 2
    by_center = -(by_arm + by_neighbor).sum(axis=1)
    variance = (by_center * sigma[center]) ** 2
    for growth, rows in ((by_arm, anions), (by_neighbor, neighbors)):
        variance = variance + ((growth * sigma[rows]) ** 2).sum(axis=1)
    return np.sqrt(variance.sum(axis=1))


def _tilt_table(columns, grains, found):
    with_errors = "sigma_y" in columns and "sigma_x" in columns
    values = np.full((len(columns), 4 if with_errors else 2), np.nan)
    for part in found[0]:
        center = part[0]
        angle = _angle(columns.yx, *part)
        amplitude = angle * parity(grains, center)
        sign = -1 if len(amplitude) and np.median(amplitude) < 0 else 1
        values[center, :2] = np.stack([angle, sign * amplitude], axis=1)
        if with_errors:
            sigma = np.stack([columns["sigma_y"], columns["sigma_x"]], axis=1)
            values[center, 2:] = _angle_error(columns.yx, sigma, *part)[:, None]
    return table_with_errors(columns, values, ("tilt_rad", "tilt_amplitude_rad"), with_errors)
