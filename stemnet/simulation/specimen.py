"""A specimen: the columns in and around a field of view, before the microscope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.spatial import cKDTree

from stemnet.errors import StemnetError
from stemnet.simulation.crystal import Crystal


@dataclass(frozen=True)
class Specimen:
    """Columns of a specimen.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        Positions [A]; the centre of pixel (0, 0) is the origin. Columns
        outside the field of view are kept: their tails enter it.
    species : ndarray of str, shape (N,)
    sublattice : ndarray of int, shape (N,)
    displacement : ndarray, shape (N, 2)
        How far each column sits from its ideal site [A].
    thickness : ndarray, shape (N,)
        Number of repeats along the beam, relative to the rest.
    vacant : ndarray, shape (M, 2)
        Sites that hold no column [A].
    planted : mapping of str to ndarray, shape (N,)
        Whatever else was planted (domain label, mode amplitude, ...).
    """

    yx: np.ndarray
    species: np.ndarray
    sublattice: np.ndarray
    displacement: np.ndarray
    thickness: np.ndarray
    vacant: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    planted: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "planted", dict(self.planted))

    def __len__(self) -> int:
        return len(self.yx)

    def select(self, rows: np.ndarray) -> Specimen:
        """Keep chosen columns (mask or indices)."""
        return replace(
            self,
            yx=self.yx[rows],
            species=self.species[rows],
            sublattice=self.sublattice[rows],
            displacement=self.displacement[rows],
            thickness=self.thickness[rows],
            planted={name: values[rows] for name, values in self.planted.items()},
        )

    def displaced(self, by: np.ndarray) -> Specimen:
        """Move columns by (N, 2) [A] and remember it in `displacement`."""
        return replace(self, yx=self.yx + by, displacement=self.displacement + by)

    def with_planted(self, **values: np.ndarray) -> Specimen:
        """Add planted per-column values."""
        return replace(self, planted={**self.planted, **values})


def grow(
    crystal: Crystal,
    field_of_view: tuple[float, float],
    *,
    orientation: float = 0.0,
    origin: tuple[float, float] = (0.0, 0.0),
    margin: float = 10.0,
) -> Specimen:
    """Fill a field of view with a crystal.

    Parameters
    ----------
    crystal : Crystal
    field_of_view : tuple of float
        Height and width [A].
    orientation : float
        Rotation of the cell from y towards x [rad].
    origin : tuple of float
        Where the cell's corner sits, in fractions of the cell.
    margin : float
        Columns this far outside the frame are kept [A].

    Returns
    -------
    Specimen
    """
    cosine, sine = np.cos(orientation), np.sin(orientation)
    cell = np.array(crystal.cell) @ np.array([[cosine, sine], [-sine, cosine]])
    low = np.array([-margin, -margin])
    high = np.array(field_of_view) + margin
    corners = np.array([[low[0], low[1]], [low[0], high[1]], [high[0], low[1]], [high[0], high[1]]])
    reach = corners @ np.linalg.inv(cell)
    first = np.floor(reach.min(0)).astype(int) - 1
    last = np.ceil(reach.max(0)).astype(int) + 1
    index = np.stack(
        np.meshgrid(np.arange(first[0], last[0] + 1), np.arange(first[1], last[1] + 1), indexing="ij"), -1
    ).reshape(-1, 1, 2)
    yx = ((index + np.array(crystal.sites) + np.array(origin)) @ cell).reshape(-1, 2)
    site = np.tile(np.arange(len(crystal.sites)), len(index))
    inside = np.all((yx >= low) & (yx <= high), axis=1)
    yx, site = yx[inside], site[inside]
    return Specimen(
        yx=yx,
        species=np.array(crystal.species)[site],
        sublattice=np.array(crystal.sublattices)[site],
        displacement=np.zeros_like(yx),
        thickness=np.ones(len(yx)),
    )


def disordered(
    field_of_view: tuple[float, float],
    *,
    separation: float,
    filling: float,
    species: tuple[str, ...],
    rng: np.random.Generator,
    margin: float = 10.0,
) -> Specimen:
    """Scatter columns at random, no two closer than a separation.

    Parameters
    ----------
    field_of_view : tuple of float
        Height and width [A].
    separation : float
        Least distance between two columns [A].
    filling : float
        Tries per separation^2 of area; about 1.5 fills the plane, 0.05 is a
        support with single atoms.
    species : tuple of str
        Drawn with equal chance.
    rng : numpy.random.Generator
    margin : float
        [A]

    Returns
    -------
    Specimen

    Raises
    ------
    StemnetError
        If the separation is not positive.
    """
    if separation <= 0:
        raise StemnetError(f"A separation of {separation} A was asked for; give a positive one.")
    size = np.array(field_of_view) + 2 * margin
    tries = max(1, rng.poisson(filling * size.prod() / separation**2))
    yx = rng.uniform(0, 1, (tries, 2)) * size - margin
    keep = np.ones(tries, dtype=bool)
    # A try is refused by any earlier one that stands: random sequential addition.
    for earlier, later in sorted(cKDTree(yx).query_pairs(separation)):
        if keep[earlier]:
            keep[later] = False
    yx = yx[keep]
    return Specimen(
        yx=yx,
        species=rng.choice(np.array(species), len(yx)),
        sublattice=np.full(len(yx), -1),
        displacement=np.zeros_like(yx),
        thickness=np.ones(len(yx)),
    )
