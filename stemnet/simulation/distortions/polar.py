"""Displacements of some columns from their sites: what a lattice does within its cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.deformation import Vector, strained, strained_across, twin_wall
from stemnet.simulation.distortions.textures import Texture
from stemnet.simulation.distortions.walls import Variant, Wall, rhombohedral_wall
from stemnet.simulation.quantities.fields import Component
from stemnet.simulation.specimen import Specimen


def polar_shift(specimen: Specimen, sublattice: int, shift: np.ndarray) -> Specimen:
    """Move one sublattice by (2,) or per-column (N, 2) vectors [A]."""
    moved = (specimen.sublattice == sublattice)[:, None]
    return specimen.displaced(np.where(moved, np.broadcast_to(shift, specimen.yx.shape), 0.0))


@dataclass(frozen=True)
class Domain:
    """The labels of a texture's domains, as a quantity."""

    texture: Texture

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Labels (N,) at places (N, 2) [A]."""
        return self.texture.domain(yx)


def polarized(
    specimen: Specimen,
    texture: Texture,
    sublattice_shifts: Mapping[int, float],
    *,
    cage: int = 0,
    center: int = 1,
) -> Specimen:
    """Polarize a crystal: move sublattices along a texture, each by its own amplitude.

    Parameters
    ----------
    specimen : Specimen
    texture : Texture
        From `textures`, `walls` or `closures`.
    sublattice_shifts : mapping of int to float
        How far each sublattice moves along the texture's unit vectors [A], such
        as ``{1: 0.15, 2: -0.25}``; the others stay.
    cage, center : int
        The sublattices whose relative shift is the truth: that of the A and of
        the B cations of a perovskite.

    Returns
    -------
    Specimen
        With ``polar_y_A`` and ``polar_x_A``, the shift of the center's
        sublattice against the cage's, and ``domain`` planted, as values of the
        sites and as fields. The texture is that of the image plane; what
        points along the beam is not seen.

    Raises
    ------
    StemnetError
        If a sublattice is not in the specimen.
    """
    missing = sorted(set(sublattice_shifts) - set(specimen.sublattice.tolist()))
    if missing and len(specimen):
        raise StemnetError(
            f"Sublattice {missing[0]} was to be shifted, but the specimen has "
            f"{sorted(set(specimen.sublattice.tolist()))}. Name those that are there."
        )
    amplitude = sublattice_shifts.get(center, 0.0) - sublattice_shifts.get(cage, 0.0)
    factor = np.zeros(len(specimen))
    for sublattice, shift in sublattice_shifts.items():
        factor[specimen.sublattice == sublattice] = shift
    planted = (
        specimen.with_field("polar_y_A", Component(texture, 0, amplitude))
        .with_field("polar_x_A", Component(texture, 1, amplitude))
        .with_field("domain", Domain(texture))
    )
    return planted.displaced(factor[:, None] * texture(specimen.yx))


def ferroelastic_twin(
    specimen: Specimen,
    tetragonality: float,
    through: Vector,
    width: float,
    sublattice_shifts: Mapping[int, float],
    *,
    sense: int = 1,
    strain_width: float | None = None,
    head_to_tail: bool = True,
    cage: int = 0,
    center: int = 1,
) -> Specimen:
    """Turn a square lattice into two tetragonal domains with a 90-degree wall, strained and polarized (PbTiO3).

    The long axis of the first domain is along y, that of the second lies close
    to x: the domains meet coherently on a wall near {110}, which turns the
    second by 90 degrees less 2 arctan(a / c). The area of the cell is kept.

    Parameters
    ----------
    specimen : Specimen
        A square lattice with its axes along y and x.
    tetragonality : float
        c / a, above 1.
    through : tuple of float
        A point of the wall [A].
    width : float
        Half width of the polarization's wall [A].
    sublattice_shifts : mapping of int to float
        As in `polarized` [A].
    sense : int
        Which of the two walls, as in `twin_wall`.
    strain_width : float, optional
        Half width of the strain's wall [A]; the same if it is not given.
    head_to_tail : bool
        Whether the wall carries no bound charge; otherwise head to head.
    cage, center : int
        As in `polarized`.

    Returns
    -------
    Specimen
        With what `polarized` plants; the deformations are in its flow, for
        `with_strain`.

    Raises
    ------
    StemnetError
        If the tetragonality is not above 1.
    """
    if not tetragonality > 1:
        raise StemnetError(
            f"A tetragonality of {tetragonality:g} was asked for; give c / a above 1, such as 1.065 for PbTiO3."
        )
    long, short = np.sqrt(tetragonality), 1 / np.sqrt(tetragonality)
    upright, lying = np.diag([long, short]), np.diag([short, long])
    jump, normal = twin_wall(upright, lying, sense)
    pulled = strained(specimen, upright - np.eye(2), through)
    pulled = strained_across(
        pulled, jump, normal, np.array(through), width if strain_width is None else strain_width
    )
    turn = (np.eye(2) + np.outer(jump, normal)) @ upright @ np.linalg.inv(lying)
    before, after = np.array([1.0, 0.0]), turn @ [0.0, 1.0]
    if (before @ normal * (after @ normal) < 0) == head_to_tail:
        after = -after
    wall = Wall(
        (1.0, 0.0),
        (float(after[0]), float(after[1])),
        (float(normal[0]), float(normal[1])),
        through,
        width,
    )
    return polarized(pulled, wall, sublattice_shifts, cage=cage, center=center)


def rhombohedral_twin(
    specimen: Specimen,
    before: Variant,
    after: Variant,
    through: Vector,
    width: float,
    sublattice_shifts: Mapping[int, float],
    *,
    shear: float = 0.0048,
    thickness: float = 0.0,
    cage: int = 0,
    center: int = 1,
) -> Specimen:
    """Turn a square lattice into two rhombohedral domains seen along [001]: the wall of `rhombohedral_wall`, sheared.

    The cell is longer along the polarization. Of the shear that this makes,
    the one in the image changes sign where the projected polarization turns by
    90 degrees, and the rows kink there; in an inclined wall over the strip in which the
    domains overlap.

    Parameters
    ----------
    specimen : Specimen
        A square lattice with its axes along y and x.
    before, after, through, width, thickness
        As in `rhombohedral_wall`.
    sublattice_shifts : mapping of int to float
        As in `polarized`; along <111>, of which sqrt(2/3) is seen [A].
    shear : float
        The tensor's yx element, half the angle [rad] that is missing to 90
        degrees; BiFeO3, with 89.45 degrees, has 0.0048.
    cage, center : int
        As in `polarized`.

    Returns
    -------
    Specimen
        With what `polarized` plants; the deformations are in its flow, for
        `with_strain`.
    """
    wall = rhombohedral_wall(before, after, through, width, thickness)
    first, second = (shear * y * x for y, x, _ in (before, after))
    sheared = strained(specimen, np.array([[0.0, first], [first, 0.0]]), through)
    if first != second:
        unit = np.array(wall.normal) / np.hypot(*wall.normal)
        # Along the component that turns; the part of it that is a rotation keeps the domains together.
        jump = 2 * (second - first) * unit[::-1]
        sheared = strained_across(
            sheared, jump, unit, np.array(through), float(np.hypot(width, wall.overlap))
        )
    return polarized(sheared, wall, sublattice_shifts, cage=cage, center=center)
