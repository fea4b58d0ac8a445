"""The local Bravais lattice, from positions alone.

A crystal with several columns per cell hides its lattice from nearest
neighbors, so the lattice is read from the autocorrelation of the positions:
the difference vectors that map columns onto columns. Vectors are accepted in
pairs, by the share of columns that have their partners on both sides (+-a,
+-b). A vector from one sublattice to another has its partner on one side only
(honeycomb) or joins columns of different intensity (perovskite), so neither
passes for a lattice vector; of the pairs that fit, the smallest cell wins, so
no superlattice does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, maximum_filter
from scipy.spatial import ConvexHull, QhullError, cKDTree

MIN_COLUMNS = 12
PATCH = 150  # columns of a part of the image that is searched by itself
SAMPLE = 2500  # columns whose surroundings are looked at; enough for any image
GATE = 0.33  # a partner lies within this many column spacings of where it should be
ANCHOR = -np.pi / 12  # template directions start here, so that an axis-aligned lattice never sits on the cut


@dataclass(frozen=True)
class Lattice:
    """A two-dimensional Bravais lattice.

    Parameters
    ----------
    vectors : ndarray, shape (2, 2)
        The primitive vectors a and b as rows (y, x) [px], reduced.
    k : int
        Neighbors that each site has: 6 where a and b stand well off a right
        angle (hexagonal-like), else 4.
    confidence : float
        Share of the columns that have their lattice neighbors, 0 to 1.
    note : str
        What the user should know; empty when the lattice fits throughout.
    """

    vectors: np.ndarray
    k: int
    confidence: float
    note: str = ""

    @property
    def template(self) -> np.ndarray:
        """The k shortest lattice vectors, shape (k, 2) [px], by increasing angle atan2(y, x)."""
        a, b = self.vectors
        half = [a, b] if self.k == 4 else [a, b, a - b if a @ b > 0 else a + b]
        return by_angle(np.concatenate([half, np.negative(half)]))


def by_angle(vectors: np.ndarray) -> np.ndarray:
    """Sort vectors (k, 2) by atan2(y, x), starting just below the +x axis."""
    angle = np.arctan2(vectors[:, 0], vectors[:, 1])
    return vectors[np.argsort((angle - ANCHOR) % (2 * np.pi), kind="stable")]


def column_spacing(yx: np.ndarray) -> float:
    """Median distance from a column to its nearest neighbor [px]."""
    return float(np.median(cKDTree(yx).query(yx, k=2)[0][:, 1]))


def find_lattice(yx: np.ndarray, intensity: np.ndarray | None = None) -> Lattice | None:
    """Find the lattice that most columns obey.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        Positions of one image [px].
    intensity : ndarray, shape (N,), optional
        Intensity of each column, any unit; tells sublattices apart that
        positions cannot (the A and B sites of a perovskite).

    Returns
    -------
    Lattice or None
        None when there are fewer than twelve columns or no lattice fits. Of
        several grains the dominant one, which `note` then says.
    """
    yx = np.asarray(yx, dtype=np.float64)
    if len(yx) < MIN_COLUMNS or not np.isfinite(yx).all():
        return None
    # every n-th column in reading order: the choice must not depend on the order of the rows
    rank = np.lexsort((yx[:, 1], yx[:, 0]))
    centers = rank[:: -(-len(yx) // SAMPLE)]
    spacing = column_spacing(yx[centers] if len(centers) == len(yx) else yx)
    contrast = None if intensity is None else _local_contrast(yx, np.asarray(intensity, dtype=np.float64))
    found = _search(yx, centers, spacing, contrast)
    if len(yx) >= 2 * PATCH:
        found = _of_largest_grain(yx, centers, spacing, contrast, found)
    needed = 0.22 + 2.2 / np.sqrt(len(centers))
    if found is None or found[1] < needed:
        return None
    vectors, confidence = found
    note = ""
    if confidence < 0.75:
        note = (
            f"The lattice fits {confidence:.0%} of the columns only (several grains, disorder or missed "
            "columns); it is that of the largest part."
        )
    return Lattice(vectors, _neighbor_count(vectors), confidence, note)


def _of_largest_grain(yx, centers, spacing, contrast, whole):
    """The lattice that most patches of the image agree on, and the share of all columns that fit it.

    Two grains have coincidence vectors that fit both better than either's own
    lattice fits the image; within a patch there is mostly one grain.
    """
    low, high = yx.min(axis=0), yx.max(axis=0)
    seeds = np.stack(np.meshgrid(*[np.arange(0.125, 1, 0.25)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    tree = cKDTree(yx)
    found = [] if whole is None else [whole[0]]
    local = []
    for patch in tree.query(low + seeds * (high - low), k=PATCH)[1]:
        patch = np.sort(patch)
        part = _search(yx[patch], np.arange(PATCH), spacing, None if contrast is None else contrast[patch])
        if part is not None and part[1] >= 0.5:
            local.append(part[0])
    found += local
    if not found:
        return None
    votes = np.array([sum(_same(one, other) for other in local) for one in found])
    winner = found[int(votes.argmax())]  # of equals the first: the whole image's, then in reading order
    if whole is not None and winner is whole[0]:
        return whole
    mates = [one for one in local if _same(winner, one)]
    vectors = np.mean([np.round(winner @ np.linalg.inv(one)) @ one for one in mates], axis=0)
    partner, testable = _partners(yx, tree, centers, vectors, GATE * spacing)
    _, fit = _best_pair(vectors, partner >= 0, testable, np.ones(2, bool))
    return _reduced(vectors), fit


def _same(one, other):
    """Whether two bases span the same lattice within a tenth of a cell."""
    change = one @ np.linalg.inv(other)
    whole = np.round(change)
    return np.abs(change - whole).max() < 0.12 and abs(abs(np.linalg.det(whole)) - 1) < 0.1


def _search(yx, centers, spacing, contrast):
    """Best (vectors, share of columns that fit), or None."""
    found = None
    for reach in (40, 130):  # columns around each center; the larger for cells of many columns
        found = _search_within(yx, centers, spacing, contrast, min(reach, len(yx) - 1))
        if found is not None and found[1] >= 0.6:
            break
    return found


def _search_within(yx, centers, spacing, contrast, reach):
    """As `_search`, among the difference vectors to `reach` neighbors."""
    tree = cKDTree(yx)
    distance, neighbor = tree.query(yx[centers], k=reach + 1)
    radius = np.median(distance[:, -1])
    near = (distance > 0.4 * spacing) & (distance < radius)
    differences = (yx[neighbor] - yx[centers, None])[near]
    candidates = _peaks(differences, spacing, radius)
    if len(candidates) < 2:
        return None
    gate = GATE * spacing
    partner, testable = _partners(yx, tree, centers, candidates, gate)
    present = partner >= 0
    share = present.sum(axis=(0, 2)) / np.maximum(testable.sum(axis=(0, 2)), 1)
    enough = testable.sum(axis=(0, 2)) >= MIN_COLUMNS
    share = np.where(enough, share, 0.0)
    best = np.argsort(-share, kind="stable")[:30]
    # one-sided vectors (from one sublattice to another) reach half the share of lattice vectors
    best = best[share[best] > 0.78 * share.max()]
    present, testable, partner, candidates = (
        present[:, best],
        testable[:, best],
        partner[:, best],
        candidates[best],
    )
    pair, fit = _best_pair(candidates, present, testable, np.ones(len(best), bool))
    if pair is None:
        return None
    if contrast is not None:
        alike = _maps_like_on_like(contrast, centers, partner)
        strict, strict_fit = _best_pair(candidates, present, testable, alike)
        # stripes or noise in the intensities can veto every cell: then positions decide alone
        if strict is not None and strict_fit > 0.8 * fit:
            pair, fit = strict, strict_fit
    return _refined(_reduced(candidates[list(pair)]), differences, gate), fit


def _peaks(differences, spacing, radius):
    """Difference vectors that occur often, one of each +- pair, shape (C, 2)."""
    bins = 2 * int(np.ceil(radius / spacing * 8)) + 1
    edge = bins / 16 * spacing
    both = np.concatenate([differences, -differences])
    counts, edges, _ = np.histogram2d(both[:, 0], both[:, 1], bins=bins, range=[[-edge, edge]] * 2)
    smooth = gaussian_filter(counts, 1.2)
    peak = (smooth == maximum_filter(smooth, size=5)) & (smooth > 0.1 * smooth.max())
    middle = (edges[1:] + edges[:-1]) / 2
    i, j = np.nonzero(peak)
    vectors = np.stack([middle[i], middle[j]], axis=1)
    half = (vectors[:, 1] > 1e-9 * edge) | ((np.abs(vectors[:, 1]) <= 1e-9 * edge) & (vectors[:, 0] > 0))
    order = np.argsort(-smooth[i, j][half], kind="stable")[:60]
    return _refined(vectors[half][order], both, GATE * spacing)


def _refined(vectors, differences, gate):
    """Move each vector to the mean of the differences around it."""
    tree = cKDTree(differences)
    for _ in range(2):
        around = tree.query_ball_point(vectors, gate)
        vectors = np.array(
            [differences[near].mean(axis=0) if near else v for near, v in zip(around, vectors, strict=True)]
        )
    return vectors


def _partners(yx, tree, centers, vectors, gate):
    """Column found at center +- vector, shape (n, C, 2), -1 if none; and whether one could be there."""
    inside = _inside(yx, margin=0.5 * gate)
    signed = np.stack([vectors, -vectors], axis=1)
    target = yx[centers, None, None] + signed
    distance, partner = tree.query(target, distance_upper_bound=gate)
    partner = np.where(np.isfinite(distance), partner, -1)
    return partner, inside(target) | (partner >= 0)


def _inside(yx, margin):
    """Return a function telling which points lie in the convex hull of the columns."""
    try:
        planes = ConvexHull(yx).equations
    except QhullError:  # all on one line
        return lambda points: np.zeros(points.shape[:-1], bool)

    def inside(points):
        result = np.ones(points.shape[:-1], bool)
        for ny, nx, offset in planes:
            result &= points[..., 0] * ny + points[..., 1] * nx + offset <= margin
        return result

    return inside


def _best_pair(vectors, present, testable, allowed):
    """Indices of the smallest cell among the pairs that nearly the most columns obey, and their share."""
    first, second = np.triu_indices(len(vectors), 1)
    area = np.abs(vectors[first, 0] * vectors[second, 1] - vectors[first, 1] * vectors[second, 0])
    length = np.hypot(*vectors.T)
    good = allowed[first] & allowed[second] & (area > 0.45 * length[first] * length[second])
    first, second, area = first[good], second[good], area[good]
    if not len(first):
        return None, 0.0
    found, could = present.sum(axis=2).T.astype(np.int8), testable.sum(axis=2).T.astype(np.int8)
    could_pair = could[first] + could[second]
    tested = could_pair >= 3
    fits = tested & (4 * (found[first] + found[second]) >= 3 * could_pair)
    count = tested.sum(axis=1)
    # a pair that few columns can test (long vectors in a small field) must not win by luck
    fit = np.where(count >= max(MIN_COLUMNS, 0.2 * count.max()), fits.sum(axis=1) / np.maximum(count, 1), 0.0)
    close = fit >= 0.85 * (fit - 0.5 / np.sqrt(np.maximum(count, 1))).max()
    size = np.where(close, area, np.inf)
    tie = np.nonzero(size <= 1.1 * size.min())[0]
    chosen = tie[np.argmin((length[first] + length[second])[tie])]
    return (first[chosen], second[chosen]), float(fit[chosen])


def _local_contrast(yx, intensity):
    """Log intensity relative to the surroundings, clipped: blind to thickness and contamination."""
    log = np.log(np.maximum(intensity, 1e-3 * np.nanmedian(np.abs(intensity)) + 1e-300))
    log = np.where(np.isfinite(log), log, np.nanmedian(log))
    _, near = cKDTree(yx).query(yx, k=min(25, len(yx)))
    contrast = log - log[near].mean(axis=1)
    limit = 3 * 1.4826 * np.median(np.abs(contrast - np.median(contrast))) + 1e-12
    return np.clip(contrast, -limit, limit)


def _maps_like_on_like(contrast, centers, partner):
    """Which vectors join columns of like intensity, by the correlation of the pairs they make."""
    here = np.broadcast_to(contrast[centers, None, None], partner.shape)
    there = np.where(partner >= 0, contrast[partner], np.nan)
    here = np.where(partner >= 0, here, np.nan)
    here = here - np.nanmean(here, axis=(0, 2), keepdims=True)
    there = there - np.nanmean(there, axis=(0, 2), keepdims=True)
    scale = np.sqrt(np.nansum(here**2, axis=(0, 2)) * np.nansum(there**2, axis=(0, 2)))
    correlation = np.nansum(here * there, axis=(0, 2)) / np.maximum(scale, 1e-300)
    pairs = (partner >= 0).sum(axis=(0, 2))
    trusted = pairs >= 0.5 * pairs.max()
    return correlation >= correlation[trusted].max() - 0.35 - 4 / np.sqrt(np.maximum(pairs, 1))


def _reduced(vectors):
    """Gauss-reduced basis: the two shortest independent vectors, shorter first, in the half plane x > 0."""
    a, b = vectors
    while True:
        if b @ b < a @ a:
            a, b = b, a
        turns = np.round((a @ b) / (a @ a))
        if turns == 0:
            break
        b = b - turns * a
    return by_angle(np.array([v if _first_half(v) else -v for v in (a, b)]))


def _first_half(vector):
    return (np.arctan2(*vector) - ANCHOR) % (2 * np.pi) < np.pi


def _neighbor_count(vectors):
    # the facet towards a third neighbor vanishes at a right angle; below 14 degrees of tilt it is negligible
    a, b = vectors
    return 6 if abs(a @ b) > 0.25 * np.hypot(*a) * np.hypot(*b) else 4
