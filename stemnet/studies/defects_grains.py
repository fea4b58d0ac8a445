"""The grains of an image, each with the lattice and the sublattices that its own columns have."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from stemnet.columns import Columns
from stemnet.descriptors.lattice import Lattice, column_spacing
from stemnet.descriptors.neighbors import lattice_of
from stemnet.descriptors.reference import Reference, reference_lattice
from stemnet.errors import StemnetError
from stemnet.studies.defects_adopted import adopted
from stemnet.studies.framework import find_framework

FILLED = 0.5  # of the columns of the fullest sublattice
ABOVE = (
    4.5  # standard errors that most columns of a sublattice are more significant than the least that is found
)
ALIKE = 0.8  # of the significance of the fullest sublattice, which is judged in any case
AROUND, COMPANY = (
    8,
    2,
)  # nearest columns, and how many of its own a column has that only seems to be of a grain
FLUKES, FAINTEST = 2, 4.0  # columns found with less than others would be; what is found in any image
DIM = 0.5  # of the darkest sublattice that is seen: what is fainter, off the lattice, is oxygen or noise


@dataclass(frozen=True)
class Grains:
    """Columns with their grain and sublattice.

    Parameters
    ----------
    columns : Columns
        With ``grain``, and ``sublattice`` counted through all grains; -1 off every lattice.
    reference : Reference
        Of these columns, with the same numbers.
    lattices : tuple of Lattice, length G
    home : ndarray of int, shape (S,)
        Grain of every sublattice.
    seen : ndarray of bool, shape (S,)
        Sublattices whose columns are bright enough not to be overlooked.
    strong : ndarray of bool, shape (N,)
        Columns on these, and those off every lattice that are as bright.
    spacing : float
        Median distance of the nearest of these columns [px].
    notes : tuple of str
    """

    columns: Columns
    reference: Reference
    lattices: tuple[Lattice, ...]
    home: np.ndarray
    seen: np.ndarray
    strong: np.ndarray
    spacing: float
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.lattices)

    def edge_distance(self, yx: np.ndarray) -> np.ndarray:
        """Distance of places (M, 2) from the edge of the image [px]."""
        yx = np.asarray(yx).reshape(-1, 2)
        return np.minimum(yx + 0.5, np.array(self.columns.shape) - 0.5 - yx).min(axis=1)

    def name(self, sublattice: int) -> str:
        """What a sublattice is called: by its number within its grain, the brightest 0."""
        grain = self.home[sublattice]
        number = int(sublattice - np.nonzero(self.home == grain)[0][0])
        return f"sublattice {number}" + (f" of grain {grain}" if len(self) > 1 else "")


def find_grains(columns: Columns) -> Grains:
    """Find the grains of one frame.

    Raises
    ------
    StemnetError
        If there are too few columns, or they follow no lattice.
    """
    whole = find_framework(columns)
    if whole.lattice is None:
        raise StemnetError(
            f"The {len(columns)} columns follow no lattice, against which defects could be found; a crystal of twelve "
            "columns or more is needed. Check the columns on the image."
        )
    first = _parts(columns, whole.lattice)
    n = len(columns)
    grain, label = np.full(n, -1), np.full(n, -1)
    ideal, cells, fitted = np.full((n, 2), np.nan), np.full((n, 2), -1), np.zeros(n, bool)
    lattices: list[Lattice] = []
    vectors, spread = [], []
    home: list[int] = []
    notes = [whole.note] if whole.note and len(first.vectors) == 1 else []
    settled = _settled(columns.yx, first.grain)
    for g in range(len(first.vectors)):
        rows = np.nonzero(settled == g)[0]
        lattice: Lattice | None = whole.lattice
        if len(first.vectors) > 1:
            lattice = find_framework(columns.select(rows)).lattice
        if lattice is None:
            continue
        part = reference_lattice(columns.select(rows), lattice)
        mine = part.rows(0)
        kept = rows[mine]
        begin, count = len(home), int(part.sublattice[mine].max()) + 1
        grain[kept], label[kept] = len(lattices), begin + part.sublattice[mine]
        ideal[kept], cells[kept], fitted[kept] = part.ideal[mine], part.cells[mine], part.fitted[mine]
        home += [len(lattices)] * count
        lattices.append(replace(lattice, vectors=part.vectors[0]))
        vectors.append(part.vectors[0])
        spread.append(part.spread[0])
    if not lattices:
        raise StemnetError("No grain of the image has a lattice of its own. Check the columns on the image.")
    reference = Reference(
        ideal, columns.yx - ideal, grain, cells, label, fitted, np.array(vectors), np.array(spread)
    )
    seen = seen_sublattices(columns, label, np.array(home))
    strong = _strong(columns, label, seen)
    spacing = column_spacing(columns.yx[strong])
    # what is added here stands where a column of its kind was expected
    reference = adopted(columns.yx, reference, np.nonzero(strong & (label < 0))[0], spacing)
    known = columns.with_fields(sublattice=reference.sublattice, grain=reference.grain)
    return Grains(known, reference, tuple(lattices), np.array(home), seen, strong, spacing, tuple(notes))


def _parts(columns, lattice):
    """Grains by the lattice of all positions where these are several, else by the one that intensities have too.

    Two grains that share every n-th site have a larger lattice in common, and it must not hide the boundary.
    """
    simple = lattice_of(columns)
    if simple is not None:
        parts = reference_lattice(columns, simple)
        if len(parts.vectors) > 1:
            return parts
    return reference_lattice(columns, lattice)


def _settled(yx, grain):
    """Grain of every column, (N,), where the few that fit to the lattice of a far grain by chance join that around."""
    near = cKDTree(yx).query(yx, k=min(AROUND + 1, len(yx)))[1][:, 1:]
    around = grain[near]
    votes = np.stack([(around == g).sum(axis=1) for g in range(grain.max() + 1)], axis=1)
    most = votes.argmax(axis=1)
    own = votes[np.arange(len(yx)), np.maximum(grain, 0)]
    stray = (grain >= 0) & (own <= COMPANY) & (votes.max(axis=1) > AROUND / 2)
    return np.where(stray, most, grain)


def seen_sublattices(columns: Columns, label: np.ndarray, home: np.ndarray) -> np.ndarray:
    """Sublattices (S,) that are as well filled as any of their grain, and well above what is found at all.

    Parameters
    ----------
    columns : Columns
    label : ndarray of int, shape (N,)
        Sublattice of every column; -1 for none.
    home : ndarray of int, shape (S,)
        Grain of every sublattice.
    """
    count = np.bincount(label[label >= 0], minlength=len(home))
    most = np.array([count[home == grain].max() for grain in home])
    seen = count >= FILLED * most
    if "significance" in columns:
        significance = np.asarray(columns["significance"], dtype=float)
        lowest = min(np.sort(significance)[min(FLUKES, len(columns) - 1)], FAINTEST)
        usual = np.array(
            [np.nanmedian(significance[label == s]) if count[s] else 0.0 for s in range(len(home))]
        )
        brightest = np.array([usual[home == grain][count[home == grain].argmax()] for grain in home])
        seen &= (usual - lowest >= ABOVE) | (usual >= ALIKE * brightest)
    return seen


def _strong(columns, label, seen):
    """Columns (N,) of the sublattices that are seen, and those off the lattices that are not much darker."""
    on = (label >= 0) & seen[np.maximum(label, 0)]
    if "intensity" not in columns:
        return on | (label < 0)
    intensity = np.abs(np.asarray(columns["intensity"], dtype=float))
    dimmest = min(np.nanmedian(intensity[label == s]) for s in np.unique(label[on]))
    return on | ((label < 0) & (intensity >= DIM * dimmest))


def beside_other_grain(grains: Grains, yx: np.ndarray, grain: np.ndarray) -> np.ndarray:
    """Distance of places (M, 2) in a grain (M,) to the nearest column of another grain, (M,) [px]."""
    theirs = np.asarray(grains.columns["grain"])
    away = np.full(len(yx), np.inf)
    for g in range(len(grains)):
        others, mine = (theirs >= 0) & (theirs != g), grain == g
        if others.any() and mine.any():
            away[mine] = cKDTree(grains.columns.yx[others]).query(yx[mine])[0]
    return away
