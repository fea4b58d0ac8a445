"""What happens within the cells of a lattice: polarization, tilts, chains, waves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.simulation.crystal import composition
from stemnet.simulation.distortions.chains import chained
from stemnet.simulation.distortions.closures import FluxClosure, Skyrmion, Vortex, VortexArray
from stemnet.simulation.distortions.modes import by_sublattice, frozen_mode, row_shear
from stemnet.simulation.distortions.polar import polarized
from stemnet.simulation.distortions.textures import Texture, Uniform
from stemnet.simulation.distortions.tilts import tilted_octahedra
from stemnet.simulation.distortions.walls import Nanodomain, Stripes, neutral_wall
from stemnet.simulation.priors.draws import Range, sign, uniform, unit
from stemnet.simulation.priors.wrongs.kinds import Growth, Wrong, one_lattice, sublattices
from stemnet.simulation.quantities.fields import (
    Product,
    WallFade,
    as_quantity,
    random_patches,
    random_quantity,
)
from stemnet.simulation.specimen import Quantity, Specimen

CHALCOGENS = {"S", "Se", "Te"}
GLAZER = (("a0a0c+", (0, 0, 1)), ("a0a0c-", (0, 0, 1)), ("a-a-c+", (1, 1, 1)), ("a-a-c0", (1, 1, 0)))
"""Tilt systems, and about which axes their octahedra turn."""


@dataclass(frozen=True)
class Polar(Wrong):
    """Sublattices moved against each other along a texture of domains, walls or vortices.

    Parameters
    ----------
    shift : float
        Largest, as a share of the spacing.
    """

    shift: float = 0.1

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """Where there are two sublattices."""
        return len(sublattices(specimen)) > 1

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """One sublattice, or another one oppositely by less."""
        first, second = (int(s) for s in rng.permutation(sublattices(specimen))[:2])
        size = rng.uniform(0.3, 1) * growth.small(self.shift)
        shifts = {first: size}
        if rng.random() < 0.4:
            shifts[second] = -rng.uniform(0, 1) * size
        return polarized(specimen, _texture(rng, growth), shifts, cage=second, center=first)


def _texture(rng: np.random.Generator, growth: Growth) -> Texture:
    """One of the textures, of domains that fit into the frame."""
    at, size = growth.place(rng), growth.size
    width = uniform(rng, (0.5, 3.0)) * growth.spacing
    kind = rng.integers(8)
    if kind == 0:
        return Uniform(unit(rng))
    if kind == 1:
        before, after = unit(rng), unit(rng)
        return neutral_wall(before, after, at, width, uniform(rng, (0.0, 1.0)))
    if kind == 2:
        y, x = unit(rng)
        return Stripes((y, x), (x, -y), at, uniform(rng, (0.2, 0.8)) * size, width)
    if kind == 3:
        return Nanodomain(unit(rng), at, uniform(rng, (0.1, 0.35)) * size, width)
    if kind == 4:
        return Vortex(at, width, sign(rng), uniform(rng, (0, 2 * np.pi)))
    if kind == 5:
        return VortexArray(at, (uniform(rng, (0.4, 1.2)) * size, uniform(rng, (0.4, 1.2)) * size))
    if kind == 6:
        half = (uniform(rng, (0.15, 0.5)) * size, uniform(rng, (0.15, 0.5)) * size)
        return FluxClosure(at, half, width, sign(rng))
    return Skyrmion(at, uniform(rng, (0.1, 0.35)) * size, width, uniform(rng, (0, 2 * np.pi)))


@dataclass(frozen=True)
class Tilts(Wrong):
    """Octahedra of a perovskite along [001] tilted in one of Glazer's systems.

    Parameters
    ----------
    angle : tuple of float
        [rad]
    """

    angle: Range = (0.03, 0.2)

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """On columns A, BO, O and O in their places in a square or nearly square cell."""
        crystal = growth.crystal
        if len(crystal.sites) != 4 or not one_lattice(specimen, growth) or crystal.species[2:] != ("O", "O"):
            return False
        from_a = (np.array(crystal.sites) - crystal.sites[0] + 0.25) % 1 - 0.25
        there = np.abs(from_a - [[0, 0], [0.5, 0.5], [0.5, 0], [0, 0.5]]).max() < 0.1
        cell = np.array(crystal.cell)
        square = abs(cell[0] @ cell[1]) < 0.1 * abs(np.linalg.det(cell))
        return bool(there and square and "O" in composition(crystal.species[1]))

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """The same throughout, or by a share that varies over the frame."""
        glazer, about = GLAZER[rng.integers(len(GLAZER))]
        in_plane, beam = uniform(rng, self.angle), uniform(rng, self.angle)
        antipolar = growth.small(0.08) * rng.random() if glazer == "a-a-c+" else 0.0
        share: float | Quantity = 1.0
        if rng.random() < 0.4:
            share = random_quantity(0.7, 0.3, 0.3 * growth.size, rng, waves=20, low=0.0, high=1.0)
        return tilted_octahedra(
            specimen,
            glazer,
            (in_plane * about[0], in_plane * about[1], beam * about[2]),
            share=share,
            antipolar=antipolar,
        )


@dataclass(frozen=True)
class Chains(Wrong):
    """Metal chains (1T', ReS2) in a dichalcogenide sheet, in one domain or several.

    Parameters
    ----------
    amplitude : float
        Largest shift of a metal, as a share of the spacing.
    """

    amplitude: float = 0.12

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """On one hexagonal sheet of a metal and a chalcogen."""
        return _metal(growth) is not None and one_lattice(specimen, growth)

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Zigzags or diamonds along one direction, or along one a domain."""
        metal = _metal(growth)
        amplitude: Quantity = as_quantity(rng.uniform(0.3, 1) * growth.small(self.amplitude))
        direction: int | Quantity = int(rng.integers(3))
        if rng.random() < 0.5:
            domains = random_patches(growth.field_of_view, int(rng.integers(2, 6)), 3, rng)
            amplitude, direction = Product(amplitude, WallFade(domains, growth.spacing)), domains
        diamond = 0.0 if rng.random() < 0.5 else uniform(rng, (0.1, 0.5))
        return chained(specimen, amplitude, direction, metal=int(metal or 0), diamond=diamond)


def _metal(growth: Growth) -> int | None:
    """The sublattice of the metal in a dichalcogenide sheet, if it is one."""
    crystal = growth.crystal
    if crystal.period is not None or len(crystal.sites) != 2:
        return None
    cell = np.array(crystal.cell)
    first, second = np.linalg.norm(cell, axis=1)
    cosine = abs(cell[0] @ cell[1]) / (first * second)
    hexagonal = abs(first / second - 1) < 0.02 and abs(cosine - 0.5) < 0.02
    with_chalcogen = [bool(CHALCOGENS & set(composition(name))) for name in crystal.species]
    if not hexagonal or sum(with_chalcogen) != 1:
        return None
    return crystal.sublattices[with_chalcogen.index(False)]


@dataclass(frozen=True)
class Modulation(Wrong):
    """A frozen wave of displacements on one sublattice: cell doubling, or an incommensurate density wave.

    Parameters
    ----------
    amplitude : float
        Largest, as a share of the spacing.
    """

    amplitude: float = 0.08

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """On one crystal."""
        return one_lattice(specimen, growth)

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Along any direction, with a wave vector of halves or of any length."""
        if rng.random() < 0.5:
            wave = ((0.5, 0.0), (0.0, 0.5), (0.5, 0.5))[rng.integers(3)]
        else:
            wave = (uniform(rng, (-0.5, 0.5)), uniform(rng, (-0.5, 0.5)))
        moved = by_sublattice(specimen, {int(rng.choice(sublattices(specimen, 1))): unit(rng)})
        amplitude = rng.uniform(0.2, 1) * growth.small(self.amplitude)
        return frozen_mode(specimen, wave, moved, amplitude, phase=uniform(rng, (0, 2 * np.pi)))


@dataclass(frozen=True)
class RowShear(Wrong):
    """Rows of cells shifted along themselves, by turns forwards and backwards.

    Parameters
    ----------
    amplitude : float
        Largest, as a share of the spacing.
    """

    amplitude: float = 0.08

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """On one crystal."""
        return one_lattice(specimen, growth)

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """One to three rows at a time."""
        amplitude = rng.uniform(0.2, 1) * growth.small(self.amplitude)
        return row_shear(specimen, amplitude, rows=int(rng.integers(2)), every=int(rng.integers(1, 4)))
