"""What moves from frame to frame: the specimen as a whole, single atoms, vacancies, walls, edges.

A *movement* is what is asked for, in plain numbers: `Hopping(rows, sites, rate)`.
Drawn once for a movie it becomes a *motion*, a function of the specimen at the
start and the number of a frame. What is drawn for a frame does not depend on
how many come after it: a longer movie begins as a shorter one.

Rates are per second; the time from one frame to the next makes of them what
happens between two frames. Within a frame everything but the drift stands
still: an atom that hops while the beam is on it, and shows half here and half
there, is not modeled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy.signal import lfilter

from stemnet.errors import StemnetError
from stemnet.simulation.artefacts.drift import Drift
from stemnet.simulation.defects.shape import cut
from stemnet.simulation.deformation import Affine, Vector
from stemnet.simulation.distortions.polar import polarized
from stemnet.simulation.distortions.walls import Wall
from stemnet.simulation.specimen import Displacement, Specimen, rotation


class Motion(Protocol):
    """A movement that has been drawn: the specimen of the start as it is in a frame."""

    def __call__(self, specimen: Specimen, frame: int) -> Specimen: ...  # noqa: D102


class Movement(Protocol):
    """A movement that is asked for; a frozen dataclass of plain numbers."""

    def drawn(  # noqa: D102
        self, specimen: Specimen, frames: int, seconds: float, rng: np.random.Generator
    ) -> Motion: ...


@dataclass(frozen=True)
class Shift:
    """The same displacement everywhere.

    Parameters
    ----------
    y, x : float
        [A]
    """

    y: float
    x: float

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Displacements [A], (N, 2)."""
        return np.broadcast_to([self.y, self.x], np.shape(yx))


def carried(specimen: Specimen, by: Displacement, turn: float = 0.0) -> Specimen:
    """Move a specimen as a rigid body: sites and columns go together, and nothing is displaced by it.

    Parameters
    ----------
    specimen : Specimen
    by : Displacement
        A shift or a rotation.
    turn : float
        Its angle from y towards x [rad], by which displacements turn too.

    Returns
    -------
    Specimen
    """
    turned = rotation(turn).T
    vacant = specimen.vacant
    if vacant is not None:
        vacant = replace(vacant, yx=vacant.yx + by(vacant.yx), displacement=vacant.displacement @ turned)
    return replace(
        specimen,
        yx=specimen.yx + by(specimen.yx),
        displacement=specimen.displacement @ turned,
        flow=(*specimen.flow, by),
        vacant=vacant,
    )


@dataclass(frozen=True)
class DriftPath:
    """Drift of the whole specimen: steady, and with a velocity that changes its mind.

    The velocity is a constant and an Ornstein-Uhlenbeck process: over times
    shorter than its memory the drift is smooth, over longer ones it is a random
    walk.

    Parameters
    ----------
    velocity : tuple of float
        Of the specimen along y and x, steady [A/s].
    unsteadiness : float
        Root mean square of what varies, an axis [A/s].
    memory : float
        Correlation time of what varies [s].
    scanning : float
        Share of the time from frame to frame in which the beam scans; what
        drifts meanwhile shears and stretches the frame.

    Raises
    ------
    StemnetError
        If a number is out of its range.
    """

    velocity: Vector = (0.0, 0.0)
    unsteadiness: float = 0.0
    memory: float = 10.0
    scanning: float = 1.0

    def __post_init__(self) -> None:
        if not (self.unsteadiness >= 0 and self.memory > 0 and 0 <= self.scanning <= 1):
            raise StemnetError(
                f"A drift with unsteadiness {self.unsteadiness:g} A/s, memory {self.memory:g} s and a scanning "
                f"share of {self.scanning:g} was asked for; give 0 or more, more than 0, and 0 to 1."
            )

    def drawn(self, specimen: Specimen, frames: int, seconds: float, rng: np.random.Generator) -> Path:
        """Draw the path; it starts at zero in the middle of the first frame."""
        keep = np.exp(-seconds / self.memory)
        noise = rng.normal(0, 1, (frames, 2)) * self.unsteadiness
        noise[1:] *= np.sqrt(1 - keep**2)
        velocity = np.array(self.velocity) + lfilter([1.0], [1.0, -keep], noise, axis=0)
        steps = (velocity[1:] + velocity[:-1]) / 2 * seconds
        return Path(
            np.concatenate([np.zeros((1, 2)), np.cumsum(steps, 0)]), velocity * seconds * self.scanning
        )


@dataclass(frozen=True, eq=False)
class Path:
    """Where a drifting specimen is.

    Parameters
    ----------
    positions : ndarray, shape (T, 2)
        In the middle of each frame [A].
    within : ndarray, shape (T, 2)
        How far it goes while a frame is scanned [A].
    """

    positions: np.ndarray
    within: np.ndarray

    def __call__(self, specimen: Specimen, frame: int) -> Specimen:
        """Carry the specimen to where it is in the middle of a frame."""
        return carried(specimen, Shift(*self.positions[frame].tolist()))

    def artefact(self, frame: int) -> Drift:
        """Its drift within a frame: the beam strays the other way."""
        y, x = (-self.within[frame]).tolist()
        return Drift(y, x)


@dataclass(frozen=True)
class Diffusion:
    """Single atoms that walk at random, free of any lattice: <r^2> = 4 D t.

    Parameters
    ----------
    rows : tuple of int
        Their rows in the specimen.
    coefficient : float
        D [A^2/s].
    """

    rows: tuple[int, ...]
    coefficient: float

    def drawn(self, specimen: Specimen, frames: int, seconds: float, rng: np.random.Generator) -> Walk:
        """Draw every step."""
        rows = _rows(self.rows, specimen)
        steps = rng.normal(0, 1, (frames, len(rows), 2)) * np.sqrt(2 * _rate(self.coefficient) * seconds)
        steps[0] = 0.0
        return Walk(rows, np.cumsum(steps, 0))


@dataclass(frozen=True, eq=False)
class Walk:
    """How far columns have gone since the start: tracks (P,) and paths (T, P, 2) [A]."""

    tracks: np.ndarray
    paths: np.ndarray

    def __call__(self, specimen: Specimen, frame: int) -> Specimen:
        """Move them, and flag them as ``moved`` from the second frame on."""
        rows, mine = _here(specimen, self.tracks)
        yx, moved = specimen.yx.copy(), specimen.planted["moved"].copy()
        yx[rows] += self.paths[frame, mine]
        moved[rows] |= int(frame > 0)
        return replace(specimen, yx=yx).with_planted(moved=moved)


@dataclass(frozen=True)
class Turning:
    """A crystal that turns as a rigid body.

    Planted vectors keep the components that they had: polarize after turning.

    Parameters
    ----------
    rate : float
        From y towards x [rad/s].
    about : tuple of float
        The point that stays [A].
    """

    rate: float
    about: Vector

    def drawn(self, specimen: Specimen, frames: int, seconds: float, rng: np.random.Generator) -> _Turned:
        """Nothing is left to chance."""
        return _Turned(self, seconds)


@dataclass(frozen=True)
class _Turned:
    turning: Turning
    seconds: float

    def __call__(self, specimen: Specimen, frame: int) -> Specimen:
        angle = self.turning.rate * self.seconds * frame
        (yy, yx), (xy, xx) = (rotation(angle) - np.eye(2)).tolist()
        turned = carried(specimen, Affine(((yy, yx), (xy, xx)), self.turning.about), angle)
        return turned.with_planted(turned_rad=np.full(len(turned), angle))


@dataclass(frozen=True)
class MovingWall:
    """A domain wall that moves along its normal, steadily and at random.

    Parameters
    ----------
    wall : Wall
        At the start.
    sublattice_shifts : tuple of (int, float)
        How far each sublattice moves along the polarization [A].
    speed : float
        Along the normal [A/s].
    jitter : float
        Of a random walk besides, standard deviation after one second [A].
    cage, center : int
        As in `polarized`.
    """

    wall: Wall
    sublattice_shifts: tuple[tuple[int, float], ...]
    speed: float
    jitter: float = 0.0
    cage: int = 0
    center: int = 1

    def drawn(self, specimen: Specimen, frames: int, seconds: float, rng: np.random.Generator) -> _WallAt:
        """Draw how far the wall has gone."""
        steps = rng.normal(0, 1, frames) * (self.jitter * np.sqrt(seconds)) + self.speed * seconds
        steps[0] = 0.0
        return _WallAt(self, np.cumsum(steps))


@dataclass(frozen=True, eq=False)
class _WallAt:
    moving: MovingWall
    gone: np.ndarray

    def __call__(self, specimen: Specimen, frame: int) -> Specimen:
        wall = self.moving.wall
        unit = np.array(wall.normal) / np.hypot(*wall.normal)
        y, x = (np.array(wall.through) + self.gone[frame] * unit).tolist()
        return polarized(
            specimen,
            replace(wall, through=(y, x)),
            dict(self.moving.sublattice_shifts),
            cage=self.moving.cage,
            center=self.moving.center,
        )


@dataclass(frozen=True)
class Growth:
    """A straight edge that grows, or shrinks: beyond it there is nothing yet.

    Parameters
    ----------
    normal : tuple of float
        Out of the crystal.
    through : tuple of float
        A point of the edge at the start [A].
    speed : float
        Along the normal [A/s].
    """

    normal: Vector
    through: Vector
    speed: float

    def drawn(self, specimen: Specimen, frames: int, seconds: float, rng: np.random.Generator) -> _Grown:
        """Nothing is left to chance."""
        return _Grown(self, seconds)


@dataclass(frozen=True)
class _Grown:
    growth: Growth
    seconds: float

    def __call__(self, specimen: Specimen, frame: int) -> Specimen:
        unit = np.array(self.growth.normal) / np.hypot(*self.growth.normal)
        reached = self.growth.speed * self.seconds * frame
        inside = (specimen.yx - np.array(self.growth.through)) @ unit <= reached
        return cut(specimen, inside)


def _rows(rows: tuple[int, ...], specimen: Specimen) -> np.ndarray:
    """Row numbers, checked; at the start they are the tracks."""
    numbers = np.asarray(rows, dtype=int).reshape(-1)
    if len(numbers) and not (numbers.min() >= 0 and numbers.max() < len(specimen)):
        raise StemnetError(
            f"Rows {numbers.min()} to {numbers.max()} were to move in a specimen of {len(specimen)} columns; "
            f"give rows from 0 to {len(specimen) - 1}."
        )
    return np.unique(numbers)


def _rate(value: float) -> float:
    if not 0 <= value < np.inf:
        raise StemnetError(f"A rate or coefficient of {value:g} was asked for; give 0 or more.")
    return float(value)


def _here(specimen: Specimen, tracks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of those of the tracks (P,), ascending, that are still there, and which of them they are."""
    place = np.minimum(np.searchsorted(specimen.planted["track"], tracks), max(len(specimen) - 1, 0))
    found = specimen.planted["track"][place] == tracks if len(specimen) else np.zeros(len(tracks), dtype=bool)
    return place[found], np.flatnonzero(found)
