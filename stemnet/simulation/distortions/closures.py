"""Textures that turn around points: see `stemnet.simulation.distortions.textures`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.simulation.deformation import Vector
from stemnet.simulation.distortions.textures import quadrant


@dataclass(frozen=True)
class FluxClosure:
    """The pattern of Landau and Lifshitz: polarization runs around a rectangle, parallel to its nearest edge.

    Four domains meet in a square; in a rectangle a 180-degree wall between two
    of them ends in a triangle of the third at either end. It is the curl of a
    smooth distance to the nearest edge, so that it has no bound charge at all,
    and no net polarization over the rectangle. (Landau and Lifshitz, Phys. Z.
    Sowjetunion 8, 153, 1935.)

    Parameters
    ----------
    center : tuple of float
        [A]
    half_size : tuple of float
        Half height and half width of the rectangle [A].
    width : float
        Half width of the 180-degree wall [A]; those of 90 degrees are sqrt(2) times as wide.
    sense : int
        1 runs from +x towards +y, -1 the other way.
    """

    center: Vector
    half_size: Vector
    width: float
    sense: int = 1

    def _pulls(self, yx: np.ndarray) -> np.ndarray:
        """Share of each edge (+y, -y, +x, -x) in what is nearest, (N, 4)."""
        y, x = ((np.asarray(yx) - np.array(self.center)) / self.width).T
        height, width = np.array(self.half_size) / self.width
        away = np.stack([y - height, -y - height, x - width, -x - width], 1)
        away = np.exp(away - away.max(1, keepdims=True))
        return away / away.sum(1, keepdims=True)

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Vectors (N, 2)."""
        below, above, right, left = self._pulls(yx).T
        return self.sense * np.stack([right - left, above - below], 1)

    def domain(self, yx: np.ndarray) -> np.ndarray:
        """0 and 1 next to the edges at larger and smaller y, 2 and 3 at larger and smaller x."""
        return self._pulls(yx).argmax(1)


@dataclass(frozen=True)
class Vortex:
    """Polarization that turns around a point `winding` times: tanh(r / core) at the angle winding phi + helicity.

    A winding of 1 with a helicity of pi/2 is a vortex, with 0 a hedgehog (a
    center domain), -1 an antivortex. phi runs from +x towards +y.

    Parameters
    ----------
    center : tuple of float
        [A]
    core : float
        Radius within which the polarization fades [A].
    winding : int
    helicity : float
        [rad]
    """

    center: Vector
    core: float
    winding: int = 1
    helicity: float = np.pi / 2

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Vectors (N, 2)."""
        y, x = (np.asarray(yx) - np.array(self.center)).T
        angle = self.winding * np.arctan2(y, x) + self.helicity
        return np.tanh(np.hypot(y, x) / self.core)[:, None] * np.stack([np.sin(angle), np.cos(angle)], 1)

    def domain(self, yx: np.ndarray) -> np.ndarray:
        """0 to 3: towards +x, +y, -x, -y, whichever the polarization is closest to."""
        return quadrant(self(yx))


@dataclass(frozen=True)
class VortexArray:
    """Vortices of alternate senses side by side and on top of each other, with antivortices between them.

    The curl of cos(2 pi y / period_y) cos(2 pi x / period_x), so without bound
    charge; as in superlattices of a ferroelectric and a dielectric (Yadav et
    al., Nature 530, 198, 2016).

    Parameters
    ----------
    center : tuple of float
        Of a vortex that runs from +x towards +y [A].
    period : tuple of float
        From one vortex to the next of its sense, along y and x [A].
    """

    center: Vector
    period: Vector

    def _turns(self, yx: np.ndarray) -> np.ndarray:
        return 2 * np.pi * (np.asarray(yx) - np.array(self.center)) / np.array(self.period)

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Vectors (N, 2), at most 1 long."""
        y, x = self._turns(yx).T
        vectors = np.stack(
            [np.cos(y) * np.sin(x) / self.period[1], -np.sin(y) * np.cos(x) / self.period[0]], 1
        )
        return vectors * min(self.period)

    def domain(self, yx: np.ndarray) -> np.ndarray:
        """0 where it runs from +x towards +y, 1 where the other way."""
        y, x = self._turns(yx).T
        return (np.cos(y) * np.cos(x) < 0).astype(int)


@dataclass(frozen=True)
class Skyrmion:
    """A bubble polarized along the beam in a matrix polarized against it: its rim is all that is seen.

    The polar angle is 2 arctan(sinh(radius / width) / sinh(r / width)), the
    profile of two opposite walls (Braun, Phys. Rev. B 50, 16485, 1994).

    Parameters
    ----------
    center : tuple of float
        [A]
    radius, width : float
        Of the rim, and half its width [A].
    helicity : float
        0 points outwards (Neel-like), pi/2 runs around (Bloch-like) [rad].
    """

    center: Vector
    radius: float
    width: float
    helicity: float = np.pi / 2

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Vectors (N, 2)."""
        y, x = (np.asarray(yx) - np.array(self.center)).T
        r = np.maximum(np.hypot(y, x), 1e-12)
        # ln sinh(z) = z + ln(1 - exp(-2 z)) - ln 2 holds for any z > 0.
        apart = (self.radius - r) / self.width
        apart = (
            apart + np.log(-np.expm1(-2 * self.radius / self.width)) - np.log(-np.expm1(-2 * r / self.width))
        )
        angle = np.arctan2(y, x) + self.helicity
        return (1 / np.cosh(np.clip(apart, -300, 300)))[:, None] * np.stack([np.sin(angle), np.cos(angle)], 1)

    def domain(self, yx: np.ndarray) -> np.ndarray:
        """0 in the matrix, 1 in the bubble."""
        return (np.linalg.norm(np.asarray(yx) - np.array(self.center), axis=1) < self.radius).astype(int)
