"""Walls of edge dislocations: low-angle grain boundaries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.defects.dislocations import EdgeDislocation, check_vector, inserted
from stemnet.simulation.defects.pieces import between_rows
from stemnet.simulation.quantities.regions import Vector, pair
from stemnet.simulation.specimen import Displacement, Specimen


@dataclass(frozen=True)
class TiltWall:
    """The displacement around an endless wall of equal edge dislocations, one above the other.

    The sum of `EdgeDislocation` over the wall in closed form, with sinh and
    coth of the complex place (the stresses are in Hirth and Lothe, Theory of
    Dislocations, 2nd edition, 1982, section 19-5). Every other cut lies ahead
    of its core, so that displacements stay small beside the turn.

    Parameters
    ----------
    core : tuple of float
        One of the cores [A].
    burgers : tuple of float
        [A]
    spacing : float
        Between the cores, across the Burgers vector [A].
    poisson : float
    """

    core: Vector
    burgers: Vector
    spacing: float
    poisson: float = 0.3

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Displacements [A], (N, 2)."""
        size = np.hypot(*self.burgers)
        glide = np.array(self.burgers) / size
        climb = np.array([glide[1], -glide[0]])
        away = np.asarray(yx) - np.array(self.core)
        x, y = away @ glide, away @ climb
        # sinh(w) = sign e^|w| (1 - e^(-2 |w|)) / 2, which does not overflow far from the wall.
        w = np.pi / self.spacing * (np.where(x < 0, -1, 1) * (x + 1j * y))
        rest = 1 - np.exp(-2 * w) + 1e-12
        angle = np.angle(np.where(x < 0, -1, 1) * np.exp(1j * w.imag) * rest)
        log_r2 = 2 * (w.real + np.log(np.abs(rest)))
        ends = np.pi / self.spacing * np.where(x < 0, -1, 1) * (2 - rest) / rest
        elastic = 4 * (1 - self.poisson)
        along = angle - 2 * x * ends.imag / elastic
        across = -((1 - 2 * self.poisson) * log_r2 + 2 * x * ends.real) / elastic
        return size / (2 * np.pi) * (along[:, None] * glide + across[:, None] * climb)


def low_angle_boundary(
    specimen: Specimen,
    angle: float,
    burgers: Vector,
    *,
    through: Vector,
    poisson: float = 0.3,
    closest: float | None = None,
) -> Specimen:
    """A symmetric tilt boundary as a wall of edge dislocations, b / (2 sin(angle / 2)) apart.

    The wall stands across the Burgers vector and has no end, so that its far
    strain cancels (Read and Shockley, Phys. Rev. 78, 275, 1950). Each core in
    the specimen is moved to the middle between two rows.

    Parameters
    ----------
    specimen : Specimen
        With a margin of a few cells, and half the angle times the frame's size.
    angle : float
        By which the crystal turns across the wall [rad]; up to about 0.2.
    burgers : tuple of float
        Lattice vector [A].
    through : tuple of float
        A point of the wall [A].
    poisson, closest
        As in `dislocated`.

    Returns
    -------
    Specimen

    Raises
    ------
    StemnetError
        If the angle is not between 0 and 0.35.
    """
    if not 0 < angle < 0.35:
        raise StemnetError(
            f"A low-angle boundary of {angle:.3g} rad was asked for; give 0 to 0.35 rad, and use tilt_boundary beyond."
        )
    check_vector(specimen, burgers)
    size = np.hypot(*burgers)
    spacing = size / (2 * np.sin(angle / 2))
    climb = np.array([burgers[1], -burgers[0]]) / size
    heights = (specimen.yx - np.array(through)) @ climb
    numbers = np.arange(np.floor(heights.min() / spacing), np.ceil(heights.max() / spacing) + 1)
    even = [pair(place) for place in np.array(through) + (numbers * spacing)[:, None] * climb]
    cores = tuple(between_rows(specimen, core, pair(climb)) for core in even)
    back = (-float(burgers[0]), -float(burgers[1]))
    fields: tuple[Displacement, ...] = (
        TiltWall(pair(through), pair(burgers), float(spacing), poisson),
        # From the even wall to the one between the rows.
        *(EdgeDislocation(core, back, poisson, radius=1e-3) for core in even),
        *(EdgeDislocation(core, pair(burgers), poisson) for core in cores),
    )
    return inserted(specimen, fields, cores, closest)
