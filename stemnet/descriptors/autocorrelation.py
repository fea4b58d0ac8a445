"""The autocorrelation of positions: which vectors map columns onto columns.

A crystal with several columns per cell hides its lattice from nearest
neighbors. Its lattice vectors are sought among the difference vectors that
occur often, and accepted in pairs, by the share of columns that have their
partners on both sides (+-a, +-b). A vector from one sublattice to another has
its partner on one side only (honeycomb) or joins columns of different intensity
(perovskite), so neither passes for a lattice vector; of the pairs that fit, the
smallest cell wins, so no superlattice does.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import convolve, gaussian_filter, maximum_filter
from scipy.spatial import ConvexHull, QhullError, cKDTree

from stemnet.descriptors.basis import reduced

MIN_COLUMNS = 12
GATE = 0.33  # a partner lies within this many column spacings of where it should be
# bases of the finer lattices of which the cell (a, b) holds two or three cells; repeated, four, six ...
FINER = (
    ((0.5, 0), (0, 1)),
    ((1, 0), (0, 0.5)),
    ((0.5, 0.5), (0, 1)),
    ((1 / 3, 0), (0, 1)),
    ((1, 0), (0, 1 / 3)),
    ((1 / 3, 1 / 3), (0, 1)),
    ((1 / 3, 2 / 3), (0, 1)),
)


def search(yx, centers, spacing, contrast):
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
    radius = min(np.median(distance[:, -1]), 16 * spacing)
    gate = GATE * spacing
    near = (distance > 0.4 * spacing) & (distance < radius)
    differences = (yx[neighbor] - yx[centers, None])[near]
    candidates = _peaks(differences, spacing, radius, gate)
    if len(candidates) < 2:
        return None
    partner, testable = partners(yx, tree, centers, candidates, gate)
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
    pair, fit = best_pair(candidates, present, testable, np.ones(len(best), bool))
    if pair is None:
        return None
    if contrast is not None:
        alike = _maps_like_on_like(contrast, centers, partner)
        strict, strict_fit = best_pair(candidates, present, testable, alike)
        # stripes or noise in the intensities can veto every cell: then positions decide alone
        if strict is not None and strict_fit > 0.8 * fit:
            pair, fit = strict, strict_fit
    vectors = _refined(reduced(candidates[list(pair)]), differences, gate)
    return _parent(yx, tree, centers, vectors, fit, contrast, gate)


def _parent(yx, tree, centers, vectors, fit, contrast, gate):
    """Go down to the lattice that a superstructure distorts, as long as nearly as many columns fit it.

    Columns that pair up (chains, antiferroelectric shifts) split the peaks of
    the parent lattice, so that only the superstructure shows among them.
    """
    for finer in np.array(FINER):
        basis = reduced(finer @ vectors)
        if np.hypot(*basis.T).min() < 2 * gate:  # shorter than the columns are apart
            continue
        partner, testable = partners(yx, tree, centers, np.concatenate([vectors, basis]), gate)
        pair, share = best_pair(basis, partner[:, 2:] >= 0, testable[:, 2:], np.ones(2, bool))
        alike = contrast is None or _maps_like_on_like(contrast, centers, partner)[2:].all()
        if pair is not None and share >= 0.8 * fit and alike:
            return _parent(yx, tree, centers, basis, share, contrast, gate)
    return vectors, fit


def _peaks(differences, spacing, radius, gate):
    """Difference vectors that occur often, one of each +- pair, shape (C, 2)."""
    step = spacing / 8
    side = int(np.ceil(radius / step))
    both = np.concatenate([differences, -differences])
    cell = np.round(both / step).astype(int) + side
    flat = cell[:, 0] * (2 * side + 1) + cell[:, 1]

    def grid(weights=None):
        total = np.bincount(flat, weights, minlength=(2 * side + 1) ** 2)
        return total.reshape(2 * side + 1, 2 * side + 1).astype(float)

    counts = grid()
    smooth = gaussian_filter(counts, 1.2)
    peak = (smooth == maximum_filter(smooth, size=5)) & (smooth > 0.1 * smooth.max())
    i, j = np.nonzero(peak)
    half = (j > side) | ((j == side) & (i > side))
    i, j = i[half], j[half]
    order = np.argsort(-smooth[i, j], kind="stable")[:60]
    # the mean of the differences around each peak
    reach = int(gate / step)
    offset = np.arange(-reach, reach + 1)
    disk = (np.hypot(offset[:, None], offset) <= gate / step).astype(float)
    n, y, x = (convolve(grid(w), disk, mode="constant") for w in (None, both[:, 0], both[:, 1]))
    return np.stack([y / np.maximum(n, 1), x / np.maximum(n, 1)], axis=-1)[i[order], j[order]]


def _refined(vectors, differences, gate):
    """Move each vector to the mean of the differences around it."""
    for _ in range(2):
        away = np.hypot(*(differences[None] - vectors[:, None]).transpose(2, 0, 1))
        around = (away < gate).astype(float)
        total = around.sum(axis=1, keepdims=True)
        vectors = np.where(total > 0, around @ differences / np.maximum(total, 1), vectors)
    return vectors


def partners(yx, tree, centers, vectors, gate):
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


def best_pair(vectors, present, testable, allowed):
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


def local_contrast(yx, intensity):
    """Log intensity relative to the surroundings, clipped: blind to thickness and contamination."""
    log = np.log(np.maximum(intensity, 1e-3 * np.nanmedian(np.abs(intensity)) + 1e-300))
    log = np.where(np.isfinite(log), log, np.nanmedian(log))
    _, near = cKDTree(yx).query(yx, k=min(25, len(yx)))
    contrast = log - log[near].mean(axis=1)
    limit = 3 * 1.4826 * np.median(np.abs(contrast - np.median(contrast))) + 1e-12
    return np.clip(contrast, -limit, limit)


def _maps_like_on_like(contrast, centers, partner):
    """Which vectors join columns of like intensity, by the correlation of the pairs they make."""
    both = partner >= 0
    pairs = both.sum(axis=(0, 2))

    def deviation(values):
        mean = np.where(both, values, 0).sum(axis=(0, 2), keepdims=True) / np.maximum(pairs, 1)[:, None]
        return np.where(both, values - mean, 0.0)

    here, there = deviation(contrast[centers, None, None]), deviation(contrast[partner])
    scale = np.sqrt((here**2).sum(axis=(0, 2)) * (there**2).sum(axis=(0, 2)))
    correlation = (here * there).sum(axis=(0, 2)) / np.maximum(scale, 1e-300)
    trusted = pairs >= 0.5 * pairs.max()
    clearly_lower = correlation[trusted].max() - 0.35 - 4 / np.sqrt(np.maximum(pairs, 1))
    # an order of n sites anticorrelates, at least as -1 / (n - 1); stripes from the scan do not
    return correlation >= np.minimum(clearly_lower, -0.25)
