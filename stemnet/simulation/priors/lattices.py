"""Lattices for training: invented ones, and how large one must be drawn for its columns to be told apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stemnet.simulation.crystal import ATOMIC_NUMBERS, Crystal, composition, formula, scattering

KNOWN = [symbol for symbol, number in ATOMIC_NUMBERS.items() if 8 <= number <= 83]
BRIGHTNESS = 1.7
"""Exponent of the atomic number by which columns count as visible."""
UNRESOLVED = 1.25
"""Within so many widths of a brighter column a faint one is part of it."""


def invented(rng: np.random.Generator) -> Crystal:
    """A random plane lattice of one to four columns a cell, none too close."""
    angle = rng.uniform(np.pi / 3, 2 * np.pi / 3)
    ratio = rng.uniform(0.6, 1.0)
    cell = np.array([[1.0, 0.0], [ratio * np.cos(angle), ratio * np.sin(angle)]])
    steps = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1], indexing="ij"), -1).reshape(-1, 2)
    sites = [np.zeros(2)]
    for site in rng.uniform(0, 1, (rng.integers(0, 6), 2)):
        apart = (site - np.array(sites)[:, None] + steps) @ cell
        if len(sites) < 4 and np.hypot(apart[..., 0], apart[..., 1]).min() > 0.28:
            sites.append(site)
    elements = rng.choice(KNOWN, len(sites))
    return Crystal(
        "invented",
        ((1.0, 0.0), (float(cell[1, 0]), float(cell[1, 1]))),
        tuple((float(y), float(x)) for y, x in sites),
        tuple(str(e) for e in elements),
        tuple(range(len(sites))),
    )


def visible_spacing(crystal: Crystal, visible: float) -> float:
    """Distance between the closest two columns that are seen [A].

    Parameters
    ----------
    crystal : Crystal
    visible : float
        From which share of the brightest column's brightness a column is seen; 0 for all.

    Returns
    -------
    float
    """
    bright = scattering(crystal.species, BRIGHTNESS)
    seen = np.flatnonzero(bright >= visible * bright.max())
    return replace(
        crystal,
        sites=tuple(crystal.sites[row] for row in seen),
        species=tuple(crystal.species[row] for row in seen),
        sublattices=tuple(crystal.sublattices[row] for row in seen),
    ).nearest_spacing


def merged(crystal: Crystal, distance: float) -> Crystal:
    """Let columns that cannot be told from a brighter one be part of it.

    Parameters
    ----------
    crystal : Crystal
    distance : float
        From the brighter column, within which one is taken up [A]; what is
        taken up moves it by its share of the brightness.

    Returns
    -------
    Crystal
        Columns that have taken up others are sublattices of their own. The
        crystal itself where none are so close.
    """
    if crystal.nearest_spacing >= distance:
        return crystal
    sites, cell = np.array(crystal.sites), np.array(crystal.cell)
    bright = scattering(crystal.species, BRIGHTNESS)
    groups: dict[int, list[int]] = {}
    moves = np.zeros((len(sites), 2))
    for row in np.argsort(-bright, kind="stable"):
        kept = np.array(list(groups), dtype=int)
        apart = sites[row] - sites[kept]
        apart -= np.round(apart)
        away = np.hypot(*(apart @ cell).T) if len(kept) else np.array([np.inf])
        if away.min() >= distance:
            groups[int(row)] = [int(row)]
        else:
            nearest = int(away.argmin())
            groups[int(kept[nearest])].append(int(row))
            moves[row] = apart[nearest]
    places, names, kinds = [], [], []
    for first, rows in sorted(groups.items()):
        atoms: dict[str, float] = {}
        for row in rows:
            for element, count in composition(crystal.species[row]).items():
                atoms[element] = atoms.get(element, 0.0) + count
        y, x = sites[first] + bright[rows] @ moves[rows] / bright[rows].sum()
        places.append((float(y), float(x)))
        names.append(formula(atoms))
        kinds.append((crystal.sublattices[first], names[-1]))
    numbers = {kind: number for number, kind in enumerate(sorted(set(kinds)))}
    return replace(
        crystal,
        sites=tuple(places),
        species=tuple(names),
        sublattices=tuple(numbers[kind] for kind in kinds),
    )
