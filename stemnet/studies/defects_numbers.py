"""Defects in numbers, beside their truth where there is one."""

from __future__ import annotations

import numpy as np

from stemnet.studies.defects_found import Found
from stemnet.studies.defects_list import BOUNDARY, DISLOCATION, DISTORTED, KINDS
from stemnet.studies.defects_score import line_scores, point_scores
from stemnet.studies.findings import Number


def numbers_of(found: Found) -> list[Number]:
    """All numbers of one input."""
    numbers = [*_counts(found), *_shares(found), *_lattice(found)]
    if found.measured.truth is not None:
        numbers += [*point_scores(found), *line_scores(found)]
    return numbers


def _counts(found: Found) -> list[Number]:
    name, listed = found.measured.name, found.defects
    numbers = []
    for kind, words in KINDS.items():
        count = int(listed.of(kind).sum())
        if count or kind not in (BOUNDARY, DISLOCATION, DISTORTED):
            numbers.append(Number(name, f"number, {words}", float(count)))
    return numbers


def _shares(found: Found) -> list[Number]:
    """Share of missing columns of every sublattice that is seen, in the whole image, boundaries included."""
    grains, sites, numbers = found.grains, found.sites, []
    if len(grains) > 1 or len(found.structure.cores):
        # sites beyond a boundary and around a core are not missing
        return []
    for s in np.nonzero(grains.seen)[0]:
        if int(s) in sites.sites:
            value, error = sites.share(int(s))
            # none of so many says no more than that
            error = max(error, 1 / sites.sites[int(s)])
            numbers.append(
                Number(
                    found.measured.name, f"share of missing columns, {grains.name(int(s))}", value, "", error
                )
            )
    return numbers


def _lattice(found: Found) -> list[Number]:
    name, grains, cores = found.measured.name, found.grains, found.structure.cores
    sampling = grains.columns.sampling
    unit, scale = ("px", 1.0) if sampling is None else ("A", sampling)
    numbers = [
        Number(
            name, f"Burgers vector {i}, [{step[0]} {step[1]}], length", float(np.hypot(*vector)) * scale, unit
        )
        for i, (step, vector) in enumerate(zip(cores.steps, cores.burgers, strict=True))
    ]
    if len(grains) == 2 and (angle := misorientation(found)) is not None:
        numbers.append(
            Number(name, "misorientation of the grains", angle, "deg", truth=_true_misorientation(found))
        )
    return numbers


def misorientation(found: Found) -> float | None:
    """Angle between the lattices of two grains [deg]; None where they are not the same lattice turned."""
    one, other = (lattice for lattice in found.grains.lattices)
    lengths = [np.sort(np.linalg.norm(lattice.vectors, axis=1)) for lattice in (one, other)]
    if one.k != other.k or np.abs(lengths[0] / lengths[1] - 1).max() > 0.05:
        return None
    return _folded(np.degrees(_direction(other) - _direction(one)), one.k)


def _direction(lattice) -> float:
    """Direction of the lattice [rad], the mean over its symmetry."""
    template = lattice.template
    angle = np.arctan2(template[:, 0], template[:, 1])
    return float(np.angle(np.exp(1j * lattice.k * angle).mean()) / lattice.k)


def _folded(angle: float, k: int) -> float:
    period = 360 / k
    angle = angle % period
    return float(min(angle, period - angle))


def _true_misorientation(found: Found) -> float:
    truth, grains = found.measured.truth, found.grains
    if truth is None or "orientation_rad" not in truth.columns:
        return float("nan")
    angles = np.unique(np.round(np.asarray(truth.columns["orientation_rad"], dtype=float), 5))
    if len(angles) != 2:
        return float("nan")
    return _folded(float(np.degrees(angles[1] - angles[0])), grains.lattices[0].k)
