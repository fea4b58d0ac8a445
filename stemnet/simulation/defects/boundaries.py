"""Where grains meet: straight boundaries between any two, and polycrystals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.crystal import Crystal
from stemnet.simulation.defects.pieces import eased, first_shell, spread_out, united
from stemnet.simulation.growth import grow
from stemnet.simulation.quantities.profiles import ByLabel, Magnitude
from stemnet.simulation.quantities.regions import (
    CellDepth,
    HalfPlane,
    Inside,
    Jagged,
    NearestSeed,
    Vector,
    pair,
)
from stemnet.simulation.specimen import Quantity, Specimen, rotation

LIKE = 0.67
"""Columns of one sublattice keep this share of its nearest spacing across a boundary."""


def grains_of(
    parts: Sequence[Specimen],
    label: Quantity,
    distance: Quantity,
    *,
    closest: float,
    orientations: Sequence[float] | None = None,
    overhang: float | None = None,
) -> Specimen:
    """Put grains side by side, none of their columns too close and without a gap.

    Of two columns too close across a boundary the one deeper in its own grain
    stays; columns of one sublattice keep two thirds of its own nearest spacing,
    as like charges do. Where that leaves room, columns may stand a little beyond the
    boundary, which then runs around them. Columns at the boundary settle a
    little, as `eased` does; the boundary's true structure is not modeled.

    Parameters
    ----------
    parts : sequence of Specimen
        Each larger than its grain.
    label, distance : Quantity
        Row of the part at every place, and the distance from the nearest boundary [A].
    closest : float
        Least distance between columns of two grains [A].
    orientations : sequence of float, optional
        Of the parts [rad], to be planted.
    overhang : float, optional
        How far beyond the boundary columns may stand [A]; `closest` if it is not
        given. With 0 the boundary is straight and nothing is pushed.

    Returns
    -------
    Specimen
        With the fields ``grain``, ``boundary_distance_A`` (from the boundary as
        it was given) and, if they are given, ``orientation_rad``.
    """
    over = closest if overhang is None else overhang
    pieces, priority = [], []
    for number, part in enumerate(parts):
        own = label(part.yx) == number
        near = own | _within(part.yx, label, number, over)
        depth = distance(part.yx) * np.where(own, 1, -1)
        vacant = part.vacant
        if vacant is not None:
            part = replace(part, vacant=vacant.select(label(vacant.yx) == number))
        pieces.append(part.select(near))
        priority.append(depth[near])
    counts = [len(piece) for piece in pieces]
    groups = np.repeat(np.arange(len(parts)), counts)
    yx, depth = np.concatenate([piece.yx for piece in pieces]), np.concatenate(priority)
    keep = spread_out(yx, 0.8 * closest, depth, groups)
    if over > 0:
        yx = yx.copy()
        yx[keep] += eased(yx[keep], groups[keep], 1.15 * closest)
        pieces = [
            _moved(piece, to) for piece, to in zip(pieces, np.split(yx, np.cumsum(counts)[:-1]), strict=True)
        ]
    rows = np.flatnonzero(keep)
    keep[rows] = spread_out(yx[rows], closest, depth[rows], groups[rows])
    kind = np.concatenate([piece.sublattice for piece in pieces])
    for sublattice in np.unique(kind[kind >= 0]):
        rows = np.flatnonzero(keep & (kind == sublattice))
        keep[rows] = spread_out(yx[rows], LIKE * _spacing(pieces, sublattice), depth[rows], groups[rows])
    beyond = keep & (label(yx) != groups)
    jagged = label
    if beyond.any():
        jagged = Jagged(
            label,
            tuple(pair(place) for place in yx[beyond]),
            tuple(groups[beyond].tolist()),
            closest / 2,
        )
    whole = united(pieces, jagged).select(keep)
    whole = whole.with_field("grain", jagged).with_field("boundary_distance_A", distance)
    if orientations is not None:
        whole = whole.with_field("orientation_rad", ByLabel(jagged, tuple(map(float, orientations))))
    return whole


def _spacing(parts: Sequence[Specimen], sublattice: int) -> float:
    """The smallest nearest distance on a sublattice that any of the parts has [A]; 0 if none has two columns."""
    sets = [part.yx[part.sublattice == sublattice] for part in parts]
    return min((first_shell(yx) / 1.25 for yx in sets if len(yx) > 1), default=0.0)


def _moved(part: Specimen, yx: np.ndarray) -> Specimen:
    """Columns moved by a little; what is a function of place is read where they are now."""
    moved = part.displaced(yx - part.yx)
    still = (moved.displacement == part.displacement).all(1)
    for name in part.fields:
        value = np.where(still, part.planted[name], part.field_at(name, yx))
        moved = moved.with_planted(**{name: value})
    return moved


def _within(yx: np.ndarray, label: Quantity, number: int, reach: float) -> np.ndarray:
    """Whether places of a label lie within reach, in any of twelve directions."""
    near = np.zeros(len(yx), dtype=bool)
    if reach > 0:
        for angle in np.arange(12) * np.pi / 6:
            near |= label(yx + reach * np.array([np.sin(angle), np.cos(angle)])) == number
    return near


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
    whole = grains_of(
        parts,
        NearestSeed(seeds),
        CellDepth(seeds),
        closest=0.8 * min(c.nearest_spacing for c in crystals) if closest is None else closest,
        orientations=orientations.tolist(),
    )
    return whole.with_field("phase", ByLabel(whole.fields["grain"].quantity, tuple(which.tolist())))


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
