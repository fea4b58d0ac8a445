"""Numbers of a polarization study, against the truth where one is known."""

from __future__ import annotations

import numpy as np
from scipy.stats import ncx2

from stemnet.descriptors.domains import Domains
from stemnet.descriptors.polar_verdict import PolarVerdict
from stemnet.descriptors.polarization import Polarization
from stemnet.descriptors.vortices import Vortices
from stemnet.descriptors.walls import DomainWall, fit_wall
from stemnet.errors import StemnetError
from stemnet.studies.findings import Number
from stemnet.studies.framework import first_rows
from stemnet.studies.measured import Measured

Walls = list[tuple[tuple[int, int], DomainWall]]
"""Walls with the two domains that each parts."""
SPURIOUS = 2.0
"""Standard errors above which a displacement of what is not polar is counted."""
FEW = 10
"""Cells below which nothing is counted."""
NOT_POLAR = 1e-3
"""Planted displacements below this are none [A]."""


def cell_edge(found: Polarization) -> float:
    """Edge of a square of the cell's area [px]."""
    return float(np.sqrt(abs(np.linalg.det(found.lattice.vectors))))


def unit_of(found: Polarization) -> tuple[float, str]:
    """Factor from pixels, and the unit that it leads to."""
    return (1.0, "px") if found.sampling is None else (100 * found.sampling, "pm")


def about_cells(measured: Measured, found: Polarization, verdict: PolarVerdict | None) -> list[Number]:
    """How many cells there are, and how far their cations are off, as a rule."""
    scale, unit = unit_of(found)
    vectors = found.vectors[found.valid]
    numbers = [
        Number(measured.name, "cells with a complete cage", float(found.valid.sum())),
        Number(measured.name, "median displacement", scale * float(np.median(np.hypot(*vectors.T))), unit),
    ]
    errors = found.errors[found.valid]
    if np.isfinite(errors).any():
        error = scale * float(np.nanmedian(errors))
        numbers.append(
            Number(measured.name, "median standard error of a displacement, per axis", error, unit)
        )
    if verdict is not None:
        numbers.append(Number(measured.name, "uniform part", scale * float(np.hypot(*verdict.uniform)), unit))
    return numbers


def about_domains(
    measured: Measured,
    domains: Domains,
    walls: Walls,
    vortices: Vortices | None,
) -> list[Number]:
    """Domains, their walls, and vortices."""
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


def against_truth(
    measured: Measured,
    found: Polarization,
    domains: Domains,
    walls: Walls,
) -> list[Number]:
    """Errors per cell, places of walls, and what is not polar, where a truth is known."""
    truth = measured.truth
    if truth is None:
        return []
    place = truth.yx[first_rows(measured)]
    cell = cell_edge(found)
    true = place - place[found.cages].mean(axis=1) - found.removed
    known = found.valid & np.isfinite(true).all(axis=1)
    off = (found.vectors - true)[known]
    scale, unit = unit_of(found)
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
    if still.sum() >= FEW:
        numbers.append(_spurious(name, found, true, still))
    return numbers


def _spurious(name: str, found: Polarization, true: np.ndarray, still: np.ndarray) -> Number:
    """Share of cells that are not polar whose displacement exceeds two standard errors, against what is to be expected.

    Such cells are off their cages by static disorder: what their true
    positions give is expected to exceed two standard errors as often as a
    noncentral chi-square says (with errors alike in y and x).
    """
    errors, rows = found.errors, np.nonzero(still)[0]
    lengths = np.hypot(*(found.vectors / errors)[rows].T)
    expected = ncx2.sf(SPURIOUS**2, 2, np.maximum(((true / errors)[rows] ** 2).sum(axis=1), 1e-12))
    spread = float(np.sqrt((expected * (1 - expected)).sum())) / len(rows)
    mean = float(expected.mean())
    return Number(
        name,
        f"share of {len(rows)} cells not polar whose displacement exceeds 2 sigma (truth: by disorder and errors)",
        float((lengths > SPURIOUS).mean()),
        sigma=spread,
        truth=mean,
        most=mean + 3 * spread,
    )


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.nanmean(values**2))) if values.size else float("nan")
