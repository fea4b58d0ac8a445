"""Columns of successive frames joined to tracks: which column is which, from frame to frame.

Frames are joined where columns stay in their place, at the least sum of squared
distances (J. C. Crocker and D. G. Grier, J. Colloid Interface Sci. 179, 298,
1996); then pieces are joined to tracks, over frames in which a column was missed
and over jumps, by one assignment for the whole movie (K. Jaqaman et al., Nat.
Methods 5, 695, 2008).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from stemnet.analysis.assignment import assign
from stemnet.analysis.pieces import Pieces, brightness_spread, join_pieces
from stemnet.columns import Columns
from stemnet.errors import StemnetError

STAY = 0.45  # of the typical distance of neighbors: the most by which a column is off where it was
JUMP = 2.0  # typical distances of neighbors: the longest jump
GAP = 4  # frames that a column may be missed
SEEN = 3  # frames of a track, at least


@dataclass(frozen=True)
class Tracks:
    """Which column is which.

    Parameters
    ----------
    track : ndarray of int, shape (N,)
        Of every column, from 0; -1 for columns of no track.
    stay : ndarray of int, shape (N,)
        Within a movie, a number for every time that a track spends in one
        place, from 0; -1 for columns of no track. After a jump it is another.
    spacing : float
        Typical distance of neighbors [px].
    jump : float
        The longest jump that was looked for [px].
    """

    track: np.ndarray
    stay: np.ndarray
    spacing: float
    jump: float

    def __len__(self) -> int:
        return int(self.track.max(initial=-1)) + 1


def find_tracks(
    columns: Columns,
    yx: np.ndarray | None = None,
    *,
    stay: float | None = None,
    jump: float | None = None,
    gap: int = GAP,
    seen: int = SEEN,
) -> Tracks:
    """Join columns to tracks.

    Parameters
    ----------
    columns : Columns
        Of all frames, with ``frame``; ``intensity`` is used where it is there.
    yx : ndarray, shape (N, 2), optional
        Positions without drift [px]; rows with NaN are of no track.
    stay : float, optional
        The most by which a column that stays is off where it was in the frame
        before [px]; 0.45 times the typical distance of neighbors.
    jump : float, optional
        The longest jump [px], 0 for none; twice that distance.
    gap : int
        Frames that a column may be missed.
    seen : int
        Frames that a track has, at least; columns of shorter ones are of no track.

    Returns
    -------
    Tracks

    Raises
    ------
    StemnetError
        If there are no two frames with columns, or not one position a column.
    """
    yx = columns.yx if yx is None else np.asarray(yx)
    if yx.shape != columns.yx.shape:
        raise StemnetError(f"{len(yx)} positions were given for {len(columns)} columns; give one a column.")
    placed = np.flatnonzero(np.isfinite(yx).all(axis=1))
    if len(placed) < len(yx):
        found = find_tracks(columns.select(placed), yx[placed], stay=stay, jump=jump, gap=gap, seen=seen)
        track, place = np.full((2, len(yx)), -1)
        track[placed], place[placed] = found.track, found.stay
        return Tracks(track, place, found.spacing, found.jump)
    frame = np.asarray(columns["frame"]) if "frame" in columns else np.zeros(len(columns), int)
    if len(np.unique(frame)) < 2:
        raise StemnetError("Tracks take columns of two frames or more; give a stack.")
    spacing = _spacing(yx, frame)
    stay = STAY * spacing if stay is None else float(stay)
    jump = JUMP * spacing if jump is None else float(jump)
    log = _log_brightness(columns)
    following = _next_in_place(yx, frame, stay)
    piece = _chains(following)
    ends = Pieces.of(piece, yx, frame, log)
    spread = brightness_spread(piece, log)
    place_after, jump_after = join_pieces(ends, stay, jump, gap, spread)
    stays = _merged(len(ends.first), place_after)
    tracks = _merged(len(ends.first), place_after, jump_after)
    track, place = tracks[piece], stays[piece]
    short = np.bincount(track)[track] < seen
    return Tracks(_numbered(np.where(short, -1, track)), _numbered(np.where(short, -1, place)), spacing, jump)


def _spacing(yx: np.ndarray, frame: np.ndarray) -> float:
    """Median distance to the nearest neighbor in the same frame [px]."""
    found = []
    for k in np.unique(frame):
        mine = yx[frame == k]
        if len(mine) > 1:
            found.append(np.median(cKDTree(mine).query(mine, k=2)[0][:, 1]))
    if not found:
        raise StemnetError("Every frame has one column at most; tracks of several columns were asked for.")
    return float(np.median(found))


def _log_brightness(columns: Columns) -> np.ndarray:
    """Logarithm of the intensity, (N,); all alike where it is not known."""
    if "intensity" not in columns:
        return np.zeros(len(columns))
    values = np.asarray(columns["intensity"], dtype=float)
    known = np.isfinite(values) & (values > 0)
    log = np.log(np.where(known, values, 1.0))
    return np.where(known, log, np.median(log[known]) if known.any() else 0.0)


def _next_in_place(yx: np.ndarray, frame: np.ndarray, stay: float) -> np.ndarray:
    """Row of the same column in the next frame, (N,); -1 where there is none."""
    following = np.full(len(yx), -1)
    numbers = np.unique(frame)
    groups = {k: np.flatnonzero(frame == k) for k in numbers}
    for k in numbers:
        if k + 1 not in groups:
            continue
        now, then = groups[k], groups[k + 1]
        near = cKDTree(yx[now]).sparse_distance_matrix(cKDTree(yx[then]), stay, output_type="ndarray")
        i, j = assign(near["i"].astype(int), near["j"].astype(int), near["v"] ** 2, stay**2)
        following[now[i]] = then[j]
    return following


def _chains(following: np.ndarray) -> np.ndarray:
    """Number of the chain of every row, (N,), rows being in the order of time within each."""
    label = np.full(len(following), -1)
    heads = np.setdiff1d(np.arange(len(following)), following[following >= 0])
    for number, row in enumerate(heads):
        while row >= 0:
            label[row] = number
            row = following[row]
    return label


def _merged(count: int, *pairs: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Label of every piece (P,), alike for those that are joined."""
    label = np.arange(count)
    before = np.full(count, -1)
    for one, other in pairs:
        before[other] = one
    for number in range(count):
        head = number
        while before[head] >= 0:
            head = before[head]
        label[number] = head
    return label


def _numbered(label: np.ndarray) -> np.ndarray:
    """Labels (N,) numbered from 0 in the order of their first rows; -1 stays."""
    known = label >= 0
    names, first, which = np.unique(label[known], return_index=True, return_inverse=True)
    rank = np.empty(len(names), dtype=int)
    rank[np.argsort(first)] = np.arange(len(names))
    numbered = np.full(len(label), -1)
    numbered[known] = rank[which.ravel()] if len(names) else []
    return numbered
