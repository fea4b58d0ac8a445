"""Displacements of columns from their ideal sites."""

from __future__ import annotations

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.specimen import Specimen


def strained(specimen: Specimen, strain: np.ndarray) -> Specimen:
    """Deform homogeneously: r -> r + strain r, with a (2, 2) displacement gradient in (y, x)."""
    return specimen.displaced(specimen.yx @ np.asarray(strain, dtype=float).T)


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
    waving = np.sin((specimen.yx @ k_yx.T)[..., None] + phase) * amplitude[:, None]
    return specimen.displaced(waving.sum(1))


def step_across(
    yx: np.ndarray, normal: np.ndarray, through: np.ndarray, width: float
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
    _, integral = step_across(specimen.yx, normal, through, width)
    return specimen.displaced(integral[:, None] * np.asarray(jump))


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


def polar_shift(specimen: Specimen, sublattice: int, shift: np.ndarray) -> Specimen:
    """Move one sublattice by (2,) or per-column (N, 2) vectors [A]."""
    moved = (specimen.sublattice == sublattice)[:, None]
    return specimen.displaced(np.where(moved, np.broadcast_to(shift, specimen.yx.shape), 0.0))


def thermal_disorder(specimen: Specimen, rms: float, rng: np.random.Generator) -> Specimen:
    """Displace every column at random: static disorder of `rms` [A] an axis."""
    return specimen.displaced(rng.normal(0, rms, specimen.yx.shape))
