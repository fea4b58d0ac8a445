"""Deformations that vary over the field of view: bending, gradients, misfit at an interface, inclusions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.deformation import Vector, Waves
from stemnet.simulation.specimen import Specimen


@dataclass(frozen=True)
class Bend:
    """Pure bending: lines across the beam stay straight and at right angles to the neutral line, which becomes an arc.

    Parameters
    ----------
    curvature : float
        [1/A]; where positive, the center of the arc is on the side of the normal.
    along : tuple of float
        Direction of the neutral line; the normal is it, turned from x towards y.
    through : tuple of float
        The point of the neutral line that stays [A].
    """

    curvature: float
    along: Vector
    through: Vector

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Displacements [A], (N, 2)."""
        way = np.array(self.along) / np.hypot(*self.along)
        normal = np.array([way[1], -way[0]])
        offset = np.asarray(yx) - np.array(self.through)
        s, h = offset @ way, offset @ normal
        turn = self.curvature * s
        # sin(k s) / k and (1 - cos(k s)) / k, without dividing by a curvature that may be 0.
        forward = s * np.sinc(turn / np.pi) - h * np.sin(turn)
        upward = self.curvature * s**2 / 2 * np.sinc(turn / (2 * np.pi)) ** 2 + h * np.cos(turn)
        return (forward - s)[:, None] * way + (upward - h)[:, None] * normal


@dataclass(frozen=True)
class Grade:
    """A displacement gradient that grows linearly across a line: slope (s^2 / 2), s the distance along the normal.

    Parameters
    ----------
    slope : tuple of float
        Gain per length of du/ds [1/A], in (y, x).
    normal, through : tuple of float
        Where the gradient grows to, and a point where it is 0 [A].
    """

    slope: Vector
    normal: Vector
    through: Vector

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Displacements [A], (N, 2)."""
        s = (np.asarray(yx) - np.array(self.through)) @ (np.array(self.normal) / np.hypot(*self.normal))
        return (s**2 / 2)[:, None] * np.array(self.slope)


@dataclass(frozen=True)
class Relaxation:
    """A film on a substrate whose strain along the normal is largest at the interface and fades from there.

    du/ds = jump exp(-s / length) in the film, s > 0, and 0 in the substrate.

    Parameters
    ----------
    jump : tuple of float
        Gradient in the film at the interface, in (y, x).
    normal, through : tuple of float
        From the substrate into the film, and a point of the interface [A].
    length : float
        [A]
    """

    jump: Vector
    normal: Vector
    through: Vector
    length: float

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Displacements [A], (N, 2)."""
        s = (np.asarray(yx) - np.array(self.through)) @ (np.array(self.normal) / np.hypot(*self.normal))
        return (-self.length * np.expm1(-np.maximum(s, 0) / self.length))[:, None] * np.array(self.jump)


@dataclass(frozen=True)
class Inclusion:
    """The field of a misfitting disc: uniform strain within, 1/r without, where the area does not change.

    Parameters
    ----------
    center : tuple of float
        [A]
    radius : float
        [A]
    strain : float
        Radial and tangential strain within; see `inclusion_strain`.
    """

    center: Vector
    radius: float
    strain: float

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Displacements [A], (N, 2)."""
        offset = np.asarray(yx) - np.array(self.center)
        squared = np.maximum((offset**2).sum(1), self.radius**2)
        return (self.strain * self.radius**2 / squared)[:, None] * offset


def inclusion_strain(misfit: float, poisson: float = 0.3) -> float:
    """Strain within a disc of stress-free strain `misfit` in a matrix of the same stiffness, thin foil (plane stress).

    misfit (1 + poisson) / 2: the matrix holds back the rest. (Eshelby, Proc.
    R. Soc. A 241, 376, 1957, in two dimensions.)
    """
    return misfit * (1 + poisson) / 2


def bent(
    specimen: Specimen, radius: float, *, along: Vector = (0.0, 1.0), through: Vector = (0.0, 0.0)
) -> Specimen:
    """Bend to a radius [A] (negative: the other way); strain along the arc is -h / radius at a height h.

    Raises
    ------
    StemnetError
        If matter would be bent through the center of the arc.
    """
    way = np.array(along, dtype=float) / np.hypot(*along)
    height = (specimen.yx - np.array(through)) @ np.array([way[1], -way[0]]) / radius
    if len(specimen) and height.max() >= 1:
        raise StemnetError(
            f"A bend of radius {radius:g} A would fold the specimen, which reaches {height.max() * abs(radius):.0f} A "
            "to that side. Give a greater radius, or bend about another point."
        )
    return specimen.deformed(Bend(1 / radius, along, through))


def graded(specimen: Specimen, slope: Vector, *, normal: Vector, through: Vector) -> Specimen:
    """Let the displacement gradient along a normal grow by `slope` [1/A] per length; see `Grade`."""
    return specimen.deformed(Grade(slope, normal, through))


def misfit_relaxed(
    specimen: Specimen, strain: float, *, normal: Vector, through: Vector, length: float
) -> Specimen:
    """Strain a film along the normal of its interface, fading over a length [A] from there; see `Relaxation`.

    For a film strained throughout, with a soft interface, use
    `deformation.strained_across`.
    """
    unit = np.array(normal, dtype=float) / np.hypot(*normal)
    return specimen.deformed(
        Relaxation((float(strain * unit[0]), float(strain * unit[1])), normal, through, length)
    )


def with_inclusion(
    specimen: Specimen, center: Vector, radius: float, misfit: float, *, poisson: float = 0.3
) -> Specimen:
    """Put a disc of stress-free strain `misfit` into an elastic foil; see `Inclusion`."""
    return specimen.deformed(Inclusion(center, radius, inclusion_strain(misfit, poisson)))


def random_waves(rms: float, length: float, rng: np.random.Generator, waves: int = 100) -> Waves:
    """Draw a smooth random displacement whose components correlate as exp(-r^2 / (2 length^2)).

    Parameters
    ----------
    rms : float
        Of the displacement, per axis [A]; that of its gradient's elements is rms / length.
    length : float
        Correlation length [A].
    rng : numpy.random.Generator
    waves : int
        Many make it Gaussian.

    Returns
    -------
    Waves

    Raises
    ------
    StemnetError
        If the correlation length is not positive.
    """
    if not length > 0:
        raise StemnetError(f"A correlation length of {length:g} A was asked for; give a positive one.")
    vectors = rng.normal(0, 1 / length, (waves, 2))
    phases = rng.uniform(0, 2 * np.pi, (waves, 2))
    return Waves(_pairs(vectors), (float(rms * np.sqrt(2 / waves)),) * waves, _pairs(phases))


def randomly_strained(
    specimen: Specimen, rms_strain: float, length: float, rng: np.random.Generator, waves: int = 100
) -> Specimen:
    """Deform by a smooth Gaussian random field of a correlation length [A].

    Parameters
    ----------
    specimen : Specimen
    rms_strain : float
        Root mean square of the displacement gradient's elements.
    length : float
        Displacements at a distance r correlate as exp(-r^2 / (2 length^2)) [A].
    rng : numpy.random.Generator
    waves : int

    Returns
    -------
    Specimen
    """
    return specimen.deformed(random_waves(rms_strain * length, length, rng, waves))


def _pairs(values: np.ndarray | Sequence[Sequence[float]]) -> tuple[Vector, ...]:
    return tuple((float(y), float(x)) for y, x in values)
