"""Species, composition and missing columns in numbers."""

from __future__ import annotations

import numpy as np

from stemnet.descriptors.composition import global_composition
from stemnet.descriptors.lattice import column_spacing
from stemnet.studies.findings import NAN, Number
from stemnet.studies.janus_composition import atoms_of
from stemnet.studies.janus_kinds import Kinds
from stemnet.studies.janus_score import MISSING, missing_numbers, species_numbers

NEAR = 0.4  # spacings within which a missing column is the planted one


def numbers_of(kinds: Kinds) -> list[Number]:
    """All numbers of one input, with their truth where it is known."""
    true = kinds.true
    return [
        *_about_species(kinds, true),
        *([] if true is None else species_numbers(kinds.measured.name, kinds.assigned, true)),
        *_about_composition(kinds, true),
        *_about_missing(kinds),
    ]


def _about_species(kinds: Kinds, true: np.ndarray | None) -> list[Number]:
    numbers, assigned = [], kinds.assigned
    for s, levels in assigned.levels.items():
        for k, name in enumerate(levels.names):
            share = global_composition(assigned.of(name, s))
            planted = NAN
            if true is not None and np.isfinite(levels.expected[k]):
                known = true[(assigned.sublattice == s) & (true != "")]
                planted = float((known == name).mean()) if len(known) else NAN
            sigma = float(np.hypot(share.sigma, share.sampling_sigma))
            what = f"{name} on sublattice {s}"
            numbers += [
                Number(kinds.measured.name, f"share of {what}", share.value, "", sigma, planted),
                Number(kinds.measured.name, f"level of {what}", float(levels.level[k]), "image units px^2"),
            ]
    return numbers


def _about_composition(kinds: Kinds, true: np.ndarray | None) -> list[Number]:
    shares, sampling = kinds.shares, kinds.measured.columns.sampling
    if shares is None:
        return []
    per, unit = (1.0, "1/px") if sampling is None else (10 / sampling, "1/nm")
    what, name = f"share of {shares.element} on sublattice {shares.sublattice}", kinds.measured.name
    slope, mean, off = NAN, NAN, NAN
    if true is not None:
        counted = np.array([atoms_of(one, shares.element) for one in true]) / shares.sites
        here = np.isfinite(shares.expected) & (true != "")
        along = kinds.found.columns.yx[here] @ shares.direction
        slope, mean = float(np.polyfit(along, counted[here], 1)[0]), float(counted[here].mean())
        off = float(np.sqrt(np.mean((shares.expected - counted)[here] ** 2)))
    angle = float(np.degrees(np.arctan2(*shares.direction)))
    numbers = [
        Number(name, f"{what}, mean", float(np.nanmean(shares.expected)), truth=mean),
        Number(
            name, f"{what}, gradient", per * shares.slope, unit, per * shares.slope_error, per * slope
        ),
        Number(name, f"{what}, direction of the gradient from +x towards +y", angle, "deg"),
    ]  # fmt: skip
    return (
        [*numbers, Number(name, f"{what}, error of a column, root mean square", off)]
        if off == off
        else numbers
    )


def _about_missing(kinds: Kinds) -> list[Number]:
    name, truth, sites = kinds.measured.name, kinds.measured.truth, kinds.sites
    if sites is None:
        return []
    numbers = []
    for s, total in sites.sites.items():
        value, error = sites.share(s)
        planted = NAN
        if truth is not None and truth.vacancies is not None and "sublattice" in truth.vacancies:
            planted = float((np.asarray(truth.vacancies["sublattice"]) == s).sum()) / total
        what = f"share of columns missing on sublattice {s}"
        numbers.append(Number(name, what, round(value, 6), "", round(error, 6), planted))
    numbers.append(Number(name, "columns called missing", float((sites.probability >= MISSING).sum())))
    if truth is not None:
        planted_yx = np.zeros((0, 2)) if truth.vacancies is None else truth.vacancies.yx
        numbers += missing_numbers(name, sites, planted_yx, NEAR * column_spacing(kinds.found.columns.yx))
    return numbers
