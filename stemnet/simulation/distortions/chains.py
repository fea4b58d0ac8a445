"""Metal chains of distorted dichalcogenides: 1T' zigzags and the diamond chains of ReS2.

The metals of a monolayer are a triangular lattice. Its three wave vectors at
the M points, (1/2, 0), (0, 1/2) and (1/2, 1/2), each leave one direction of
close-packed rows in step: chain directions 0, 1 and 2. Rows that approach in
pairs across that direction make zigzag chains (1T', 2 x 1). A second wave, at
the M point of the next direction, pulls the metals of a chain together in
fours along it: diamonds, and a 2 x 2 cell (ReS2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from stemnet.errors import StemnetError
from stemnet.simulation.distortions.lattice import carried, cell_vectors, indices, rows_at
from stemnet.simulation.quantities.fields import Grid, as_quantity
from stemnet.simulation.specimen import Quantity, Specimen

WAVE_VECTORS = np.array([[0.5, 0.0], [0.0, 0.5], [0.5, 0.5]])
"""M points, in reciprocal vectors of the cell; row k belongs to chain direction k."""


@dataclass(frozen=True)
class TriangularLattice:
    """The close-packed directions of a triangular lattice of metals.

    Parameters
    ----------
    neighbors : ndarray of int, shape (6, 2)
        Steps to the six neighbors in cells, in order of angle from +x towards +y.
    vectors : ndarray, shape (2, 2)
        Cell vectors as rows (y, x) [A].
    along : ndarray, shape (3, 2)
        Unit vector along the chains of each direction.
    across : ndarray, shape (3, 2)
        Unit vector across them.
    """

    neighbors: np.ndarray
    vectors: np.ndarray
    along: np.ndarray
    across: np.ndarray


def triangular_lattice(specimen: Specimen) -> TriangularLattice:
    """Find the close-packed directions from the cell indices.

    Raises
    ------
    StemnetError
        If the cell is not that of a triangular lattice.
    """
    vectors = cell_vectors(specimen)
    lengths = np.linalg.norm(vectors, axis=1)
    cosine = vectors[0] @ vectors[1] / lengths.prod()
    if not (np.isclose(lengths[0], lengths[1], rtol=0.05) and np.isclose(abs(cosine), 0.5, atol=0.05)):
        raise StemnetError(
            f"Chains form in a triangular lattice; this cell has sides of {lengths[0]:.3f} and {lengths[1]:.3f} A and "
            f"an angle of {np.degrees(np.arccos(cosine)):.1f} degrees. Grow a crystal such as dichalcogenide()."
        )
    third = np.array([1, 1]) if cosine < 0 else np.array([1, -1])
    steps = np.array([[0, 1], [1, 0], third])
    along = steps @ vectors
    along = along / np.linalg.norm(along, axis=1, keepdims=True)
    six = np.concatenate([steps, -steps])
    ways = six @ vectors
    six = six[np.argsort(np.mod(np.arctan2(ways[:, 0], ways[:, 1]) + 1e-9, 2 * np.pi))]
    return TriangularLattice(six, vectors, along, np.stack([along[:, 1], -along[:, 0]], 1))


def neighbor_modes(lattice: TriangularLattice) -> np.ndarray:
    """An orthonormal basis of what chains do to the vectors from a metal to its six neighbors.

    Parameters
    ----------
    lattice : TriangularLattice

    Returns
    -------
    ndarray, shape (6, 12)
        Modes 1 to 3: metals move across the chains of directions 0, 1, 2, by
        turns from row to row; modes 4 to 6: along them. Each is a change of
        the six neighbor vectors, (y, x) one neighbor after the other in the
        lattice's order: where the neighbor moves oppositely, by minus twice
        the metal's own shift, else 0. The six such patterns overlap; these are the
        orthonormal ones closest to them (Loewdin, J. Chem. Phys. 18, 365, 1950).
    """
    opposite = (1 - np.cos(2 * np.pi * WAVE_VECTORS @ lattice.neighbors.T).round()) / 2
    raw = np.concatenate(
        [-opposite[:, :, None] * ways[:, None, :] for ways in (lattice.across, lattice.along)]
    ).reshape(6, 12)
    left, _, right = np.linalg.svd(raw, full_matrices=False)
    return left @ right


def chained(
    specimen: Specimen,
    amplitude: float | Quantity,
    direction: int | Quantity = 0,
    *,
    metal: int = 0,
    diamond: float = 0.25,
    sense: int | Quantity = 1,
) -> Specimen:
    """Let the metals of a triangular lattice form chains.

    A metal moves by amplitude (-1)^n across the chain, n counting the rows of
    its direction, and by amplitude * diamond (-1)^m along it. In a lattice of
    a = 3.16 A an amplitude of 0.21 A brings the metals of a chain 2.80 A apart;
    diamonds of 0.25 split that into 2.74, 2.80 and 2.86 A. The chalcogens, which mostly
    buckle along the beam, stay where they are.

    Parameters
    ----------
    specimen : Specimen
    amplitude : float or Quantity
        [A]; as a quantity it may depend on place, as through the composition
        (`fields.Logistic` of `local_share`) or at walls (`fields.WallFade`).
    direction : int or Quantity
        0, 1 or 2: along which rows the chains run. As a quantity, such as
        `fields.Patches`, it makes domains.
    metal : int
        Sublattice of the metals.
    diamond : float
        Motion along the chains against that across them; 0 leaves zigzags.
    sense : int or Quantity
        1 or -1: which of two rows a row comes together with. As a quantity it
        makes antiphase domains of one direction.

    Returns
    -------
    Specimen
        With ``chain_amplitude_A`` and ``chain_direction`` planted, as values of
        the sites and as fields, ``chain_y_A`` and ``chain_x_A``, and ``mode_1`` to
        ``mode_6`` [A], the shifts of the six neighbors against the metal
        in the basis of `neighbor_modes`; these are NaN on other columns and
        where a neighbor is missing. The basis is that of the lattice as grown.

    Raises
    ------
    StemnetError
        If the lattice is not triangular, or the directions are others.
    """
    lattice = triangular_lattice(specimen)
    amplitude, chosen = as_quantity(amplitude), as_quantity(direction)
    directions = chosen(specimen.yx).astype(int)
    if len(directions) and not 0 <= directions.min() <= directions.max() <= 2:
        raise StemnetError(
            f"Chain directions {np.unique(directions).tolist()} were asked for; a triangular lattice has 0, 1 and 2."
        )
    metals = specimen.sublattice == metal
    turns = np.cos(2 * np.pi * indices(specimen)[:, :2] @ WAVE_VECTORS.T).round()
    rows = np.arange(len(specimen))
    size = amplitude(specimen.yx) * metals
    across = as_quantity(sense)(specimen.yx) * size * turns[rows, directions]
    along = size * diamond * turns[rows, (directions + 1) % 3]
    local = across[:, None] * lattice.across[directions] + along[:, None] * lattice.along[directions]
    shift = carried(specimen, local)
    planted = (
        specimen.with_field("chain_amplitude_A", amplitude)
        .with_field("chain_direction", Label(chosen))
        .with_planted(chain_y_A=shift[:, 0], chain_x_A=shift[:, 1])
        .with_planted(**_projections(specimen, lattice, local, metals))
    )
    return planted.displaced(shift)


@dataclass(frozen=True)
class Label:
    """A quantity as whole numbers."""

    of: Quantity

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Labels (N,) at places (N, 2) [A]."""
        return self.of(yx).astype(int)


def _projections(
    specimen: Specimen, lattice: TriangularLattice, shift: np.ndarray, metals: np.ndarray
) -> dict[str, np.ndarray]:
    scores = np.full((len(specimen), 6), np.nan)
    ours = np.flatnonzero(metals)
    sites = np.unique(indices(specimen)[ours, 2])
    if len(sites) == 1:
        cells = indices(specimen)[ours, :2]
        around = np.stack([rows_at(specimen, cells + step, int(sites[0])) for step in lattice.neighbors], 1)
        whole = (around >= 0).all(1)
        change = shift[around[whole]] - shift[ours[whole], None]
        scores[ours[whole]] = change.reshape(len(change), 12) @ neighbor_modes(lattice).T
    return {f"mode_{number}": column for number, column in enumerate(scores.T, start=1)}


def local_share(
    specimen: Specimen, species: str, length: float, *, sublattice: int = 0, spacing: float | None = None
) -> Grid:
    """The share of a species among the columns of a sublattice around each place, as a quantity.

    Parameters
    ----------
    specimen : Specimen
    species : str
        As the columns are named, ``"Re"``.
    length : float
        Sigma of the Gaussian window [A].
    sublattice : int
    spacing : float, optional
        Of the grid that stores it [A]; a third of the length if it is not given.

    Returns
    -------
    Grid

    Raises
    ------
    StemnetError
        If the sublattice is empty or the grid would be too fine.
    """
    ours = specimen.sublattice == sublattice
    if not ours.any():
        raise StemnetError(
            f"Sublattice {sublattice} has no columns; name one that has, to take the share of {species}."
        )
    spacing = length / 3 if spacing is None else spacing
    low = specimen.yx.min(0) - spacing
    shape = np.ceil((specimen.yx.max(0) - low) / spacing).astype(int) + 2
    if shape.prod() > 4_000_000:
        raise StemnetError(
            f"A share over {length:g} A needs a grid of {shape[0]} x {shape[1]} points; give a greater length."
        )
    counts = []
    for chosen in (ours & (specimen.species == species), ours):
        at = np.round((specimen.yx[chosen] - low) / spacing).astype(int)
        count = np.bincount(at @ [shape[1], 1], minlength=shape.prod()).reshape(shape).astype(float)
        counts.append(gaussian_filter(count, length / spacing, mode="nearest", truncate=5))
    share = np.divide(counts[0], counts[1], out=np.zeros_like(counts[0]), where=counts[1] > 1e-12)
    origin = (float(low[0]), float(low[1]))
    return Grid(tuple(tuple(row) for row in share.tolist()), origin, float(spacing))
