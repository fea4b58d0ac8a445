"""Quantities as functions of place: what a composition, an amplitude or an angle may be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from stemnet.errors import StemnetError
from stemnet.simulation.deformation import Vector, step_across
from stemnet.simulation.specimen import Displacement, Quantity

NEAREST = 12
"""Cells around a place among which the nearest wall is looked for."""
CHUNK = 20_000
"""Places that are looked at together."""


@dataclass(frozen=True)
class Constant:
    """The same value everywhere."""

    value: float

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,) at places (N, 2) [A]."""
        return np.full(len(yx), self.value)


@dataclass(frozen=True)
class Step:
    """One value before a straight wall and another beyond it, with a tanh between them.

    Parameters
    ----------
    before, after : float
    normal, through, width
        The wall, as in `stemnet.simulation.deformation.step_across`.
    """

    before: float
    after: float
    normal: Vector
    through: Vector
    width: float

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,) at places (N, 2) [A]."""
        step, _ = step_across(yx, self.normal, self.through, self.width)
        return self.before + (self.after - self.before) * step


@dataclass(frozen=True)
class Ramp:
    """A value that grows linearly with place: value + slope . (r - through).

    Parameters
    ----------
    value : float
    slope : tuple of float
        Per angstrom, along y and along x.
    through : tuple of float
        Where `value` stands [A].
    """

    value: float
    slope: Vector
    through: Vector

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,) at places (N, 2) [A]."""
        return self.value + (np.asarray(yx) - np.array(self.through)) @ np.array(self.slope)


@dataclass(frozen=True)
class Disc:
    """One value within a disc and another outside, with a tanh between them.

    Parameters
    ----------
    inside, outside : float
    center : tuple of float
        [A]
    radius, width : float
        Of the disc, and half width of its edge [A].
    """

    inside: float
    outside: float
    center: Vector
    radius: float
    width: float

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,) at places (N, 2) [A]."""
        away = np.linalg.norm(np.asarray(yx) - np.array(self.center), axis=1)
        share = (1 + np.tanh((self.radius - away) / self.width)) / 2
        return self.outside + (self.inside - self.outside) * share


@dataclass(frozen=True)
class WaveSum:
    """A sum of plane waves about a mean, held between two bounds.

    Parameters
    ----------
    mean : float
    wave_vectors : tuple of tuple, shape (W, 2)
        (ky, kx) [rad/A].
    amplitudes, phases : tuple of float, shape (W,)
        Of cosines; phases in rad.
    low, high : float
        Values beyond are set to these.
    """

    mean: float
    wave_vectors: tuple[Vector, ...]
    amplitudes: tuple[float, ...]
    phases: tuple[float, ...]
    low: float = -np.inf
    high: float = np.inf

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,) at places (N, 2) [A]."""
        yx, total = np.asarray(yx), np.full(len(yx), self.mean)
        # Wave by wave: many places times many waves would fill the memory.
        for vector, amplitude, phase in zip(self.wave_vectors, self.amplitudes, self.phases, strict=True):
            total += amplitude * np.cos(yx @ np.array(vector) + phase)
        return np.clip(total, self.low, self.high)


@dataclass(frozen=True)
class Logistic:
    """A quantity that switches on with another: height / (1 + exp(-(of - middle) / softness)).

    Parameters
    ----------
    of : Quantity
    middle : float
        Where half the height is reached.
    softness : float
        How far from the middle it takes to reach 73 % of it.
    height : float
    """

    of: Quantity
    middle: float
    softness: float
    height: float = 1.0

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,) at places (N, 2) [A]."""
        return self.height * (1 + np.tanh((self.of(yx) - self.middle) / (2 * self.softness))) / 2


@dataclass(frozen=True)
class Product:
    """The product of two quantities."""

    first: Quantity
    second: Quantity

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,) at places (N, 2) [A]."""
        return self.first(yx) * self.second(yx)


@dataclass(frozen=True)
class Component:
    """One component of a vector field, times a factor.

    Parameters
    ----------
    of : Displacement
        Or a texture: vectors (N, 2) at places (N, 2).
    axis : int
        0 for y, 1 for x.
    factor : float
    """

    of: Displacement
    axis: int
    factor: float = 1.0

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,) at places (N, 2) [A]."""
        return self.factor * self.of(yx)[:, self.axis]


@dataclass(frozen=True)
class Grid:
    """A quantity stored on a grid, with a cubic spline through it; beyond the grid its edge goes on.

    Parameters
    ----------
    values : tuple of tuple, shape (H, W)
    origin : tuple of float
        Place of the first value [A].
    spacing : float
        [A]
    """

    values: tuple[tuple[float, ...], ...]
    origin: Vector
    spacing: float

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,) at places (N, 2) [A]."""
        at = (np.asarray(yx) - np.array(self.origin)) / self.spacing
        return map_coordinates(np.array(self.values), at.T, order=3, mode="nearest")


@dataclass(frozen=True)
class Patches:
    """Labels of domains: every place has that of the nearest center.

    Parameters
    ----------
    centers : tuple of tuple, shape (P, 2)
        [A]
    labels : tuple of int, shape (P,)
    """

    centers: tuple[Vector, ...]
    labels: tuple[int, ...]

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Labels (N,) at places (N, 2) [A]."""
        _, nearest = cKDTree(np.array(self.centers)).query(yx)
        return np.array(self.labels)[nearest]


@dataclass(frozen=True)
class WallFade:
    """What the walls between domains leave of an order: tanh(distance / width).

    Cells of one label side by side are one domain: what counts is the distance
    from the nearest cell of another label.

    Parameters
    ----------
    patches : Patches
    width : float
        [A]
    """

    patches: Patches
    width: float

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,) at places (N, 2) [A]."""
        centers, labels = np.array(self.patches.centers), np.array(self.patches.labels)
        near = min(NEAREST, len(centers))
        left = np.ones(len(yx))
        for rows in (slice(start, start + CHUNK) for start in range(0, len(yx), CHUNK)):
            away, which = (part.reshape(-1, near) for part in cKDTree(centers).query(yx[rows], k=near))
            apart = np.linalg.norm(centers[which][:, :, None] - centers[which][:, None], axis=-1)
            # How far the line between cells j and i is away; a cell begins beyond the farthest of its lines.
            beyond = (away[:, :, None] ** 2 - away[:, None] ** 2) / (2 * np.where(apart > 0, apart, np.inf))
            distance = np.where(labels[which] == labels[which[:, :1]], np.inf, beyond.max(2))
            left[rows] = np.tanh(distance.min(1) / self.width)
        return left


def as_quantity(value: float | Quantity) -> Quantity:
    """A number as the quantity that has it everywhere; a quantity as it is."""
    return value if callable(value) else Constant(float(value))


def random_quantity(
    mean: float,
    rms: float,
    length: float,
    rng: np.random.Generator,
    *,
    waves: int = 100,
    low: float = -np.inf,
    high: float = np.inf,
) -> WaveSum:
    """Draw a smooth random quantity whose values at a distance r correlate as exp(-r^2 / (2 length^2)).

    Parameters
    ----------
    mean, rms : float
    length : float
        Correlation length [A].
    rng : numpy.random.Generator
    waves : int
        Many make it Gaussian.
    low, high : float
        Values beyond are cut, a composition's at 0 and 1.

    Raises
    ------
    StemnetError
        If the correlation length is not positive.
    """
    if not length > 0:
        raise StemnetError(f"A correlation length of {length:g} A was asked for; give a positive one.")
    vectors = rng.normal(0, 1 / length, (waves, 2))
    phases = rng.uniform(0, 2 * np.pi, waves)
    return WaveSum(
        float(mean),
        tuple((float(y), float(x)) for y, x in vectors),
        (float(rms * np.sqrt(2 / waves)),) * waves,
        tuple(phases.tolist()),
        low,
        high,
    )


def random_patches(
    field_of_view: tuple[float, float], count: int, labels: int, rng: np.random.Generator
) -> Patches:
    """Draw domains: `count` centers over a field of view [A], labeled 0 to labels - 1 with equal chance."""
    centers = rng.uniform(0, 1, (count, 2)) * np.array(field_of_view)
    return Patches(
        tuple((float(y), float(x)) for y, x in centers), tuple(rng.integers(0, labels, count).tolist())
    )
