"""How many of the planted defects are found, and how many of those found were planted."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree
from scipy.stats import norm

from stemnet.studies.defects_found import Found
from stemnet.studies.defects_list import (
    BOUNDARY,
    BRIGHTER,
    DIMMER,
    DISTORTED,
    INTERSTITIAL,
    VACANCY,
)
from stemnet.studies.defects_points import NEIGHBOR, OUTLIER, RIM
from stemnet.studies.defects_structure import boundary_columns
from stemnet.studies.findings import Number
from stemnet.studies.framework import first_rows
from stemnet.studies.measured import Truth

RECALL, PRECISION = 0.9, 0.9
FALSE = 1.0  # of a thousand columns
GATE = 0.5  # spacings within which a vacancy is the planted one
NEAR_CORE = 6.0  # [A] within which the planted distances tell where a core is
POINTS = (VACANCY, BRIGHTER, DIMMER, INTERSTITIAL, DISTORTED)


def point_scores(found: Found) -> list[Number]:
    """Vacancies, substitutions, partial vacancies, and what is called where nothing was planted."""
    name, listed, grains = found.measured.name, found.defects, found.grains
    planted = _vacancies(found)
    called = listed.yx[listed.of(VACANCY)]
    hit, true = _matched(planted, called, GATE * grains.spacing)
    numbers = []
    if len(planted):
        numbers += _pair(name, "missing columns off rims and surfaces", hit, true, recall=1.0)
    labels = _labels(found)
    # a column of which hardly anything is left is as good as missing
    true |= _matched(_emptied(found), called, GATE * grains.spacing)[1]
    kinds = found.kind_of_columns
    off_rim = grains.edge_distance(grains.columns.yx) >= RIM * grains.spacing
    wrong = np.isin(kinds, (BRIGHTER, DIMMER))
    false = (
        int((~true).sum())
        + int(listed.of(INTERSTITIAL, DISTORTED).sum())
        + int((wrong & (labels == "")).sum())
    )
    for label, words in (("substitution", "substitutions"), ("vacancy", "partial vacancies")):
        mine = (labels == label) & off_rim
        if mine.any():
            least = min(RECALL, _expected(found, mine))
            called_so = wrong & (kinds == DIMMER if label == "vacancy" else labels != "vacancy")
            numbers += _pair(name, words, wrong[mine], labels[called_so] == label, recall=least)
    rate = 1000 * false / len(grains.columns)
    numbers.append(
        Number(name, "point defects called where none is planted, of 1000 columns", rate, most=FALSE)
    )
    return numbers


def _pair(name: str, words: str, found: np.ndarray, true: np.ndarray, recall: float) -> list[Number]:
    """Share of planted ones (V,) that are found, and of called ones (C,) that were planted."""
    numbers = []
    for what, values, least in (
        (f"{words} that are found", found, recall),
        (f"of called {words}, planted", true, PRECISION),
    ):
        if len(values):
            share = float(values.mean())
            error = float(np.sqrt(max(share * (1 - share), 0.0) / len(values)))
            numbers.append(
                Number(name, f"{what}, share of {len(values)}", share, "", error, least=round(least, 3))
            )
    return numbers


def _vacancies(found: Found) -> np.ndarray:
    """Planted missing columns of the frame, off the rim and not at a surface, (V, 2) [px]."""
    truth, grains = found.measured.truth, found.grains
    if truth is None or truth.vacancies is None or not len(truth.vacancies):
        return np.zeros((0, 2))
    reach = NEIGHBOR * grains.spacing
    visible = truth.columns.select(np.unique(truth.partner[truth.partner >= 0]))
    tree = cKDTree(np.concatenate([visible.yx, truth.vacancies.yx]))
    yx, kind = truth.vacancies.yx, np.asarray(truth.vacancies["sublattice"])
    counts, usual = (
        np.array([len(one) for one in tree.query_ball_point(p, reach)]) for p in (yx, visible.yx)
    )
    inner = grains.edge_distance(visible.yx) > reach
    whole = np.zeros(len(yx), bool)
    for s in np.unique(kind):
        alike = usual[inner & (np.asarray(visible["sublattice"]) == s)]
        whole[kind == s] = counts[kind == s] >= (np.bincount(alike).argmax() if len(alike) else 0)
    # beyond the edge of the image nothing can be counted
    whole |= grains.edge_distance(yx) <= reach
    return yx[whole & (grains.edge_distance(yx) >= RIM * grains.spacing)]


def _emptied(found: Found) -> np.ndarray:
    """Planted columns that lack some of their atoms, found or not, (V, 2) [px]."""
    truth = found.measured.truth
    if truth is None or "defect" not in truth.columns:
        return np.zeros((0, 2))
    return truth.columns.yx[np.asarray(truth.columns["defect"]) == "vacancy"]


def _matched(planted: np.ndarray, called: np.ndarray, gate: float) -> tuple[np.ndarray, np.ndarray]:
    """Which planted places have a called one within the gate, and the other way round."""
    if not len(planted) or not len(called):
        return np.zeros(len(planted), bool), np.zeros(len(called), bool)
    return cKDTree(called).query(planted)[0] < gate, cKDTree(planted).query(called)[0] < gate


def _labels(found: Found) -> np.ndarray:
    """What is planted on every found column, (N,): "substitution", "vacancy", or "" for none."""
    truth, rows = found.measured.truth, first_rows(found.measured)
    label = np.zeros(len(found.grains.columns), dtype=object)
    label[:] = ""
    if truth is not None and "defect" in truth.columns:
        label[:] = truth.of("defect")[rows]
    return label.astype(str)


def _expected(found: Found, planted: np.ndarray) -> float:
    """Share of planted columns (N,) that noise lets pass the limit, less twice its error by their number."""
    light, truth = found.light, found.measured.truth
    if light is None or truth is None:
        return RECALL
    label = np.asarray(found.grains.columns["sublattice"])
    true = truth.of("intensity")[first_rows(found.measured)] if "intensity" in truth.columns else None
    chance = []
    for row in np.nonzero(planted & np.isfinite(light.relative))[0]:
        alike = (label == label[row]) & ~planted & np.isfinite(light.relative)
        if true is None or alike.sum() < 4:
            return RECALL
        spread = 1.4826 * np.median(np.abs(light.relative[alike] - np.median(light.relative[alike])))
        contrast = abs(true[row] / np.nanmedian(true[alike]) - 1)
        chance.append(norm.cdf(contrast / max(spread, 1e-9) - OUTLIER))
    if not chance:
        return RECALL
    share = float(np.mean(chance))
    return max(share - 2 * float(np.sqrt(share * (1 - share) / len(chance))), 0.0)


def line_scores(found: Found) -> list[Number]:
    """Boundary columns and dislocation cores."""
    truth = found.measured.truth
    numbers = []
    if truth is not None and "grain" in truth.columns:
        numbers += _boundary(found, truth)
    if truth is not None and "core_distance_A" in truth.fields:
        numbers += _cores(found, truth)
    return numbers


def _boundary(found: Found, truth: Truth) -> list[Number]:
    """The same rule for true places and grains as for found ones, on the columns that have both."""
    name, grains, frame = found.measured.name, found.grains, first_rows(found.measured)
    rows = np.nonzero(grains.strong & (truth.partner[frame] >= 0))[0]
    true, mine = truth.of("grain")[frame][rows], np.asarray(grains.columns["grain"])[rows]
    # number of the found grain that most columns of a true one are in
    counted = np.full(len(rows), -1)
    for one in np.unique(true):
        theirs = mine[(true == one) & (mine >= 0)]
        if len(theirs):
            counted[true == one] = np.bincount(theirs).argmax()
    planted = boundary_columns(truth.yx[frame][rows], counted, grains.lattices, grains.columns.shape)
    called = (found.kind_of_columns == BOUNDARY)[rows]
    return _pair(name, "columns at the grain boundary", called[planted], planted[called], recall=RECALL)


def _cores(found: Found, truth: Truth) -> list[Number]:
    name, cores, sampling = found.measured.name, found.structure.cores, found.grains.columns.sampling
    planted = planted_cores(truth.fields["core_distance_A"], truth.field_step, sampling)
    count = float(len(planted))
    numbers = [Number(name, "dislocations", float(len(cores)), truth=count, least=count, most=count)]
    if len(cores) and len(planted) and sampling:
        away = cKDTree(planted).query(cores.yx)[0] * sampling
        longest = float(np.hypot(*cores.burgers.T).max()) * sampling
        numbers += [
            Number(name, "distance of the dislocation cores from the planted ones, largest", float(away.max()), "A",
                   most=round(longest, 2)),
            Number(name, "sum of the Burgers vectors of the dipole, in lattice vectors",
                   float(np.abs(cores.steps.sum(axis=0)).max()), truth=0.0, most=0.0),
        ]  # fmt: skip
    return numbers


def planted_cores(distance: np.ndarray, step: int, sampling: float | None) -> np.ndarray:
    """Places (D, 2) [px] from which a map (h, w) of distances [A] at every `step`-th pixel is measured."""
    if not sampling:
        return np.zeros((0, 2))
    grid = np.pad(np.asarray(distance, dtype=float), 1, constant_values=np.inf)
    shifted = [
        np.roll(grid, move, (0, 1)) for move in ((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j)
    ]
    lowest = (grid <= np.min(shifted, axis=0)) & (grid < NEAR_CORE)
    places = (np.argwhere(lowest) - 1) * step
    every = np.stack(
        np.meshgrid(*[np.arange(n) * step for n in np.shape(distance)], indexing="ij"), -1
    ).reshape(-1, 2)
    found: list[np.ndarray] = []
    for place in places:
        near = np.hypot(*(every - place).T) * sampling < NEAR_CORE
        at, away = every[near], np.asarray(distance, dtype=float).ravel()[near] / sampling
        # |p - c|^2 = d^2 is linear in c and |c|^2
        design = np.column_stack([2 * at, np.ones(len(at))])
        solved = np.linalg.lstsq(design, (at**2).sum(axis=1) - away**2, rcond=None)[0][:2]
        if all(np.hypot(*(solved - other)) * sampling > NEAR_CORE for other in found):
            found.append(solved)
    return np.array(found).reshape(-1, 2)
