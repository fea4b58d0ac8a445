"""Atoms that are missing, are others, or are too many."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stemnet.simulation.crystal import ATOMIC_NUMBERS, composition, formula
from stemnet.simulation.defects.adatoms import adatoms, interstitials
from stemnet.simulation.defects.order import graded_substitutions, ordered_substitutions
from stemnet.simulation.defects.point import antisites, divacancies, substitutions, vacancies, vacancy_lines
from stemnet.simulation.occupation import drawn_contents
from stemnet.simulation.priors.draws import SUBSTITUTES, Range, uniform
from stemnet.simulation.priors.wrongs.grains import ROWS
from stemnet.simulation.priors.wrongs.kinds import Growth, Wrong, apart, one_lattice, sublattices
from stemnet.simulation.quantities.fields import random_quantity
from stemnet.simulation.specimen import Specimen

ENOUGH = 30
"""Columns that a sublattice needs for its order to mean something."""


@dataclass(frozen=True)
class MixedSites(Wrong):
    """Columns of mixed or partly filled sites hold what chance gave them, not the mean."""

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """Where a formula has fractions, and nobody has drawn yet."""
        counts = [n for name in set(growth.crystal.species) for n in composition(name).values()]
        drawn = "heavy_share" in specimen.planted
        return any(n != round(n) for n in counts) and len(specimen) > 0 and not drawn

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """By the occupancies."""
        return drawn_contents(specimen, rng)


@dataclass(frozen=True)
class Alloy(Wrong):
    """A solid solution on one sublattice: every atom of its heaviest element is another one with some odds.

    Parameters
    ----------
    share : float
        Largest odds.
    """

    share: float = 0.5

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """Where nobody has drawn what mixed columns hold."""
        return len(sublattices(specimen, 1)) > 0 and "heavy_share" not in specimen.planted

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Column by column, over all of its repeats."""
        which, guest = int(rng.choice(sublattices(specimen, 1))), str(rng.choice(SUBSTITUTES))
        share = uniform(rng, (0.02, self.share))
        ours = specimen.sublattice == which
        species = specimen.species.astype(object)
        for name in np.unique(specimen.species[ours]):
            species[ours & (specimen.species == name)] = _mixed(str(name), guest, share)
        return drawn_contents(replace(specimen, species=species.astype(str)), rng)


def _mixed(name: str, guest: str, share: float) -> str:
    """A column's formula with a share of its heaviest element exchanged; as it is where that is no whole number."""
    atoms = composition(name)
    host = max(atoms, key=ATOMIC_NUMBERS.__getitem__)
    if guest in atoms or atoms[host] != round(atoms[host]):
        return name
    return formula({**atoms, host: atoms[host] * (1 - share), guest: atoms[host] * share})


@dataclass(frozen=True)
class Vacancies(Wrong):
    """Columns that have lost atoms, on one sublattice or on all.

    Parameters
    ----------
    share : float
        Largest share of the columns.
    """

    share: float = 0.12

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """On all sublattices as often as on one."""
        there = sublattices(specimen, 1)
        one = int(rng.choice(there)) if len(there) and rng.random() < 0.5 else None
        return vacancies(specimen, uniform(rng, (0.0, self.share)), rng, one)


@dataclass(frozen=True)
class VacancyLines(Wrong):
    """Rows of columns that have lost atoms.

    Parameters
    ----------
    lines : int
        Most of them, in the frame and its margin.
    length : tuple of int
        Columns in a row.
    """

    lines: int = 6
    length: tuple[int, int] = (3, 12)

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """On one crystal with more columns than lines."""
        return one_lattice(specimen, growth) and len(sublattices(specimen, self.lines)) > 0

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """All along one of the short rows."""
        return vacancy_lines(
            specimen,
            int(rng.integers(1, self.lines + 1)),
            int(rng.integers(self.length[0], self.length[1] + 1)),
            ROWS[rng.integers(len(ROWS))],
            int(rng.choice(sublattices(specimen, self.lines))),
            rng,
            whole=bool(rng.random() < 0.5),
        )


@dataclass(frozen=True)
class Divacancies(Wrong):
    """Pairs of neighbors that are missing.

    Parameters
    ----------
    share : float
        Largest share of the columns.
    """

    share: float = 0.05

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """Among enough columns."""
        return len(specimen) >= ENOUGH

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Any two neighbors."""
        return divacancies(specimen, uniform(rng, (0.0, self.share)), rng)


@dataclass(frozen=True)
class Antisites(Wrong):
    """Columns of two sublattices that have changed places.

    Parameters
    ----------
    share : float
        Largest share of a sublattice.
    """

    share: float = 0.15

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """Between two sublattices of about as many columns."""
        return len(sublattices(specimen, ENOUGH)) > 1

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Any two sublattices, of which the smaller gives."""
        pair = rng.permutation(sublattices(specimen, ENOUGH))[:2]
        first, second = sorted((int(s) for s in pair), key=lambda s: (specimen.sublattice == s).sum())
        return antisites(specimen, uniform(rng, (0.0, self.share)), first, second, rng)


@dataclass(frozen=True)
class Substitutions(Wrong):
    """Columns of another species on one sublattice: at random, in clusters or apart, or more in some places.

    Parameters
    ----------
    share : float
        Largest share of the sublattice.
    ordered : float
        How often with short-range order, which takes a while to arrange.
    order : tuple of float
        Warren-Cowley parameter.
    graded : float
        How often with odds that vary over the frame.
    """

    share: float = 0.4
    ordered: float = 0.08
    order: Range = (-0.1, 0.4)
    graded: float = 0.2

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """On a sublattice of enough columns."""
        return len(sublattices(specimen, ENOUGH)) > 0

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Any sublattice, any of the substitutes."""
        which = int(rng.choice(sublattices(specimen, ENOUGH)))
        species, kind = str(rng.choice(SUBSTITUTES)), rng.random()
        if kind < self.ordered:
            share = uniform(rng, (0.15, max(0.15, self.share)))
            return ordered_substitutions(specimen, share, species, which, rng, order=uniform(rng, self.order))
        share = uniform(rng, (0.0, self.share))
        if kind < self.ordered + self.graded:
            length = uniform(rng, (0.1, 0.4)) * growth.size
            profile = random_quantity(share, share, length, rng, waves=20, low=0.0, high=1.0)
            return graded_substitutions(specimen, profile, species, which, rng)
        return substitutions(specimen, share, species, which, rng)


@dataclass(frozen=True)
class Adatoms(Wrong):
    """Single atoms on top of columns or in the hollows between them.

    Parameters
    ----------
    share : float
        Largest share of the sites.
    """

    share: float = 0.05

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """On enough columns."""
        return len(specimen) >= ENOUGH

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Hollows count where an atom in them can be told from the columns around."""
        site = "top" if rng.random() < 0.5 else "hollow"
        more = adatoms(
            specimen,
            uniform(rng, (0.0, self.share)),
            str(rng.choice(SUBSTITUTES)),
            rng,
            site=site,
            separation=growth.closest,
        )
        return more if site == "top" else apart(more, growth, 1.0 - more.planted["adatom"])


@dataclass(frozen=True)
class Interstitials(Wrong):
    """Atoms in the widest gaps, whose neighbors move out of their way.

    Parameters
    ----------
    share : float
        Largest share of the gaps.
    """

    share: float = 0.04

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """Among enough columns."""
        return len(specimen) >= ENOUGH

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """A small push."""
        more = interstitials(
            specimen,
            uniform(rng, (0.0, self.share)),
            str(rng.choice(SUBSTITUTES)),
            rng,
            push=rng.uniform(0, 1) * growth.small(0.06),
            separation=2 * growth.spacing,
        )
        return apart(more, growth, 1.0 - more.planted["adatom"])
