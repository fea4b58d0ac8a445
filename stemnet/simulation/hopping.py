"""Jumps between sites: single atoms, vacancies, and columns that change what they are; see `movement`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from stemnet.errors import StemnetError
from stemnet.simulation.deformation import Vector
from stemnet.simulation.movement import _here, _rate, _rows
from stemnet.simulation.specimen import Specimen


@dataclass(frozen=True, eq=False)
class Events:
    """Hops in the order of time.

    Parameters
    ----------
    frame : ndarray of int, shape (E,)
        The first frame that shows the hop.
    who : ndarray of int, shape (E,)
        Which of the particles.
    left, reached : ndarray of int, shape (E,)
        Sites.
    """

    frame: np.ndarray
    who: np.ndarray
    left: np.ndarray
    reached: np.ndarray

    def until(self, frame: int) -> slice:
        """Those that a frame, or one before it, has shown."""
        return slice(0, int(np.searchsorted(self.frame, frame, side="right")))

    def within(self, frame: int) -> slice:
        """Those that happened since the frame before."""
        return slice(self.until(frame - 1).stop, self.until(frame).stop)


def hop(
    neighbors: list[np.ndarray], at: np.ndarray, mean: float, frames: int, rng: np.random.Generator
) -> Events:
    """Let particles hop to free neighboring sites, no two on one.

    Between two frames each tries a Poisson number of times, and every try finds
    one of the free neighbors, each as often as the others; where none is free
    the try is in vain.

    Parameters
    ----------
    neighbors : list of ndarray of int
        Of each site.
    at : ndarray of int, shape (P,)
        Where the particles are at the start.
    mean : float
        Tries between two frames.
    frames : int
    rng : numpy.random.Generator

    Returns
    -------
    Events
    """
    # Streams of their own keep a longer movie's beginning the same.
    tries, order, choice = rng.spawn(3)
    counts = tries.poisson(mean, (frames - 1, len(at)))
    frame, who = (np.repeat(part.ravel(), counts.ravel()) for part in np.indices(counts.shape))
    frame = frame + 1
    who = who[np.lexsort([order.random(len(who)), frame])]
    fate = choice.random(len(who))
    full = np.zeros(len(neighbors), dtype=bool)
    full[at] = True
    at, left, reached = at.copy(), np.full(len(who), -1), np.full(len(who), -1)
    # One hop decides which sites are free for the next.
    for number, particle in enumerate(who):
        here = at[particle]
        free = neighbors[here][~full[neighbors[here]]]
        if len(free):
            there = free[int(fate[number] * len(free))]
            full[here], full[there], at[particle] = False, True, there
            left[number], reached[number] = here, there
    done = reached >= 0
    return Events(frame[done], who[done], left[done], reached[done])


def neighbors_of(yx: np.ndarray, kind: np.ndarray, reach: float | None = None) -> list[np.ndarray]:
    """Neighbors of each site among those of its kind.

    Parameters
    ----------
    yx : ndarray, shape (S, 2)
        [A]
    kind : ndarray, shape (S,)
    reach : float, optional
        [A]; if it is not given, 1.25 times the median nearest distance of a kind.

    Returns
    -------
    list of ndarray of int
    """
    pairs = [np.zeros((0, 2), dtype=int)]
    for one in np.unique(kind):
        rows = np.flatnonzero(kind == one)
        if len(rows) > 1:
            tree = cKDTree(yx[rows])
            far = reach or 1.25 * float(np.median(tree.query(yx[rows], k=2)[0][:, 1]))
            near = rows[tree.query_pairs(far, output_type="ndarray")]
            pairs += [near, near[:, ::-1]]
    both = np.concatenate(pairs)
    both = both[np.lexsort(both.T[::-1])]
    return np.split(both[:, 1], np.searchsorted(both[:, 0], np.arange(1, len(yx))))


@dataclass(frozen=True)
class Hopping:
    """Single atoms that hop between sites, such as adatoms on a crystal (`sites_on` finds these).

    Parameters
    ----------
    rows : tuple of int
        Their rows in the specimen; each belongs to the site nearest to it.
    sites : tuple of tuple, shape (S, 2)
        [A]
    rate : float
        Hops of one atom [1/s]; those find no place where all neighboring sites are taken.
    reach : float, optional
        How far a hop goes at most [A]; to the nearest sites if it is not given.
    """

    rows: tuple[int, ...]
    sites: tuple[Vector, ...]
    rate: float
    reach: float | None = None

    def drawn(self, specimen: Specimen, frames: int, seconds: float, rng: np.random.Generator) -> Hops:
        """Draw every hop.

        Raises
        ------
        StemnetError
            If there are fewer than two sites, or two atoms belong to one.
        """
        rows, sites = _rows(self.rows, specimen), np.array(self.sites, dtype=float).reshape(-1, 2)
        if len(sites) < 2:
            raise StemnetError(f"{len(sites)} site(s) were given for atoms to hop between; give two or more.")
        at = cKDTree(sites).query(specimen.yx[rows])[1] if len(rows) else np.zeros(0, dtype=int)
        if len(np.unique(at)) < len(at):
            raise StemnetError(
                f"{len(at)} atoms were to hop, and two of them belong to the same site; "
                "give each a site of its own, or leave one out."
            )
        near = neighbors_of(sites, np.zeros(len(sites)), self.reach)
        return Hops(rows, sites, hop(near, at, _rate(self.rate) * seconds, frames, rng))


@dataclass(frozen=True, eq=False)
class Hops:
    """Atoms on sites: tracks (P,), sites (S, 2) [A], and what happened."""

    tracks: np.ndarray
    sites: np.ndarray
    events: Events

    def __call__(self, specimen: Specimen, frame: int) -> Specimen:
        """Put each where its last hop took it."""
        rows, mine = _here(specimen, self.tracks)
        past, now = self.events.until(frame), self.events.within(frame)
        site = np.full(len(self.tracks), -1)
        site[self.events.who[past]] = self.events.reached[past]
        gone = site[mine] >= 0
        yx = specimen.yx.copy()
        yx[rows[gone]] = self.sites[site[mine][gone]]
        hops = np.bincount(self.events.who[now], minlength=len(self.tracks))[mine]
        return _flagged(replace(specimen, yx=yx), rows, hops)


@dataclass(frozen=True)
class VacancyHopping:
    """Vacancies that migrate: a neighboring column of their sublattice steps into their site.

    Whole columns change places, as single atoms do in a sheet; vacancies
    within thick columns are not modeled.

    Parameters
    ----------
    rate : float
        Hops of one vacancy [1/s].
    reach : float, optional
        How far a hop goes at most [A]; to the nearest sites of the sublattice if it is not given.
    """

    rate: float
    reach: float | None = None

    def drawn(self, specimen: Specimen, frames: int, seconds: float, rng: np.random.Generator) -> Exchanges:
        """Draw every hop of the specimen's `vacant` columns.

        Raises
        ------
        StemnetError
            If the specimen has no vacancy.
        """
        vacant = specimen.vacant
        if vacant is None or not len(vacant):
            raise StemnetError(
                "Vacancies were to migrate in a specimen that has none; "
                "make some first, with stemnet.simulation.defects.point.vacancies or Specimen.without."
            )
        yx = np.concatenate([specimen.yx, vacant.yx])
        kind = np.concatenate([specimen.sublattice, vacant.sublattice])
        at = len(specimen) + np.arange(len(vacant))
        near = neighbors_of(yx, kind, self.reach)
        events = hop(near, at, _rate(self.rate) * seconds, frames, rng)
        # Whoever stands where a vacancy goes takes its place.
        occupant = np.arange(len(yx))
        column = np.full(len(events.who), -1)
        for number, (left, reached) in enumerate(zip(events.left, events.reached, strict=True)):
            column[number] = occupant[reached]
            occupant[left], occupant[reached] = occupant[reached], occupant[left]
        return Exchanges(column, events)


@dataclass(frozen=True, eq=False)
class Exchanges:
    """Columns (E,) that changed places with vacancies; sites are the columns and then the vacancies of the start."""

    column: np.ndarray
    events: Events

    def __call__(self, specimen: Specimen, frame: int) -> Specimen:
        """Put columns and vacancies where they are; a site keeps its lattice index and its displacement."""
        past, now = self.events.until(frame), self.events.within(frame)
        count, vacant = len(specimen), specimen.vacant
        if vacant is None:
            return specimen
        column, vacancy = np.arange(count), count + np.arange(len(vacant))
        column[self.column[past]] = self.events.left[past]
        vacancy[self.events.who[past]] = self.events.reached[past]
        sites: dict[str, Any] = {
            name: np.concatenate([getattr(specimen, name), getattr(vacant, name)])
            for name in ("yx", "index", "displacement", "sublattice")
        }
        moved = replace(
            specimen,
            vacant=replace(vacant, **{name: values[vacancy] for name, values in sites.items()}),
            **{name: values[column] for name, values in sites.items()},
        )
        hops = np.bincount(self.column[now], minlength=count)
        return _flagged(moved, np.arange(count), hops)


@dataclass(frozen=True)
class Exchange:
    """Columns that change their species, and may change back: a two-state process in each.

    Parameters
    ----------
    rows : tuple of int
        Their rows in the specimen.
    species : str
        What they become.
    rate : float
        [1/s]
    back : float
        Rate of changing back [1/s].
    """

    rows: tuple[int, ...]
    species: str
    rate: float
    back: float = 0.0

    def drawn(self, specimen: Specimen, frames: int, seconds: float, rng: np.random.Generator) -> _States:
        """Draw the state of every column in every frame, with the exact odds of the time between two frames."""
        rows = _rows(self.rows, specimen)
        total = _rate(self.rate) + _rate(self.back)
        settled = -np.expm1(-total * seconds) / total if total else 0.0
        odds = np.array([self.rate * settled, 1 - self.back * settled])
        luck = rng.random((frames, len(rows)))
        states = np.zeros((frames, len(rows)), dtype=int)
        for frame in range(1, frames):
            states[frame] = luck[frame] < odds[states[frame - 1]]
        return _States(rows, self.species, states)


@dataclass(frozen=True, eq=False)
class _States:
    tracks: np.ndarray
    species: str
    states: np.ndarray

    def __call__(self, specimen: Specimen, frame: int) -> Specimen:
        rows, mine = _here(specimen, self.tracks)
        species = specimen.species.astype(object)
        species[rows[self.states[frame, mine] == 1]] = self.species
        return replace(specimen, species=species.astype(str))


def _flagged(specimen: Specimen, rows: np.ndarray, hops: np.ndarray) -> Specimen:
    """Plant how often columns hopped since the frame before, and that they moved."""
    count, moved = specimen.planted["hops"].copy(), specimen.planted["moved"].copy()
    count[rows] += hops
    moved[rows] |= hops > 0
    return specimen.with_planted(hops=count, moved=moved)
