"""Every defect of a crystal with its kind and its score: missing, wrong and extra columns, boundaries, dislocations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from stemnet.descriptors.missing_sites import missing_sites
from stemnet.errors import StemnetError
from stemnet.studies.defects_found import Found
from stemnet.studies.defects_grains import find_grains
from stemnet.studies.defects_list import BOUNDARY, DISLOCATION, KINDS, Defects, defects, together
from stemnet.studies.defects_numbers import numbers_of
from stemnet.studies.defects_pictures import pictures_of
from stemnet.studies.defects_points import (
    ALLOY,
    Population,
    against_levels,
    find_distorted,
    find_interstitials,
    find_substitutions,
    find_vacancies,
    in_crystal,
)
from stemnet.studies.defects_structure import Structure, need_columns, structure
from stemnet.studies.described import each, first_frame
from stemnet.studies.findings import Findings, Table
from stemnet.studies.measured import Measured


def study(inputs: Sequence[Measured], *, seed: int = 0, shown: int = 24, alloy: float = ALLOY) -> Findings:
    """Find the defects of crystals, each with a kind and a score.

    Parameters
    ----------
    inputs : sequence of Measured
    seed : int
        Of the mixtures of intensities.
    shown : int
        Patches in the gallery of the strongest defects.
    alloy : float
        Share of a sublattice from which columns of a brightness of their own are a
        species of the crystal, as in an alloy, and not defects one by one, 0 to 1.

    Returns
    -------
    Findings

    Raises
    ------
    StemnetError
        If no input has a lattice, or the share is none.
    """
    if not 0 < alloy <= 1:
        raise StemnetError(
            f"alloy={alloy!r} was asked for; give a share of a sublattice above 0, such as 0.05."
        )
    return each(inputs, partial(_one, seed=seed, shown=shown, alloy=alloy))


def _one(measured: Measured, *, seed: int, shown: int, alloy: float) -> Findings:
    grains = find_grains(first_frame(measured))
    need_columns(grains)
    notes = list(grains.notes)
    sites = missing_sites(grains.columns, grains.reference, measured.micrograph.frames[0])
    about = structure(grains, sites)
    light = None
    points = [find_vacancies(grains, sites, about), find_interstitials(grains, about)]
    if "intensity" in grains.columns:
        light = against_levels(grains, about, seed, alloy)
        notes += [_populated(grains.name(one.sublattice), one) for one in light.populations]
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
    off = np.nonzero(grains.strong & (np.asarray(grains.columns["sublattice"]) < 0))[0]
    if (bare := int((~in_crystal(grains, off)).sum())) > 0:
        notes.append(
            f"Columns where the crystal lies otherwise, or is none, and which are not judged: {bare}. A lattice was "
            "found for the rest only."
        )
    if found.light is not None and (many := int(found.light.grouped.sum())) > 0:
        notes.append(
            f"Columns that are brighter or darker together with those around, and are not listed: {many}. Thickness, "
            "contamination and the rim of a scan do that."
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
    alloys = [
        f" {_alloy(one)}: {one.share:.1%} of {found.grains.name(one.sublattice)} {_brighter(one)} than most."
        for one in (found.light.populations if found.light is not None else ())
        if one.alloy
    ]
    return (
        f"{found.measured.name}: {said} among {len(found.grains.columns)} columns{grains}.{''.join(alloys)}"
    )


def _brighter(one: Population) -> str:
    word = "brighter" if one.relative > 1 else "darker"
    return f"are {word} by a factor of {max(one.relative, 1 / max(one.relative, 1e-9)):.2f}"


def _alloy(one: Population) -> str:
    return "Alloy, or another thickness, since they stand together" if one.together else "Alloy"


def _populated(name: str, one: Population) -> str:
    if one.alloy:
        return (
            f"{_alloy(one)}: {one.share:.1%} of the columns of {name} {_brighter(one)} than most and share that level; "
            "they count as a species of the crystal, and are not listed one by one."
        )
    return (
        f"{one.share:.1%} of the columns of {name} {_brighter(one)} than most and share that level, as a dopant does "
        "or a site that lacks an atom; they are listed one by one. To count them as an alloy, lower alloy."
    )


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
