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
from stemnet.descriptors.polar_verdict import polar_verdict
from stemnet.descriptors.polarization import Polarization, polarization
from stemnet.descriptors.table import Descriptors
from stemnet.descriptors.vortices import Vortices, find_vortices
from stemnet.descriptors.walls import DomainWall, fit_wall
from stemnet.errors import StemnetError
from stemnet.studies.described import each, first_frame
from stemnet.studies.findings import Findings, Picture, Table
from stemnet.studies.framework import find_framework
from stemnet.studies.measured import Measured
from stemnet.studies.polarization_numbers import (
    Walls,
    about_cells,
    about_domains,
    against_truth,
    cell_edge,
    unit_of,
)

TOLD = 4.0
"""Standard errors by which a wall is wider than nothing: else a gradual turn, as around a vortex, is taken for one."""
LISTED = 3  # pairs of domains that are named one by one
MISFIT = 3.0
"""Reduced chi-square from which a straight tanh is no description of a wall."""


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
    frame = find_framework(first_frame(measured))
    # without a lattice nothing is known of sublattices either, which is said in words below
    columns = frame.columns if frame.lattice is not None else first_frame(measured)
    found = polarization(columns, frame.lattice, center=center, cage=cage, reference=reference)
    notes = [frame.note] if frame.note else []
    verdict = _or_note(notes, lambda: polar_verdict(found))
    # what all cells have in common may be mistilt: a map of domains shows what differs
    errors = found.errors if np.isfinite(found.errors[found.valid]).any() else None
    varies = verdict is None or verdict.kind in ("domains", "antipolar")
    # groups that neighbors do not share are no domains
    domains = find_domains(found.vectors, errors, valid=found.valid, count=None if varies else 1)
    walls = _walls(found, errors, domains, notes) if len(domains) > 1 else []
    gradients = _or_note(notes, lambda: field_gradients(found.yx, found.vectors, errors, valid=found.valid))
    cells = lattice_indices(columns, found.lattice)
    vortices = _or_note(
        notes, lambda: find_vortices(cells, found.yx, found.vectors, errors, valid=found.valid)
    )
    numbers = [
        *about_cells(measured, found, verdict),
        *about_domains(measured, domains, walls, vortices),
        *against_truth(measured, found, domains, walls),
    ]
    told = domains.sentence if varies else ""
    summary = f"{measured.name}: {verdict.sentence if verdict else 'No verdict.'} {told}".rstrip()
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


def _walls(found: Polarization, errors: np.ndarray | None, domains: Domains, notes: list[str]) -> Walls:
    """Straight walls between pairs of domains, those whose place is known to half a cell."""
    cell, walls, bent = cell_edge(found), [], []
    for between in combinations(range(len(domains)), 2):
        try:
            wall = fit_wall(found.yx, found.vectors, domains, between, errors=errors)
        except StemnetError:
            bent.append("{} and {}".format(*between))
            continue
        known = wall.position_error < cell / 2 and wall.width > TOLD * wall.width_error
        if known and wall.misfit < MISFIT:
            walls.append((between, wall))
        else:
            bent.append("{} and {}".format(*between))
    if bent:
        pairs = f"domains {', '.join(bent)}" if len(bent) <= LISTED else f"{len(bent)} pairs of domains"
        notes.append(
            f"No straight wall parts {pairs}: they do not meet, meet in several places, or in a wall "
            "that is not straight."
        )
    return walls


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
    walls: Walls,
    vortices: Vortices | None,
    gradients: Descriptors | None,
) -> Picture:
    def draw():
        from stemnet.report.polarization import polarization_figure

        scale, unit = unit_of(found)
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
            else gradients.values[:, gradients.names.index("divergence")],
            curl=None if gradients is None else gradients.values[:, gradients.names.index("curl")],
            title=measured.name,
        )

    return Picture(
        f"{measured.name}_polarization",
        f"{measured.name}: displacements of the cations, their direction, divergence and curl; "
        "dashed: walls between domains.",
        draw,
    )
