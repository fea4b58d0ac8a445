"""Alloys: which columns of a sublattice are substituted, by short-range order or by a composition profile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from stemnet.errors import StemnetError
from stemnet.simulation.defects.pieces import first_shell
from stemnet.simulation.defects.point import marked
from stemnet.simulation.quantities.fields import Constant
from stemnet.simulation.specimen import Quantity, Specimen

SWEEPS = 600
"""Of swaps of about a seventh of the sites each; beyond these an order is called out of reach."""


def graded_substitutions(
    specimen: Specimen, profile: Quantity, replacement: str, sublattice: int, rng: np.random.Generator
) -> Specimen:
    """Substitute a sublattice at random, with odds that vary from place to place.

    Parameters
    ----------
    specimen : Specimen
    profile : Quantity
        Odds of the replacement, 0 to 1: `Ramp`, `Sine`, `SoftStep`, ...
    replacement : str
        Formula of the new columns.
    sublattice : int
    rng : numpy.random.Generator

    Returns
    -------
    Specimen
        With the field ``composition``, and what `with_environment` plants.
    """
    planted = specimen.with_field("composition", profile)
    hit = (specimen.sublattice == sublattice) & (rng.random(len(specimen)) < planted.planted["composition"])
    return _exchanged(planted, hit, replacement, sublattice, None)


def ordered_substitutions(
    specimen: Specimen,
    fraction: float,
    replacement: str,
    sublattice: int,
    rng: np.random.Generator,
    *,
    order: float = 0.0,
    reach: float | None = None,
) -> Specimen:
    """Substitute a share of a sublattice with a chosen short-range order of the first shell.

    Columns are swapped by Metropolis' rule with a pair interaction that is
    turned up until the Warren-Cowley parameter is the wanted one: of all
    arrangements with that composition and that order, a typical one. Swaps of
    columns that are no neighbors of each other are made at once.

    Parameters
    ----------
    specimen : Specimen
    fraction : float
        Share of the sublattice, met to one column.
    replacement : str
        Formula of the new columns.
    sublattice : int
    rng : numpy.random.Generator
    order : float
        Warren-Cowley parameter: 0 random, positive where like columns gather,
        negative where they alternate (Cowley, Phys. Rev. 77, 669, 1950).
    reach : float, optional
        Of the first shell [A]; 1.25 times the nearest distance on the sublattice
        if it is not given.

    Returns
    -------
    Specimen
        With the constant field ``warren_cowley``, as it came out, and what
        `with_environment` plants.

    Raises
    ------
    StemnetError
        If the order cannot be reached at this composition on this sublattice.
    """
    ours = np.flatnonzero(specimen.sublattice == sublattice)
    yx = specimen.yx[ours]
    table = neighbor_table(yx, first_shell(yx) if reach is None else reach)
    state = np.full(len(ours) + 1, -1)
    state[-1] = 0
    state[rng.choice(len(ours), round(fraction * len(ours)), replace=False)] = 1
    if order != 0:
        _arrange(state, table, order, rng)
    reached = _parameter(state, table)
    bonds = (table < len(ours)).sum() / 2
    if abs(reached - order) > max(0.01, 4 / np.sqrt(bonds)):
        raise StemnetError(
            f"A Warren-Cowley parameter of {order:g} was asked for with {fraction:.0%} of {len(ours)} columns; "
            f"{reached:.3f} was reached. Ask for one nearer to 0, or for another composition."
        )
    hit = np.zeros(len(specimen), dtype=bool)
    hit[ours[state[:-1] > 0]] = True
    changed = _exchanged(specimen, hit, replacement, sublattice, reach)
    return changed.with_field("warren_cowley", Constant(reached))


def _arrange(state: np.ndarray, table: np.ndarray, order: float, rng: np.random.Generator) -> None:
    """Swap sites (N + 1,) of +1 and -1, the last one being 0, until the parameter is the wanted one."""
    count = len(table)
    bonds = (table < count).sum() / 2
    share = (state > 0).sum() / count
    # Sum of products over bonds at the wanted order: like bonds less unlike ones.
    wanted = bonds * (1 - 4 * share * (1 - share) * (1 - order))
    coupling = 0.0
    total = (state[:-1] * state[table].sum(1)).sum() / 2
    for sweep in range(SWEEPS):
        settling = sweep > SWEEPS // 6
        if settling and abs(total - wanted) <= 2:
            break
        # Sites that draw a larger number than all of their neighbors are no neighbors of each other.
        draw = np.append(rng.random(count), -1.0)
        alone = np.flatnonzero(draw[:-1] > draw[table].max(1))
        plus, minus = (rng.permutation(alone[state[alone] == sign]) for sign in (1, -1))
        pairs = min(len(plus), len(minus))
        plus, minus = plus[:pairs], minus[:pairs]
        gain = 2 * (state[table[minus]].sum(1) - state[table[plus]].sum(1))
        accepted = rng.random(pairs) < np.exp(np.minimum(coupling * gain, 0.0))
        if settling:
            # Only swaps towards the aim, and no farther.
            towards = accepted & (np.sign(gain) == np.sign(wanted - total))
            steps = np.cumsum(np.where(towards, gain, 0))
            accepted = towards & (np.abs(steps) <= abs(wanted - total))
        state[plus[accepted]], state[minus[accepted]] = -1, 1
        total += gain[accepted].sum()
        # Robbins and Monro: turn the interaction up or down, by less and less.
        coupling += 0.1 * (wanted - total) / bonds / (1 + sweep / 50)


def neighbor_table(yx: np.ndarray, reach: float) -> np.ndarray:
    """Rows of the neighbors within a reach [A] of each point, (N, K), filled up with N."""
    pairs = cKDTree(yx).query_pairs(reach, output_type="ndarray")
    ends = np.concatenate([pairs, pairs[:, ::-1]])
    ends = ends[np.argsort(ends[:, 0], kind="stable")]
    number = np.bincount(ends[:, 0], minlength=len(yx))
    table = np.full((len(yx), max(1, number.max(initial=0))), len(yx))
    place = np.arange(len(ends)) - np.repeat(np.cumsum(number) - number, number)
    table[ends[:, 0], place] = ends[:, 1]
    return table


def _parameter(state: np.ndarray, table: np.ndarray) -> float:
    """1 - (share of unlike bonds) / (2 c (1 - c))."""
    count = len(table)
    share = (state > 0).sum() / count
    bonds = (table < count).sum() / 2
    like_less_unlike = (state[:-1] * state[table].sum(1)).sum() / 2
    if share in (0, 1) or bonds == 0:
        return 0.0
    return float(1 - (1 - like_less_unlike / bonds) / (4 * share * (1 - share)))


def warren_cowley(specimen: Specimen, sublattice: int, species: str, reach: float | None = None) -> float:
    """Short-range order of one species on a sublattice, 1 - P(unlike neighbor) / (2 c (1 - c)).

    Parameters
    ----------
    specimen : Specimen
    sublattice : int
    species : str
        Formula of the columns that count as one kind; all others are the other kind.
    reach : float, optional
        Of the first shell [A]; 1.25 times the nearest distance on the sublattice
        if it is not given.

    Returns
    -------
    float
        0 where there is only one kind.
    """
    ours = specimen.sublattice == sublattice
    yx = specimen.yx[ours]
    table = neighbor_table(yx, first_shell(yx) if reach is None else reach)
    return _parameter(np.append(np.where(specimen.species[ours] == species, 1, -1), 0), table)


def with_environment(
    specimen: Specimen, substituted: np.ndarray, sublattice: int, reach: float | None = None
) -> Specimen:
    """Plant who is substituted and by what kind of neighbors each column is surrounded.

    Parameters
    ----------
    specimen : Specimen
    substituted : ndarray of bool, shape (N,)
    sublattice : int
    reach : float, optional
        Of the first shell [A].

    Returns
    -------
    Specimen
        With ``substituted`` (0 or 1), ``local_composition`` (share of
        substituted columns among the nearest of the same sublattice; NaN without
        any, and on other sublattices) and ``unlike_neighbors`` (how many of
        these are of the other kind; -1 on other sublattices).
    """
    ours = np.flatnonzero(specimen.sublattice == sublattice)
    yx = specimen.yx[ours]
    table = neighbor_table(yx, first_shell(yx) if reach is None else reach)
    kind = np.append(substituted[ours].astype(int), 0)
    number = (table < len(ours)).sum(1)
    others = kind[table].sum(1)
    local = np.full(len(specimen), np.nan)
    local[ours[number > 0]] = others[number > 0] / number[number > 0]
    unlike = np.full(len(specimen), -1)
    unlike[ours] = np.where(kind[:-1] == 1, number - others, others)
    return specimen.with_planted(
        substituted=substituted.astype(int), local_composition=local, unlike_neighbors=unlike
    )


def _exchanged(
    specimen: Specimen, hit: np.ndarray, replacement: str, sublattice: int, reach: float | None
) -> Specimen:
    species = specimen.species.astype(object)
    species[hit] = replacement
    changed = marked(replace(specimen, species=species.astype(str)), hit, "substitution")
    return with_environment(changed, hit, sublattice, reach)
