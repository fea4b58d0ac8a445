"""Every defect of a crystal with its kind and its score: missing, wrong and extra columns, boundaries, dislocations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from stemnet.descriptors.missing_sites import missing_sites
from stemnet.studies.defects_found import Found
from stemnet.studies.defects_grains import find_grains
from stemnet.studies.defects_list import BOUNDARY, DISLOCATION, KINDS, Defects, defects, together
from stemnet.studies.defects_numbers import numbers_of
from stemnet.studies.defects_pictures import pictures_of
from stemnet.studies.defects_points import (
    against_levels,
    find_distorted,
    find_interstitials,
    find_substitutions,
    find_vacancies,
)
from stemnet.studies.defects_structure import Structure, need_columns, structure
from stemnet.studies.described import each, first_frame
from stemnet.studies.findings import Findings, Table
from stemnet.studies.measured import Measured


def study(inputs: Sequence[Measured], *, seed: int = 0, shown: int = 24) -> Findings:
    """Find the defects of crystals, each with a kind and a score.

    Parameters
    ----------
    inputs : sequence of Measured
    seed : int
        Of the mixtures of intensities.
    shown : int
        Patches in the gallery of the strongest defects.

    Returns
    -------
    Findings

    Raises
    ------
    StemnetError
        If no input has a lattice.
    """
    return each(inputs, partial(_one, seed=seed, shown=shown))


def _one(measured: Measured, *, seed: int, shown: int) -> Findings:
    grains = find_grains(first_frame(measured))
    need_columns(grains)
    notes = list(grains.notes)
    sites = missing_sites(grains.columns, grains.reference, measured.micrograph.frames[0])
    about = structure(grains, sites)
    light = None
    points = [find_vacancies(grains, sites, about), find_interstitials(grains, about)]
    if "intensity" in grains.columns:
        light = against_levels(grains, about, seed)
        points += find_substitutions(grains, light)
    else:
        notes.append(
            "The columns have no intensity, so no substitutions could be looked for. Fit them (refine=true)."
        )
    lines = _lines(grains.columns.yx, about)
    known = together([*points, *lines])
    found = Found(
        measured, grains, sites, about, light, together([known, find_distorted(grains, about, known)])
    )
    notes += _unseen(found)
    return Findings(
        _summary(found),
        tuple(numbers_of(found)),
        _tables(found),
        tuple(pictures_of(found, shown)),
        tuple(notes),
    )


def _lines(yx: np.ndarray, about: Structure) -> list[Defects]:
    """Boundary columns, and dislocation cores by the most unusual of their columns."""
    rows = np.nonzero(about.boundary)[0]
    score = about.score
    worst = np.full(len(about.cores), np.nan)
    for i, place in enumerate(about.cores.yx):
        near = about.core & (np.hypot(*(yx - place).T) <= np.hypot(*(yx[about.core] - place).T).min() * 2)
        worst[i] = np.nanmax(np.where(near, score, np.nan)) if np.isfinite(score[near]).any() else np.nan
    return [
        defects(BOUNDARY, yx[rows], score[rows], rows),
        defects(DISLOCATION, about.cores.yx, worst),
    ]


def _unseen(found: Found) -> list[str]:
    grains, notes = found.grains, []
    dark = [grains.name(int(s)) for s in np.nonzero(~grains.seen)[0]]
    if dark:
        notes.append(
            f"Not judged, since their columns are too faint to be found reliably: {', '.join(dark)}."
        )
    left = int((~grains.strong & (np.asarray(grains.columns["sublattice"]) < 0)).sum())
    if left:
        notes.append(
            f"Faint columns off the lattice, taken for such columns or for noise, not for interstitials: {left}."
        )
    if (free := int(found.structure.surface.sum())) > 0:
        notes.append(f"Columns at a free surface, whose neighborhoods are not judged: {free}.")
    return notes


def _summary(found: Found) -> str:
    listed = found.defects
    counted = [
        f"{int(listed.of(kind).sum())} x {words}" for kind, words in KINDS.items() if listed.of(kind).any()
    ]
    grains = f" in {len(found.grains)} grains" if len(found.grains) > 1 else ""
    said = ", ".join(counted) or "no defect"
    return f"{found.measured.name}: {said} among {len(found.grains.columns)} columns{grains}."


def _tables(found: Found) -> tuple[Table, ...]:
    listed, columns, about = found.defects, found.grains.columns, found.structure
    rows = {
        "kind": listed.kind.astype(str),
        "y_px": listed.yx[:, 0],
        "x_px": listed.yx[:, 1],
        "column": listed.row,
        "score_sigma": listed.score,
        "probability": listed.probability,
    }
    values = {
        "y_px": columns.yx[:, 0],
        "x_px": columns.yx[:, 1],
        "grain": columns["grain"],
        "sublattice": columns["sublattice"],
        "kind": found.kind_of_columns,
        "coordination": about.coordination,
        "misfit_sigma": about.misfit,
        "psi_deviation_sigma": about.order,
        "area_deviation_sigma": about.area,
        "surface": about.surface.astype(int),
    }
    if found.light is not None:
        values |= {
            "intensity_deviation_sigma": found.light.deviation,
            "relative_intensity": found.light.relative,
        }
    name = found.measured.name
    return Table(f"{name}_defects", rows), Table(f"{name}_neighborhoods", values)
