"""Sites of the lattice at which no column was found, and whether there is none.

A site is empty because the column is missing, or because it was overlooked. How
likely columns of that kind are overlooked follows from how significant those
around were found; the image, where it is given, says how much light there is
once that of the neighbors is taken off. Bayes' rule joins both with the share of
missing columns, which is found from all sites of the sublattice together by
expectation maximization (A. P. Dempster, N. M. Laird and D. B. Rubin, J. R.
Stat. Soc. B 39, 1, 1977).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import ndtr

from stemnet.columns import Columns
from stemnet.descriptors.forced_light import forced_light
from stemnet.descriptors.indices import sublattice_offsets
from stemnet.descriptors.lattice import column_spacing
from stemnet.descriptors.reference import Reference
from stemnet.errors import StemnetError

GATE = 0.35  # of the nearest spacing: a column this near occupies the site
NEAR = 8  # columns that a site is placed by
AROUND = 1.3  # longer lattice vectors, within which the surroundings of a site are
SURROUNDED = 0.6  # share of them that must be occupied: sites beyond the edge of a flake are not missing
ALIKE = 200  # columns of the kind whose significance and light are compared
FLUKES = 2  # columns found with a lower significance than others of theirs would be
CERTAIN = 7.0  # significance that is found in any case: on the bundled images columns are from 4 to 6
TINY = 1e-12  # likelihoods are not trusted further
MISFIT = 0.05  # of the light of a column: tails of neighbors, scatter of a kind (15 vacancies of mos2_defects: 0.044)
DARK = 1e-9  # of the largest value of the image: less light than that is rounding
ROUNDS = 50


@dataclass(frozen=True)
class MissingSites:
    """Sites without a column.

    Parameters
    ----------
    yx : ndarray, shape (M, 2)
        Where the column would be [px].
    sublattice, grain : ndarray of int, shape (M,)
    cells : ndarray of int, shape (M, 2)
        As in `Reference.cells`.
    probability : ndarray, shape (M,)
        That there is no column, 0 to 1.
    overlooked : ndarray, shape (M,)
        Probability that a column there would not have been found.
    light : ndarray, shape (M,)
        Of the site, as a share of that of columns of its kind nearby; NaN without an image.
    light_error : ndarray, shape (M,)
        Standard error of it.
    sites : dict of int to int
        By sublattice, how many sites of the lattice lie in the image, empty or not.
    """

    yx: np.ndarray
    sublattice: np.ndarray
    grain: np.ndarray
    cells: np.ndarray
    probability: np.ndarray
    overlooked: np.ndarray
    light: np.ndarray
    light_error: np.ndarray
    sites: dict[int, int]

    def __len__(self) -> int:
        return len(self.yx)

    def share(self, sublattice: int) -> tuple[float, float]:
        """Share of a sublattice's sites that are missing, and its error from sites in doubt and from their number."""
        p = self.probability[self.sublattice == sublattice]
        number = max(self.sites.get(sublattice, 0), 1)
        value = float(p.sum()) / number
        return value, float(np.sqrt((p * (1 - p)).sum() / number**2 + value * (1 - value) / number))


def missing_sites(columns: Columns, reference: Reference, image: np.ndarray | None = None) -> MissingSites:
    """Find the sites of the reference lattice that no column occupies.

    Parameters
    ----------
    columns : Columns
        Of one frame, with ``significance`` and ``width`` [px] where they are known.
    reference : Reference
        Of these columns.
    image : ndarray, shape (H, W), optional
        What the columns were found in, bright or dark.

    Returns
    -------
    MissingSites
        Ordered by grain, sublattice and cell. A site lies in the image, and most
        of those around it are occupied.

    Raises
    ------
    StemnetError
        If the reference is of other columns.
    """
    if len(reference) != len(columns):
        raise StemnetError(
            f"The reference is of {len(reference)} columns, not of these {len(columns)}; make it of them."
        )
    gate = GATE * column_spacing(columns.yx)
    parts = [_of_grain(columns, reference, g, gate) for g in range(len(reference.vectors))]
    yx, label, cells, empty = (np.concatenate(part) for part in zip(*parts, strict=True))
    grain = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
    sites = {int(s): int((label == s).sum()) for s in np.unique(label)}
    rows = np.nonzero(empty)[0]
    yx, label, grain, cells = yx[rows], label[rows], grain[rows], cells[rows]
    overlooked, probability = np.zeros(len(rows)), np.zeros(len(rows))
    light, error = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    for s in np.unique(label):
        mine = np.nonzero(label == s)[0]
        alike = np.nonzero(reference.sublattice == s)[0]
        near = cKDTree(columns.yx[alike]).query(yx[mine], k=min(ALIKE, len(alike)))[1].reshape(len(mine), -1)
        missed = _overlooked(columns, yx[mine], alike[near], len(alike))
        overlooked[mine] = missed.mean(axis=1)
        nothing, there = np.ones(len(mine)), np.ones(near.shape)
        if image is not None:
            nothing, there, light[mine], error[mine] = _by_light(columns, image, yx[mine], alike[near])
        probability[mine] = _posterior(nothing, (missed * there).mean(axis=1), sites[int(s)])
    return MissingSites(yx, label, grain, cells, probability, overlooked, light, error, sites)


def _of_grain(columns, reference, g, gate):
    """Sites of one grain in the image: places (n, 2), sublattices (n,), cells (n, 2), and which are empty (n,)."""
    rows = reference.rows(g)
    vectors, label, cells = reference.vectors[g], reference.sublattice[rows], reference.cells[rows]
    offsets = sublattice_offsets(columns.yx[rows], label, vectors)
    low, high = cells.min(axis=0) - 2, cells.max(axis=0) + 3
    grid = np.stack(np.meshgrid(*map(np.arange, low, high), indexing="ij"), axis=-1).reshape(-1, 2)
    present = np.unique(label)
    site = np.tile(grid, (len(present), 1))
    kind = np.repeat(present, len(grid))
    straight = (site + offsets[kind]) @ vectors
    known = (cells + offsets[label]) @ vectors
    # from the columns around, so that strain and drift carry a site along
    _, near = cKDTree(known).query(straight, k=min(NEAR, len(known)))
    near = near.reshape(len(straight), -1)
    place = straight + np.median(columns.yx[rows][near] - known[near], axis=1)
    inside = ((place >= -0.5) & (place <= np.array(columns.shape) - 0.5)).all(axis=1)
    place, kind, site = place[inside], kind[inside], site[inside]
    empty = cKDTree(columns.yx).query(place)[0] > gate
    radius = AROUND * np.linalg.norm(vectors, axis=1).max()
    around = cKDTree(place).query_ball_point(place, radius)
    occupied = np.array([(~empty[others]).sum() / max(len(others) - 1, 1) for others in around])
    # a full site counts itself among its surroundings
    occupied = occupied - np.array([~empty[i] / max(len(o) - 1, 1) for i, o in enumerate(around)])
    held = ~empty | (occupied >= SURROUNDED)
    return place[held], kind[held], site[held], empty[held]


def _overlooked(columns, yx, alike, count):
    """Probability (m, K) that a column at a place (m, 2) as significant as one of its kind, a row (m, K), is not found.

    It is found where its significance, with an error of 1, exceeds the lowest
    that columns are found with; the edge of the image cuts light off. It is
    never less than Laplace's rule of succession gives from those that were found.
    """
    least = 1 / (count + 2)
    if "significance" not in columns:
        return np.full(alike.shape, least)
    significance = np.asarray(columns["significance"], dtype=float)
    ordered = np.sort(significance[np.isfinite(significance)])
    # where all columns are bright, the lowest of them says nothing of what would not have been found
    lowest = min(ordered[min(FLUKES, len(ordered) - 1)], CERTAIN) if len(ordered) else CERTAIN
    edge = np.concatenate([yx + 0.5, np.array(columns.shape) - 0.5 - yx], axis=1)
    seen = ndtr(edge / _width(columns)).prod(axis=1)
    missed = ndtr(lowest - significance[alike] * np.sqrt(seen)[:, None])
    return np.maximum(np.nan_to_num(missed, nan=0.5), least)


def _width(columns):
    """Sigma of most columns [px]."""
    return float(np.nanmedian(columns["width"])) if "width" in columns else 0.25 * column_spacing(columns.yx)


def _by_light(columns, image, yx, alike):
    """Likelihood of the light at places (m, 2) where nothing is, (m,), and where a column as bright as one of its kind
    is, (m, K); that light as a share of theirs, and its error."""
    used, number = np.unique(alike, return_inverse=True)
    theirs, _ = forced_light(image, columns.yx, columns.yx[used], _width(columns))
    mine, sigma = forced_light(image, columns.yx, yx, _width(columns))
    theirs = theirs[number.reshape(alike.shape)]
    typical = _median(theirs)
    # an image without light, but for rounding, says nothing of any site
    typical[~(np.abs(typical) > DARK * np.abs(image).max())] = np.nan
    error = np.hypot(sigma, MISFIT * np.abs(typical))
    spread = np.hypot(error[:, None], MISFIT * theirs)
    there = np.exp(-0.5 * ((mine[:, None] - theirs) / spread) ** 2) / spread
    nothing = np.exp(-0.5 * (mine / error) ** 2) / error
    # light that cannot be measured says nothing
    nothing, there = np.nan_to_num(nothing * error, nan=1.0), np.nan_to_num(there * error[:, None], nan=1.0)
    return np.maximum(nothing, TINY), np.maximum(there, TINY), mine / typical, error / np.abs(typical)


def _median(values):
    """Median of the finite ones of each row (m, K), (m,); NaN where there is none."""
    found = np.full(len(values), np.nan)
    known = np.isfinite(values).any(axis=1)
    found[known] = np.nanmedian(values[known], axis=1)
    return found


def _posterior(nothing, there, sites):
    """Probability that there is no column, (m,), with the share of missing columns found from all sites."""
    share = (len(nothing) + 0.5) / (sites + 1)
    for _ in range(ROUNDS):
        probability = share * nothing / (share * nothing + (1 - share) * there)
        share = (probability.sum() + 0.5) / (sites + 1)
    return probability
