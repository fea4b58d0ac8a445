"""Pieces of tracks, and which of them belong together: over frames in which a column was missed, and over jumps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from stemnet.analysis.assignment import assign

AROUND = 5  # frames at an end of a piece that tell where it ends
ALIKE = 3.0  # standard deviations by which brightness may differ over a jump
ALONE = 3.0  # cost of a beginning and of an end [nat]: of three in a thousand columns nothing else is known
LEAP = 4.0  # cost of a jump [nat]: one in fifty frames of a column
NEARER = 1e-3  # cost of the longest jump, for its length alone [nat]
BRIGHTS = 8  # classes of brightness, by each of which is counted how often columns are missed
BRIGHTNESS = 0.25  # of the logarithm of a column's brightness between frames, where it cannot be measured


@dataclass(frozen=True)
class Pieces:
    """Columns in one place without a gap: one row a piece.

    Parameters
    ----------
    first, last : ndarray of int, shape (P,)
        Frames.
    begins, ends : ndarray, shape (P, 2)
        Places at the beginning and at the end [px].
    bright : ndarray, shape (P,)
        Median of the logarithm of the intensity.
    count : ndarray of int, shape (P,)
        Frames.
    """

    first: np.ndarray
    last: np.ndarray
    begins: np.ndarray
    ends: np.ndarray
    bright: np.ndarray
    count: np.ndarray

    @classmethod
    def of(cls, piece: np.ndarray, yx: np.ndarray, frame: np.ndarray, log: np.ndarray) -> Pieces:
        """Pieces by their number for every column (N,), positions (N, 2), frames (N,) and brightness (N,)."""
        order = np.lexsort((frame, piece))
        groups = np.split(order, np.flatnonzero(np.diff(piece[order])) + 1)
        return cls(
            np.array([frame[g[0]] for g in groups]),
            np.array([frame[g[-1]] for g in groups]),
            np.array([np.median(yx[g[:AROUND]], axis=0) for g in groups]),
            np.array([np.median(yx[g[-AROUND:]], axis=0) for g in groups]),
            np.array([np.median(log[g]) for g in groups]),
            np.array([len(g) for g in groups]),
        )


def brightness_spread(piece: np.ndarray, log: np.ndarray) -> float:
    """Standard deviation of the logarithm of a column's brightness from frame to frame."""
    count = np.bincount(piece)
    mean = np.bincount(piece, log) / count
    often = count[piece] > 2
    if not often.any():
        return BRIGHTNESS
    off = (log - mean[piece])[often] * np.sqrt(count / np.maximum(count - 1, 1))[piece][often]
    return max(float(1.4826 * np.median(np.abs(off))), 1e-3)


def join_pieces(
    ends: Pieces, stay: float, jump: float, gap: int, spread: float
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Pairs of pieces that follow one another: in one place, and over a jump to another.

    Costs are logarithms of odds. A column that is gone for a frame was missed,
    which bright ones hardly are, or has been elsewhere and came back.
    """
    reach = max(stay, jump)
    near = cKDTree(ends.ends).sparse_distance_matrix(cKDTree(ends.begins), reach, output_type="ndarray")
    i, j, distance = near["i"].astype(int), near["j"].astype(int), near["v"]
    missed = ends.first[j] - ends.last[i] - 1
    in_place = (distance < stay) & (missed >= 0) & (missed <= gap)
    # a jump shows from one frame to the next, or over one in which the column was between places
    jumps = (distance >= stay) & (distance < jump) & (missed >= 0) & (missed <= min(gap, 1))
    both = in_place | jumps
    i, j, distance, missed, in_place = (part[both] for part in (i, j, distance, missed, in_place))
    few = [np.minimum(ends.count[part], AROUND) for part in (i, j)]
    unlike = np.abs(ends.bright[i] - ends.bright[j]) / (spread * np.sqrt(1 / few[0] + 1 / few[1]))
    gone = missed * _cost_of_missing(ends, i, missed, in_place)
    cost = np.where(
        in_place,
        np.minimum(2 * (distance / stay) ** 2 + gone, 2 * ALONE - 0.5),
        LEAP + unlike**2 / 2 + gone,
    )
    # of what costs the same the nearer one, not the first of the list
    cost += NEARER * distance / reach
    good = in_place | (unlike < ALIKE)
    one, other = assign(i[good], j[good], cost[good], 2 * ALONE)
    kind = {(a, b): bool(c) for a, b, c in zip(i[good], j[good], in_place[good], strict=True)}
    same = np.array([kind[pair] for pair in zip(one, other, strict=True)], dtype=bool)
    return (one[same], other[same]), (one[~same], other[~same])


def _cost_of_missing(ends: Pieces, i: np.ndarray, missed: np.ndarray, in_place: np.ndarray) -> np.ndarray:
    """Minus the logarithm of how often columns as bright as those of pieces i are missed."""
    total, gone = ends.count.astype(float), np.zeros(len(ends.count))
    np.maximum.at(gone, i[in_place], missed[in_place])
    # classes of as many columns each; those that are equally bright are in one, whatever their order
    which = np.unique(ends.bright, return_inverse=True)[1].ravel()
    amount = np.bincount(which, total)
    darker = np.cumsum(amount) - amount
    group = np.minimum(darker / total.sum() * BRIGHTS, BRIGHTS - 1).astype(int)[which]
    share = (np.bincount(group, gone, BRIGHTS) + 0.5) / (np.bincount(group, total, BRIGHTS) + 1)
    return -np.log(np.minimum(share, 0.5))[group][i]
