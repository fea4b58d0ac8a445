"""Deformations of all matter: displacement fields, and the strain they make."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.specimen import Displacement, PlantedField, Specimen

Vector = tuple[float, float]
CHUNK = 20_000


@dataclass(frozen=True)
class Affine:
    """A homogeneous displacement gradient about a point: u = gradient (r - about).

    Parameters
    ----------
    gradient : tuple of tuple, shape (2, 2)
        du_y/dy, du_y/dx; du_x/dy, du_x/dx.
    about : tuple of float
        The point that stays [A].
    """

    gradient: tuple[Vector, Vector]
    about: Vector = (0.0, 0.0)

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Displacements [A], (N, 2)."""
        return (yx - np.array(self.about)) @ np.array(self.gradient).T


@dataclass(frozen=True)
class Waves:
    """A sum of sine waves of displacement.

    Parameters
    ----------
    wave_vectors : tuple of tuple, shape (W, 2)
        (ky, kx) [rad/A].
    amplitudes : tuple of float, shape (W,)
        [A]
    phases : tuple of tuple, shape (W, 2)
        Of the y and of the x displacement [rad].
    """

    wave_vectors: tuple[Vector, ...]
    amplitudes: tuple[float, ...]
    phases: tuple[Vector, ...]

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Displacements [A], (N, 2)."""
        vectors, amplitudes = np.array(self.wave_vectors).T, np.array(self.amplitudes)[:, None]
        displacement = np.empty(np.shape(yx))
        # Many columns times many waves would fill the memory.
        for rows in (slice(start, start + CHUNK) for start in range(0, len(yx), CHUNK)):
            turns = (yx[rows] @ vectors)[..., None] + np.array(self.phases)
            displacement[rows] = (np.sin(turns) * amplitudes).sum(1)
        return displacement


@dataclass(frozen=True)
class BentWall:
    """A displacement gradient that steps by jump x normal across a straight wall.

    Parameters
    ----------
    jump : tuple of float
        Direction and size of the step.
    normal, through : tuple of float
        The wall: a unit vector across it, and a point of it [A].
    width : float
        Half width [A]: the step is (1 + tanh(s / width)) / 2.
    """

    jump: Vector
    normal: Vector
    through: Vector
    width: float

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Displacements [A], (N, 2)."""
        _, integral = step_across(yx, self.normal, self.through, self.width)
        return integral[:, None] * np.array(self.jump)


def step_across(
    yx: np.ndarray, normal: np.ndarray | Vector, through: np.ndarray | Vector, width: float
) -> tuple[np.ndarray, np.ndarray]:
    """A smooth step across a straight wall, (1 + tanh(s / width)) / 2, and its integral along s.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        Points [A].
    normal : array_like, shape (2,)
        Direction in which the step rises; its length does not matter.
    through : array_like, shape (2,)
        A point of the wall [A].
    width : float
        Half width of the wall [A].

    Returns
    -------
    step : ndarray, shape (N,)
        0 before the wall, 1 beyond it.
    integral : ndarray, shape (N,)
        [A]; 0 before the wall, the distance s from it beyond.
    """
    unit = np.asarray(normal, dtype=float) / np.hypot(*normal)
    s = (np.asarray(yx) - np.asarray(through)) @ unit / width
    return (1 + np.tanh(s)) / 2, np.logaddexp(0, 2 * s) * width / 2


def strained(specimen: Specimen, strain: np.ndarray, about: Vector = (0.0, 0.0)) -> Specimen:
    """Deform homogeneously: r -> r + strain (r - about), with a (2, 2) displacement gradient in (y, x)."""
    (yy, yx), (xy, xx) = np.asarray(strain, dtype=float)
    return specimen.deformed(Affine(((float(yy), float(yx)), (float(xy), float(xx))), about))


def smoothly_strained(
    specimen: Specimen, rms_strain: float, wavelength: float, rng: np.random.Generator, waves: int = 3
) -> Specimen:
    """Add a few random long waves of displacement.

    Parameters
    ----------
    specimen : Specimen
    rms_strain : float
        Root mean square of the displacement gradient's elements.
    wavelength : float
        Shortest wavelength [A]; the others are up to three times longer.
    rng : numpy.random.Generator
    waves : int

    Returns
    -------
    Specimen
    """
    direction = rng.uniform(0, 2 * np.pi, waves)
    k = 2 * np.pi / (wavelength * rng.uniform(1, 3, waves))
    k_yx = np.stack([k * np.cos(direction), k * np.sin(direction)], 1)
    phase = rng.uniform(0, 2 * np.pi, (waves, 2))
    # A wave of amplitude u has a gradient of rms u k / sqrt(2) along k, spread over two elements.
    amplitude = rms_strain * 2 / k / np.sqrt(waves)
    return specimen.deformed(Waves(_pairs(k_yx), tuple(amplitude.tolist()), _pairs(phase)))


def strained_across(
    specimen: Specimen, jump: np.ndarray, normal: np.ndarray, through: np.ndarray, width: float
) -> Specimen:
    """Let the displacement gradient step by the product of `jump` and a unit `normal` across a wall.

    Two domains meet without a tear or an overlap only where their gradients
    differ by such a product; `twin_wall` finds it.

    Parameters
    ----------
    specimen : Specimen
    jump : array_like, shape (2,)
        Direction and size of the step.
    normal, through, width
        The wall, as in `step_across`.

    Returns
    -------
    Specimen
    """
    unit = np.asarray(normal, dtype=float) / np.hypot(*normal)
    (jump_yx,), (unit_yx,), (through_yx,) = (_pairs(np.array([v])) for v in (jump, unit, through))
    return specimen.deformed(BentWall(jump_yx, unit_yx, through_yx, float(width)))


def _pairs(values: np.ndarray) -> tuple[Vector, ...]:
    return tuple((float(y), float(x)) for y, x in values)


def twin_wall(first: np.ndarray, second: np.ndarray, sense: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """The coherent wall between two stretches of one lattice, as for ferroelastic twins.

    Ball and James, Arch. Ration. Mech. Anal. 100, 13 (1987), proposition 4, in
    the plane: (1 + jump normal^T) first is a rotation times second.

    Parameters
    ----------
    first, second : ndarray, shape (2, 2)
        Symmetric stretches of the parent lattice in (y, x), 1 where nothing is
        stretched.
    sense : int
        Which of the two possible walls: 1 for the one whose normal leans
        further towards x, -1 for the other.

    Returns
    -------
    jump : ndarray, shape (2,)
        For `strained_across`, on a specimen that `first` has stretched.
    normal : ndarray, shape (2,)
        Unit vector from the first domain into the second, towards larger y.

    Raises
    ------
    StemnetError
        If no direction keeps its length from one stretch to the other.
    """
    change = np.asarray(second, dtype=float) @ np.linalg.inv(first)
    (low, high), axes = np.linalg.eigh(change.T @ change)
    if not low <= 1 <= high or np.isclose(low, high):
        raise StemnetError(
            f"Between these two stretches lengths change by factors from {np.sqrt(low):.4f} to "
            f"{np.sqrt(high):.4f}; a coherent wall needs a direction that keeps its length. Give stretches "
            "of which neither exceeds the other in all directions."
        )
    shrinking, growing, scale = np.sqrt(1 - low), np.sqrt(high - 1), np.sqrt(high - low)
    walls = []
    for sign in (1, -1):
        jump = axes @ [np.sqrt(high) * shrinking, sign * np.sqrt(low) * growing] / scale
        normal = axes @ [-shrinking, sign * growing] * (np.sqrt(high) - np.sqrt(low)) / scale
        length = np.hypot(*normal) * (1 if tuple(normal) > (0, 0) else -1)
        walls.append((normal / length, jump * length))
    normal, jump = sorted(walls, key=lambda wall: sense * wall[0][1])[-1]
    return jump, normal


STRAIN_FIELDS = ("strain_yy", "strain_xx", "strain_yx", "rotation_rad")


@dataclass(frozen=True)
class StrainOf:
    """One component of the strain that deformations have made, as a function of place.

    Parameters
    ----------
    flow : tuple of Displacement
    component : str
        One of `STRAIN_FIELDS`.
    """

    flow: tuple[Displacement, ...]
    component: str

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,) at places before the deformations."""
        return strain_components(gradient(self.flow, yx))[self.component]


def gradient(flow: tuple[Displacement, ...], yx: np.ndarray, step: float = 1e-3) -> np.ndarray:
    """Deformation gradient d(after)_i / d(before)_j at places before a flow, (N, 2, 2), by central differences."""
    parts = []
    for axis in (0, 1):
        ends = []
        for sign in (1, -1):
            place = np.array(yx, dtype=float)
            place[:, axis] += sign * step
            for by in flow:
                place = place + by(place)
            ends.append(place)
        parts.append((ends[0] - ends[1]) / (2 * step))
    return np.stack(parts, axis=-1)


def polar(deformation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split F = V R into the left stretch V (N, 2, 2), in image axes, and the angle of R (N,) from y to x [rad]."""
    f = np.asarray(deformation, dtype=float)
    angle = np.arctan2(f[:, 1, 0] - f[:, 0, 1], f[:, 0, 0] + f[:, 1, 1])
    cosine, sine = np.cos(angle), np.sin(angle)
    turned_back = np.stack([np.stack([cosine, sine], -1), np.stack([-sine, cosine], -1)], -2)
    return f @ turned_back, angle


def strain_components(deformation: np.ndarray) -> dict[str, np.ndarray]:
    """`STRAIN_FIELDS` of deformation gradients (N, 2, 2), each (N,)."""
    stretch, angle = polar(deformation)
    return {
        "strain_yy": stretch[:, 0, 0] - 1,
        "strain_xx": stretch[:, 1, 1] - 1,
        "strain_yx": stretch[:, 0, 1],
        "rotation_rad": angle,
    }


def with_strain(specimen: Specimen, since: int = 0) -> Specimen:
    """Plant the strain of the deformations so far: `STRAIN_FIELDS`, per column and as fields.

    The strain is V - 1 with the left stretch V of the polar decomposition
    F = V R: extension along image axes, finite and without the rotation,
    which is planted beside it (from y to x).

    Parameters
    ----------
    specimen : Specimen
    since : int
        Deformations before this one belong to the reference lattice.

    Returns
    -------
    Specimen
    """
    flow = specimen.flow[since:]
    before = specimen.origin_of(specimen.yx, since)
    fields = {name: PlantedField(StrainOf(flow, name), since) for name in STRAIN_FIELDS}
    planted = specimen.with_planted(**strain_components(gradient(flow, before)))
    return replace(planted, fields={**specimen.fields, **fields})
