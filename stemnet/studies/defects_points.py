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
BORDER = 1.5  # lattice vectors from another grain within which sites of a lattice mean nothing
NEIGHBOR = 1.3  # spacings within which columns are nearest neighbors
COMPLETE = 0.8  # share of a site's neighbors that are there
SUPPORT, GATE = (
    0.4,
    0.3,
)  # share of the lattice neighbors of a column that repeat it, within this many spacings
OUTLIER = 5.0  # standard deviations; chance gives one in 1.7 million columns
NARROWEST = 0.05  # of the width that a level has by its mixture
ALLOY = 0.05  # share of a sublattice from which a level is part of the crystal, as in an alloy
ALIKE, COMPANY = (
    2.0,
    3,
)  # standard deviations the same way, and how many of the nearest eight of its kind have them, in a group
TOGETHER = 0.3  # share of the nearest of their kind that have a level as well, from which they stand together
AMONG = 0.5  # share of the nearest eight columns on the lattice, in a piece of crystal
OFF_SITE = 0.3  # spacings that an interstitial is from the nearest column
MISFIT, SECOND = (
    8.0,
    4.0,
)  # standard errors of the misfit, and of psi_n or area: a bent scan changes the first alone
STRAINED = 3.0  # lattice vectors around a dislocation within which its strain changes from cell to cell
BESIDE = 1.3  # lattice vectors around a point defect within which columns move aside


def find_vacancies(grains: Grains, sites: MissingSites, found: Structure) -> Defects:
    """Sites where a column is missing, in the middle of an undisturbed piece of a grain."""
    cell = np.array([np.linalg.norm(one.vectors, axis=1).max() for one in grains.lattices])
    called = (sites.probability >= MISSING) & grains.seen[sites.sublattice]
    called &= grains.edge_distance(sites.yx) >= RIM * grains.spacing
    called &= beside_other_grain(grains, sites.yx, sites.grain) > BORDER * cell[sites.grain]
    if len(found.cores):
        called &= cKDTree(found.cores.yx).query(sites.yx)[0] > 2 * cell[sites.grain]
    rows = np.nonzero(called)[0]
    rows = rows[_surrounded(grains, sites, rows)]
    with np.errstate(divide="ignore", invalid="ignore"):
        score = (1 - sites.light[rows]) / sites.light_error[rows]
    return defects(VACANCY, sites.yx[rows], score, probability=sites.probability[rows])


def _surrounded(grains, sites, rows):
    """Which sites have the neighbors of the nearest ordinary column of their kind, found or missing as well, (m,).

    A site at a surface lacks some: that it is empty makes the shape of the surface, and no vacancy.
    """
    label, yx = np.asarray(grains.columns["sublattice"]), grains.columns.yx
    reach = NEIGHBOR * grains.spacing
    strong = yx[grains.strong]
    held = cKDTree(np.concatenate([strong, sites.yx]))
    good = np.zeros(len(rows), bool)
    for s in np.unique(sites.sublattice[rows]):
        alike = np.nonzero((label == s) & (grains.edge_distance(yx) > reach))[0]
        if not len(alike):
            continue
        around = cKDTree(strong).query_ball_point(yx[alike], reach)
        counts = np.array([len(one) for one in around])
        usual = np.nonzero(counts == np.bincount(counts).argmax())[0]
        mine = np.nonzero(sites.sublattice[rows] == s)[0]
        nearest = cKDTree(yx[alike[usual]]).query(sites.yx[rows[mine]])[1]
        for number, one in zip(mine, usual[nearest], strict=True):
            shell = strong[around[one]] - yx[alike[one]]
            places = sites.yx[rows[number]] + shell[np.hypot(*shell.T) > 0]
            places = places[grains.edge_distance(places) > 0]
            there = held.query(places)[0] < GATE * grains.spacing if len(places) else np.ones(1, bool)
            good[number] = there.mean() >= COMPLETE
    return good


@dataclass(frozen=True)
class Population:
    """Columns of a sublattice that share a level of their own, beside that of most.

    Parameters
    ----------
    sublattice : int
    share : float
        Of the sublattice, 0 to 1.
    relative : float
        Its level over that of most.
    alloy : bool
        Whether they are so many that they are a species of the crystal, no defects.
    beside : float
        Share of the nearest eight of their sublattice that have that level as well, 0 to 1.
    """

    sublattice: int
    share: float
    relative: float
    alloy: bool
    beside: float

    @property
    def together(self) -> bool:
        """Whether they stand together, as where the crystal is of another thickness, and not at random."""
        return self.beside > max(TOGETHER, 2 * self.share)


@dataclass(frozen=True)
class Intensities:
    """Intensities against the levels of their sublattices.

    Parameters
    ----------
    deviation : ndarray, shape (N,)
        From the nearest level of the crystal, in standard deviations, signed; NaN where it is not judged.
    relative : ndarray, shape (N,)
        Over that level.
    grouped : ndarray of bool, shape (N,)
        Whether those around deviate the same way: thickness, contamination or the rim of a scan do that.
    levels : dict of int to Levels
        By sublattice.
    populations : tuple of Population
    """

    deviation: np.ndarray
    relative: np.ndarray
    grouped: np.ndarray
    levels: dict[int, Levels]
    populations: tuple[Population, ...]


def against_levels(grains: Grains, found: Structure, seed: int, alloy: float = ALLOY) -> Intensities:
    """Compare every column with the levels that most columns of its sublattice have.

    Parameters
    ----------
    grains : Grains
        Of columns with ``intensity``.
    found : Structure
    seed : int
        Of the mixtures' starts.
    alloy : float
        Share of a sublattice from which a level is one of the crystal, 0 to 1.

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
    populations: list[Population] = []
    for s, level in levels.items():
        rows = np.nonzero(judged & (label == s) & np.isfinite(x))[0]
        if not len(rows):
            continue
        most = int(level.weight.argmax())
        host = np.nonzero(level.weight >= min(alloy, level.weight[most]))[0]
        populations += [
            Population(
                s,
                float(level.weight[k]),
                float(level.level[k] / level.level[most]),
                k in host,
                _beside(columns.yx[rows], np.abs(x[rows, None] - level.level).argmin(axis=1) == k),
            )
            for k in range(len(level.level))
            if k != most
        ]
        spread = np.sqrt(level.variance[host] + (sigma[rows, None] / classes.gain[rows, None]) ** 2)
        away = (x[rows, None] - level.level[host]) / spread
        nearest = np.abs(away).argmin(axis=1)
        near = away[np.arange(len(rows)), nearest]
        between = (away > 0).any(axis=1) & (away < 0).any(axis=1)
        # tails of neighbors and drift scatter more than the errors say, and the few outliers widen a level
        wide = max(NARROWEST, 1.4826 * float(np.median(np.abs(near - np.median(near)))))
        deviation[rows] = np.where(between, 0.0, near / wide)
        relative[rows] = x[rows] / level.level[host][nearest]
    return Intensities(
        deviation, relative, _grouped(columns.yx, label, deviation), levels, tuple(populations)
    )


def _beside(yx: np.ndarray, member: np.ndarray) -> float:
    """Share of the nearest eight of members (n,) that are members too."""
    if not member.any() or len(yx) < 2:
        return 0.0
    near = cKDTree(yx).query(yx[member], k=np.arange(2, min(9, len(yx)) + 1))[1]
    return float(member[near].mean())


def _grouped(yx: np.ndarray, label: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Outliers (N,) of which several of the nearest of their sublattice deviate the same way."""
    grouped = np.zeros(len(yx), bool)
    out = np.abs(np.nan_to_num(deviation)) >= OUTLIER
    for s in np.unique(label[out]):
        rows = np.nonzero((label == s) & np.isfinite(deviation))[0]
        mine = rows[out[rows]]
        near = cKDTree(yx[rows]).query(yx[mine], k=np.arange(2, min(9, len(rows)) + 1))[1]
        alike = deviation[rows[near]] * np.sign(deviation[mine])[:, None] >= ALIKE
        grouped[mine] = alike.sum(axis=1) >= COMPANY
    return grouped


def find_substitutions(grains: Grains, light: Intensities) -> list[Defects]:
    """Columns that are brighter, and those that are darker, than any level of the crystal; not those in groups."""
    found = []
    for kind, size in ((BRIGHTER, light.deviation), (DIMMER, -light.deviation)):
        rows = np.nonzero((np.nan_to_num(size) >= OUTLIER) & ~light.grouped)[0]
        found.append(defects(kind, grains.columns.yx[rows], size[rows], rows))
    return found


def find_interstitials(grains: Grains, found: Structure) -> Defects:
    """Bright columns off the lattice, in the middle of an undisturbed piece of it; the score is their significance."""
    columns, label = grains.columns, np.asarray(grains.columns["sublattice"])
    on = grains.strong & (label >= 0)
    rows = np.nonzero(grains.strong & (label < 0) & ~(found.boundary | found.core))[0]
    rows = rows[grains.edge_distance(columns.yx[rows]) >= RIM * grains.spacing]
    rows = rows[cKDTree(columns.yx[on]).query(columns.yx[rows])[0] > OFF_SITE * grains.spacing]
    rows = rows[in_crystal(grains, rows)]
    rows = rows[~_repeated(grains, rows)]
    sure = np.asarray(columns.fields.get("significance", np.full(len(columns), np.nan)), dtype=float)
    return defects(INTERSTITIAL, columns.yx[rows], sure[rows], rows)


def in_crystal(grains: Grains, rows: np.ndarray) -> np.ndarray:
    """Which columns (m,) stand among columns of a lattice, and not where the crystal lies otherwise or not at all."""
    strong = np.nonzero(grains.strong)[0]
    on = np.asarray(grains.columns["sublattice"])[strong] >= 0
    others = np.arange(2, min(9, len(strong)) + 1)  # the nearest is the column itself
    away, near = cKDTree(grains.columns.yx[strong]).query(grains.columns.yx[rows], k=others)
    cell = max(np.linalg.norm(one.vectors, axis=1).max() for one in grains.lattices)
    return np.asarray((on[near] & (away < 2 * cell)).mean(axis=1) > AMONG)


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
    odd &= np.nan_to_num(np.maximum(found.order, np.abs(found.area))) >= SECOND
    odd &= ~(found.boundary | found.core | found.surface)
    odd &= grains.edge_distance(columns.yx) >= RIM * grains.spacing
    rows = np.nonzero(odd)[0]
    reach = max(np.linalg.norm(one.vectors, axis=1).max() for one in grains.lattices)
    if len(found.cores):
        rows = rows[cKDTree(found.cores.yx).query(columns.yx[rows])[0] > STRAINED * reach]
    if len(points):
        rows = rows[cKDTree(points.yx).query(columns.yx[rows])[0] > BESIDE * reach]
    # a displaced column is a misfit to those around as well, a lesser one
    kept: list[int] = []
    for row in rows[np.argsort(-found.misfit[rows], kind="stable")]:
        if not kept or np.hypot(*(columns.yx[kept] - columns.yx[row]).T).min() > BESIDE * reach:
            kept.append(int(row))
    chosen = np.array(kept, dtype=int)
    return defects(DISTORTED, columns.yx[chosen], found.misfit[chosen], chosen)
