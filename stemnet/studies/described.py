"""The lattice and the sublattices of found columns, which most studies begin with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.neighbors import lattice_of, sublattice_of
from stemnet.errors import StemnetError
from stemnet.studies.findings import Findings, joined
from stemnet.studies.measured import Measured

CLEAR, WEAK = 0.5, 0.25
"""Silhouettes of a reasonable and of a weak structure (Kaufman and Rousseeuw, Finding Groups in Data, Wiley, 1990)."""


def kinds_in_words(count: int, silhouette: float, what: str) -> str:
    """How many kinds clusters tell apart, and whether that many are there at all: k-means finds some in any cloud.

    Parameters
    ----------
    count : int
        Clusters.
    silhouette : float
        Mean of all rows; NaN if unknown.
    what : str
        What comes after the word "kinds".
    """
    if not silhouette >= WEAK:
        return f"no kinds {what} (silhouette {silhouette:.2f})"
    weakly = "" if silhouette >= CLEAR else "weakly told apart, "
    return f"{count} kinds {what} ({weakly}silhouette {silhouette:.2f})"


def with_sublattices(columns: Columns) -> tuple[Columns, Lattice | None]:
    """Columns with the field ``sublattice``, and their lattice where there is one."""
    lattice = lattice_of(columns)
    return columns.with_fields(sublattice=sublattice_of(columns, lattice)), lattice


def first_frame(measured: Measured) -> Columns:
    """The columns of the first frame, which is the one that is drawn."""
    frame = np.asarray(measured.columns["frame"]) if "frame" in measured.columns else 0
    return measured.columns.select(np.broadcast_to(frame == 0, (len(measured.columns),)))


def each(inputs: Sequence[Measured], one: Callable[[Measured], Findings]) -> Findings:
    """A study input by input; what stops one of them becomes a note, and the others go on.

    Raises
    ------
    StemnetError
        If no input could be studied: what was said of the first.
    """
    parts, reasons = [], []
    for measured in inputs:
        try:
            part = one(measured)
        except StemnetError as error:
            reasons.append(f"{measured.name}: {error}")
            continue
        doubt = () if measured.confident else (f"{measured.name}: the columns are of low confidence.",)
        parts.append(replace(part, notes=(*doubt, *(f"{measured.name}: {note}" for note in part.notes))))
    if not parts:
        raise StemnetError(reasons[0])
    found = joined(parts)
    return replace(found, notes=(*reasons, *found.notes))
