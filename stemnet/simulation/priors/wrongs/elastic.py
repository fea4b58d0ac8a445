"""Strain: of the whole specimen, around dislocations and inclusions, by composition and by misfit, and disorder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from stemnet.simulation.defects.dislocations import dislocated
from stemnet.simulation.defects.order import graded_substitutions
from stemnet.simulation.deformation import strained
from stemnet.simulation.distortions.chemical import chemically_strained
from stemnet.simulation.distortions.disorder import frozen_phonons, size_mismatch
from stemnet.simulation.distortions.elastic import bent, random_waves, randomly_strained, with_inclusion
from stemnet.simulation.priors.draws import SUBSTITUTES, Range, log_uniform, sign, uniform, unit
from stemnet.simulation.priors.wrongs.grains import lattice_rows
from stemnet.simulation.priors.wrongs.kinds import Growth, Wrong, apart, one_lattice, sublattices
from stemnet.simulation.quantities.fields import Disc, Step, random_quantity
from stemnet.simulation.quantities.regions import pair
from stemnet.simulation.specimen import Quantity, Specimen

WAVES = 24
"""Of a random field over one small frame."""


@dataclass(frozen=True)
class Strain(Wrong):
    """A homogeneous strain and rotation.

    Parameters
    ----------
    strain : float
        Largest element of the displacement gradient.
    """

    strain: float = 0.03

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """About the middle of the frame."""
        gradient = rng.uniform(-self.strain, self.strain, (2, 2))
        return strained(specimen, gradient, pair(np.array(growth.field_of_view) / 2))


@dataclass(frozen=True)
class SmoothStrain(Wrong):
    """A smooth random strain.

    Parameters
    ----------
    strain : tuple of float
        Root mean square.
    length : tuple of float
        Over which it varies, as a share of the frame's size.
    """

    strain: Range = (0.003, 0.02)
    length: Range = (0.15, 0.6)

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """A sum of waves."""
        length = max(uniform(rng, self.length) * growth.size, 2 * growth.spacing)
        return randomly_strained(specimen, log_uniform(rng, self.strain), length, rng, WAVES)


@dataclass(frozen=True)
class Bend(Wrong):
    """The lattice bent about the beam.

    Parameters
    ----------
    angle : tuple of float
        By which rows turn over the frame [rad].
    """

    angle: Range = (0.02, 0.12)
    pull: ClassVar[float] = 0.15

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """About the middle of the frame."""
        radius = sign(rng) * growth.size / uniform(rng, self.angle)
        return bent(specimen, radius, along=unit(rng), through=pair(np.array(growth.field_of_view) / 2))


@dataclass(frozen=True)
class Inclusion(Wrong):
    """A disc that does not fit into its matrix.

    Parameters
    ----------
    misfit : float
        Largest, positive or negative.
    radius : tuple of float
        As a share of the frame's size.
    """

    misfit: float = 0.06
    radius: Range = (0.1, 0.3)

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Anywhere in the frame."""
        misfit = sign(rng) * rng.uniform(0.3, 1) * self.misfit
        return with_inclusion(specimen, growth.place(rng), uniform(rng, self.radius) * growth.size, misfit)


@dataclass(frozen=True)
class Dislocations(Wrong):
    """An edge dislocation in the frame and the opposite one somewhere, in it or beyond.

    Parameters
    ----------
    pairs : int
        Most of them.
    """

    pairs: int = 2
    pull: ClassVar[float] = 0.15

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """On one crystal of small cells."""
        short = np.linalg.norm(lattice_rows(growth)[0]) < growth.size / 6
        return one_lattice(specimen, growth) and bool(short)

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Burgers vectors along one of the two shortest rows."""
        cores, vectors = [], []
        for _ in range(int(rng.integers(1, self.pairs + 1))):
            vector = lattice_rows(growth)[rng.integers(2)] * sign(rng)
            if np.linalg.norm(vector) > growth.size / 4:
                vector = lattice_rows(growth)[0]
            at = np.array(growth.place(rng))
            cores += [pair(at), pair(at + rng.uniform(0.2, 0.8) * growth.size * np.array(unit(rng)))]
            vectors += [pair(vector), pair(-vector)]
        # Vectors of the cell are lattice vectors; where the lattice is modulated most columns are none apart.
        whole = dislocated(specimen, cores, vectors, perfect=False)
        return apart(whole, growth, whole.planted["core_distance_A"])


@dataclass(frozen=True)
class ChemicalStrain(Wrong):
    """A composition that varies over the frame, and the lattice with it.

    Parameters
    ----------
    expansion : float
        Largest stress-free strain per unit of composition.
    """

    expansion: float = 0.06

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """Where a sublattice has some columns to be exchanged."""
        return len(sublattices(specimen, 20)) > 0

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """A wall, a disc or a random profile; exchanged columns are drawn by it."""
        width = uniform(rng, (1.0, 5.0)) * growth.spacing
        low, high = np.sort(rng.uniform(0, 1, 2))
        kind = rng.integers(3)
        profile: Quantity
        if kind == 0:
            profile = Step(float(low), float(high), unit(rng), growth.place(rng), width)
        elif kind == 1:
            radius = uniform(rng, (0.1, 0.35)) * growth.size
            profile = Disc(float(high), float(low), growth.place(rng), radius, width)
        else:
            length = uniform(rng, (0.15, 0.4)) * growth.size
            mean = float((low + high) / 2)
            profile = random_quantity(mean, 0.25, length, rng, waves=WAVES, low=0.0, high=1.0)
        mixed = graded_substitutions(
            specimen, profile, str(rng.choice(SUBSTITUTES)), int(rng.choice(sublattices(specimen, 20))), rng
        )
        return chemically_strained(
            mixed,
            profile,
            uniform(rng, (-self.expansion, self.expansion)),
            float(low),
            spacing=max(growth.size / 24, 1.0),
            margin=0.1 * growth.size,
        )


@dataclass(frozen=True)
class SizeMismatch(Wrong):
    """Substituted columns push their neighbors away, or pull them in.

    Parameters
    ----------
    push : float
        Largest, as a share of the spacing.
    """

    push: float = 0.05

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """Where less than a third is substituted."""
        odd = specimen.planted.get("defect", np.zeros(0, dtype="<U1")) == "substitution"
        return bool(odd.any() and odd.mean() < 1 / 3)

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """By the species of those that were substituted."""
        names = np.unique(specimen.species[specimen.planted["defect"] == "substitution"])
        push = sign(rng) * rng.uniform(0.3, 1) * growth.small(self.push)
        return size_mismatch(specimen, {str(name): push for name in names}, neighbor=growth.spacing)


@dataclass(frozen=True)
class CorrelatedDisorder(Wrong):
    """Random displacements that neighbors share.

    Parameters
    ----------
    rms : tuple of float
        As a share of the spacing.
    length : tuple of float
        Correlation length [spacings].
    """

    rms: Range = (0.01, 0.06)
    length: Range = (0.8, 3.0)

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """A Gaussian field."""
        rms, length = growth.small(uniform(rng, self.rms)), uniform(rng, self.length) * growth.spacing
        return specimen.deformed(random_waves(rms, length, rng, WAVES))


@dataclass(frozen=True)
class Heat(Wrong):
    """Atoms that vibrate by their species: columns of different widths, and a little off their sites.

    Parameters
    ----------
    rms : tuple of float
        [A]
    """

    rms: Range = (0.04, 0.16)

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Each species has its own amplitude, 32 snapshots."""
        names = np.unique(specimen.species)
        largest = max(growth.small(1.0), 0.02)
        rms = {str(name): min(log_uniform(rng, self.rms), largest) for name in names}
        return frozen_phonons(specimen, rms, rng, snapshots=32)
