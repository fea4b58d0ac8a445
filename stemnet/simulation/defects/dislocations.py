"""Edge dislocations, their strain, and walls of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from stemnet.errors import StemnetError
from stemnet.simulation.defects.pieces import between_rows, first_shell, spread_out
from stemnet.simulation.defects.regions import Vector
from stemnet.simulation.deformation import with_strain
from stemnet.simulation.specimen import Specimen


@dataclass(frozen=True)
class EdgeDislocation:
    """The displacement around a straight edge dislocation along the beam, in an isotropic elastic body.

    Hirth and Lothe, Theory of Dislocations (2nd edition, 1982), section 3-4.
    The cut lies in the glide plane, from the core towards minus the Burgers
    vector: matter slips along it by that vector, so nothing opens or overlaps,
    and a lattice vector leaves no trace of it. The extra half plane ends at the
    core; it is on the side of the Burgers vector turned by a right angle from x
    to y.

    Parameters
    ----------
    core : tuple of float
        Where it is, before the displacement [A].
    burgers : tuple of float
        Burgers vector [A]: the displacement's increase around the core, from x to y.
    poisson : float
        Poisson's ratio.
    radius : float
        Within which the elastic field is cut off [A].
    offset : tuple of float
        Rigid translation that is taken off [A].
    """

    core: Vector
    burgers: Vector
    poisson: float = 0.3
    radius: float = 0.5
    offset: Vector = (0.0, 0.0)

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Displacements [A], (N, 2)."""
        size = np.hypot(*self.burgers)
        glide = np.array(self.burgers) / size
        climb = np.array([glide[1], -glide[0]])
        away = np.asarray(yx) - np.array(self.core)
        x, y = away @ glide, away @ climb
        r2 = x**2 + y**2 + self.radius**2
        elastic = 4 * (1 - self.poisson)
        along = np.arctan2(y, x) + 2 * x * y / (elastic * r2)
        across = -((1 - 2 * self.poisson) * np.log(r2 / size**2) + (x**2 - y**2) / r2) / elastic
        field = along[:, None] * glide + across[:, None] * climb
        return size / (2 * np.pi) * field - np.array(self.offset)


@dataclass(frozen=True)
class Together:
    """The sum of several dislocations' displacements, less a rigid translation.

    Parameters
    ----------
    dislocations : tuple of EdgeDislocation
    offset : tuple of float
        [A]
    """

    dislocations: tuple[EdgeDislocation, ...]
    offset: Vector = (0.0, 0.0)

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Displacements [A], (N, 2)."""
        total = np.zeros((len(yx), 2)) - np.array(self.offset)
        for dislocation in self.dislocations:
            total += dislocation(yx)
        return total


@dataclass(frozen=True)
class CoreDistance:
    """Distance from the nearest of some points [A]."""

    cores: tuple[Vector, ...]

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Distances [A], (N,)."""
        return cKDTree(np.array(self.cores)).query(np.asarray(yx))[0]


def dislocated(
    specimen: Specimen,
    cores: Sequence[Vector],
    burgers: Sequence[Vector],
    *,
    poisson: float = 0.3,
    closest: float | None = None,
    perfect: bool = True,
) -> Specimen:
    """Put edge dislocations into a crystal.

    Where they pull matter into the frame, it comes from the margin: give the
    specimen one of 10 A and more, and of the length times the angle for a wall.

    Parameters
    ----------
    specimen : Specimen
    cores : sequence of tuple, shape (D, 2)
        [A]; each is moved along its climb direction to the middle between two rows.
    burgers : sequence of tuple, shape (D, 2)
        Lattice vectors [A].
    poisson : float
    closest : float, optional
        Around the cores, of two columns closer than this the one nearer to the
        core goes [A]; 0.6 of the nearest spacing if it is not given.
    perfect : bool
        Refuse vectors that are no lattice vectors: these make partial
        dislocations, which leave a stacking fault along the cut.

    Returns
    -------
    Specimen
        With the strain fields of `with_strain` and ``core_distance_A``.

    Raises
    ------
    StemnetError
        If cores and vectors differ in number, or a vector is none of the lattice.
    """
    if len(cores) != len(burgers) or not len(cores):
        raise StemnetError(
            f"{len(cores)} cores and {len(burgers)} Burgers vectors were given; give one for each core."
        )
    for vector in burgers:
        if perfect and not _repeats(specimen, np.asarray(vector, dtype=float)):
            raise StemnetError(
                f"({vector[0]:.4g}, {vector[1]:.4g}) A is not a lattice vector of this specimen, and would leave a "
                "stacking fault behind. Give a sum of its cell vectors, or perfect=False for a partial dislocation."
            )
    placed = []
    for core, vector in zip(cores, burgers, strict=True):
        at = between_rows(specimen, core, (vector[1], -vector[0]))
        placed.append(EdgeDislocation(at, (float(vector[0]), float(vector[1])), poisson))
    field = Together(tuple(placed))
    mean = field(specimen.yx).mean(0)
    field = replace(field, offset=(float(mean[0]), float(mean[1])))
    distance = CoreDistance(tuple(one.core for one in placed))
    since = len(specimen.flow)
    least = 0.6 / 1.25 * first_shell(specimen.yx) if closest is None else closest
    moved = specimen.with_field("core_distance_A", distance).deformed(field)
    near = np.flatnonzero(moved.planted["core_distance_A"] < 3 * max(np.hypot(*vector) for vector in burgers))
    keep = np.ones(len(moved), dtype=bool)
    keep[near] = spread_out(moved.yx[near], least, moved.planted["core_distance_A"][near])
    return with_strain(moved.select(keep), since)


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

    The wall stands across the Burgers vector and goes on beyond the specimen by
    twenty dislocations at each end, so that its far strain cancels (Read and
    Shockley, Phys. Rev. 78, 275, 1950).

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
    size = np.hypot(*burgers)
    spacing = size / (2 * np.sin(angle / 2))
    climb = np.array([burgers[1], -burgers[0]]) / size
    heights = (specimen.yx - np.array(through)) @ climb
    numbers = np.arange(np.floor(heights.min() / spacing) - 20, np.ceil(heights.max() / spacing) + 21)
    cores = [(float(y), float(x)) for y, x in np.array(through) + (numbers * spacing)[:, None] * climb]
    return dislocated(specimen, cores, [burgers] * len(cores), poisson=poisson, closest=closest)


def _repeats(specimen: Specimen, vector: np.ndarray) -> bool:
    """Whether most columns have one like themselves a vector away."""
    distance, row = cKDTree(specimen.yx).query(specimen.yx + vector)
    reach = 0.25 / 1.25 * first_shell(specimen.yx)
    inside = np.all(
        (specimen.yx + vector >= specimen.yx.min(0)) & (specimen.yx + vector <= specimen.yx.max(0)), axis=1
    )
    alike = (distance < reach) & (specimen.sublattice[row] == specimen.sublattice)
    return bool(np.hypot(*vector) > 2 * reach and inside.any() and alike[inside].mean() > 0.6)
