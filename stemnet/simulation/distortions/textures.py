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
from stemnet.simulation.specimen import rotation


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
