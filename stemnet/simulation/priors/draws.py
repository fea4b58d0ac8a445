"""Small random draws that the priors share."""

from __future__ import annotations

import numpy as np

from stemnet.errors import StemnetError

Range = tuple[float, float]
Vector = tuple[float, float]

SUBSTITUTES = ("C", "Si", "S", "Ti", "V", "Fe", "Se", "Sr", "Nb", "Mo", "Te", "La", "W", "Re", "Pt", "Bi")
"""Elements over the whole range of brightness."""


def checked_range(name: str, limits: Range, least: float = 0.0) -> None:
    """Refuse what is not two numbers, the smaller one first and not below `least`.

    Raises
    ------
    StemnetError
        If it is not.
    """
    two = not isinstance(limits, str) and np.ndim(limits) == 1 and len(limits) == 2
    if not (two and least <= limits[0] <= limits[1] < np.inf):
        raise StemnetError(f"{name}={limits} was given; give [least, most], numbers of {least:g} or more.")


def log_uniform(rng: np.random.Generator, limits: Range) -> float:
    """Draw evenly in the logarithm."""
    return float(np.exp(rng.uniform(np.log(limits[0]), np.log(limits[1]))))


def uniform(rng: np.random.Generator, limits: Range) -> float:
    """Draw evenly."""
    return float(rng.uniform(limits[0], limits[1]))


def unit(rng: np.random.Generator) -> Vector:
    """A (y, x) vector of length 1 in any direction."""
    angle = rng.uniform(0, 2 * np.pi)
    return float(np.sin(angle)), float(np.cos(angle))


def sign(rng: np.random.Generator) -> int:
    """1 or -1."""
    return int(2 * rng.integers(2) - 1)
