"""Edge dislocations, and the strain around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from stemnet.errors import StemnetError
from stemnet.simulation.defects.pieces import between_rows, first_shell, spread_out
from stemnet.simulation.deformation import with_strain
from stemnet.simulation.quantities.regions import Vector, pair
from stemnet.simulation.specimen import Displacement, Specimen


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
    """

    core: Vector
    burgers: Vector
    poisson: float = 0.3
    radius: float = 0.5

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
        return size / (2 * np.pi) * field


@dataclass(frozen=True)
class Together:
    """The sum of several dislocations' displacements, less a rigid translation.

    Parameters
    ----------
    dislocations : tuple of Displacement
    offset : tuple of float
        [A]
    """

    dislocations: tuple[Displacement, ...]
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
    if perfect:
        for vector in burgers:
            check_vector(specimen, vector)
    placed = []
    for core, vector in zip(cores, burgers, strict=True):
        at = between_rows(specimen, core, (vector[1], -vector[0]))
        placed.append(EdgeDislocation(at, pair(vector), poisson))
    return inserted(specimen, tuple(placed), tuple(one.core for one in placed), closest)


def check_vector(specimen: Specimen, vector: Sequence[float]) -> None:
    """Refuse a Burgers vector that is no lattice vector.

    Raises
    ------
    StemnetError
        If most columns have none like themselves a vector away.
    """
    if not _repeats(specimen, np.asarray(vector, dtype=float)):
        raise StemnetError(
            f"({vector[0]:.4g}, {vector[1]:.4g}) A is not a lattice vector of this specimen, and would leave a "
            "stacking fault behind. Give a sum of its cell vectors, or perfect=False for a partial dislocation."
        )


def inserted(
    specimen: Specimen, fields: tuple[Displacement, ...], cores: tuple[Vector, ...], closest: float | None
) -> Specimen:
    """Deform by a sum of dislocations' fields, drop columns too close around the cores, and plant the strain.

    Parameters
    ----------
    specimen : Specimen
    fields : tuple of Displacement
    cores : tuple of tuple, shape (D, 2)
        [A]
    closest : float, optional
        As in `dislocated`.

    Returns
    -------
    Specimen
    """
    field = Together(fields)
    field = replace(field, offset=pair(field(specimen.yx).mean(0)))
    since = len(specimen.flow)
    spacing = first_shell(specimen.yx) / 1.25
    moved = specimen.with_field("core_distance_A", CoreDistance(cores)).deformed(field)
    near = np.flatnonzero(moved.planted["core_distance_A"] < 5 * spacing)
    keep = np.ones(len(moved), dtype=bool)
    least = 0.6 * spacing if closest is None else closest
    keep[near] = spread_out(moved.yx[near], least, moved.planted["core_distance_A"][near])
    return with_strain(moved.select(keep), since)


def _repeats(specimen: Specimen, vector: np.ndarray) -> bool:
    """Whether most columns have one like themselves a vector away."""
    distance, row = cKDTree(specimen.yx).query(specimen.yx + vector)
    reach = 0.25 / 1.25 * first_shell(specimen.yx)
    inside = np.all(
        (specimen.yx + vector >= specimen.yx.min(0)) & (specimen.yx + vector <= specimen.yx.max(0)), axis=1
    )
    alike = (distance < reach) & (specimen.sublattice[row] == specimen.sublattice)
    return bool(np.hypot(*vector) > 2 * reach and inside.any() and alike[inside].mean() > 0.6)
