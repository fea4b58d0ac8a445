"""Point defects: columns that are missing, brighter or darker than their sublattice, or off the lattice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from stemnet.analysis.intensity import intensity_classes
from stemnet.analysis.level_mixture import Levels
from stemnet.analysis.species import assign_species
from stemnet.descriptors.missing_sites import MissingSites
from stemnet.studies.defects_grains import Grains, beside_other_grain
from stemnet.studies.defects_list import (
    BRIGHTER,
    DIMMER,
    DISTORTED,
    INTERSTITIAL,
    VACANCY,
    Defects,
    defects,
)
from stemnet.studies.defects_structure import Structure

MISSING = 0.5  # probability from which a site is called vacant
RIM = 0.5  # spacings from the edge of the image within which nothing is judged
SUPPORT, GATE = (
    0.6,
    0.3,
)  # share of a vacancy's lattice neighbors that must be there, within this many lattice vectors
OUTLIER = 5.0  # standard deviations; chance gives one in 1.7 million columns
NARROWEST = 0.05  # of the width that a level has by its mixture
HOST = 0.2  # share of a sublattice from which a level is part of the crystal, as in an alloy
OFF_SITE = 0.3  # spacings that an interstitial is from the nearest column
MISFIT = 8.0  # standard errors: beyond what gradients of strain and distorted scans give
STRAINED = 3.0  # lattice vectors around a dislocation within which its strain changes from cell to cell
BESIDE = 1.3  # lattice vectors around a point defect within which columns move aside


def find_vacancies(grains: Grains, sites: MissingSites, found: Structure) -> Defects:
    """Sites where a column is missing, in the middle of an undisturbed piece of a grain."""
    cell = np.array([np.linalg.norm(one.vectors, axis=1).max() for one in grains.lattices])
    called = (sites.probability >= MISSING) & grains.seen[sites.sublattice]
    called &= grains.edge_distance(sites.yx) >= RIM * grains.spacing
    called &= beside_other_grain(grains, sites.yx, sites.grain) > cell[sites.grain]
    if len(found.cores):
        called &= cKDTree(found.cores.yx).query(sites.yx)[0] > 2 * cell[sites.grain]
    rows = np.nonzero(called)[0]
    rows = rows[_supported(grains, sites, rows)]
    with np.errstate(divide="ignore", invalid="ignore"):
        score = (1 - sites.light[rows]) / sites.light_error[rows]
    return defects(VACANCY, sites.yx[rows], score, probability=sites.probability[rows])


def _supported(grains, sites, rows):
    """Which sites have most of their lattice neighbors, columns or other empty sites, where these should be, (m,)."""
    label = np.asarray(grains.columns["sublattice"])
    good = np.zeros(len(rows), bool)
    for number, row in enumerate(rows):
        s, template = sites.sublattice[row], grains.lattices[sites.grain[row]].template
        places = sites.yx[row] + template
        inside = grains.edge_distance(places) > 0
        there = np.concatenate([grains.columns.yx[label == s], sites.yx[sites.sublattice == s]])
        gate = GATE * np.linalg.norm(template, axis=1).min()
        held = cKDTree(there).query(places)[0] < gate
        good[number] = held[inside].sum() >= SUPPORT * max(inside.sum(), 1)
    return good


@dataclass(frozen=True)
class Intensities:
    """Intensities against the levels of their sublattices.

    Parameters
    ----------
    deviation : ndarray, shape (N,)
        From the nearest level of the crystal, in standard deviations, signed; NaN where it is not judged.
    relative : ndarray, shape (N,)
        Over that level.
    levels : dict of int to Levels
        By sublattice.
    """

    deviation: np.ndarray
    relative: np.ndarray
    levels: dict[int, Levels]


def against_levels(grains: Grains, found: Structure, seed: int) -> Intensities:
    """Compare every column with the levels that most columns of its sublattice have.

    Parameters
    ----------
    grains : Grains
        Of columns with ``intensity``.
    found : Structure
    seed : int
        Of the mixtures' starts.

    Returns
    -------
    Intensities
        Not judged are columns at the rim of the image, at boundaries and cores.
        Between two levels of the crystal, as at a mixed interface, nothing is off.
    """
    columns = grains.columns
    classes = intensity_classes(columns, seed)
    levels = dict(assign_species(columns, classes=classes, random_state=seed).levels)
    label = np.asarray(columns["sublattice"])
    x = np.asarray(columns["intensity"], dtype=float) / classes.gain
    sigma = np.nan_to_num(np.asarray(columns.fields.get("intensity_sigma", np.zeros(len(x))), dtype=float))
    judged = grains.strong & (label >= 0) & ~(found.boundary | found.core)
    judged &= grains.edge_distance(columns.yx) >= RIM * grains.spacing
    deviation, relative = np.full(len(x), np.nan), np.full(len(x), np.nan)
    for s, level in levels.items():
        rows = np.nonzero(judged & (label == s) & np.isfinite(x))[0]
        if not len(rows):
            continue
        host = np.nonzero(level.weight >= min(HOST, level.weight.max()))[0]
        spread = np.sqrt(level.variance[host] + (sigma[rows, None] / classes.gain[rows, None]) ** 2)
        away = (x[rows, None] - level.level[host]) / spread
        nearest = np.abs(away).argmin(axis=1)
        near = away[np.arange(len(rows)), nearest]
        between = (away > 0).any(axis=1) & (away < 0).any(axis=1)
        # tails of neighbors and drift scatter more than the errors say, and the few outliers widen a level
        wide = max(NARROWEST, 1.4826 * float(np.median(np.abs(near - np.median(near)))))
        deviation[rows] = np.where(between, 0.0, near / wide)
        relative[rows] = x[rows] / level.level[host][nearest]
    return Intensities(deviation, relative, levels)


def find_substitutions(grains: Grains, light: Intensities) -> list[Defects]:
    """Columns that are brighter, and those that are darker, than any level of the crystal."""
    found = []
    for kind, size in ((BRIGHTER, light.deviation), (DIMMER, -light.deviation)):
        rows = np.nonzero(np.nan_to_num(size) >= OUTLIER)[0]
        found.append(defects(kind, grains.columns.yx[rows], size[rows], rows))
    return found


def find_interstitials(grains: Grains, found: Structure) -> Defects:
    """Bright columns off the lattice, in the middle of an undisturbed piece of it; the score is their significance."""
    columns, label = grains.columns, np.asarray(grains.columns["sublattice"])
    on = grains.strong & (label >= 0)
    rows = np.nonzero(grains.strong & (label < 0) & ~(found.boundary | found.core))[0]
    rows = rows[grains.edge_distance(columns.yx[rows]) >= RIM * grains.spacing]
    rows = rows[cKDTree(columns.yx[on]).query(columns.yx[rows])[0] > OFF_SITE * grains.spacing]
    rows = rows[~_repeated(grains, rows)]
    sure = np.asarray(columns.fields.get("significance", np.full(len(columns), np.nan)), dtype=float)
    return defects(INTERSTITIAL, columns.yx[rows], sure[rows], rows)


def _repeated(grains, rows):
    """Which columns (m,) have like ones a lattice vector away, as those have that were counted wrongly."""
    tree, repeated = cKDTree(grains.columns.yx[grains.strong]), np.zeros(len(rows), bool)
    for lattice in grains.lattices:
        places = grains.columns.yx[rows, None] + lattice.template
        inside = grains.edge_distance(places).reshape(places.shape[:2]) > 0
        held = tree.query(places)[0] < GATE * np.linalg.norm(lattice.template, axis=1).min()
        repeated |= (held & inside).sum(axis=1) >= SUPPORT * np.maximum(inside.sum(axis=1), 1)
    return repeated


def find_distorted(grains: Grains, found: Structure, points: Defects) -> Defects:
    """Columns whose neighbors fit no strained lattice, where no other defect is the reason."""
    columns = grains.columns
    odd = grains.strong & (np.nan_to_num(found.misfit) >= MISFIT)
    odd &= ~(found.boundary | found.core | found.surface)
    odd &= grains.edge_distance(columns.yx) >= RIM * grains.spacing
    rows = np.nonzero(odd)[0]
    reach = max(np.linalg.norm(one.vectors, axis=1).max() for one in grains.lattices)
    if len(found.cores):
        rows = rows[cKDTree(found.cores.yx).query(columns.yx[rows])[0] > STRAINED * reach]
    if len(points):
        rows = rows[cKDTree(points.yx).query(columns.yx[rows])[0] > BESIDE * reach]
    return defects(DISTORTED, columns.yx[rows], found.misfit[rows], rows)
