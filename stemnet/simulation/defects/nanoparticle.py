"""Nanoparticles: crystals whose thickness is that of a ball, a dome or a polyhedron."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.crystal import Crystal
from stemnet.simulation.defects.regions import Vector
from stemnet.simulation.defects.shape import with_thickness
from stemnet.simulation.specimen import Quantity, Specimen, grow, rotation


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

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Lengths [A], (N,)."""
        away2 = ((np.asarray(yx) - np.array(self.center)) ** 2).sum(1)
        return (1 if self.half else 2) * np.sqrt(np.maximum(self.radius**2 - away2, 0))


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

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Lengths [A], (N,)."""
        away = np.asarray(yx) - np.array(self.center)
        normals, distances = np.array(self.normals), np.array(self.distances)
        room = distances - away @ normals[:, :2].T
        z = normals[:, 2]
        upper, lower, side = z > 1e-9, z < -1e-9, np.abs(z) <= 1e-9
        top = (room[:, upper] / z[upper]).min(1)
        bottom = (room[:, lower] / z[lower]).max(1)
        inside = np.all(room[:, side] >= 0, axis=1)
        return np.where(inside, np.maximum(top - bottom, 0), 0.0)


@dataclass(frozen=True)
class WholeRepeats:
    """A length in repeats, rounded to whole ones.

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
        return np.round(self.length(yx) / self.period)


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
    length: Quantity,
    *,
    center: Vector,
    reach: float,
    orientation: float = 0.0,
    offset: Vector = (0.0, 0.0),
) -> Specimen:
    """Fill a body with a crystal: columns as thick as the body is there, in whole repeats.

    Parameters
    ----------
    crystal : Crystal
        With a period along the beam.
    length : Quantity
        The beam's way through the body [A]: `Ball`, `Polyhedron`, ...
    center : tuple of float
        Of the body [A].
    reach : float
        From the center to the farthest column [A].
    orientation : float
        Of the crystal [rad].
    offset : tuple of float
        Where a cell's corner lies beside the center [A].

    Returns
    -------
    Specimen
        With the field ``thickness`` [repeats].

    Raises
    ------
    StemnetError
        If the crystal is a sheet, or the reach is not positive.
    """
    if crystal.period is None or not reach > 0:
        raise StemnetError(
            f"A particle of {crystal.name} that reaches {reach:g} A was asked for; it needs a positive reach, and a "
            "crystal with a period along the beam."
        )
    cell = np.array(crystal.cell) @ rotation(orientation).T
    corner = np.array(offset) + reach
    box = grow(
        crystal,
        (2 * reach, 2 * reach),
        orientation=orientation,
        origin=tuple((corner @ np.linalg.inv(cell)).tolist()),
        margin=0.0,
    )
    placed = Specimen(
        yx=box.yx + np.array(center) - reach,
        species=box.species,
        sublattice=box.sublattice,
        displacement=box.displacement,
        thickness=box.thickness,
        index=box.index,
    )
    return with_thickness(placed, WholeRepeats(length, crystal.period))
