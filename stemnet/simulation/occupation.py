"""Mixed and partly filled sites: which atoms a column really holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations

import numpy as np

from stemnet.simulation.crystal import ATOMIC_NUMBERS, composition, formula
from stemnet.simulation.specimen import Specimen

WHOLE = 0.005
"""Counts this close to a whole number are one."""


@dataclass(frozen=True)
class Site:
    """Equal sites of a column, whose occupants are drawn.

    Parameters
    ----------
    elements : tuple of str
        Heaviest first.
    chances : tuple of float
        That one site holds each of them; what is missing to 1 is that it is empty.
    number : int
        How many such sites there are in one repeat along the beam.
    """

    elements: tuple[str, ...]
    chances: tuple[float, ...]
    number: int


@lru_cache(maxsize=4096)
def sites_of(species: str) -> tuple[tuple[Site, ...], tuple[tuple[str, float], ...]]:
    """Which sites of a column have to be drawn, read from the formula of its repeat unit.

    A formula tells counts, not sites. It is assumed that elements of whole
    count fill sites of their own ("O" in "Mo0.7V0.3O"); that elements of
    fractional count which add up to a whole number, the fewest possible, share
    sites ("Mo0.7V0.3" is one mixed site, "Mo1.4V0.6" two alike); and that any
    other fractional count is a site of its own that is not always filled
    ("Te0.9", or "Te1.8": two such sites). An even mixture over two sites of a
    repeat, "MoV", cannot be told from an ordered one, and is taken as ordered.

    Parameters
    ----------
    species : str

    Returns
    -------
    drawn : tuple of Site
        The one with the heaviest element first.
    fixed : tuple of (str, float)
        The elements that are always there, with their counts in a repeat.
    """
    counts = composition(species)
    fixed = tuple((e, float(round(n))) for e, n in counts.items() if abs(n - round(n)) < WHOLE)
    left = sorted(set(counts) - {element for element, _ in fixed}, key=lambda e: -ATOMIC_NUMBERS[e])
    drawn = []
    for size in range(2, len(left) + 1):
        for group in combinations(left, size):
            total = sum(counts[e] for e in group)
            if set(group) <= set(left) and abs(total - round(total)) < WHOLE:
                drawn.append(Site(group, tuple(counts[e] / total for e in group), round(total)))
                left = [e for e in left if e not in group]
    for element in left:
        number = int(np.ceil(counts[element]))
        drawn.append(Site((element,), (counts[element] / number,), number))
    return tuple(sorted(drawn, key=lambda site: -ATOMIC_NUMBERS[site.elements[0]])), fixed


def drawn_contents(specimen: Specimen, rng: np.random.Generator) -> Specimen:
    """Draw who sits on the mixed and the partly filled sites of every column.

    Each site of each of a column's repeats (`thickness`, rounded, at least one)
    is drawn on its own with its occupancies, without short-range order; the
    column's species becomes the mean formula of its repeats, such as
    "Mo0.75V0.25O" for three of four. How the atoms lie along the beam is not
    kept. Sites are read from the formula as `sites_of` says.

    Parameters
    ----------
    specimen : Specimen
    rng : numpy.random.Generator

    Returns
    -------
    Specimen
        With ``heavy_share`` planted: of the sites in a column that its heaviest
        drawn element may take, the share it has taken; NaN where there is
        nothing to draw. Columns that came out empty are `vacant`.
    """
    names, row = np.unique(specimen.species, return_inverse=True)
    repeats = np.maximum(np.round(specimen.thickness), 1).astype(int)
    species = specimen.species.astype(object)
    share = np.full(len(specimen), np.nan)
    gone = np.zeros(len(specimen), dtype=bool)
    for number, name in enumerate(names):
        drawn, fixed = sites_of(str(name))
        if drawn:
            here = np.flatnonzero(row == number)
            species[here], share[here] = _drawn(drawn, fixed, repeats[here], rng)
            gone[here] = species[here] == ""
            species[here[gone[here]]] = name
    filled = replace(specimen, species=species.astype(str)).with_planted(heavy_share=share)
    return filled.without(gone) if gone.any() else filled


def _drawn(
    drawn: tuple[Site, ...],
    fixed: tuple[tuple[str, float], ...],
    repeats: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Formulas (M,), empty where there is nothing left, and the heaviest element's share (M,)."""
    elements = [element for site in drawn for element in site.elements]
    taken = []
    for site in drawn:
        chances = [*site.chances, max(0.0, 1.0 - sum(site.chances))]
        taken.append(rng.multinomial(site.number * repeats, np.array(chances) / sum(chances))[:, :-1])
    counts = np.concatenate(taken, axis=1)
    # Few different columns come out of many: each is written once.
    kinds, which = np.unique(np.column_stack([counts, repeats]), axis=0, return_inverse=True)
    written = [
        formula({**dict(fixed), **{e: n / kind[-1] for e, n in zip(elements, kind[:-1], strict=True)}})
        for kind in kinds
    ]
    return np.array(written, dtype=object)[which], counts[:, 0] / (drawn[0].number * repeats)
