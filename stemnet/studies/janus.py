"""Species of columns that hold one or two atoms, their composition, and the columns that are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from stemnet.analysis.intensity import intensity_classes
from stemnet.analysis.species import assign_species
from stemnet.descriptors.missing_sites import missing_sites
from stemnet.descriptors.reference import reference_lattice
from stemnet.errors import StemnetError
from stemnet.studies.described import each, first_frame
from stemnet.studies.findings import Findings, Table
from stemnet.studies.framework import find_framework
from stemnet.studies.janus_composition import composition
from stemnet.studies.janus_doubts import missed_reliably, other_lattice, other_levels
from stemnet.studies.janus_kinds import Kinds
from stemnet.studies.janus_numbers import numbers_of
from stemnet.studies.janus_pictures import pictures_of
from stemnet.studies.janus_score import MISSING
from stemnet.studies.measured import Measured

NAMELESS = (
    "No species were named, so levels of intensity have numbers; name them by sublattice: "
    '"study.method.species={0: [W], 1: [Se2, SSe, S2]}".'
)


def study(
    inputs: Sequence[Measured],
    *,
    seed: int = 0,
    species: Mapping[int, Sequence[str]] | None = None,
    element: str | None = None,
) -> Findings:
    """Tell the species of columns by their intensities, and find the columns that are missing.

    Parameters
    ----------
    inputs : sequence of Measured
    seed : int
        Of the mixtures' starts.
    species : mapping of int to sequence of str, optional
        By sublattice, the brightest 0, what its columns may be: formulas of what
        one column holds, and ``vacancy``. Sublattices that are not named get
        nameless levels.
    element : str, optional
        Whose share is mapped and followed along its gradient.

    Returns
    -------
    Findings

    Raises
    ------
    StemnetError
        If the intensities of no input are known.
    """
    given = {int(s): list(names) for s, names in (species or {}).items()}
    return each(inputs, partial(_one, seed=seed, species=given, element=element))


def _one(
    measured: Measured, *, seed: int, species: Mapping[int, Sequence[str]], element: str | None
) -> Findings:
    found = find_framework(first_frame(measured))
    columns = found.columns
    if "intensity" not in columns:
        raise StemnetError("The columns have no intensity; species need one. Fit them (refine=true).")
    classes = intensity_classes(columns, seed)
    assigned = assign_species(columns, species, classes=classes, random_state=seed)
    doubts = (other_levels(assigned), other_lattice(found.lattice, assigned))
    notes = [one for one in (found.note, *assigned.notes, *doubts) if one] + ([] if species else [NAMELESS])
    sites = shares = None
    try:
        if found.lattice is None:
            raise StemnetError("Composition and missing columns need a lattice, and there is none.")
        reference = reference_lattice(columns, found.lattice)
        sites, faint = missed_reliably(
            columns, missing_sites(columns, reference, measured.micrograph.frames[0])
        )
        notes += faint
        shares = composition(columns, found.lattice, assigned, element)
    except StemnetError as error:
        notes.append(str(error))
    kinds = Kinds(measured, found, classes, assigned, shares, sites)
    return Findings(
        _summary(kinds), tuple(numbers_of(kinds)), _tables(kinds), tuple(pictures_of(kinds)), tuple(notes)
    )


def _summary(kinds: Kinds) -> str:
    assigned, shares = kinds.assigned, kinds.shares
    counted = ", ".join(f"{int((assigned.species == one).sum())} {one}" for one in assigned.names)
    parts = [f"{counted}; by their own probabilities {assigned.expected_accuracy:.1%} are named rightly"]
    if assigned.ambiguous:
        parts[0] = f"{counted}, but which is which cannot be told by these intensities"
    elif other_levels(assigned) or other_lattice(kinds.found.lattice, assigned):
        parts[0] = f"{counted}, if these are the species, which levels or lattice speak against"
    if shares is not None:
        parts.append(
            f"{shares.element} has {np.nanmean(shares.expected):.0%} of the sites of sublattice {shares.sublattice}"
        )
    if kinds.sites is not None:
        where = ", ".join(map(str, sorted(kinds.sites.sites)))
        count = int((kinds.sites.probability >= MISSING).sum())
        parts.append(f"{count} columns of sublattice {where} are missing")
    return f"{kinds.measured.name}: {'; '.join(parts)}."


def _tables(kinds: Kinds) -> tuple[Table, ...]:
    columns, assigned, shares, sites = kinds.found.columns, kinds.assigned, kinds.shares, kinds.sites
    values = {
        "y_px": columns.yx[:, 0],
        "x_px": columns.yx[:, 1],
        "sublattice": columns["sublattice"],
        "species": assigned.species,
        "probability": assigned.probability,
        "deviation_sigma": assigned.deviation,
    }
    values |= {f"probability_{name}": assigned.posterior[:, i] for i, name in enumerate(assigned.names)}
    if shares is not None:
        values |= {f"share_{shares.element}": shares.expected, f"local_share_{shares.element}": shares.local}
    tables = [Table(f"{kinds.measured.name}_species", values)]
    if sites is not None:
        empty = {
            "y_px": sites.yx[:, 0],
            "x_px": sites.yx[:, 1],
            "sublattice": sites.sublattice,
            "probability_missing": sites.probability,
            "probability_overlooked": sites.overlooked,
            "light": sites.light,
            "light_sigma": sites.light_error,
        }
        tables.append(Table(f"{kinds.measured.name}_missing", empty))
    return tuple(tables)
