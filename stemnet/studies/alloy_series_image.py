"""What each image of an alloy series says by itself: species, composition, order, neighbor vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stemnet.analysis.species import SpeciesAssignment, assign_species
from stemnet.columns import Columns
from stemnet.descriptors.composition import Share, global_composition, local_composition
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.neighbor_errors import neighbor_errors
from stemnet.descriptors.neighbors import neighbor_vectors
from stemnet.descriptors.shells import Shells, lattice_shells
from stemnet.descriptors.short_range_order import ShortRangeOrder, short_range_order
from stemnet.descriptors.table import Descriptors
from stemnet.descriptors.unlike_neighbors import BinomialComparison, compare_with_binomial, unlike_neighbors
from stemnet.errors import StemnetError
from stemnet.studies.described import with_sublattices
from stemnet.studies.measured import Measured
from stemnet.studies.noted import or_note

RIGHT = 0.99
"""Share of species that are to be told rightly."""


@dataclass(frozen=True)
class AlloyImage:
    """One image of the series.

    Parameters
    ----------
    name : str
    measured : Measured
    rows : ndarray of int, shape (N,)
        Rows of the first frame among all columns of `measured`.
    columns : Columns
        Of the first frame, with ``sublattice``.
    lattice : Lattice
    sublattice : int
        That the species mix on.
    species : SpeciesAssignment
    probability : ndarray, shape (N,)
        That a column is of the counted species; NaN on other sublattices.
    composition : Share
    shells : Shells
    local : ndarray, shape (N,)
        Share of the species among the nearest neighbors; NaN where the shell is not full.
    unlike : ndarray, shape (N,)
        Nearest neighbors of another species; NaN where the shell is not full.
    order : ShortRangeOrder
    binomial : BinomialComparison or None
        None where no column has a full shell.
    vectors : Descriptors
        To the nearest columns of the sublattice.
    errors : ndarray, shape (N, 2 k, 2 k), or None
        Their covariances; None where positions have no errors.
    notes : tuple of str
    """

    name: str
    measured: Measured
    rows: np.ndarray
    columns: Columns
    lattice: Lattice
    sublattice: int
    species: SpeciesAssignment
    probability: np.ndarray
    composition: Share
    shells: Shells
    local: np.ndarray
    unlike: np.ndarray
    order: ShortRangeOrder
    binomial: BinomialComparison | None
    vectors: Descriptors
    errors: np.ndarray | None
    notes: tuple[str, ...]

    @property
    def counted(self) -> np.ndarray:
        """Columns that are likelier the counted species than another, (N,)."""
        return np.nan_to_num(self.probability) > 0.5

    @property
    def guessed(self) -> bool:
        """Whether intensities do not say which species is which, as where all columns are alike."""
        known = self.probability[np.isfinite(self.probability)]
        return self.species.ambiguous or not (known > 0.5).any() or not (known < 0.5).any()

    def true(self, name: str) -> np.ndarray | None:
        """A planted value on the rows of the columns, (N,); None where it is not known."""
        truth = self.measured.truth
        return None if truth is None or name not in truth.columns else truth.of(name)[self.rows]


def alloy_image(
    measured: Measured, species: Sequence[str], *, sublattice: int, shells: int, seed: int
) -> AlloyImage:
    """Tell species apart and describe what surrounds every column.

    Parameters
    ----------
    measured : Measured
    species : sequence of str
        Two or more; the first is the one that is counted.
    sublattice : int
        That they mix on, the brightest 0.
    shells : int
        Of neighbors, for the short-range order.
    seed : int

    Returns
    -------
    AlloyImage

    Raises
    ------
    StemnetError
        If there is no lattice, no such sublattice, or no column of known intensity.
    """
    frame = np.asarray(measured.columns["frame"]) if "frame" in measured.columns else 0
    rows = np.flatnonzero(np.broadcast_to(frame == 0, (len(measured.columns),)))
    columns, lattice = with_sublattices(measured.columns.select(rows))
    if lattice is None:
        raise StemnetError(
            f"No lattice was found in {len(columns)} columns; an alloy is studied on the sites of one. "
            "Take a larger or cleaner part of the image."
        )
    label = np.asarray(columns["sublattice"])
    if not (label == sublattice).any():
        known = ", ".join(map(str, np.unique(label[label >= 0]))) or "none"
        raise StemnetError(
            f"Sublattice {sublattice} was asked for, but the columns have {known}; choose one of these."
        )
    notes: list[str] = []
    found = assign_species(columns, {sublattice: tuple(species)}, random_state=seed)
    notes += found.notes
    probability = found.of(species[0], sublattice)
    sure = float(np.nanmean(np.maximum(probability, 1 - probability)))
    if sure < RIGHT:
        notes.append(
            f"By their intensities {sure:.1%} of the species are told rightly; composition and order err with the rest."
        )
    near = lattice_shells(columns, lattice, sublattice=sublattice, count=shells)
    local = local_composition(columns, probability, near, up_to=1, least=1.0)
    unlike = unlike_neighbors(columns, probability, near)
    order = short_range_order(columns, probability, near, random_state=seed)
    binomial = or_note(notes, lambda: compare_with_binomial(probability, near, random_state=seed))
    vectors = neighbor_vectors(columns, center=sublattice, lattice=lattice)
    errors = or_note(notes, lambda: neighbor_errors(columns, vectors))
    return AlloyImage(
        measured.name,
        measured,
        rows,
        columns,
        lattice,
        sublattice,
        found,
        probability,
        global_composition(probability),
        near,
        local.values[:, 0],
        unlike.values[:, 0],
        order,
        binomial,
        vectors,
        errors,
        tuple(notes),
    )
