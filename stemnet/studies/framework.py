"""The lattice that studies measure against, found in spite of faint columns between the strong ones.

Where oxygen is seen, all columns of a perovskite lie on a lattice that is finer
than its cell by sqrt(2), and A and B on one sublattice of it. The intensities
know better: what is ordered on every second or third cell makes the cell larger.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.autocorrelation import local_contrast
from stemnet.descriptors.basis import neighbor_count, reduced
from stemnet.descriptors.indices import lattice_indices
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.neighbors import lattice_of
from stemnet.descriptors.sublattices import assign_sublattices
from stemnet.studies.measured import Measured

# bases, in the found vectors, of all cells that are two, three or four times as large (Hermite normal forms)
LARGER = tuple(
    ((a, b), (0, times // a)) for times in (2, 3, 4) for a in range(1, times + 1) if times % a == 0
    for b in range(times // a)
)  # fmt: skip
ORDERED = 0.5  # share of the variance of the intensities that a larger cell must explain
ENOUGH = 24  # columns of a sublattice, of which chance explains a tenth
NEARLY = 0.95  # of what the best larger cell explains; the smallest that explains so much is taken
TWICE = 2  # how often a cell is enlarged: sixfold, eightfold and ninefold cells are found too
DOUBTFUL = 0.6  # share of columns on the lattice, below which the bright ones are asked alone
COARSE = 2.5  # times the standard error of the best sublattice; beyond, a sublattice adds noise only
SPARSE = 0.5  # of the columns of the fullest sublattice


@dataclass(frozen=True)
class Framework:
    """Columns with their sublattices.

    Parameters
    ----------
    columns : Columns
        As given, with ``sublattice``: the brightest 0, -1 off the lattice.
    lattice : Lattice or None
        None where there is none; all columns are then on sublattice 0.
    firm : ndarray of bool, shape (N,)
        Columns of the sublattices that lattice and strain are best measured
        from: well filled, with small errors of position. All, where there is no lattice.
    note : str
        What the user should know; empty where nothing is special.
    """

    columns: Columns
    lattice: Lattice | None
    firm: np.ndarray
    note: str = ""


def first_rows(measured: Measured) -> np.ndarray:
    """Which rows belong to the first frame, which is the one that is studied, (N,)."""
    if "frame" not in measured.columns:
        return np.ones(len(measured.columns), dtype=bool)
    return np.asarray(measured.columns["frame"]) == 0


def find_framework(columns: Columns) -> Framework:
    """Find lattice and sublattices, the cell being the one that intensities have too.

    Parameters
    ----------
    columns : Columns
        With ``intensity`` where it is known, and ``sigma_y``, ``sigma_x`` [px].

    Returns
    -------
    Framework
    """
    whole = lattice_of(columns)
    lattice, notes = whole, []
    if whole is None or whole.confidence < DOUBTFUL:
        bright = lattice_of(columns.select(brighter(columns)))
        if bright is not None and (whole is None or bright.confidence > whole.confidence):
            lattice = bright
            notes.append("The lattice is that of the brighter columns; all together follow none well.")
    if lattice is None:
        none = columns.with_fields(sublattice=np.zeros(len(columns), int))
        return Framework(none, None, np.ones(len(columns), bool), "The columns follow no lattice.")
    label = assign_sublattices(columns, lattice)
    times = 1
    for _ in range(TWICE):
        larger = _ordered_cell(columns, lattice, label)
        if larger is None:
            break
        times *= round(abs(np.linalg.det(larger) / np.linalg.det(lattice.vectors)))
        lattice = replace(lattice, vectors=larger, k=neighbor_count(larger))
        label = assign_sublattices(columns, lattice)
    if times > 1:
        notes.append(
            f"By their intensities columns of different kinds take turns on the lattice of the positions; the cell is "
            f"{times} times that of the positions."
        )
    notes += [lattice.note] if lattice.note else []
    labeled = columns.with_fields(sublattice=label)
    return Framework(labeled, lattice, _firm(labeled), " ".join(notes))


def brighter(columns: Columns) -> np.ndarray:
    """The brighter of two classes of log intensity, (N,), parted as in N. Otsu, IEEE Trans. SMC 9, 62, 1979."""
    intensity = np.asarray(columns.fields.get("intensity", np.ones(len(columns))), dtype=float)
    known = np.isfinite(intensity) & (intensity > 0)
    if known.sum() < 2:
        return known
    log = np.sort(np.log(intensity[known]))
    below = np.arange(1, len(log))
    sums = np.cumsum(log)[:-1]
    apart = sums / below - (log.sum() - sums) / (len(log) - below)
    cut = int(np.argmax(below * (len(log) - below) * apart**2))
    return known & (intensity > np.exp((log[cut] + log[cut + 1]) / 2))


def _ordered_cell(columns: Columns, lattice: Lattice, label: np.ndarray) -> np.ndarray | None:
    """Vectors of the larger cell on which intensities are ordered, (2, 2); None where they are not."""
    if "intensity" not in columns:
        return None
    cells = lattice_indices(columns.with_fields(sublattice=label), lattice)
    intensity = np.asarray(columns["intensity"], dtype=float)
    explained = np.zeros(len(LARGER))
    for s in np.unique(label[label >= 0]):
        rows = np.nonzero((label == s) & (cells[:, 0] >= 0) & np.isfinite(intensity))[0]
        if len(rows) < ENOUGH:
            continue
        # against the columns around, so that no gradient of thickness passes for order
        contrast = local_contrast(columns.yx[rows], intensity[rows])
        shares = [_explained(contrast, cells[rows], np.array(larger)) for larger in LARGER]
        explained = np.maximum(explained, shares)
    if explained.max() < ORDERED:
        return None
    times = np.array([round(abs(np.linalg.det(larger))) for larger in LARGER])
    enough = explained >= NEARLY * explained.max()
    best = max(np.nonzero(enough)[0], key=lambda i: (-times[i], explained[i]))
    return reduced(np.array(LARGER[best]) @ lattice.vectors)


def _explained(contrast: np.ndarray, cells: np.ndarray, larger: np.ndarray) -> float:
    """Share of the variance of a value (n,) that lies between the places of a larger cell."""
    times = round(abs(np.linalg.det(larger)))
    place = np.round(cells @ np.linalg.inv(larger) * times).astype(int) % times
    group = np.unique(place, axis=0, return_inverse=True)[1].ravel()
    amount = np.bincount(group)
    mean = np.bincount(group, contrast) / amount
    total = ((contrast - contrast.mean()) ** 2).sum()
    return float((amount * (mean - contrast.mean()) ** 2).sum() / total) if total > 0 else 0.0


def _firm(columns: Columns) -> np.ndarray:
    """Columns of the sublattices that are well filled and whose positions are known best, (N,)."""
    label = np.asarray(columns["sublattice"])
    present, amount = np.unique(label[label >= 0], return_counts=True)
    if not len(present):
        return np.zeros(len(columns), bool)
    if "sigma_y" in columns and "sigma_x" in columns:
        sigma = np.hypot(columns["sigma_y"], columns["sigma_x"])
        error = np.array(
            [
                np.nanmedian(sigma[label == s]) if np.isfinite(sigma[label == s]).any() else np.inf
                for s in present
            ]
        )
    else:
        error = np.ones(len(present))
    filled = amount >= SPARSE * amount.max()
    good = filled & (error <= COARSE * error[filled].min())
    return np.isin(label, present[good])
