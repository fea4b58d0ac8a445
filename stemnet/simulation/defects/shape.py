"""Where a specimen ends: edges, steps, holes, and how thick it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from stemnet.errors import StemnetError
from stemnet.simulation.defects.pieces import bounded
from stemnet.simulation.quantities.profiles import Above, Graded
from stemnet.simulation.quantities.regions import AllOf, Blob, Inside, Outside, Region, Terraced, Vector, pair
from stemnet.simulation.specimen import Quantity, Specimen


def cut(specimen: Specimen, inside: np.ndarray) -> Specimen:
    """End the specimen at an edge: keep the columns where `inside` (N,) is True; nothing is vacant beyond."""
    return specimen.select(inside)


def shaped(specimen: Specimen, region: Region) -> Specimen:
    """End the specimen at the rim of a region.

    Parameters
    ----------
    specimen : Specimen
    region : Region

    Returns
    -------
    Specimen
        With the fields ``inside`` (1 in the region, 0 in the vacuum) and
        ``edge_distance_A``, the depth below the rim. A second cut leaves what
        both have in common.
    """
    whole: Region = region
    earlier = specimen.fields.get("edge_distance_A")
    if earlier is not None and earlier.depth == len(specimen.flow):
        whole = AllOf((earlier.quantity, region))
    planted = specimen.with_field("inside", Inside(whole)).with_field("edge_distance_A", whole)
    return bounded(planted, whole)


def stepped_edge(
    specimen: Specimen,
    *,
    through: Vector,
    normal: Vector,
    step: float,
    terrace: float,
    rng: np.random.Generator,
) -> Specimen:
    """End the specimen at a surface with atomic steps: a random walk up and down by one row.

    Parameters
    ----------
    specimen : Specimen
    through, normal : tuple of float
        A point of the surface [A], and the direction into the crystal.
    step : float
        Height of a step [A]; the spacing of the rows along the surface, say.
    terrace : float
        Mean length of a terrace [A]; pieces of half of it go up, down or on.
    rng : numpy.random.Generator

    Returns
    -------
    Specimen
        As from `shaped`.

    Raises
    ------
    StemnetError
        If the step or the terrace is not positive.
    """
    if not (step > 0 and terrace > 0):
        raise StemnetError(
            f"Steps of {step} A on terraces of {terrace} A were asked for; both must be positive."
        )
    unit = np.array(normal) / np.hypot(*normal)
    along = (specimen.yx - np.array(through)) @ np.array([unit[1], -unit[0]])
    pieces = 2 * int(np.ceil(2 * np.abs(along).max(initial=terrace) / terrace)) + 2
    walk = np.cumsum(rng.choice([-1, 0, 1], pieces, p=[0.25, 0.5, 0.25]))
    heights = step * (walk - walk[pieces // 2])
    return shaped(
        specimen, Terraced((float(unit[0]), float(unit[1])), through, terrace / 2, tuple(heights.tolist()))
    )


def holes(
    specimen: Specimen,
    centers: tuple[Vector, ...],
    radius: float,
    rng: np.random.Generator,
    *,
    irregular: float = 0.0,
) -> Specimen:
    """Make holes in a specimen.

    Parameters
    ----------
    specimen : Specimen
    centers : tuple of tuple, shape (H, 2)
        [A]
    radius : float
        [A]
    rng : numpy.random.Generator
    irregular : float
        How far the rims vary about a circle, rms, as a share of the radius.

    Returns
    -------
    Specimen
        As from `shaped`.
    """
    around = tuple(Outside(lobed(center, radius, irregular, rng)) for center in centers)
    return shaped(specimen, AllOf(around)) if around else specimen


def lobed(center: Vector, radius: float, irregular: float, rng: np.random.Generator, lobes: int = 6) -> Blob:
    """A disk whose rim varies by an rms share of its radius, the finer lobes less than the coarse ones."""
    if irregular == 0:
        return Blob(center, radius)
    sizes = rng.normal(0, 1, lobes) / np.arange(2, lobes + 2)
    sizes *= irregular * np.sqrt(2) / max(np.sqrt((sizes**2).sum()), 1e-12)
    return Blob(
        center, radius, tuple(zip(sizes.tolist(), rng.uniform(0, 2 * np.pi, lobes).tolist(), strict=True))
    )


def with_thickness(specimen: Specimen, quantity: Quantity) -> Specimen:
    """Give every column the thickness that a quantity says [repeats], and plant it as ``thickness``.

    Columns of less than half a repeat are outside the specimen.
    """
    planted = specimen.with_field("thickness", quantity)
    thick = np.asarray(planted.planted["thickness"], dtype=float)
    return bounded(replace(planted, thickness=thick), Above(quantity, 0.5))


def wedge(specimen: Specimen, start: Vector, end: Vector, low: float, high: float) -> Specimen:
    """Let the thickness rise from one point to another.

    Parameters
    ----------
    specimen : Specimen
    start, end : tuple of float
        [A]
    low, high : float
        Thickness at the start and at the end, and before and beyond them [repeats].

    Returns
    -------
    Specimen
        With the field ``thickness`` [repeats].
    """
    return with_thickness(specimen, Graded(start, end, low, high))


@dataclass(frozen=True)
class Terraces:
    """A thickness that changes by whole repeats at the rims of regions.

    Parameters
    ----------
    base : float
        Thickness outside of all [repeats].
    regions : tuple of Region
    heights : tuple of float
        What each adds where it is [repeats].
    """

    base: float
    regions: tuple[Region, ...]
    heights: tuple[float, ...]

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Thickness [repeats], (N,)."""
        total = np.full(len(yx), float(self.base))
        for region, height in zip(self.regions, self.heights, strict=True):
            total += height * (region(yx) >= 0)
        return total


def terraces(
    specimen: Specimen,
    base: int,
    steps: int,
    normal: Vector,
    rng: np.random.Generator,
    *,
    height: int = 1,
    roughness: float = 0.0,
) -> Specimen:
    """Let the thickness go up in steps of whole repeats along a direction.

    Parameters
    ----------
    specimen : Specimen
    base : int
        Thickness of the lowest terrace [repeats].
    steps : int
        How many, at random places across the specimen.
    normal : tuple of float
        Upwards.
    rng : numpy.random.Generator
    height : int
        Of a step [repeats]; negative to go down.
    roughness : float
        How far one piece of a step's line lies beside the last one, rms [A].

    Returns
    -------
    Specimen
        With the field ``thickness`` [repeats].
    """
    unit = np.array(normal) / np.hypot(*normal)
    across = specimen.yx @ unit
    along = specimen.yx @ np.array([unit[1], -unit[0]])
    middle = (along.min() + along.max()) / 2
    pieces = int(np.ceil((along.max() - along.min()) / 10)) + 2
    lines = []
    for place in np.sort(rng.uniform(across.min(), across.max(), steps)):
        through = place * unit + middle * np.array([unit[1], -unit[0]])
        walk = np.cumsum(rng.normal(0, roughness, pieces))
        rises = tuple((walk - walk.mean()).tolist())
        lines.append(Terraced(pair(unit), pair(through), 10.0, rises))
    return with_thickness(specimen, Terraces(base, tuple(lines), (float(height),) * steps))


def without_dangling(specimen: Specimen, neighbors: int, reach: float) -> Specimen:
    """Drop columns with too few neighbors, and those that then have too few, as an edge in a beam does.

    Parameters
    ----------
    specimen : Specimen
    neighbors : int
        The least number within the reach.
    reach : float
        [A]

    Returns
    -------
    Specimen
    """
    pairs = (
        cKDTree(specimen.yx).query_pairs(reach, output_type="ndarray")
        if len(specimen)
        else np.zeros((0, 2), int)
    )
    stays = np.ones(len(specimen), dtype=bool)
    while True:
        number = np.bincount(pairs.ravel(), minlength=len(specimen))
        falls = stays & (number < neighbors)
        if not falls.any():
            return cut(specimen, stays)
        stays &= ~falls
        pairs = pairs[stays[pairs].all(1)]
