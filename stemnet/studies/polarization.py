"""Polarization maps, domains and their walls, vortices, and whether any of it is polarization."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import combinations

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.domains import Domains, find_domains
from stemnet.descriptors.field_gradients import field_gradients
from stemnet.descriptors.indices import lattice_indices
from stemnet.descriptors.polar_verdict import PolarVerdict, polar_verdict
from stemnet.descriptors.polarization import Polarization, polarization
from stemnet.descriptors.table import Descriptors
from stemnet.descriptors.vortices import Vortices, find_vortices
from stemnet.descriptors.walls import DomainWall, fit_wall
from stemnet.errors import StemnetError
from stemnet.studies.described import each, first_frame, with_sublattices
from stemnet.studies.findings import Findings, Number, Picture, Table
from stemnet.studies.measured import Measured

NOT_POLAR = 1e-3
"""Planted displacements below this are none [A]."""
TWO_SIGMA_CHANCE = 0.135
"""Share of error-free nothing that is longer than two standard errors of an axis: exp(-2)."""


def study(
    inputs: Sequence[Measured],
    *,
    seed: int = 0,
    center: int = 1,
    cage: int = 0,
    reference: str | Sequence[float] = "none",
) -> Findings:
    """Measure how far cations are off the middles of their cages, and what that amounts to.

    Parameters
    ----------
    inputs : sequence of Measured
    seed : int
        Nothing here is random.
    center, cage : int
        Sublattices, the brightest 0: of the cation that is measured, and of its cage.
    reference : "none", "mean", "local" or (y, x)
        What is taken off as mistilt; see `stemnet.descriptors.polarization.polarization`.

    Returns
    -------
    Findings

    Raises
    ------
    StemnetError
        If no input has cages.
    """
    del seed
    taken = reference if isinstance(reference, str) else np.asarray(reference, dtype=np.float64)
    return each(inputs, partial(_one, center=center, cage=cage, reference=taken))


def _one(measured: Measured, *, center: int, cage: int, reference: str | np.ndarray) -> Findings:
    columns, _ = with_sublattices(first_frame(measured))
    found = polarization(columns, center=center, cage=cage, reference=reference)
    notes: list[str] = []
    verdict = _or_note(notes, lambda: polar_verdict(found))
    # what all cells have in common may be mistilt: a map of domains shows what differs
    domains = find_domains(found.vectors, found.errors, valid=found.valid)
    walls = _walls(found, domains, notes) if len(domains) > 1 else []
    gradients = _or_note(
        notes, lambda: field_gradients(found.yx, found.vectors, found.errors, valid=found.valid)
    )
    cells = lattice_indices(columns, found.lattice)
    vortices = _or_note(
        notes, lambda: find_vortices(cells, found.yx, found.vectors, found.errors, valid=found.valid)
    )
    numbers = [
        *_about_cells(measured, found, verdict),
        *_about_domains(measured, domains, walls, vortices),
        *_against_truth(measured, found, domains, walls),
    ]
    summary = f"{measured.name}: {verdict.sentence if verdict else 'no verdict.'} {domains.sentence}"
    return Findings(
        summary,
        tuple(numbers),
        (_table(measured, columns, found, domains, gradients),),
        (_picture(measured, found, domains, walls, vortices, gradients),),
        tuple(notes),
    )


def _or_note(notes: list[str], what):
    """What a function returns, or None and what it says."""
    try:
        return what()
    except StemnetError as error:
        notes.append(str(error))
        return None


def _walls(
    found: Polarization, domains: Domains, notes: list[str]
) -> list[tuple[tuple[int, int], DomainWall]]:
    walls = []
    for between in combinations(range(len(domains)), 2):
        wall = _or_note(
            notes, lambda pair=between: fit_wall(found.yx, found.vectors, domains, pair, errors=found.errors)
        )
        if wall is not None:
            walls.append((between, wall))
    return walls


def _about_cells(measured: Measured, found: Polarization, verdict: PolarVerdict | None) -> list[Number]:
    scale, unit = _unit(found)
    vectors = found.vectors[found.valid]
    numbers = [
        Number(measured.name, "cells with a complete cage", float(found.valid.sum())),
        Number(measured.name, "median displacement", scale * float(np.median(np.hypot(*vectors.T))), unit),
        Number(
            measured.name,
            "median standard error of a displacement, per axis",
            scale * float(np.nanmedian(found.errors[found.valid])),
            unit,
        ),
    ]
    if verdict is not None:
        numbers.append(Number(measured.name, "uniform part", scale * float(np.hypot(*verdict.uniform)), unit))
    return numbers


def _about_domains(
    measured: Measured,
    domains: Domains,
    walls: list[tuple[tuple[int, int], DomainWall]],
    vortices: Vortices | None,
) -> list[Number]:
    numbers = [Number(measured.name, "domains", float(len(domains)))]
    for (one, other), wall in walls:
        name = f"wall between domains {one} and {other}"
        numbers += [
            Number(measured.name, f"{name}: width", wall.width, "px", wall.width_error),
            Number(measured.name, f"{name}: turn", float(np.degrees(wall.turn)), "deg"),
            Number(measured.name, f"{name}: charge", wall.charge),
        ]
    if vortices is not None:
        numbers += [
            Number(measured.name, "vortices", float((vortices.winding > 0).sum())),
            Number(measured.name, "antivortices", float((vortices.winding < 0).sum())),
        ]
    return numbers


def _against_truth(
    measured: Measured,
    found: Polarization,
    domains: Domains,
    walls: list[tuple[tuple[int, int], DomainWall]],
) -> list[Number]:
    """Errors per cell, places of walls, and what is not polar, where a truth is known."""
    truth = measured.truth
    if truth is None:
        return []
    place = truth.yx[first_rows(measured)]
    cell = float(np.sqrt(abs(np.linalg.det(found.lattice.vectors))))
    true = place - place[found.cages].mean(axis=1) - found.removed
    known = found.valid & np.isfinite(true).all(axis=1)
    off = (found.vectors - true)[known]
    scale, unit = _unit(found)
    name = measured.name
    numbers = [
        Number(name, "error of a displacement, root mean square per axis", scale * _rms(off), unit),
        Number(
            name, "the same over what the error bars say", _rms(off) / _rms(found.errors[known]), most=1.2
        ),
    ]
    if "polar_y_A" in truth.columns and "polar_x_A" in truth.columns:
        planted = np.column_stack([truth.of("polar_y_A"), truth.of("polar_x_A")])[first_rows(measured)]
        planted = planted / (found.sampling or 1.0)
        still = known & (np.hypot(*planted.T) < NOT_POLAR)
        for pair, wall in walls:
            where = np.where(known[:, None], planted, np.nan)
            try:
                right = fit_wall(found.yx, where, domains, pair)
            except StemnetError:
                continue
            apart = abs(float(right.distance(wall.through[None])[0])) / cell
            numbers.append(
                Number(
                    name,
                    f"wall between domains {pair[0]} and {pair[1]}: off the truth",
                    apart,
                    "cells",
                    most=0.5,
                )
            )
    else:
        still = known
    if still.sum() >= 10:
        uniform = found.vectors[still].mean(axis=0) if still.sum() == known.sum() else 0.0
        lengths = np.hypot(*((found.vectors - uniform) / found.errors)[still].T)
        numbers.append(
            Number(
                name,
                "share of cells not polar whose displacement exceeds 2 sigma (chance: 0.135)",
                float((lengths > 2).mean()),
                truth=TWO_SIGMA_CHANCE,
                most=0.2,
            )
        )
    return numbers


def first_rows(measured: Measured) -> np.ndarray:
    """Which rows belong to the first frame, (N,)."""
    if "frame" not in measured.columns:
        return np.ones(len(measured.columns), dtype=bool)
    return np.asarray(measured.columns["frame"]) == 0


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.nanmean(values**2))) if values.size else float("nan")


def _unit(found: Polarization) -> tuple[float, str]:
    return (1.0, "px") if found.sampling is None else (100 * found.sampling, "pm")


def _table(
    measured: Measured,
    columns: Columns,
    found: Polarization,
    domains: Domains,
    gradients: Descriptors | None,
) -> Table:
    values = {"y_px": columns.yx[:, 0], "x_px": columns.yx[:, 1], "sublattice": columns["sublattice"]}
    values |= {name: found.values[:, i] for i, name in enumerate(found.names)}
    values["domain"] = domains.label
    if gradients is not None:
        values |= {name: gradients.values[:, i] for i, name in enumerate(gradients.names)}
    return Table(f"{measured.name}_polarization", values)


def _ends(yx: np.ndarray, domains: Domains, between: tuple[int, int], wall: DomainWall) -> np.ndarray:
    """Ends (2, 2) [px] of the part of a straight wall along which cells of both of its domains lie."""
    along = np.array([-wall.normal[1], wall.normal[0]])
    reach = []
    for label in between:
        rows = domains.label == label
        far = np.abs(wall.distance(yx[rows]))
        near = (yx[rows] - wall.through)[far < wall.width / 2 + np.quantile(far, 0.2)] @ along
        reach.append((near.min(), near.max()) if len(near) else (0.0, 0.0))
    (low, high), (lower, higher) = reach
    return wall.through + np.array([[max(low, lower)], [min(high, higher)]]) * along


def _picture(
    measured: Measured,
    found: Polarization,
    domains: Domains,
    walls: list[tuple[tuple[int, int], DomainWall]],
    vortices: Vortices | None,
    gradients: Descriptors | None,
) -> Picture:
    def draw():
        from stemnet.report.polarization import polarization_figure

        scale, unit = _unit(found)
        return polarization_figure(
            measured.micrograph.frames[0],
            found.yx,
            scale * found.vectors,
            unit=unit,
            sampling=found.sampling,
            walls=[_ends(found.yx, domains, between, wall) for between, wall in walls],
            vortices=None if vortices is None else (vortices.yx, vortices.winding),
            divergence=None
            if gradients is None
            else scale * gradients.values[:, gradients.names.index("divergence")],
            curl=None if gradients is None else scale * gradients.values[:, gradients.names.index("curl")],
            title=measured.name,
        )

    return Picture(
        f"{measured.name}_polarization",
        f"{measured.name}: displacements of the cations, their direction, divergence and curl; "
        "dashed: walls between domains.",
        draw,
    )
