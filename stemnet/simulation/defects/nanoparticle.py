"""Nanoparticles: crystals whose thickness is that of a ball, a dome or a polyhedron."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.crystal import Crystal
from stemnet.simulation.growth import grow
from stemnet.simulation.quantities.regions import Vector, pair
from stemnet.simulation.specimen import Quantity, Specimen, rotation


@dataclass(frozen=True)
class Ball:
    """How long the beam's way is through a ball, or through the upper half of one [A].

    Parameters
    ----------
    center : tuple of float
        [A]
    radius : float
        [A]
    half : bool
        A dome on a flat support.
    """

    center: Vector
    radius: float
    half: bool = False

    def span(self, yx: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the body begins and ends along the beam [A], (N,) each; the center is at 0."""
        away2 = ((np.asarray(yx) - np.array(self.center)) ** 2).sum(1)
        top = np.sqrt(np.maximum(self.radius**2 - away2, 0))
        return (np.zeros_like(top) if self.half else -top), top

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Lengths [A], (N,)."""
        bottom, top = self.span(yx)
        return top - bottom


@dataclass(frozen=True)
class Polyhedron:
    """How long the beam's way is through a convex body between planes [A].

    Parameters
    ----------
    center : tuple of float
        [A]
    normals : tuple of tuple, shape (F, 3)
        Outward unit vectors (y, x, z), z along the beam.
    distances : tuple of float, shape (F,)
        Of the planes from the center [A].
    """

    center: Vector
    normals: tuple[tuple[float, float, float], ...]
    distances: tuple[float, ...]

    def span(self, yx: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the body begins and ends along the beam [A], (N,) each; the same where there is none of it."""
        away = np.asarray(yx) - np.array(self.center)
        normals, distances = np.array(self.normals), np.array(self.distances)
        room = distances - away @ normals[:, :2].T
        z = normals[:, 2]
        upper, lower, side = z > 1e-9, z < -1e-9, np.abs(z) <= 1e-9
        top = (room[:, upper] / z[upper]).min(1)
        bottom = (room[:, lower] / z[lower]).max(1)
        inside = np.all(room[:, side] >= 0, axis=1)
        return bottom, np.where(inside, np.maximum(top, bottom), bottom)

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Lengths [A], (N,)."""
        bottom, top = self.span(yx)
        return top - bottom


@dataclass(frozen=True)
class InRepeats:
    """A length in repeats, as a mean: no whole numbers.

    Parameters
    ----------
    length : Quantity
        [A]
    period : float
        Of one repeat [A].
    """

    length: Quantity
    period: float

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Thickness [repeats], (N,)."""
        return self.length(yx) / self.period


@dataclass(frozen=True)
class Heights:
    """At which height along the beam the atoms of each column begin, in repeats.

    Parameters
    ----------
    steps : tuple of float
        By how much it rises with each of the two cell vectors.
    sites : tuple of float
        Of each site of the cell.
    """

    steps: Vector
    sites: tuple[float, ...]


FCC_HEIGHTS = {
    "001": Heights((1 / 2, 1 / 2), (0.0,)),
    "110": Heights((0.0, 0.0), (0.0, 1 / 2)),
    "111": Heights((1 / 3, -1 / 3), (0.0,)),
}
"""Of the cells of an fcc metal, by zone axis."""

# Crystal directions of the image's y and x and of the beam, as the cells of `cubic_metal` lie.
AXES = {
    "001": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "110": ((0, 0, 1), (1, -1, 0), (1, 1, 0)),
    "111": ((1, -1, 0), (1, 1, -2), (1, 1, 1)),
}


def wulff(
    center: Vector,
    radius: float,
    axis: str,
    *,
    ratio: float = 1.15,
    orientation: float = 0.0,
    cut_at: float | None = None,
) -> Polyhedron:
    """The equilibrium shape of an fcc metal: a cuboctahedron's family, bounded by {111} and {001} planes.

    Parameters
    ----------
    center : tuple of float
        [A]
    radius : float
        Distance of the {111} planes from the center [A].
    axis : str
        Zone axis along the beam: ``001``, ``110`` or ``111``.
    ratio : float
        Surface energy of {001} over that of {111}: by Wulff's theorem, of the
        planes' distances. sqrt(3) and more is an octahedron, sqrt(3) / 2 a cuboctahedron.
    orientation : float
        As in `grow` [rad].
    cut_at : float, optional
        Height of a support's surface below the center [A]: what lies under it is missing.

    Returns
    -------
    Polyhedron

    Raises
    ------
    StemnetError
        If the axis is another one.
    """
    if axis not in AXES:
        raise StemnetError(f"A particle along [{axis}] is not built in; choose axis '001', '110' or '111'.")
    frame = np.array(AXES[axis], dtype=float)
    frame /= np.linalg.norm(frame, axis=1, keepdims=True)
    signs = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T
    octahedron = signs / np.sqrt(3)
    cube = np.concatenate([np.eye(3), -np.eye(3)])
    normals = np.concatenate([octahedron, cube]) @ frame.T
    normals[:, :2] = normals[:, :2] @ rotation(orientation).T
    distances = np.concatenate([np.full(8, radius), np.full(6, ratio * radius)])
    if cut_at is not None:
        normals = np.concatenate([normals, [[0.0, 0.0, -1.0]]])
        distances = np.append(distances, cut_at)
    planes = tuple((float(y), float(x), float(z)) for y, x, z in normals)
    return Polyhedron(center, planes, tuple(distances.tolist()))


def nanoparticle(
    crystal: Crystal,
    body: Ball | Polyhedron,
    *,
    reach: float,
    orientation: float = 0.0,
    offset: Vector = (0.0, 0.0),
    heights: Heights | None = None,
) -> Specimen:
    """Fill a body with a crystal: every column has as many repeats as fit into it there.

    Parameters
    ----------
    crystal : Crystal
        With a period along the beam.
    body : Ball or Polyhedron
    reach : float
        From the body's center to the farthest column [A].
    orientation : float
        Of the crystal [rad].
    offset : tuple of float
        Where a cell's corner lies beside the center [A].
    heights : Heights, optional
        Of the atoms along the beam, such as `FCC_HEIGHTS`; all columns begin at
        the center's height if it is not given, which rounds them all alike.

    Returns
    -------
    Specimen
        With ``repeats``, the whole number in each column, which is its
        thickness, and the field ``thickness`` [repeats], the body's mean one.

    Raises
    ------
    StemnetError
        If the crystal is a sheet, the reach is not positive, or the heights
        are of another number of sites.
    """
    if crystal.period is None or not reach > 0:
        raise StemnetError(
            f"A particle of {crystal.name} that reaches {reach:g} A was asked for; it needs a positive reach, and a "
            "crystal with a period along the beam."
        )
    phases = Heights((0.0, 0.0), (0.0,) * len(crystal.sites)) if heights is None else heights
    if len(phases.sites) != len(crystal.sites):
        raise StemnetError(
            f"Heights of {len(phases.sites)} sites were given for {crystal.name}, which has {len(crystal.sites)}; "
            "give one for each site of the cell."
        )
    cell = np.array(crystal.cell) @ rotation(orientation).T
    box = grow(
        crystal,
        (2 * reach, 2 * reach),
        orientation=orientation,
        origin=pair((np.array(offset) + reach) @ np.linalg.inv(cell)),
        margin=0.0,
    )
    placed = replace(box, yx=box.yx + np.array(body.center) - reach)
    index = np.asarray(placed.index)
    start = index[:, :2] @ np.array(phases.steps) + np.array(phases.sites)[index[:, 2]]
    bottom, top = (end / crystal.period for end in body.span(placed.yx))
    # Heights start + k between bottom and top; none where the body has no thickness.
    repeats = np.where(top > bottom, np.floor(top - start) - np.ceil(bottom - start) + 1, 0)
    filled = replace(placed, thickness=repeats).with_planted(repeats=repeats.astype(int))
    return filled.with_field("thickness", InRepeats(body, crystal.period)).select(repeats > 0)
