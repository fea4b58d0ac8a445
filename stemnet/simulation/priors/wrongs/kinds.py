"""What a random alteration of a specimen is, and what it may know of how the specimen was grown."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from stemnet.simulation.crystal import Crystal, scattering
from stemnet.simulation.defects.pieces import spread_out
from stemnet.simulation.growth import grow
from stemnet.simulation.priors.draws import Range, Vector
from stemnet.simulation.priors.lattices import BRIGHTNESS
from stemnet.simulation.specimen import Specimen, rotation

SLACK = 0.9
"""Random displacements bring columns no closer than this share of the least distance asked for."""


@dataclass(frozen=True)
class Growth:
    """How a specimen was grown.

    Parameters
    ----------
    crystal : Crystal
        In its final size.
    field_of_view : tuple of float
        Height and width [A].
    orientation : float
        Of the cell [rad].
    margin : float
        How far the specimen reaches beyond the frame [A].
    width : float
        Sigma of a column's image [A].
    closest : float
        Least distance of two columns that are seen [A].
    spacing : float
        What it is in the crystal [A].
    visible : float
        Share of the brightest column's brightness from which a column is seen.
    """

    crystal: Crystal
    field_of_view: Range
    orientation: float
    margin: float
    width: float
    closest: float
    spacing: float
    visible: float

    @property
    def cell(self) -> np.ndarray:
        """The two cell vectors as they were grown, as rows (y, x) [A]."""
        return np.array(self.crystal.cell) @ rotation(self.orientation).T

    @property
    def size(self) -> float:
        """The shorter side of the frame [A]."""
        return min(self.field_of_view)

    def small(self, share: float) -> float:
        """A displacement [A] of a share of the spacing, or less: as much as leaves columns apart."""
        room = max(self.spacing - SLACK * self.closest, 0.0)
        return min(share * self.spacing, room / 2)

    def place(self, rng: np.random.Generator, border: float = 0.15) -> Vector:
        """A place in the frame [A], not within a share of it from its border."""
        y, x = rng.uniform(border, 1 - border, 2) * np.array(self.field_of_view)
        return float(y), float(x)

    def grown(self, rng: np.random.Generator, orientation: float, crystal: Crystal | None = None) -> Specimen:
        """The crystal, or another one, over the same area, in an orientation [rad] and anywhere."""
        return grow(
            self.crystal if crystal is None else crystal,
            self.field_of_view,
            orientation=orientation,
            origin=tuple(rng.uniform(0, 1, 2)),
            margin=self.margin,
        )


@dataclass(frozen=True)
class Wrong(ABC):
    """A random alteration of a specimen.

    Parameters
    ----------
    chance : float
        How often it is tried, 0 to 1.
    """

    chance: float = 0.1
    pull: ClassVar[float] = 0.0
    """How far it may pull matter into the frame, as a share of the frame's size; so much more is grown."""

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """Whether this can be wrong with such a specimen; it is left out if not."""
        return True

    @abstractmethod
    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Draw how it is wrong, and alter the specimen."""


def one_lattice(specimen: Specimen, growth: Growth) -> bool:
    """Whether all columns belong to one lattice, of which there are some cells in each direction."""
    if "grain" in specimen.fields or "layer" in specimen.planted or len(specimen) < 8:
        return False
    across = np.ptp(specimen.yx, axis=0).min() / np.linalg.norm(growth.cell, axis=1).max()
    return bool((np.asarray(specimen.index)[:, 2] >= 0).all() and across >= 3)


def sublattices(specimen: Specimen, least: int = 2) -> np.ndarray:
    """The sublattices that have so many columns."""
    values, counts = np.unique(specimen.sublattice, return_counts=True)
    return values[(counts >= least) & (values >= 0)]


def seen(specimen: Specimen, growth: Growth) -> np.ndarray:
    """Which columns are bright enough to be seen, (N,)."""
    bright = scattering(specimen.species, BRIGHTNESS) * specimen.thickness
    return bright >= growth.visible * bright.max(initial=0.0)


def apart(
    specimen: Specimen, growth: Growth, priority: np.ndarray | None = None, share: float = 0.75
) -> Specimen:
    """Drop columns that a rough alteration has left closer than a share of the least distance.

    Parameters
    ----------
    specimen : Specimen
    growth : Growth
    priority : ndarray, shape (N,), optional
        Of two columns the one with the larger value stays; the brighter one if it is not given.
    share : float

    Returns
    -------
    Specimen
    """
    rows = np.flatnonzero(seen(specimen, growth))
    if priority is None:
        priority = scattering(specimen.species, BRIGHTNESS) * specimen.thickness
    keep = np.ones(len(specimen), dtype=bool)
    keep[rows] = spread_out(specimen.yx[rows], share * growth.closest, priority[rows])
    return specimen if keep.all() else specimen.select(keep)
