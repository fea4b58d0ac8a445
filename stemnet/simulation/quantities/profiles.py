"""Quantities as functions of place: grades, waves, soft steps, and what is put together of regions and labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stemnet.simulation.quantities.regions import Region, Vector
from stemnet.simulation.specimen import Displacement, Quantity, Specimen, nothing


@dataclass(frozen=True)
class Unknown:
    """A quantity that is not defined: NaN everywhere."""

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,)."""
        return np.full(len(yx), np.nan)


@dataclass(frozen=True)
class Graded:
    """Linear from one point to another, constant before and beyond.

    Parameters
    ----------
    start, end : tuple of float
        [A]
    low, high : float
        Values at the start and at the end.
    """

    start: Vector
    end: Vector
    low: float
    high: float

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,)."""
        way = np.array(self.end) - np.array(self.start)
        share = np.clip((np.asarray(yx) - np.array(self.start)) @ way / (way @ way), 0, 1)
        return self.low + (self.high - self.low) * share


@dataclass(frozen=True)
class Sine:
    """A wave: mean + amplitude sin(k r + phase).

    Parameters
    ----------
    mean, amplitude : float
    wave_vector : tuple of float
        (ky, kx) [rad/A].
    phase : float
        [rad]
    """

    mean: float
    amplitude: float
    wave_vector: Vector
    phase: float = 0.0

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,)."""
        return self.mean + self.amplitude * np.sin(np.asarray(yx) @ np.array(self.wave_vector) + self.phase)


@dataclass(frozen=True)
class SoftStep:
    """(1 + tanh(depth / width)) / 2: 1 deep in a region, 0 far from it.

    Parameters
    ----------
    region : Region
    width : float
        Half width [A]; 0 for a sharp rim.
    """

    region: Region
    width: float

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,)."""
        depth = self.region(yx)
        return (1 + np.tanh(depth / self.width)) / 2 if self.width > 0 else (depth >= 0).astype(float)


@dataclass(frozen=True)
class Magnitude:
    """The absolute value of a quantity: the distance from a region's rim."""

    quantity: Quantity

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,)."""
        return np.abs(self.quantity(yx))


@dataclass(frozen=True)
class Above:
    """How far a quantity lies above a level."""

    quantity: Quantity
    level: float

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,)."""
        return self.quantity(yx) - self.level


@dataclass(frozen=True)
class ByLabel:
    """One value for each label, which counts from 0."""

    label: Quantity
    values: tuple[float, ...]

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,)."""
        return np.array(self.values)[self.label(yx)]


@dataclass(frozen=True)
class Piecewise:
    """One quantity for each label, which counts from 0."""

    label: Quantity
    parts: tuple[Quantity, ...]

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,)."""
        label = self.label(yx)
        values = np.full(len(label), np.nan)
        for number, part in enumerate(self.parts):
            rows = label == number
            if rows.any():
                values[rows] = part(yx[rows])
        return values


@dataclass(frozen=True)
class Carried:
    """A quantity of the matter's former places, at its places after deformations."""

    quantity: Quantity
    flow: tuple[Displacement, ...]

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,)."""
        return self.quantity(replace(nothing(), flow=self.flow).origin_of(yx))


def settled(specimen: Specimen, name: str) -> Quantity:
    """A planted field as a quantity of places as they are now; `Unknown` if the specimen has no such field."""
    if name not in specimen.fields:
        return Unknown()
    planted = specimen.fields[name]
    since = specimen.flow[planted.depth :]
    return Carried(planted.quantity, since) if since else planted.quantity
