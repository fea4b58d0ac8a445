"""Point defects: atoms that are missing, or are others; ``defect`` says of each column which it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from stemnet.errors import StemnetError
from stemnet.simulation.crystal import composition
from stemnet.simulation.defects.pieces import disjoint_pairs, first_shell
from stemnet.simulation.specimen import Specimen


def marked(specimen: Specimen, rows: np.ndarray, name: str) -> Specimen:
    """Write what is wrong with some columns (mask or indices) into ``defect``; it is "" where nothing is."""
    labels = specimen.planted.get("defect", np.zeros(len(specimen), dtype="<U1")).astype(object)
    labels[rows] = name
    return specimen.with_planted(defect=labels.astype(str))


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

    Raises
    ------
    StemnetError
        If the fraction is no share.
    """
    _check_share(fraction, "vacancies")
    hit = rng.random(len(specimen)) < fraction
    if sublattice is not None:
        hit &= specimen.sublattice == sublattice
    return _emptied(specimen, hit, rng.random(len(specimen)) < 0.5, "vacancy")


def _check_share(fraction: float, what: str) -> None:
    if not 0 <= fraction <= 1:
        raise StemnetError(f"A fraction of {fraction} {what} was asked for; give a number from 0 to 1.")


def _emptied(specimen: Specimen, hit: np.ndarray, half: np.ndarray, name: str) -> Specimen:
    """Take columns out: those marked `half` lose only one atom, if they hold two equal ones."""
    halved = hit & half
    species = specimen.species.astype(object)
    for kind in np.unique(specimen.species[halved]) if halved.any() else ():
        atoms = composition(str(kind))
        if list(atoms.values()) == [2]:
            species[halved & (specimen.species == kind)] = next(iter(atoms))
        else:
            halved &= specimen.species != kind
    gone = hit & ~halved
    left = np.where(halved, 0.5, 1.0) * specimen.planted.get("occupancy", 1.0)
    changed = replace(specimen, species=species.astype(str)).with_planted(occupancy=left)
    return marked(changed, hit, name).without(gone)


def vacancy_lines(
    specimen: Specimen,
    lines: int,
    length: int,
    direction: tuple[int, int],
    sublattice: int,
    rng: np.random.Generator,
    *,
    whole: bool = False,
) -> Specimen:
    """Take atoms out of rows of columns, such as the sulfur vacancy lines that electrons and heat make in MoS2.

    Parameters
    ----------
    specimen : Specimen
        With a lattice.
    lines : int
        How many rows begin, each at a random column.
    length : int
        Columns in a row; rows that cross or leave the specimen have fewer.
    direction : tuple of int
        Along the row, in cells.
    sublattice : int
    rng : numpy.random.Generator
    whole : bool
        Take columns of two equal atoms ("S2") out whole, rather than one atom of each.

    Returns
    -------
    Specimen
        With ``occupancy``, and ``vacancy_line``: which row it is, -1 for the others.

    Raises
    ------
    StemnetError
        If the direction is nowhere, or the specimen has fewer columns of that sublattice than lines.
    """
    index = np.asarray(specimen.index)
    ours = np.flatnonzero((specimen.sublattice == sublattice) & (index[:, 2] >= 0))
    if tuple(direction) == (0, 0) or len(ours) < lines:
        raise StemnetError(
            f"{lines} vacancy lines along {tuple(direction)} were asked for on {len(ours)} columns of sublattice "
            f"{sublattice}; give a direction that is not (0, 0), and no more lines than columns."
        )
    start = index[rng.choice(ours, lines, replace=False)]
    step = np.array([direction[0], direction[1], 0])
    sites = (start[:, None] + np.arange(length)[:, None] * step).reshape(-1, 3)
    low = np.minimum(index.min(0), sites.min(0, initial=0))
    size = np.maximum(index.max(0), sites.max(0, initial=0)) - low + 1
    number = np.full(len(specimen), -1)
    keys = np.ravel_multi_index(tuple((index[ours] - low).T), tuple(size))
    wanted = np.ravel_multi_index(tuple((sites - low).T), tuple(size))
    order = np.argsort(wanted, kind="stable")
    at = np.minimum(np.searchsorted(wanted[order], keys), max(len(wanted) - 1, 0))
    hit = wanted[order][at] == keys if len(wanted) else np.zeros(len(keys), dtype=bool)
    number[ours[hit]] = (order[at[hit]]) // length
    half = np.full(len(specimen), not whole)
    return _emptied(specimen.with_planted(vacancy_line=number), number >= 0, half, "vacancy")


def divacancies(
    specimen: Specimen,
    fraction: float,
    rng: np.random.Generator,
    sublattices: tuple[int, int] | None = None,
) -> Specimen:
    """Take pairs of nearest neighbors out whole.

    Parameters
    ----------
    specimen : Specimen
    fraction : float
        Share of the columns (of those two sublattices) that goes, 0 to 1; two a pair.
    rng : numpy.random.Generator
    sublattices : tuple of int, optional
        Of the two columns; any two nearest neighbors if it is not given.

    Returns
    -------
    Specimen

    Raises
    ------
    StemnetError
        If so many pairs are not to be had.
    """
    ours = np.arange(len(specimen))
    if sublattices is not None:
        ours = np.flatnonzero(np.isin(specimen.sublattice, sublattices))
    yx, kind = specimen.yx[ours], specimen.sublattice[ours]
    if sublattices is None or sublattices[0] == sublattices[1]:
        reach = first_shell(yx)
    else:
        nearest = cKDTree(yx[kind == sublattices[1]]).query(yx[kind == sublattices[0]])[0]
        reach = 1.25 * float(np.median(nearest))
    pairs = cKDTree(yx).query_pairs(reach, output_type="ndarray")
    if sublattices is not None:
        pairs = pairs[np.all(np.sort(kind[pairs], axis=1) == np.sort(sublattices), axis=1)]
    chosen = disjoint_pairs(pairs, rng)
    count = rng.binomial(len(ours), fraction) // 2
    if count > len(chosen):
        raise StemnetError(
            f"{count} divacancies were asked for, but only {len(chosen)} pairs of neighbors have no column in "
            "common; ask for a smaller fraction."
        )
    gone = np.zeros(len(specimen), dtype=bool)
    gone[ours[chosen[:count]]] = True
    return _emptied(specimen, gone, np.zeros(len(specimen), dtype=bool), "divacancy")


def antisites(
    specimen: Specimen,
    fraction: float,
    sublattice: int,
    other: int,
    rng: np.random.Generator,
    *,
    exchange: bool = True,
) -> Specimen:
    """Put what belongs on one sublattice on another.

    Parameters
    ----------
    specimen : Specimen
    fraction : float
        Share of `sublattice` that gets the other's species, 0 to 1.
    sublattice, other : int
    rng : numpy.random.Generator
    exchange : bool
        Put what was there in the place of what came, so that the composition
        stays; otherwise it is lost.

    Returns
    -------
    Specimen

    Raises
    ------
    StemnetError
        If `other` has too few columns to come from.
    """
    ours, theirs = (np.flatnonzero(specimen.sublattice == which) for which in (sublattice, other))
    count = rng.binomial(len(ours), fraction)
    if count and (len(theirs) == 0 or (exchange and count > len(theirs))):
        raise StemnetError(
            f"{count} antisites were asked for from sublattice {other}, which has {len(theirs)} columns; ask for a "
            "smaller fraction, or choose another sublattice."
        )
    here = rng.choice(ours, count, replace=False)
    there = rng.choice(theirs, count, replace=not exchange)
    species = specimen.species.copy()
    species[here] = specimen.species[there]
    changed = here
    if exchange:
        species[there] = specimen.species[here]
        changed = np.concatenate([here, there])
    return marked(replace(specimen, species=species), changed, "antisite")


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

    Raises
    ------
    StemnetError
        If the fraction is no share, or the replacement no formula.
    """
    _check_share(fraction, "substitutions")
    composition(replacement)
    hit = (specimen.sublattice == sublattice) & (rng.random(len(specimen)) < fraction)
    species = specimen.species.astype(object)
    species[hit] = replacement
    return marked(replace(specimen, species=species.astype(str)), hit, "substitution")


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
        alphabetical order ("SSe"), with one of them "S"; a column that lacks
        one or both is a vacancy in ``defect``.
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
    return marked(changed, ours & (first == ""), "vacancy").without(gone)


def _drawn(odds: Mapping[str, float | np.ndarray], count: int, rng: np.random.Generator) -> np.ndarray:
    """One name per column, by its odds."""
    shares = np.stack([np.broadcast_to(np.asarray(share, dtype=float), count) for share in odds.values()])
    steps = np.cumsum(shares, axis=0) / shares.sum(0)
    return np.array(list(odds))[(rng.random(count) >= steps[:-1]).sum(0)]
