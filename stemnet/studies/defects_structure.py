"""Where the neighborhoods of columns are not those of the crystal: boundaries, dislocation cores, surfaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.stats import norm

from stemnet.descriptors.bond_orientation import bond_orientation
from stemnet.descriptors.coordination import coordination
from stemnet.descriptors.dislocations import Dislocations, find_dislocations
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.local_misfit import MOST, local_misfit
from stemnet.descriptors.missing_sites import MissingSites
from stemnet.descriptors.voronoi import voronoi_area
from stemnet.errors import StemnetError
from stemnet.studies.defects_grains import Grains

ORDERS = (2, 3, 4, 5, 6)
BESIDE = 2.0  # lattice vectors within which another grain is beside a column
TOLERANCE = 0.2  # lattice vectors within which a column is at a place of the lattice
OPEN = 0.7  # lattice vectors that a place beyond a surface is from any column
OCCUPIED = 0.4  # spacings within which a column is at a place
CORE = 1.2  # lattice vectors around a dislocation that belong to its core
UNUSUAL = 4.0  # standard deviations by which a column of a core is off at least, or nothing ends there
SAME_CORE = 1.5  # lattice vectors within which sublattices see one dislocation


@dataclass(frozen=True)
class Structure:
    """Neighborhoods of the columns that are seen, (N,) each; NaN or False for the others.

    Parameters
    ----------
    misfit : ndarray
        Of the lattice neighbors, in standard errors; see `local_misfit`.
    order : ndarray
        How far |psi_n| is below that of most columns of the sublattice, in
        standard deviations of these; n is the one of highest order there.
    area : ndarray
        How far the area of the Voronoi cell is off, signed, likewise.
    coordination : ndarray
        Number of Voronoi neighbors.
    usual : ndarray
        Number that most columns of the sublattice have.
    boundary, core, surface : ndarray of bool
    cores : Dislocations
    """

    misfit: np.ndarray
    order: np.ndarray
    area: np.ndarray
    coordination: np.ndarray
    usual: np.ndarray
    boundary: np.ndarray
    core: np.ndarray
    surface: np.ndarray
    cores: Dislocations

    @property
    def score(self) -> np.ndarray:
        """The largest of the three deviations, without sign, (N,); NaN where none is known."""
        parts = np.abs([self.misfit, self.order, self.area])
        known = np.isfinite(parts).any(axis=0)
        return np.where(known, np.nanmax(np.where(known, parts, 0.0), axis=0), np.nan)


def structure(grains: Grains, sites: MissingSites) -> Structure:
    """Measure the neighborhoods of all strong columns.

    Parameters
    ----------
    grains : Grains
    sites : MissingSites
        Of their columns.

    Returns
    -------
    Structure
    """
    n, rows = len(grains.columns), np.nonzero(grains.strong)[0]
    strong = grains.columns.select(rows)
    label = np.asarray(strong["sublattice"])
    psi = bond_orientation(strong, orders=ORDERS, form="magnitude").values
    area = voronoi_area(strong).values[:, 1]
    count = coordination(strong, neighbors="voronoi").values[:, 0]
    order, usual = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    deviation = np.full(len(rows), np.nan)
    for s in np.unique(label):
        mine = label == s
        # columns of no sublattice are compared with all others
        others = mine if s >= 0 else label >= 0
        if not np.isfinite(psi[others]).any():
            continue
        best = psi[:, int(np.nanmedian(psi[others], axis=0).argmax())]
        deviation[mine] = robust(area[mine], area[others])
        order[mine] = -robust(best[mine], best[others])
        known = count[others][np.isfinite(count[others])].astype(int)
        usual[mine] = np.bincount(known).argmax()
    misfit = _misfit(grains)[rows]
    cell = float(np.median([np.linalg.norm(one.vectors[0]) for one in grains.lattices]))
    cores = _unusual(_cores(grains), strong.yx, [misfit, order, deviation], CORE * cell)
    near_core = np.zeros(len(rows), bool)
    if len(cores):
        near_core = cKDTree(cores.yx).query(strong.yx)[0] < CORE * cell
    boundary = ~near_core & boundary_columns(
        strong.yx, np.asarray(strong["grain"]), grains.lattices, grains.columns.shape
    )
    surface = _surface(grains, sites, strong.yx, np.asarray(strong["grain"]))
    parts = {
        "misfit": misfit,
        "order": order,
        "area": deviation,
        "coordination": count,
        "usual": usual,
    }
    whole = {name: _spread_out(values, rows, n, np.nan) for name, values in parts.items()}
    marks = {"boundary": boundary, "core": near_core, "surface": surface & ~boundary}
    whole |= {name: _spread_out(values, rows, n, False) for name, values in marks.items()}
    return Structure(**whole, cores=cores)


def robust(values: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Deviations (n,) from the median of usual values (m,), in standard deviations by their quartiles.

    At most `MOST` of them, since nobody knows how the usual values go on beyond; NaN where unknown.
    """
    known = usual[np.isfinite(usual)]
    if len(known) < 4:
        return np.full(len(values), np.nan)
    low, middle, high = np.percentile(known, (25, 50, 75))
    spread = (high - low) / (2 * norm.ppf(0.75))
    return np.clip((values - middle) / max(spread, 1e-9), -MOST, MOST)


def _spread_out(values, rows, n, blank):
    whole = np.full(n, blank)
    whole[rows] = values
    return whole


def _misfit(grains: Grains) -> np.ndarray:
    """Misfit of every column in its own grain, in standard errors, (N,)."""
    score = np.full(len(grains.columns), np.nan)
    for g, lattice in enumerate(grains.lattices):
        rows = np.nonzero((np.asarray(grains.columns["grain"]) == g) & grains.strong)[0]
        score[rows] = local_misfit(grains.columns.select(rows), lattice=lattice).values[:, 1]
    return score


def _cores(grains: Grains) -> Dislocations:
    """Dislocations that the sublattices agree on, at the mean of their places."""
    label = np.asarray(grains.columns["sublattice"])
    found, total = [], []
    for g, lattice in enumerate(grains.lattices):
        reach = SAME_CORE * np.linalg.norm(lattice.vectors, axis=1).max()
        mine = []
        for s in np.nonzero((grains.home == g) & grains.seen)[0]:
            rows = np.nonzero(label == s)[0]
            one = find_dislocations(grains.columns.yx[rows], lattice.vectors)
            mine += list(zip(one.yx, map(tuple, one.steps), one.burgers, one.extent, strict=True))
        while mine:
            first = mine[0]
            same = [o for o in mine if o[1] == first[1] and np.hypot(*(o[0] - first[0])) < reach]
            mine = [o for o in mine if not any(o is other for other in same)]
            found.append(tuple(np.mean([o[i] for o in same], axis=0) for i in (0, 2, 3)))
            total.append(first[1])
    if not found:
        return Dislocations(np.zeros((0, 2)), np.zeros((0, 2), int), np.zeros((0, 2)), np.zeros(0))
    yx, burgers, extent = (np.array(part) for part in zip(*found, strict=True))
    return Dislocations(yx, np.array(total), burgers, extent)


def _unusual(cores: Dislocations, yx: np.ndarray, parts: Sequence[np.ndarray], reach: float) -> Dislocations:
    """Those with a column (n, 2) nearby whose neighborhood is unusual by one of the deviations (n,).

    Where columns are off by half a lattice vector, as in chains, circuits close by other ways than they should, in a
    crystal that is whole everywhere.
    """
    if not len(cores):
        return cores
    score = np.nan_to_num(np.abs(parts)).max(axis=0)
    near = cKDTree(yx).query_ball_point(cores.yx, reach)
    kept = np.array([score[rows].max(initial=0.0) >= UNUSUAL for rows in near])
    return Dislocations(cores.yx[kept], cores.steps[kept], cores.burgers[kept], cores.extent[kept])


def boundary_columns(
    yx: np.ndarray, grain: np.ndarray, lattices: Sequence[Lattice], shape: tuple[int, int]
) -> np.ndarray:
    """Columns beside another grain that lack one of their lattice neighbors.

    A column at a place that both lattices share is a neighbor to both grains,
    whichever it is counted to, so the outcome hardly depends on that.

    Parameters
    ----------
    yx : ndarray, shape (n, 2)
        [px]
    grain : ndarray of int, shape (n,)
        -1 for columns of none, which are at a boundary if they stand beside one.
    lattices : sequence of Lattice, length G
    shape : tuple of int
        Of the image [px]; neighbors beyond it are not missed.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    tree, boundary = cKDTree(yx), np.zeros(len(yx), bool)
    for g, lattice in enumerate(lattices):
        rows, others = np.nonzero(grain == g)[0], (grain >= 0) & (grain != g)
        if not len(rows) or not others.any():
            continue
        template = lattice.template
        places = yx[rows][:, None] + template
        inside = ((places >= -0.5) & (places <= np.array(shape) - 0.5)).all(axis=2)
        empty = tree.query(places)[0] > TOLERANCE * np.linalg.norm(template, axis=1).min()
        near = cKDTree(yx[others]).query(yx[rows])[0] < BESIDE * np.linalg.norm(template, axis=1).max()
        boundary[rows] = (inside & empty).any(axis=1) & near
    alone = np.nonzero(grain < 0)[0]
    if boundary.any() and len(alone):
        reach = max(np.linalg.norm(lattice.template, axis=1).min() for lattice in lattices)
        boundary[alone] = cKDTree(yx[boundary]).query(yx[alone])[0] < reach
    return boundary


def _surface(grains: Grains, sites: MissingSites, yx: np.ndarray, grain: np.ndarray) -> np.ndarray:
    """Columns beyond which the image shows nothing, (n,)."""
    tree, surface = cKDTree(yx), np.zeros(len(yx), bool)
    empty = cKDTree(sites.yx) if len(sites) else None
    for g, lattice in enumerate(grains.lattices):
        rows = np.nonzero(grain == g)[0]
        template = lattice.template
        places = (yx[rows][:, None] + template).reshape(-1, 2)
        least = OPEN * np.linalg.norm(template, axis=1).min()
        hollow = (tree.query(places)[0] > min(least, np.inf)) & (grains.edge_distance(places) > 0)
        if empty is not None:
            hollow &= empty.query(places)[0] > OCCUPIED * grains.spacing
        surface[rows] = hollow.reshape(len(rows), -1).any(axis=1)
    return surface


def need_columns(grains: Grains) -> None:
    """Refuse what has too few strong columns for Voronoi cells.

    Raises
    ------
    StemnetError
    """
    if grains.strong.sum() < 4:
        raise StemnetError(
            f"{int(grains.strong.sum())} columns are bright enough to be judged; four or more are needed. Use a larger "
            "field of view."
        )
