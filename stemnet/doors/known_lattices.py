"""What the known crystals look like in an image: their motifs, with and without the columns that are hardly seen."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from stemnet.descriptors.motif import Motif
from stemnet.simulation.crystal import Crystal, scattering
from stemnet.simulation.known import known_crystals

EXPONENT = 1.7  # of the atomic number
FAINT = 0.35  # columns of less than this share of the brightest one's brightness may go unseen
DISPLACED = 0.35  # a superstructure that moves columns by less may not be resolved [A]
ALIKE = (0.03, 0.2)  # log ratio of brightness up to which columns may count as one kind


@lru_cache(maxsize=1)
def known_motifs() -> tuple[Motif, ...]:
    """Motifs of `known_crystals` [A]; of a crystal several, by what of it may be seen."""
    return tuple(motif for crystal in known_crystals() for motif in visible_motifs(crystal))


def visible_motifs(crystal: Crystal) -> tuple[Motif, ...]:
    """The cells that an image of a crystal may show.

    Faint columns are left out, the faintest first, and a cell that repeats
    nearly (columns slightly displaced, or of nearly equal brightness) gives its
    smaller parent too.
    """
    brightness = scattering(crystal.species, EXPONENT)
    relative = brightness / brightness.max()
    cell, sites = np.array(crystal.cell), np.array(crystal.sites)
    motifs: dict[tuple, Motif] = {}
    for least in sorted({0.0, *(level + 1e-6 for level in relative if level < FAINT)}):
        seen = relative >= least
        for displaced in (0.05, DISPLACED):
            for alike in ALIKE:
                found = _parent(cell, sites[seen], brightness[seen], displaced, alike, crystal.name)
                motifs.setdefault((len(found), round(found.edges[0], 2), round(found.edges[1], 2)), found)
    return tuple(motifs.values())


def _parent(cell, sites, brightness, displaced, alike, name):
    """The smallest cell that repeats the columns within `displaced` [A] and `alike` (log brightness)."""
    log = np.log(brightness)
    steps = [
        shift
        for shift in sites - sites[0]
        if np.any(shift) and _repeats(cell, sites, log, shift - np.round(shift), displaced, alike)
    ]
    if not steps:
        return Motif(cell, sites, brightness, name)
    around = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [-1, 0], [0, -1], [-1, -1], [1, -1], [-1, 1]])
    vectors = np.concatenate([around[1:], *(around + step for step in steps)]) @ cell
    vectors = vectors[np.argsort(np.hypot(*vectors.T), kind="stable")]
    area = np.abs(np.linalg.det(cell)) / (len(steps) + 1)
    for second in range(1, len(vectors)):
        for first in range(second):
            basis = vectors[[first, second]]
            if abs(abs(np.linalg.det(basis)) / area - 1) < 0.15:
                return _folded(cell, sites, brightness, basis, displaced, name)
    return Motif(cell, sites, brightness, name)


def _repeats(cell, sites, log, shift, displaced, alike):
    away = sites[:, None] + shift - sites[None]
    away = np.linalg.norm((away - np.round(away)) @ cell, axis=-1)
    away = np.where(np.abs(log[:, None] - log) < alike, away, np.inf)
    return away.min(axis=1).max() < displaced


def _folded(cell, sites, brightness, basis, displaced, name):
    """The columns in a smaller cell, those that meet in it averaged."""
    # the small cell is stretched so that a whole number of them fills the large one
    filled = np.round(cell @ np.linalg.inv(basis))
    basis = np.linalg.inv(filled) @ cell
    folded = sites @ cell @ np.linalg.inv(basis)
    places, bright = [], []
    left = np.ones(len(folded), bool)
    while left.any():
        away = folded - folded[np.argmax(left)]
        away = away - np.round(away)
        mates = left & (np.linalg.norm(away @ basis, axis=1) < 2 * displaced)
        places.append(folded[np.argmax(left)] + away[mates].mean(axis=0))
        bright.append(brightness[mates].mean())
        left &= ~mates
    return Motif(basis, np.array(places), np.array(bright), name)
