"""Point defects and the edges of a specimen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stemnet.simulation.crystal import composition
from stemnet.simulation.specimen import Specimen


def vacancies(specimen: Specimen, fraction: float, rng: np.random.Generator) -> Specimen:
    """Take atoms out of a random share of the columns.

    A column of two equal atoms ("S2") loses one of them as often as both; any
    other column goes whole, and its site is kept in ``vacant``.

    Parameters
    ----------
    specimen : Specimen
    fraction : float
        Share of columns hit, 0 to 1.
    rng : numpy.random.Generator

    Returns
    -------
    Specimen
    """
    hit = rng.random(len(specimen)) < fraction
    halved = hit & (rng.random(len(specimen)) < 0.5)
    species = specimen.species.astype(object)
    for name in np.unique(specimen.species[halved]) if halved.any() else ():
        atoms = composition(str(name))
        if list(atoms.values()) == [2]:
            species[halved & (specimen.species == name)] = next(iter(atoms))
        else:
            halved &= specimen.species != name
    gone = hit & ~halved
    changed = replace(specimen, species=species.astype(str))
    return replace(changed.select(~gone), vacant=np.concatenate([specimen.vacant, specimen.yx[gone]]))


def substitutions(
    specimen: Specimen, fraction: float, replacement: str, sublattice: int, rng: np.random.Generator
) -> Specimen:
    """Exchange a random share of one sublattice's columns for another species.

    Parameters
    ----------
    specimen : Specimen
    fraction : float
        Share of that sublattice, 0 to 1.
    replacement : str
        Formula of the new column.
    sublattice : int
    rng : numpy.random.Generator

    Returns
    -------
    Specimen
    """
    hit = (specimen.sublattice == sublattice) & (rng.random(len(specimen)) < fraction)
    species = specimen.species.astype(object)
    species[hit] = replacement
    return replace(specimen, species=species.astype(str))


def cut(specimen: Specimen, inside: np.ndarray) -> Specimen:
    """End the specimen at an edge: keep the columns where `inside` (N,) is True; nothing is vacant beyond."""
    return specimen.select(inside)
