"""Where one thing ends and another begins: regions by their signed distance, and labels of regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.spatial import cKDTree

from stemnet.simulation.specimen import Quantity

Vector = tuple[float, float]


def pair(vector: Sequence[float] | np.ndarray) -> Vector:
    """A vector (2,) as plain numbers."""
    return float(vector[0]), float(vector[1])


class Region(Protocol):
    """Depth below the rim at yx (N, 2) [A], shape (N,) [A]: positive inside, negative outside; a frozen dataclass."""

    def __call__(self, yx: np.ndarray) -> np.ndarray: ...  # noqa: D102


@dataclass(frozen=True)
class HalfPlane:
    """All matter on one side of a straight line.

    Parameters
    ----------
    normal : tuple of float
        Into the region; its length does not matter.
    through : tuple of float
        A point of the line [A].
    """

    normal: Vector
    through: Vector

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Depth [A], (N,)."""
        unit = np.array(self.normal) / np.hypot(*self.normal)
        return (np.asarray(yx) - np.array(self.through)) @ unit


@dataclass(frozen=True)
class Blob:
    """A disk, or a lobed shape: radius (1 + sum of a_k cos(k angle + phase_k)), k from 2.

    Parameters
    ----------
    center : tuple of float
        [A]
    radius : float
        [A]
    lobes : tuple of tuple
        (a_k, phase_k) for k = 2, 3, ...; none for a disk. The depth is then
        measured along the radius.
    """

    center: Vector
    radius: float
    lobes: tuple[Vector, ...] = ()

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Depth [A], (N,)."""
        away = np.asarray(yx) - np.array(self.center)
        angle = np.arctan2(away[:, 0], away[:, 1])
        rim = np.ones(len(away))
        for k, (amplitude, phase) in enumerate(self.lobes, start=2):
            rim += amplitude * np.cos(k * angle + phase)
        return self.radius * rim - np.hypot(away[:, 0], away[:, 1])


@dataclass(frozen=True)
class Polygon:
    """A convex polygon around a center.

    Parameters
    ----------
    center : tuple of float
        [A]
    normals : tuple of tuple, shape (F, 2)
        Outward, of unit length.
    distances : tuple of float, shape (F,)
        Of each side from the center [A].
    """

    center: Vector
    normals: tuple[Vector, ...]
    distances: tuple[float, ...]

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Depth below the nearest side [A], (N,)."""
        away = np.asarray(yx) - np.array(self.center)
        return (np.array(self.distances) - away @ np.array(self.normals).T).min(1)


@dataclass(frozen=True)
class Terraced:
    """All matter below a line that goes up and down in steps.

    Parameters
    ----------
    normal : tuple of float
        Into the region, of unit length.
    through : tuple of float
        A point of the mean line, above the middle terrace [A].
    length : float
        Of one piece of the line [A].
    heights : tuple of float
        How far each piece lies inside of the line [A]; the last ones go on for ever.
    """

    normal: Vector
    through: Vector
    length: float
    heights: tuple[float, ...]

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Depth below the terrace [A], (N,)."""
        away = np.asarray(yx) - np.array(self.through)
        unit = np.array(self.normal)
        along = away @ np.array([unit[1], -unit[0]])
        piece = np.floor(along / self.length).astype(int) + len(self.heights) // 2
        return away @ unit - np.array(self.heights)[np.clip(piece, 0, len(self.heights) - 1)]


@dataclass(frozen=True)
class Outside:
    """What a region leaves out."""

    region: Region

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Depth [A], (N,)."""
        return -self.region(yx)


@dataclass(frozen=True)
class AllOf:
    """What several regions have in common."""

    regions: tuple[Region, ...]

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Depth [A], (N,)."""
        return np.min([region(yx) for region in self.regions], axis=0)


@dataclass(frozen=True)
class Inside:
    """A label: 1 inside of a region and on its rim, 0 outside."""

    region: Region

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Labels (N,)."""
        return (self.region(yx) >= 0).astype(int)


@dataclass(frozen=True)
class NearestSeed:
    """A label: which of some seeds is nearest (Voronoi cells).

    Parameters
    ----------
    seeds : tuple of tuple, shape (S, 2)
        [A]
    """

    seeds: tuple[Vector, ...]

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Labels (N,), from 0."""
        return cKDTree(np.array(self.seeds)).query(np.asarray(yx))[1]


@dataclass(frozen=True)
class CellDepth:
    """Distance from the nearest border between Voronoi cells [A].

    Parameters
    ----------
    seeds : tuple of tuple, shape (S, 2)
        [A]
    """

    seeds: tuple[Vector, ...]

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Distances [A], (N,); infinite where there is one seed only."""
        seeds = np.array(self.seeds)
        label = NearestSeed(self.seeds)(yx)
        depth = np.full(len(label), np.inf)
        squared = ((np.asarray(yx) - seeds[label]) ** 2).sum(1)
        for number, seed in enumerate(seeds):
            others = label != number
            apart = np.hypot(*(seed - seeds[label[others]]).T)
            farther = ((np.asarray(yx)[others] - seed) ** 2).sum(1)
            depth[others] = np.minimum(depth[others], (farther - squared[others]) / (2 * apart))
        return depth


@dataclass(frozen=True)
class Jagged:
    """A label whose borders are moved around single columns that stand beyond them.

    Parameters
    ----------
    label : Quantity
        With straight borders.
    columns : tuple of tuple, shape (M, 2)
        [A]
    labels : tuple of int, shape (M,)
        Of these columns, and all around them.
    reach : float
        How far around [A].
    """

    label: Quantity
    columns: tuple[Vector, ...]
    labels: tuple[int, ...]
    reach: float

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Labels (N,)."""
        label = np.array(self.label(yx))
        if self.columns:
            distance, row = cKDTree(np.array(self.columns)).query(np.asarray(yx))
            near = distance < self.reach
            label[near] = np.array(self.labels)[row[near]]
        return label
