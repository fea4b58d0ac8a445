"""Composition of a sublattice whose columns hold one or two atoms: locally, and along its gradient."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from stemnet.analysis.species import SpeciesAssignment
from stemnet.columns import Columns
from stemnet.descriptors.composition import local_composition
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.shells import lattice_shells
from stemnet.errors import StemnetError

SHELLS = 3  # of neighbors that composition is averaged over: nineteen columns of a hexagonal sheet
STEPS = 8  # of the profile
FEWEST = 5  # columns of a step that is shown


@dataclass(frozen=True)
class Composition:
    """How much of an element there is on one sublattice, as a share of its sites.

    Parameters
    ----------
    element : str
    sublattice : int
    sites : int
        Atoms that a full column holds.
    expected : ndarray, shape (N,)
        Share of each column's sites, by the probabilities of its species; NaN elsewhere.
    local : ndarray, shape (N,)
        The same of the columns around, itself included; NaN where too few are known.
    direction : ndarray, shape (2,)
        Along which composition grows most, a unit vector (y, x).
    slope, slope_error : float
        Of a plane through the columns [1/px].
    """

    element: str
    sublattice: int
    sites: int
    expected: np.ndarray
    local: np.ndarray
    direction: np.ndarray
    slope: float
    slope_error: float


def atoms_of(name: str, element: str | None = None) -> int:
    """Atoms of an element, or of all, in the formula of a column such as ``SSe``; 0 of anything else."""
    found = re.findall(r"([A-Z][a-z]?)([0-9]*)", name)
    if "".join(map("".join, found)) != name:
        return 0
    return sum(int(count or 1) for symbol, count in found if element in (None, symbol))


def composition(
    columns: Columns, lattice: Lattice, assigned: SpeciesAssignment, element: str | None
) -> Composition:
    """Count an element on the sublattice whose columns may hold it or not.

    Parameters
    ----------
    columns : Columns
        With ``sublattice``.
    lattice : Lattice
    assigned : SpeciesAssignment
        Of these columns.
    element : str, optional
        None says that there is nothing to count.

    Returns
    -------
    Composition

    Raises
    ------
    StemnetError
        If no element is named, or no sublattice holds it in some columns and not, or less, in others.
    """
    if element is None:
        raise StemnetError(
            "The composition is left out: no element was named. Name one: study.method.element=Se."
        )
    counts = {s: [atoms_of(name, element) for name in found.names] for s, found in assigned.levels.items()}
    mixed = [s for s, number in counts.items() if len(set(number)) > 1]
    if not mixed:
        raise StemnetError(
            f"The composition is left out: no sublattice may hold {element} in some columns and less in others; the "
            f"species are {', '.join(assigned.names)}. Name them by sublattice: study.method.species."
        )
    s = mixed[0]
    sites = max(atoms_of(name) for name in assigned.levels[s].names)
    number = np.array([atoms_of(name, element) for name in assigned.names])
    expected = np.where(assigned.sublattice == s, assigned.posterior @ number / sites, np.nan)
    shells = lattice_shells(columns, lattice, sublattice=s, count=SHELLS)
    around = local_composition(columns, expected, shells, own=True)
    direction, slope, error = _plane(columns.yx, expected)
    local = np.where(around.valid, around.values[:, 0], np.nan)
    return Composition(element, s, sites, expected, local, direction, slope, error)


def _plane(yx: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Steepest direction (2,), slope and its standard error, of a plane through values (N,)."""
    known = np.isfinite(values)
    if known.sum() < FEWEST:
        return np.array([0.0, 1.0]), float("nan"), float("nan")
    design = np.column_stack([np.ones(known.sum()), yx[known] - yx[known].mean(axis=0)])
    solved, *_ = np.linalg.lstsq(design, values[known], rcond=None)
    rest = values[known] - design @ solved
    covariance = np.linalg.pinv(design.T @ design) * (rest**2).sum() / max(len(rest) - 3, 1)
    slope = float(np.hypot(*solved[1:]))
    direction = solved[1:] / slope if slope > 0 else np.array([0.0, 1.0])
    return direction, slope, float(np.sqrt(direction @ covariance[1:, 1:] @ direction))


def profile(
    yx: np.ndarray, values: np.ndarray, direction: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means of values (N,) in steps along a direction.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        [px]
    values : ndarray, shape (N,)
        NaN where unknown.
    direction : ndarray, shape (2,)

    Returns
    -------
    place, mean, error : ndarray, shape (P,)
        Middle of the columns of each step along the direction [px], their mean,
        and its standard error from their number.
    """
    known = np.isfinite(values)
    place, value = yx[known] @ direction, values[known]
    if len(place) < FEWEST:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    edges = np.linspace(place.min(), place.max(), STEPS + 1)
    step = np.clip(np.searchsorted(edges, place, side="right") - 1, 0, STEPS - 1)
    rows = [np.nonzero(step == i)[0] for i in range(STEPS)]
    rows = [part for part in rows if len(part) >= FEWEST]
    return (
        np.array([place[part].mean() for part in rows]),
        np.array([value[part].mean() for part in rows]),
        np.array([value[part].std(ddof=1) / np.sqrt(len(part)) for part in rows]),
    )
