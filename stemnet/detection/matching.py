"""One-to-one matching of found columns to true ones, within a gate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from stemnet.columns import Columns
from stemnet.errors import StemnetError

_LARGE = 400  # members of a cluster of candidates beyond which the assignment is greedy


@dataclass(frozen=True)
class Matching:
    """Which found column is which true one, and how good the finding is.

    Parameters
    ----------
    pairs : ndarray of int, shape (M, 2)
        Rows of found and of true columns that belong together, by true row.
    distances : ndarray, shape (M,)
        [px].
    precision, recall, f1 : float
        Among the judged columns; 1 where there is nothing to find and nothing was found.
    rmse : float
        Root mean square error per axis [px] of the judged pairs; NaN where there are none.
    bias_y, bias_x : float
        Mean of found minus true [px].
    """

    pairs: np.ndarray
    distances: np.ndarray
    precision: float
    recall: float
    f1: float
    rmse: float
    bias_y: float
    bias_x: float

    def __len__(self) -> int:
        return len(self.pairs)


def match(
    found: np.ndarray,
    truth: np.ndarray,
    radius: float,
    *,
    shape: tuple[int, int] | None = None,
    border: float = 0.0,
) -> Matching:
    """Match found columns to true ones, one to one, at the least total squared distance.

    Within every cluster of candidates as many pairs as possible are made; the
    assignment is exact (Hungarian algorithm), or greedy by distance in
    clusters of hundreds, which occur only if the radius exceeds the spacing.

    Parameters
    ----------
    found, truth : ndarray, shape (N, 2), (M, 2)
        Positions [px].
    radius : float
        Columns further apart than this never match [px].
    shape : tuple of int, optional
        Rows and columns of the image; without it every column is judged.
    border : float
        Columns nearer than this to the edge of the image [px] may match, but
        count neither as found nor as missed.

    Returns
    -------
    Matching

    Raises
    ------
    StemnetError
        If positions are not finite (N, 2) arrays or the radius is not positive.
    """
    found, truth = _positions(found), _positions(truth)
    if not (np.isfinite(radius) and radius > 0):
        raise StemnetError(f"Matching got a radius of {radius}; it needs a distance in pixels above 0.")
    pairs, distances = _assign(found, truth, float(radius))

    judged_found, judged_truth = _inside(found, shape, border), _inside(truth, shape, border)
    hit = judged_truth[pairs[:, 1]]
    hits = int(hit.sum())
    unmatched = judged_found.copy()
    unmatched[pairs[:, 0]] = False
    false, wanted = int(unmatched.sum()), int(judged_truth.sum())
    precision = hits / (hits + false) if hits + false else float(wanted == 0)
    recall = hits / wanted if wanted else float(false == 0)
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    error = (found[pairs[:, 0]] - truth[pairs[:, 1]])[hit]
    rmse = float(np.sqrt(np.mean(error**2))) if hits else float("nan")
    bias_y, bias_x = (float(b) for b in error.mean(axis=0)) if hits else (float("nan"), float("nan"))
    return Matching(pairs, distances, precision, recall, f1, rmse, bias_y, bias_x)


def partners(found: Columns, truth: Columns, radius: float) -> np.ndarray:
    """Row of the true column that each found one is, frame by frame.

    Parameters
    ----------
    found, truth : Columns
        With ``frame``, if they are of a stack; columns without are of frame 0.
    radius : float
        Columns further apart than this never match [px].

    Returns
    -------
    ndarray of int, shape (N,)
        -1 where there is none.

    Raises
    ------
    StemnetError
        As `match`.
    """
    partner = np.full(len(found), -1)
    frames = [
        np.asarray(part["frame"]) if "frame" in part else np.zeros(len(part), int) for part in (found, truth)
    ]
    for number in np.unique(frames[0]):
        mine, theirs = (np.flatnonzero(frame == number) for frame in frames)
        pairs = match(found.yx[mine], truth.yx[theirs], radius).pairs
        partner[mine[pairs[:, 0]]] = theirs[pairs[:, 1]]
    return partner


def _positions(yx: np.ndarray) -> np.ndarray:
    yx = np.asarray(yx, dtype=np.float64)
    if yx.size == 0:
        return np.zeros((0, 2))
    if yx.ndim != 2 or yx.shape[1] != 2 or not np.isfinite(yx).all():
        raise StemnetError(
            f"Matching got positions of shape {yx.shape}, or some that are not finite; it needs (N, 2) "
            "positions in pixels, row and column."
        )
    return yx


def _inside(yx: np.ndarray, shape: tuple[int, int] | None, border: float) -> np.ndarray:
    if shape is None:
        return np.ones(len(yx), dtype=bool)
    inside = (yx >= border) & (yx <= np.array(shape) - 1 - border)
    return np.asarray(inside.all(axis=1))


def _assign(found: np.ndarray, truth: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (M, 2) and their distances."""
    if not len(found) or not len(truth):
        return np.zeros((0, 2), dtype=np.int64), np.zeros(0)
    near = cKDTree(found).sparse_distance_matrix(cKDTree(truth), radius, output_type="ndarray")
    i, j, d = near["i"].astype(np.int64), near["j"].astype(np.int64), near["v"]
    size = len(found) + len(truth)
    graph = coo_array((np.ones(len(i)), (i, j + len(found))), shape=(size, size))
    label = connected_components(graph, directed=False)[1][i]

    # Most columns have one candidate and are one another's: no assignment to solve.
    alone = (np.bincount(label, minlength=label.max(initial=0) + 1) == 1)[label]
    pairs, distances = [np.stack([i[alone], j[alone]], 1)], [d[alone]]
    rest = np.flatnonzero(~alone)
    rest = rest[np.argsort(label[rest], kind="stable")]
    for edges in np.split(rest, np.flatnonzero(np.diff(label[rest])) + 1) if len(rest) else []:
        solve = _greedy if len(edges) > _LARGE**2 // 4 else _exact
        kept = edges[solve(i[edges], j[edges], d[edges], radius)]
        pairs.append(np.stack([i[kept], j[kept]], 1))
        distances.append(d[kept])
    all_pairs, all_distances = np.concatenate(pairs), np.concatenate(distances)
    order = np.argsort(all_pairs[:, 1], kind="stable")
    return all_pairs[order], all_distances[order]


def _exact(i: np.ndarray, j: np.ndarray, d: np.ndarray, radius: float) -> np.ndarray:
    """Indices of the candidates taken: most pairs first, then least squared distance."""
    rows, row = np.unique(i, return_inverse=True)
    cols, col = np.unique(j, return_inverse=True)
    if len(rows) > _LARGE or len(cols) > _LARGE:
        return _greedy(i, j, d, radius)
    never = radius**2 * (min(len(rows), len(cols)) + 1) * 2
    cost = np.full((len(rows), len(cols)), never)
    cost[row, col] = d**2
    edge = np.full(cost.shape, -1)
    edge[row, col] = np.arange(len(i))
    taken = edge[linear_sum_assignment(cost)]
    return taken[taken >= 0]


def _greedy(i: np.ndarray, j: np.ndarray, d: np.ndarray, radius: float) -> np.ndarray:
    """Indices of the candidates taken, nearest first: all mutual nearest ones at a time."""
    taken, open_ = [], np.argsort(d, kind="stable")
    while len(open_):
        first_i = np.zeros(len(open_), dtype=bool)
        first_j = np.zeros(len(open_), dtype=bool)
        first_i[np.unique(i[open_], return_index=True)[1]] = True
        first_j[np.unique(j[open_], return_index=True)[1]] = True
        now = open_[first_i & first_j]
        taken.append(now)
        open_ = open_[~(np.isin(i[open_], i[now]) | np.isin(j[open_], j[now]))]
    return np.concatenate(taken)
