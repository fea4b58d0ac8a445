"""Point defects: atoms that are missing, or are others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from stemnet.simulation.crystal import composition
from stemnet.simulation.specimen import Specimen


def vacancies(
    specimen: Specimen, fraction: float, rng: np.random.Generator, sublattice: int | None = None
) -> Specimen:
    """Take atoms out of a random share of the columns.

    A column of two equal atoms ("S2") loses one of them as often as both; any
    other column goes whole and is kept in ``vacant``.

    Parameters
    ----------
    specimen : Specimen
    fraction : float
        Share of columns hit, 0 to 1.
    rng : numpy.random.Generator
    sublattice : int, optional
        Only columns of this sublattice.

    Returns
    -------
    Specimen
        With ``occupancy`` planted: the share of a column's atoms that is left.
    """
    hit = rng.random(len(specimen)) < fraction
    if sublattice is not None:
        hit &= specimen.sublattice == sublattice
    halved = hit & (rng.random(len(specimen)) < 0.5)
    species = specimen.species.astype(object)
    for name in np.unique(specimen.species[halved]) if halved.any() else ():
        atoms = composition(str(name))
        if list(atoms.values()) == [2]:
            species[halved & (specimen.species == name)] = next(iter(atoms))
        else:
            halved &= specimen.species != name
    gone = hit & ~halved
    left = np.where(halved, 0.5, 1.0) * specimen.planted.get("occupancy", 1.0)
    changed = replace(specimen, species=species.astype(str)).with_planted(occupancy=left)
    return changed.without(gone)


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


def two_layers(
    specimen: Specimen,
    sublattice: int,
    top: Mapping[str, float | np.ndarray],
    bottom: Mapping[str, float | np.ndarray],
    rng: np.random.Generator,
) -> Specimen:
    """Fill a sublattice anew from two layers: a mixed or Janus dichalcogenide and its vacancies.

    Parameters
    ----------
    specimen : Specimen
    sublattice : int
    top, bottom : mapping of str to float or ndarray, shape (N,)
        Odds of each element in that layer, for all columns or for each; ``""``
        is a vacancy. A site with neither atom is kept in ``vacant``.
    rng : numpy.random.Generator

    Returns
    -------
    Specimen
        A column with two equal atoms is named "S2", with two others in
        alphabetical order ("SSe"), with one of them "S".
    """
    count = len(specimen)
    layers = np.stack([_drawn(top, count, rng), _drawn(bottom, count, rng)])
    first, second = np.sort(layers, axis=0)
    names = np.where(
        first == second, np.char.add(first, np.where(first == "", "", "2")), np.char.add(first, second)
    )
    ours = specimen.sublattice == sublattice
    gone = ours & (names == "")
    changed = replace(specimen, species=np.where(ours, names, specimen.species))
    return changed.without(gone)


def _drawn(odds: Mapping[str, float | np.ndarray], count: int, rng: np.random.Generator) -> np.ndarray:
    """One name per column, by its odds."""
    shares = np.stack([np.broadcast_to(np.asarray(share, dtype=float), count) for share in odds.values()])
    steps = np.cumsum(shares, axis=0) / shares.sum(0)
    return np.array(list(odds))[(rng.random(count) >= steps[:-1]).sum(0)]
