"""What repeats in a lattice: the columns of one cell, and whether those of two lattices are alike."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.basis import reduced
from stemnet.descriptors.indices import sublattice_offsets
from stemnet.descriptors.lattice import Lattice
from stemnet.errors import StemnetError

SEEN = 0.25  # a sublattice counts if it has this share of the columns of the fullest one
MOST_STRETCH = 0.2  # drift shears a lattice by a tenth and more; a square is not yet a hexagon
FREEDOM = 0.04  # changes of basis that fit within this of the best are all tried
PLACE_GATE = 0.2  # columns are at the same place within this share of the nearest spacing
BRIGHTNESS_GATE = 0.8  # of a log ratio: thickness, detector and filters alter a brightness twofold
ALIKE = (0.05, 0.3)  # log ratio below which columns are of a kind, and the one that then may be measured
CHANGES = np.array([m for m in product((-1, 0, 1), repeat=4) if abs(m[0] * m[3] - m[1] * m[2]) == 1]).reshape(
    -1, 2, 2
)


@dataclass(frozen=True)
class Motif:
    """One cell of a two-dimensional crystal.

    Parameters
    ----------
    vectors : ndarray, shape (2, 2)
        Lattice vectors a and b as rows (y, x), in any unit of length.
    places : ndarray, shape (S, 2)
        Where the columns are, fractions of (a, b).
    brightness : ndarray, shape (S,)
        Positive, in any unit.
    name : str
        Of the crystal; empty if it is not known.

    Raises
    ------
    StemnetError
        If places and brightness disagree, or there are none.
    """

    vectors: np.ndarray
    places: np.ndarray
    brightness: np.ndarray
    name: str = ""

    def __post_init__(self) -> None:
        if self.places.shape != (len(self.brightness), 2) or not len(self.brightness):
            raise StemnetError(
                f"A motif came with places of shape {self.places.shape} and {len(self.brightness)} brightnesses; "
                "give one of each per column of the cell."
            )

    def __len__(self) -> int:
        return len(self.brightness)

    @property
    def edges(self) -> tuple[float, float]:
        """Lengths of the reduced vectors, the shorter first, in the unit of the vectors."""
        a, b = sorted(np.hypot(*reduced(self.vectors).T))
        return float(a), float(b)

    @property
    def nearest_spacing(self) -> float:
        """Distance between the closest two columns, in the unit of the vectors."""
        steps = np.array(list(product((-1, 0, 1), repeat=2)))
        away = (self.places[:, None, None] - self.places[None, :, None] + steps) @ self.vectors
        lengths = np.hypot(away[..., 0], away[..., 1])
        return float(lengths[lengths > 1e-6 * lengths.max()].min())


@dataclass(frozen=True)
class Resemblance:
    """How well a known crystal fits a found motif.

    Parameters
    ----------
    known : Motif
        In angstrom.
    sampling : float
        [A/px] that makes the found cell as large as the known one.
    low, high : float
        The same along the directions in which the found lattice is stretched
        most and least [A/px]; equal without drift and strain.
    misfit : float
        From 0: of places, brightness and shape together.
    """

    known: Motif
    sampling: float
    low: float
    high: float
    misfit: float

    @property
    def stretch(self) -> float:
        """How much longer one direction is than the other, against the known cell, as a share."""
        return self.high / self.low - 1


def find_motif(columns: Columns, lattice: Lattice) -> Motif:
    """Average the columns into one cell.

    Parameters
    ----------
    columns : Columns
        With ``sublattice``, and ``intensity`` if it is known; all of one frame,
        or frames laid apart.
    lattice : Lattice
        From `find_lattice`.

    Returns
    -------
    Motif
        One place per sublattice that has a quarter of the fullest one's columns
        or more; vectors in pixels.

    Raises
    ------
    StemnetError
        If no column has a sublattice.
    """
    label = np.asarray(columns["sublattice"], dtype=int)
    if not (label >= 0).any():
        raise StemnetError(
            "None of the columns has a sublattice; a motif needs one. Find the sublattices first."
        )
    amount = np.bincount(label[label >= 0])
    kept = np.nonzero(amount >= max(SEEN * amount.max(), 3))[0]
    kept = kept if len(kept) else np.array([amount.argmax()])
    number = np.full(len(amount) + 1, -1)  # the last is for -1
    number[kept] = np.arange(len(kept))
    label = number[label]
    places = sublattice_offsets(columns.yx, label, lattice.vectors)
    intensity = columns.fields.get("intensity", np.ones(len(columns)))
    brightness = np.array([np.nanmedian(intensity[label == s]) for s in range(len(kept))])
    return Motif(lattice.vectors, places, np.maximum(brightness, 1e-6 * np.abs(brightness).max() + 1e-300))


def resemblance(found: Motif, known: Motif) -> Resemblance | None:
    """Lay a known cell over a found one, turned, mirrored and sheared a little.

    Parameters
    ----------
    found : Motif
        In pixels.
    known : Motif
        In angstrom.

    Returns
    -------
    Resemblance or None
        None where the shape of the cell, the number of columns in it, their
        places or their brightness differ.
    """
    if len(found) != len(known):
        return None
    vectors, cell = reduced(found.vectors), reduced(known.vectors)
    here = found.places @ found.vectors @ np.linalg.inv(vectors)
    there = known.places @ known.vectors @ np.linalg.inv(cell)
    ways = np.linalg.svd(np.linalg.inv(vectors) @ (CHANGES @ cell), compute_uv=False)
    stretch = ways[:, 0] / ways[:, 1] - 1
    if stretch.min() > MOST_STRETCH:
        return None
    gate = PLACE_GATE * Motif(vectors, here, found.brightness).nearest_spacing
    best = None
    for row in np.nonzero(stretch < stretch.min() + FREEDOM)[0]:
        misfit = _misfit(here, there @ np.linalg.inv(CHANGES[row]), vectors, gate, found, known)
        if misfit is not None and (best is None or misfit + stretch[row] < best[0]):
            best = misfit + stretch[row], row
    if best is None:
        return None
    high, low = ways[best[1]]
    return Resemblance(known, float(np.sqrt(high * low)), float(low), float(high), float(best[0]))


def _misfit(here, there, vectors, gate, found, known):
    """Distance of two motifs in one basis, the smallest over all shifts; None where they differ."""
    best = None
    for shift in here[0] - there:
        away = here[:, None] - (there + shift)
        away = np.linalg.norm((away - np.round(away)) @ vectors, axis=-1)
        match = away.argmin(axis=1)
        off = away[np.arange(len(here)), match]
        if len(set(match)) < len(match) or off.max() > gate:
            continue
        measured = np.log(found.brightness / found.brightness[0])
        ideal = np.log(known.brightness[match] / known.brightness[match[0]])
        differs = np.abs(measured - ideal)
        of_a_kind = np.abs(ideal) < ALIKE[0]
        if (differs > np.where(of_a_kind, ALIKE[1], BRIGHTNESS_GATE)).any():
            continue
        misfit = off.max() / gate * PLACE_GATE + 0.3 * differs.max()
        best = misfit if best is None else min(best, misfit)
    return best
