"""Crystals put together: boundaries, faults, polycrystals, sheets on top of each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from stemnet.simulation.crystal import scattering
from stemnet.simulation.defects.boundaries import grain_boundary, polycrystal
from stemnet.simulation.defects.faults import antiphase_boundary, stacking_fault, twin_boundary
from stemnet.simulation.defects.layers import SEQUENCES, multilayer, stacked
from stemnet.simulation.defects.walls import low_angle_boundary
from stemnet.simulation.priors.draws import Range, sign, uniform, unit
from stemnet.simulation.priors.lattices import BRIGHTNESS
from stemnet.simulation.priors.wrongs.kinds import Growth, Wrong, apart, one_lattice
from stemnet.simulation.quantities.regions import pair
from stemnet.simulation.specimen import Specimen

ROWS = ((1, 0), (0, 1), (1, 1), (1, -1))
ACROSS = 0.8
"""Columns of two grains keep this share of the crystal's spacing."""
MERGED = 0.4
"""Columns of two sheets closer than this many widths are one in the image."""

ROOMY = 4.0
"""Widths between the columns of a sheet that takes another one on top."""


def lattice_rows(growth: Growth) -> np.ndarray:
    """The vectors of `ROWS`, the shortest first, (4, 2) [A]."""
    vectors = np.array(ROWS) @ growth.cell
    return vectors[np.argsort(np.linalg.norm(vectors, axis=1), kind="stable")]


@dataclass(frozen=True)
class TiltBoundary(Wrong):
    """A second grain of the same crystal, turned, beyond a straight boundary.

    Parameters
    ----------
    angle : tuple of float
        Misorientation [rad].
    """

    angle: Range = (0.1, 1.6)

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """On one crystal."""
        return one_lattice(specimen, growth)

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Anywhere in the frame, in any direction."""
        turned = growth.orientation + sign(rng) * uniform(rng, self.angle)
        whole = grain_boundary(
            specimen,
            growth.grown(rng, turned),
            through=growth.place(rng),
            normal=unit(rng),
            closest=ACROSS * growth.spacing,
            orientations=(growth.orientation, turned),
        )
        return apart(whole, growth)


@dataclass(frozen=True)
class Twin(Wrong):
    """The crystal and its mirror image across one of its shorter lattice rows."""

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """On one crystal."""
        return one_lattice(specimen, growth)

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """The mirror line goes through a column or between two, where that brings the least of them too close."""
        row = ROWS[rng.integers(len(ROWS))]
        anchors = _mirrors(growth, row)
        whole = twin_boundary(
            growth.crystal,
            growth.field_of_view,
            row=row,
            anchor=pair(anchors[rng.integers(len(anchors))]),
            orientation=growth.orientation,
            through=growth.place(rng),
            closest=ACROSS * growth.spacing,
            margin=growth.margin,
        )
        return apart(whole, growth)


def _mirrors(growth: Growth, row: tuple[int, int]) -> np.ndarray:
    """Points of the cell, in fractions, at which a mirror line along a row takes no row of columns out, (M, 2)."""
    bright = scattering(growth.crystal.species, BRIGHTNESS)
    sites = np.array(growth.crystal.sites)[bright >= growth.visible * bright.max()]
    middles = (sites[:, None] + sites + np.array([[[0, 0]], [[0, 1]], [[1, 0]]])[:, None]) / 2
    points = np.concatenate([sites, middles.reshape(-1, 2)])
    along = np.array(row) @ growth.cell
    normal = np.array([along[1], -along[0]]) / np.linalg.norm(along)
    spacing = abs(np.linalg.det(growth.cell)) / np.linalg.norm(along)
    away = ((sites - points[:, None]) @ growth.cell @ normal + spacing / 2) % spacing - spacing / 2
    # A row at a distance from the line stands twice as far from its own image; one on the line is its own.
    apart = np.where(np.abs(away) < 1e-6, np.inf, 2 * np.abs(away)).min(1)
    return points[apart >= min(ACROSS * growth.spacing, apart.max())]


@dataclass(frozen=True)
class StackingFault(Wrong):
    """All beyond a lattice row shifted along it by a third, a half or two thirds of its period."""

    pull: ClassVar[float] = 0.1

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """On one crystal."""
        return one_lattice(specimen, growth)

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Across one of the two shortest rows."""
        row = lattice_rows(growth)[rng.integers(2)]
        shift = row * rng.choice([1 / 3, 1 / 2, 2 / 3])
        whole = stacking_fault(
            specimen,
            pair(shift),
            through=growth.place(rng),
            normal=pair([row[1], -row[0]]),
            closest=ACROSS * growth.crystal.nearest_spacing,
        )
        return apart(whole, growth)


@dataclass(frozen=True)
class Antiphase(Wrong):
    """All beyond a line shifted along it by half a cell's diagonal, in one step or over some cells.

    Across the line nothing opens or closes up: it runs along the shift.
    """

    pull: ClassVar[float] = 0.1

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """On one crystal of several columns a cell, where the shift is no symmetry."""
        return one_lattice(specimen, growth) and len(growth.crystal.sites) > 1

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Along either diagonal."""
        shift = np.array([1, sign(rng)]) @ growth.cell / 2
        width = 0.0 if rng.random() < 0.6 else uniform(rng, (1.0, 4.0)) * growth.spacing
        whole = antiphase_boundary(
            specimen,
            pair(shift),
            through=growth.place(rng),
            normal=pair([shift[1], -shift[0]]),
            width=width,
            closest=ACROSS * growth.crystal.nearest_spacing if width == 0 else 0.0,
        )
        return apart(whole, growth)


@dataclass(frozen=True)
class LowAngleBoundary(Wrong):
    """A wall of edge dislocations.

    Parameters
    ----------
    angle : tuple of float
        [rad], below 0.35.
    """

    angle: Range = (0.05, 0.2)
    pull: ClassVar[float] = 0.25

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """On one crystal as it was grown, of small cells."""
        short = np.linalg.norm(lattice_rows(growth)[0]) < growth.size / 8
        return one_lattice(specimen, growth) and not specimen.flow and bool(short)

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Across the shortest row or the next one."""
        row = lattice_rows(growth)[rng.integers(2)] * sign(rng)
        whole = low_angle_boundary(
            specimen, uniform(rng, self.angle), pair(row), through=growth.place(rng), poisson=0.3
        )
        return apart(whole, growth, whole.planted["core_distance_A"])


@dataclass(frozen=True)
class Polycrystal(Wrong):
    """Grains of the crystal in Voronoi cells.

    Parameters
    ----------
    grains : tuple of int
        In the frame and its margin.
    """

    grains: tuple[int, int] = (3, 9)

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """In the place of one crystal."""
        return one_lattice(specimen, growth)

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Random seeds and orientations."""
        whole = polycrystal(
            (growth.crystal,),
            growth.field_of_view,
            int(rng.integers(self.grains[0], self.grains[1] + 1)),
            rng,
            closest=ACROSS * growth.spacing,
            margin=growth.margin,
        )
        return apart(whole, growth)


@dataclass(frozen=True)
class SecondSheet(Wrong):
    """Another sheet on top: a twisted or strained bilayer, or a natural stacking sequence.

    Columns that all but coincide merge; the others are as close as they come.

    Parameters
    ----------
    twist : tuple of float
        [rad]
    mismatch : float
        Largest difference of the lattice constants, as a share.
    natural : float
        How often sheets of two sites are stacked as 2H or 3R instead.
    """

    twist: Range = (0.02, 1.05)
    mismatch: float = 0.05
    natural: float = 0.4

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """On a single sheet whose columns are far enough apart for others between them."""
        roomy = growth.crystal.nearest_spacing > ROOMY * growth.width
        return growth.crystal.period is None and roomy and one_lattice(specimen, growth)

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Two sheets, or two to four of a sequence."""
        tolerance = MERGED * growth.width
        if len(growth.crystal.sites) == 2 and rng.random() < self.natural:
            return multilayer(
                growth.crystal,
                growth.field_of_view,
                int(rng.integers(2, 5)),
                SEQUENCES[rng.integers(2)],
                orientation=growth.orientation,
                origin=tuple(rng.uniform(0, 1, 2)),
                margin=growth.margin,
                tolerance=tolerance,
            )
        upper = growth.crystal.scaled(1 + rng.uniform(-self.mismatch, self.mismatch))
        turned = growth.orientation + sign(rng) * uniform(rng, self.twist)
        return stacked(specimen, growth.grown(rng, turned, upper), tolerance)
