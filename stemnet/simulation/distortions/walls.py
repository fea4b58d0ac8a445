"""Textures of domains with walls between them: see `stemnet.simulation.distortions.textures`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.deformation import Vector


@dataclass(frozen=True)
class Wall:
    """Two domains with a straight wall between them.

    Parameters
    ----------
    before, after : tuple of float
        Polarizations of the two domains.
    normal, through : tuple of float
        From the first into the second domain, and a point of the wall [A].
    width : float
        Half width [A]: the profile is tanh(s / width).
    neel : float
        Polarization along the normal in the middle of the wall, neel sech(s / width);
        1 in a 180-degree wall is a pure Neel wall, of constant length.
    overlap : float
        An inclined wall: half the width of the strip in which the two domains
        lie above each other [A]. The profile is then the mean over depth.

    Raises
    ------
    StemnetError
        If the width is not positive.
    """

    before: Vector
    after: Vector
    normal: Vector
    through: Vector
    width: float
    neel: float = 0.0
    overlap: float = 0.0

    def __post_init__(self) -> None:
        if not self.width > 0:
            raise StemnetError(f"A wall of half width {self.width:g} A was asked for; give a positive one.")

    def _distance(self, yx: np.ndarray) -> np.ndarray:
        unit = np.array(self.normal) / np.hypot(*self.normal)
        return (np.asarray(yx) - np.array(self.through)) @ unit

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Vectors (N, 2)."""
        first, second = np.array(self.before), np.array(self.after)
        s, h = self._distance(yx) / self.width, self.overlap / self.width
        if h > 0:
            # ln cosh in a form that does not overflow.
            profile = (np.logaddexp(s + h, -s - h) - np.logaddexp(s - h, h - s)) / (2 * h)
            bump = (
                np.arctan(np.sinh(np.clip(s + h, -300, 300))) - np.arctan(np.sinh(np.clip(s - h, -300, 300)))
            ) / (2 * h)
        else:
            profile, bump = np.tanh(s), 1 / np.cosh(np.clip(s, -300, 300))
        unit = np.array(self.normal) / np.hypot(*self.normal)
        return (
            (first + second) / 2 + profile[:, None] * (second - first) / 2 + self.neel * bump[:, None] * unit
        )

    def domain(self, yx: np.ndarray) -> np.ndarray:
        """0 before the wall, 1 beyond it."""
        return (self._distance(yx) > 0).astype(int)


def neutral_wall(before: Vector, after: Vector, through: Vector, width: float, neel: float = 0.0) -> Wall:
    """The wall without bound charge: the same polarization along its normal on both sides.

    For two antiparallel domains it runs along them, for two at right angles it
    halves the angle (head to tail).

    Raises
    ------
    StemnetError
        If the two polarizations are the same.
    """
    change = np.subtract(after, before)
    if np.hypot(*change) < 1e-9:
        raise StemnetError(f"Both domains have the polarization {before}; a wall needs two different ones.")
    return Wall(before, after, (float(change[1]), float(-change[0])), through, width, neel)


Variant = tuple[int, int, int]


def rhombohedral_wall(
    before: Variant, after: Variant, through: Vector, width: float, thickness: float = 0.0
) -> Wall:
    """A neutral wall of a rhombohedral ferroelectric, as it projects along [001] of the pseudocubic cell.

    The polarization lies along <111>; its component along the beam is not
    seen, so the in-plane length is sqrt(2/3) and

    - a 71-degree wall (one component changes sign, {110} walls) shows a turn of
      90 degrees, but is inclined by 45 degrees, or no turn (edge-on);
    - a 109-degree wall (two change, {100} walls) shows one of 90 degrees and
      stands edge-on, or one of 180 degrees and lies across the beam;
    - a 180-degree wall shows one of 180 degrees; taken upright here, along the
      projected polarization.

    Parameters
    ----------
    before, after : tuple of int
        Signs of the polarization along y, x and the beam: ``(1, 1, 1)``.
    through, width
        As in `Wall`.
    thickness : float
        Of the foil [A], which sets the overlap of an inclined wall.

    Returns
    -------
    Wall

    Raises
    ------
    StemnetError
        If these are no two variants, or the wall lies across the beam.
    """
    signs = np.array([before, after])
    changed = signs[0] != signs[1]
    if not (np.abs(signs) == 1).all() or signs.shape != (2, 3) or not changed.any():
        raise StemnetError(
            f"{before} and {after} are not two variants of <111>; give three signs each, such as (1, 1, 1) "
            "and (-1, 1, 1)."
        )
    kept = np.where(changed, 0, signs[0])
    overlap = 0.0
    if changed.sum() == 3:
        normal = (float(signs[0, 1]), float(-signs[0, 0]))
    else:
        # Compatible strains and no charge: 71 degrees, along the two components that stay; 109, along the one.
        normal = (float(kept[0]), float(kept[1]))
        if not any(normal):
            raise StemnetError(
                f"The neutral wall between {before} and {after} lies across the beam: both domains project onto each "
                "other. Choose variants of which at least one in-plane component stays the same."
            )
        overlap = thickness / 2 * abs(kept[2]) / float(np.hypot(*normal))
    first, second = ((float(y) / np.sqrt(3), float(x) / np.sqrt(3)) for y, x, _ in (before, after))
    return Wall(first, second, normal, through, width, overlap=overlap)


@dataclass(frozen=True)
class Stripes:
    """Antiparallel stripes, one after the other.

    Parameters
    ----------
    polarization : tuple of float
        Of the stripe around `through`; the others have the opposite.
    normal, through : tuple of float
        Across the stripes, and the middle of one [A].
    period : float
        Of two stripes [A].
    width : float
        Half width of the walls [A].
    share : float
        Of the period that the first stripe takes.
    """

    polarization: Vector
    normal: Vector
    through: Vector
    period: float
    width: float
    share: float = 0.5

    def _height(self, yx: np.ndarray) -> np.ndarray:
        unit = np.array(self.normal) / np.hypot(*self.normal)
        turn = 2 * np.pi * ((np.asarray(yx) - np.array(self.through)) @ unit) / self.period
        # Scaled so that it crosses zero at the walls with slope 1.
        edge = np.pi * self.share
        return (np.cos(turn) - np.cos(edge)) * self.period / (2 * np.pi * np.sin(edge))

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Vectors (N, 2)."""
        return np.tanh(self._height(yx) / self.width)[:, None] * np.array(self.polarization)

    def domain(self, yx: np.ndarray) -> np.ndarray:
        """0 in the stripe around `through` and its like, 1 in the others."""
        return (self._height(yx) < 0).astype(int)


@dataclass(frozen=True)
class Nanodomain:
    """A round domain within another of opposite polarization, both in the image plane.

    Parameters
    ----------
    polarization : tuple of float
        Of the matrix.
    center : tuple of float
        [A]
    radius, width : float
        Of the domain, and half the width of its wall [A].
    """

    polarization: Vector
    center: Vector
    radius: float
    width: float

    def _beyond(self, yx: np.ndarray) -> np.ndarray:
        return np.linalg.norm(np.asarray(yx) - np.array(self.center), axis=1) - self.radius

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Vectors (N, 2)."""
        return np.tanh(self._beyond(yx) / self.width)[:, None] * np.array(self.polarization)

    def domain(self, yx: np.ndarray) -> np.ndarray:
        """0 in the matrix, 1 in the domain."""
        return (self._beyond(yx) < 0).astype(int)
