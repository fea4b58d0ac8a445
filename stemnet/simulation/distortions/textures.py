"""Textures of polarization: vectors in the image plane, of length 1 within a domain.

The image is a projection. What a texture returns is the component across the
beam; one along the beam is not seen. So a Bloch wall seen edge-on, whose
polarization turns towards the beam, looks like an Ising wall, whose
polarization shrinks and grows again; a Neel wall, which turns towards its
normal, does not.

Each texture is a frozen dataclass with ``texture(yx)``, vectors (N, 2) in
(y, x) at places (N, 2) [A], and ``texture.domain(yx)``, labels (N,).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from stemnet.simulation.deformation import Vector
from stemnet.simulation.specimen import Quantity, rotation


class Texture(Protocol):
    """A unit polarization as a function of place."""

    def __call__(self, yx: np.ndarray) -> np.ndarray: ...  # noqa: D102

    def domain(self, yx: np.ndarray) -> np.ndarray: ...  # noqa: D102


def direction(angle: float) -> Vector:
    """The unit (y, x) vector at an angle from +x towards +y [rad]."""
    return float(np.sin(angle)), float(np.cos(angle))


def quadrant(vectors: np.ndarray) -> np.ndarray:
    """Which of +x, +y, -x, -y vectors (N, 2) are closest to: 0 to 3."""
    return np.round(np.arctan2(vectors[:, 0], vectors[:, 1]) / (np.pi / 2)).astype(int) % 4


@dataclass(frozen=True)
class Uniform:
    """One domain."""

    polarization: Vector

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Vectors (N, 2)."""
        return np.tile(np.array(self.polarization), (len(yx), 1))

    def domain(self, yx: np.ndarray) -> np.ndarray:
        """0 everywhere."""
        return np.zeros(len(yx), dtype=int)


@dataclass(frozen=True)
class Scaled:
    """A texture whose size varies over the image, as towards an electrode or with the composition.

    Parameters
    ----------
    texture : Texture
    size : Quantity
        Share of the texture's own length.
    """

    texture: Texture
    size: Quantity

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Vectors (N, 2)."""
        return self.size(yx)[:, None] * self.texture(yx)

    def domain(self, yx: np.ndarray) -> np.ndarray:
        """Labels (N,) of the texture."""
        return self.texture.domain(yx)


@dataclass(frozen=True)
class Repeated:
    """A texture repeated on a lattice: a crystal of bubbles, a row of closures.

    Parameters
    ----------
    texture : Texture
        What it has in the cell around `center`, halfway to the next ones, is repeated.
    center : tuple of float
        [A]
    cell : tuple of tuple, shape (2, 2)
        The two vectors of the lattice as rows (y, x) [A].
    """

    texture: Texture
    center: Vector
    cell: tuple[Vector, Vector]

    def _home(self, yx: np.ndarray) -> np.ndarray:
        cell = np.array(self.cell)
        cells = (np.asarray(yx) - np.array(self.center)) @ np.linalg.inv(cell)
        # Of the cells around, the one whose center is nearest: a cell's corner may be closer to another's center.
        steps = np.stack(np.meshgrid([0, 1], [0, 1], indexing="ij"), -1).reshape(-1, 2)
        offsets = (cells[:, None] - np.floor(cells)[:, None] - steps) @ cell
        nearest = (offsets**2).sum(-1).argmin(1)
        return offsets[np.arange(len(offsets)), nearest] + np.array(self.center)

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Vectors (N, 2)."""
        return self.texture(self._home(yx))

    def domain(self, yx: np.ndarray) -> np.ndarray:
        """Labels (N,) of the texture."""
        return self.texture.domain(self._home(yx))


@dataclass(frozen=True)
class Turned:
    """A texture turned as a whole, places and vectors.

    Parameters
    ----------
    texture : Texture
    angle : float
        From y towards x, as a specimen's orientation [rad].
    about : tuple of float
        [A]
    """

    texture: Texture
    angle: float
    about: Vector = (0.0, 0.0)

    def _back(self, yx: np.ndarray) -> np.ndarray:
        return (np.asarray(yx) - np.array(self.about)) @ rotation(self.angle) + np.array(self.about)

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Vectors (N, 2)."""
        return self.texture(self._back(yx)) @ rotation(self.angle).T

    def domain(self, yx: np.ndarray) -> np.ndarray:
        """Labels (N,) of the texture."""
        return self.texture.domain(self._back(yx))
