"""Frozen modes: sublattices that are displaced in a wave, as when a phonon has gone soft."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.deformation import Vector
from stemnet.simulation.distortions.lattice import carried, cell_vectors, indices
from stemnet.simulation.quantities.fields import as_quantity
from stemnet.simulation.specimen import Quantity, Specimen


def frozen_mode(
    specimen: Specimen,
    wave_vector: Vector,
    polarization: Mapping[int, Vector],
    amplitude: float | Quantity,
    *,
    phase: float = 0.0,
    name: str = "mode",
) -> Specimen:
    """Displace the columns by amplitude(r) e_s cos(2 pi (q1 i + q2 j) + phase), with (i, j) the cell of a column.

    With q = 0 all cells move alike (an optical mode), with components of 1/2
    neighboring cells oppositely (unit-cell doubling), with any other it is a
    modulation, commensurate or not, as of a charge-density wave. The phase
    counts cells, so that it follows a strained or turned lattice.

    Parameters
    ----------
    specimen : Specimen
    wave_vector : tuple of float
        (q1, q2) in units of the reciprocal vectors of the specimen's cell.
    polarization : mapping of int to tuple
        The vector e_s in (y, x) of each site of the cell, the third of
        ``specimen.index``; sites that are left out stay. `by_sublattice`
        writes it for sublattices.
    amplitude : float or Quantity
        [A], where e_s has length 1.
    phase : float
        [rad]
    name : str
        Of what is planted.

    Returns
    -------
    Specimen
        With ``<name>_amplitude_A`` planted, as values of the sites and as a
        field, and ``<name>_y_A``, ``<name>_x_A`` and ``<name>_phase_rad`` (0 to
        2 pi), which alternate from cell to cell, as values.
    """
    amplitude = as_quantity(amplitude)
    turn = 2 * np.pi * (indices(specimen)[:, :2] @ np.array(wave_vector)) + phase
    vectors = np.zeros_like(specimen.yx)
    for site, vector in polarization.items():
        vectors[indices(specimen)[:, 2] == site] = vector
    shift = (amplitude(specimen.yx) * np.cos(turn))[:, None] * vectors
    planted = specimen.with_field(f"{name}_amplitude_A", amplitude).with_planted(
        **{
            f"{name}_y_A": shift[:, 0],
            f"{name}_x_A": shift[:, 1],
            f"{name}_phase_rad": np.mod(turn, 2 * np.pi),
        }
    )
    return planted.displaced(shift)


def by_sublattice(specimen: Specimen, vectors: Mapping[int, Vector]) -> dict[int, Vector]:
    """The polarization of `frozen_mode`, site by site, from vectors of sublattices."""
    site, sublattice = indices(specimen)[:, 2], specimen.sublattice
    return {
        int(one): vector
        for number, vector in vectors.items()
        for one in np.unique(site[sublattice == number])
    }


def row_shear(
    specimen: Specimen, amplitude: float | Quantity, *, rows: int = 0, every: int = 1, name: str = "shear"
) -> Specimen:
    """Shift rows of cells along themselves, by turns forwards and backwards: a shear mode that doubles the cell.

    Parameters
    ----------
    specimen : Specimen
    amplitude : float or Quantity
        Of the shift, forwards and backwards [A].
    rows : int
        0 stacks rows along the first cell vector and shifts them along the
        second; 1 the other way round.
    every : int
        How many rows go together.
    name : str
        Of what is planted.

    Returns
    -------
    Specimen
        With ``<name>_amplitude_A`` planted as values of the sites and as a
        field; ``<name>_y_A``, ``<name>_x_A`` and ``<name>_sign`` (1 or -1) as values.

    Raises
    ------
    StemnetError
        If `rows` or `every` make no sense, or the columns have no lattice.
    """
    if rows not in (0, 1) or every < 1:
        raise StemnetError(
            f"Rows along cell vector {rows}, {every} at a time, were asked for; give rows 0 or 1, and every 1 or more."
        )
    amplitude = as_quantity(amplitude)
    way = carried(specimen, cell_vectors(specimen)[1 - rows])
    sign = 1 - 2 * (indices(specimen)[:, rows] // every % 2)
    shift = (amplitude(specimen.yx) * sign / np.linalg.norm(way, axis=1))[:, None] * way
    planted = specimen.with_field(f"{name}_amplitude_A", amplitude).with_planted(
        **{f"{name}_y_A": shift[:, 0], f"{name}_x_A": shift[:, 1], f"{name}_sign": sign}
    )
    return planted.displaced(shift)


def cell_shear(
    specimen: Specimen, amplitude: float | Quantity, axis: int = 1, name: str = "inner_shear"
) -> Specimen:
    """Shear the inside of every cell and leave the lattice: sites move along an axis by how far up the cell they lie.

    A site of fractional coordinate f along the other cell vector moves by
    amplitude sin(2 pi f), so that the cell's border stays and its halves shift
    against each other, as do the rings of a framework oxide.

    Parameters
    ----------
    specimen : Specimen
    amplitude : float or Quantity
        [A]
    axis : int
        The cell vector along which sites move, 0 or 1.
    name : str
        Of what is planted.

    Returns
    -------
    Specimen
        With ``<name>_amplitude_A`` planted as values of the sites and as a
        field; ``<name>_y_A`` and ``<name>_x_A`` as values.
    """
    amplitude = as_quantity(amplitude)
    vectors = cell_vectors(specimen)
    ideal = specimen.yx - specimen.displacement
    inner = ideal @ np.linalg.inv(vectors) - indices(specimen)[:, :2]
    inner = inner - inner[indices(specimen)[:, 2] == indices(specimen)[:, 2].min()].mean(0)
    way = carried(specimen, vectors[axis])
    share = np.sin(2 * np.pi * inner[:, 1 - axis])
    shift = (amplitude(specimen.yx) * share / np.linalg.norm(way, axis=1))[:, None] * way
    planted = specimen.with_field(f"{name}_amplitude_A", amplitude).with_planted(
        **{f"{name}_y_A": shift[:, 0], f"{name}_x_A": shift[:, 1]}
    )
    return planted.displaced(shift)
