"""Where grains meet: straight boundaries between any two, and polycrystals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.crystal import Crystal
from stemnet.simulation.defects.pieces import spread_out, united
from stemnet.simulation.defects.profiles import ByLabel, Magnitude
from stemnet.simulation.defects.regions import CellDepth, HalfPlane, Inside, NearestSeed, Vector, pair
from stemnet.simulation.specimen import Quantity, Specimen, grow, rotation


def grains_of(
    parts: Sequence[Specimen],
    label: Quantity,
    distance: Quantity,
    *,
    closest: float,
    orientations: Sequence[float] | None = None,
) -> Specimen:
    """Put grains side by side; of two columns too close across a boundary the one nearer to it goes.

    Parameters
    ----------
    parts : sequence of Specimen
        Each at least as large as its grain.
    label, distance : Quantity
        Row of the part at every place, and the distance from the nearest boundary [A].
    closest : float
        Least distance between columns of two grains [A].
    orientations : sequence of float, optional
        Of the parts [rad], to be planted.

    Returns
    -------
    Specimen
        With the fields ``grain``, ``boundary_distance_A`` and, if they are
        given, ``orientation_rad``.
    """
    whole = united(parts, label).with_field("grain", label).with_field("boundary_distance_A", distance)
    if orientations is not None:
        whole = whole.with_field("orientation_rad", ByLabel(label, tuple(map(float, orientations))))
    keep = spread_out(whole.yx, closest, whole.planted["boundary_distance_A"], whole.planted["grain"])
    return whole.select(keep)


def grain_boundary(
    first: Specimen,
    second: Specimen,
    *,
    through: Vector,
    normal: Vector,
    closest: float,
    orientations: tuple[float, float] | None = None,
) -> Specimen:
    """Join any two specimens across a straight boundary.

    Parameters
    ----------
    first, second : Specimen
    through, normal : tuple of float
        A point of the boundary [A], and the direction from the first to the second.
    closest : float
        Least distance between columns of the two [A].
    orientations : tuple of float, optional
        To be planted [rad].

    Returns
    -------
    Specimen
        As from `grains_of`.
    """
    side = HalfPlane(normal, through)
    return grains_of(
        (first, second), Inside(side), Magnitude(side), closest=closest, orientations=orientations
    )


def tilt_boundary(
    crystal: Crystal,
    field_of_view: tuple[float, float],
    misorientation: float,
    *,
    orientation: float = 0.0,
    through: Vector | None = None,
    normal: Vector = (0.0, 1.0),
    shift: Vector = (0.0, 0.0),
    closest: float | None = None,
    margin: float = 10.0,
    thickness: float | None = None,
) -> Specimen:
    """Two grains of one crystal, turned against each other about the beam.

    Parameters
    ----------
    crystal : Crystal
    field_of_view : tuple of float
        [A]
    misorientation : float
        Angle by which the second grain is turned further from y to x [rad].
    orientation : float
        Of the first grain [rad].
    through : tuple of float, optional
        A point of the boundary, where both grains have a cell corner [A]; the
        middle of the frame if it is not given.
    normal : tuple of float
        From the first grain to the second.
    shift : tuple of float
        Rigid translation of the second grain [A].
    closest : float, optional
        Least distance across the boundary [A]; 0.8 of the crystal's nearest spacing if it is not given.
    margin, thickness : float
        As in `grow`.

    Returns
    -------
    Specimen
        As from `grains_of`.
    """
    at = np.array(field_of_view) / 2 if through is None else np.array(through)
    orientations = (orientation, orientation + misorientation)
    first, second = (
        grown_at(crystal, field_of_view, angle, at + move, margin, thickness)
        for angle, move in zip(orientations, (np.zeros(2), np.array(shift)), strict=True)
    )
    return grain_boundary(
        first,
        second,
        through=(float(at[0]), float(at[1])),
        normal=normal,
        closest=0.8 * crystal.nearest_spacing if closest is None else closest,
        orientations=orientations,
    )


def polycrystal(
    crystals: Sequence[Crystal],
    field_of_view: tuple[float, float],
    grains: int,
    rng: np.random.Generator,
    *,
    closest: float | None = None,
    margin: float = 10.0,
    thickness: float | None = None,
) -> Specimen:
    """Grains with random orientations in the Voronoi cells of random seeds.

    Parameters
    ----------
    crystals : sequence of Crystal
        Each grain is one of these.
    field_of_view : tuple of float
        [A]
    grains : int
        How many seeds lie in the frame and its margin.
    rng : numpy.random.Generator
    closest : float, optional
        Least distance across boundaries [A]; 0.8 of the smallest nearest spacing if it is not given.
    margin, thickness : float
        As in `grow`.

    Returns
    -------
    Specimen
        As from `grains_of`, and with the field ``phase``: row of the crystal.

    Raises
    ------
    StemnetError
        If there are no grains.
    """
    if grains < 1:
        raise StemnetError(f"{grains} grains were asked for; a polycrystal has one or more.")
    size = np.array(field_of_view) + 2 * margin
    places = rng.uniform(0, 1, (grains, 2)) * size - margin
    seeds = tuple((float(y), float(x)) for y, x in places)
    which = rng.integers(len(crystals), size=grains)
    orientations = rng.uniform(-np.pi, np.pi, grains)
    parts = [
        grow(
            crystals[kind],
            field_of_view,
            orientation=angle,
            origin=tuple(rng.uniform(0, 1, 2)),
            margin=margin,
            thickness=thickness,
        )
        for kind, angle in zip(which, orientations, strict=True)
    ]
    label = NearestSeed(seeds)
    whole = grains_of(
        parts,
        label,
        CellDepth(seeds),
        closest=0.8 * min(c.nearest_spacing for c in crystals) if closest is None else closest,
        orientations=orientations.tolist(),
    )
    return whole.with_field("phase", ByLabel(label, tuple(which.tolist())))


def grown_at(
    crystal: Crystal,
    field_of_view: tuple[float, float],
    orientation: float,
    corner: np.ndarray,
    margin: float,
    thickness: float | None,
) -> Specimen:
    """Grow a crystal that has a cell corner at a point [A]; the rest as in `grow`."""
    cell = np.array(crystal.cell) @ rotation(orientation).T
    return grow(
        crystal,
        field_of_view,
        orientation=orientation,
        origin=pair(np.asarray(corner) @ np.linalg.inv(cell)),
        margin=margin,
        thickness=thickness,
    )
