"""Faults of one lattice: twins, stacking faults, antiphase boundaries."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.crystal import Crystal
from stemnet.simulation.defects.boundaries import grains_of, grown_at
from stemnet.simulation.defects.pieces import between_rows, spread_out
from stemnet.simulation.quantities.profiles import Magnitude, SoftStep
from stemnet.simulation.quantities.regions import HalfPlane, Inside, Vector, pair
from stemnet.simulation.specimen import Specimen, rotation


def twin_boundary(
    crystal: Crystal,
    field_of_view: tuple[float, float],
    *,
    row: tuple[int, int] = (1, 0),
    anchor: Vector = (0.0, 0.0),
    orientation: float = 0.0,
    through: Vector | None = None,
    closest: float | None = None,
    margin: float = 10.0,
    thickness: float | None = None,
) -> Specimen:
    """A crystal and its mirror image across a lattice row.

    Parameters
    ----------
    crystal : Crystal
    field_of_view : tuple of float
        [A]
    row : tuple of int
        Direction of the mirror line in cells.
    anchor : tuple of float
        Point of the cell on the mirror line, in fractions of the cell: a column,
        or the middle of a bond, as for {111} twins of diamond.
    orientation : float
        Of the parent [rad].
    through : tuple of float, optional
        Where the anchor lies [A]; the middle of the frame if it is not given.
    closest : float, optional
        Least distance across the mirror line [A]; 0.8 of the crystal's nearest spacing if it is not given.
    margin, thickness : float
        As in `grow`.

    Returns
    -------
    Specimen
        With the fields ``grain`` (0 parent, 1 twin; columns on the line belong
        to the parent) and ``boundary_distance_A``. The normal from parent to
        twin is the row's direction turned by a right angle from x to y.

    Raises
    ------
    StemnetError
        If the row is (0, 0).
    """
    if tuple(row) == (0, 0):
        raise StemnetError("A twin across the row (0, 0) was asked for; give the row's direction in cells.")
    at = np.array(field_of_view) / 2 if through is None else np.array(through)
    cell = np.array(crystal.cell) @ rotation(orientation).T
    along = np.array(row) @ cell / np.hypot(*(np.array(row) @ cell))
    normal = np.array([along[1], -along[0]])
    corner = at - np.array(anchor) @ cell
    # The mirror image of the frame must be full too.
    reach = float(np.hypot(*field_of_view)) + 2 * float(np.hypot(*(at - np.array(field_of_view) / 2)))
    parent = grown_at(crystal, field_of_view, orientation, corner, margin + reach, thickness)
    mirrored = parent.yx - 2 * ((parent.yx - at) @ normal)[:, None] * normal
    twin = replace(parent, yx=mirrored).select((parent.yx - at) @ normal < -1e-6)
    parts = [
        part.select(np.all((part.yx >= -margin) & (part.yx <= np.array(field_of_view) + margin), axis=1))
        for part in (parent, twin)
    ]
    # A hair beyond the mirror line, so that the columns on it are the parent's.
    side = HalfPlane(pair(normal), pair(at + 1e-6 * normal))
    return grains_of(
        parts,
        Inside(side),
        Magnitude(side),
        closest=0.8 * crystal.nearest_spacing if closest is None else closest,
        overhang=0.0,
    )


@dataclass(frozen=True)
class ShiftBeyond:
    """All matter beyond a straight line moved by one vector.

    Parameters
    ----------
    shift : tuple of float
        [A]
    normal, through : tuple of float
        Towards what moves, and a point of the line [A].
    width : float
        Half width of the line [A]: the share of the shift is (1 + tanh(s /
        width)) / 2; 0 for a sharp one.
    """

    shift: Vector
    normal: Vector
    through: Vector
    width: float = 0.0

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Displacements [A], (N, 2)."""
        share = SoftStep(HalfPlane(self.normal, self.through), self.width)(yx)
        return share[:, None] * np.array(self.shift)


def stacking_fault(
    specimen: Specimen,
    shift: Vector,
    *,
    through: Vector,
    normal: Vector,
    closest: float = 0.0,
    glide: bool = False,
) -> Specimen:
    """Shift all beyond a straight line, between two rows of columns, by a fault vector.

    Parameters
    ----------
    specimen : Specimen
    shift : tuple of float
        Fault vector in the image plane [A].
    through, normal : tuple of float
        The fault: a point of it [A], moved to the middle between rows, and the
        direction towards what is shifted.
    closest : float
        Least distance across the fault [A], if the shift closes up the rows.
    glide : bool
        Cut through the narrow gaps between rows rather than the wide ones: the
        glide planes of diamond and zinc blende, where their stacking faults
        lie, instead of the shuffle planes.

    Returns
    -------
    Specimen
        With the fields ``grain`` (1 beyond the fault) and ``boundary_distance_A``.
    """
    side = HalfPlane(normal, between_rows(specimen, through, normal, narrow=glide))
    return _shifted(specimen, ShiftBeyond(pair(shift), pair(normal), side.through), closest)


def antiphase_boundary(
    specimen: Specimen,
    shift: Vector,
    *,
    through: Vector,
    normal: Vector,
    width: float = 0.0,
    closest: float = 0.0,
) -> Specimen:
    """Shift all beyond a straight line by a vector between two sublattices, in one step or over a width.

    Parameters
    ----------
    specimen : Specimen
    shift : tuple of float
        From a column of one sublattice to the nearest of the other [A].
    through, normal, closest
        As in `stacking_fault`; a wide wall stays where it was put.
    width : float
        Half width of the wall [A]; 0 for a sharp one.

    Returns
    -------
    Specimen
        With the fields ``grain``, ``boundary_distance_A`` and ``phase_shift``,
        the share of the shift, 0 to 1.
    """
    at = between_rows(specimen, through, normal) if width == 0 else pair(through)
    planted = specimen.with_field("phase_shift", SoftStep(HalfPlane(normal, at), width))
    return _shifted(planted, ShiftBeyond(pair(shift), pair(normal), at, width), closest)


def _shifted(specimen: Specimen, by: ShiftBeyond, closest: float) -> Specimen:
    side = HalfPlane(by.normal, by.through)
    moved = specimen.with_field("grain", Inside(side)).with_field("boundary_distance_A", Magnitude(side))
    moved = moved.deformed(by)
    return moved.select(
        spread_out(moved.yx, closest, moved.planted["boundary_distance_A"], moved.planted["grain"])
    )
