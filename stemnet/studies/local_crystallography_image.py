"""What local crystallography finds in one image."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stemnet.analysis.environments import Environments, environments
from stemnet.columns import Columns
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.neighbor_errors import neighbor_errors
from stemnet.descriptors.neighbors import neighbor_vectors
from stemnet.descriptors.table import Descriptors
from stemnet.studies.described import CLEAR, with_sublattices
from stemnet.studies.local_crystallography_shear import Shear, shear
from stemnet.studies.local_crystallography_shifts import Shifts, shifts
from stemnet.studies.local_crystallography_sites import on_one_lattice, site_kinds
from stemnet.studies.measured import Measured
from stemnet.studies.noted import or_note

CHOICES = (2, 3, 4, 5, 6, 7, 8)
DOMAINS = (2, 3, 4)


@dataclass(frozen=True)
class LocalImage:
    """One image.

    Parameters
    ----------
    measured : Measured
    rows : ndarray of int, shape (N,)
        Of the first frame among all columns of `measured`.
    columns : Columns
        Of the first frame, with ``sublattice``.
    lattice : Lattice or None
        That the positions follow.
    neighbors : "same", "all" or int
        Sublattice of the neighbors.
    vectors : Descriptors
        To the neighbors, of the columns of the chosen sublattice.
    kinds : ndarray of int, shape (N,)
        Of site, the brightest 0; -1 unknown.
    all : Environments
        Of all columns.
    shifts : Shifts
    domains : Environments or None
        Of the columns of the kind that is shifted most; None where they are of one environment.
    shear : Shear or None
    notes : tuple of str
    """

    measured: Measured
    rows: np.ndarray
    columns: Columns
    lattice: Lattice | None
    neighbors: str | int
    vectors: Descriptors
    kinds: np.ndarray
    all: Environments
    shifts: Shifts
    domains: Environments | None
    shear: Shear | None
    notes: tuple[str, ...]

    @property
    def polar(self) -> np.ndarray:
        """Columns of the kind that is shifted most whose neighbors are all there, (N,)."""
        return self.vectors.valid & (self.kinds == self.shifts.kind) & (self.shifts.kind >= 0)

    @property
    def caged(self) -> bool:
        """Whether neighbors are of other kinds than the column, so that its shift is polar, and planted as such."""
        return self.neighbors != "same" or self.kinds.max(initial=-1) > 0

    @property
    def domain(self) -> np.ndarray:
        """Domain of each of these columns, (N,); -1 for all others."""
        return np.where(self.polar, 0, -1) if self.domains is None else self.domains.vectors.labels

    @property
    def length(self) -> tuple[float, str]:
        """From the unit of the vectors to that of small lengths, and its name."""
        return (1.0, "px") if self.columns.sampling is None else (100.0, "pm")

    def true(self, name: str) -> np.ndarray | None:
        """A planted value on the rows of the columns, (N,); None where it is not known."""
        truth = self.measured.truth
        return None if truth is None or name not in truth.columns else truth.of(name)[self.rows]


def local_image(
    measured: Measured, *, center: int, neighbors: str | int, clusters: int | None, seed: int
) -> LocalImage:
    """Describe the environments of one image.

    Parameters
    ----------
    measured : Measured
    center : int
        Sublattice of the positions whose columns are described, the brightest 0.
    neighbors : "same", "all" or int
        Sublattice of the neighbors.
    clusters : int or None
        Of k-means; None for the best silhouette.
    seed : int

    Returns
    -------
    LocalImage

    Raises
    ------
    StemnetError
        If too few columns have all of their neighbors.
    """
    frame = np.asarray(measured.columns["frame"]) if "frame" in measured.columns else 0
    rows = np.flatnonzero(np.broadcast_to(frame == 0, (len(measured.columns),)))
    columns = measured.columns.select(rows)
    notes: list[str] = []
    columns, lattice = on_one_lattice(*with_sublattices(columns))
    vectors = neighbor_vectors(columns, center=center, neighbors=neighbors, lattice=lattice)
    found = environments(vectors, seed=seed, clusters=clusters, choices=CHOICES)
    errors = or_note(notes, lambda: neighbor_errors(columns, vectors))
    if lattice is None:
        notes.append(
            "The columns follow no lattice: neighbors are ordered by angle alone, and there is neither shift nor shear."
        )
    kinds = np.full(len(columns), -1) if lattice is None else site_kinds(columns, lattice, center)
    moved = shifts(vectors, errors, kinds)
    sheared = None if lattice is None else or_note(notes, lambda: shear(columns, lattice, kinds, moved.kind))
    image = LocalImage(
        measured, rows, columns, lattice, neighbors, vectors, kinds, found, moved, None, sheared, ()
    )
    domains = or_note(notes, lambda: _domains(image, seed)) if image.polar.any() else None
    if domains is not None and domains.vectors.silhouette < CLEAR:
        notes.append(
            f"The most shifted columns are of one domain: no k-means of their environments stands apart "
            f"(silhouette {domains.vectors.silhouette:.2f}, {CLEAR:g} needed)."
        )
        domains = None
    return replace(image, domains=domains, notes=tuple(notes))


def _domains(image: LocalImage, seed: int) -> Environments:
    polar = image.polar
    values = np.where(polar[:, None], image.vectors.values, np.nan)
    return environments(replace(image.vectors, values=values, valid=polar), seed=seed, choices=DOMAINS)
