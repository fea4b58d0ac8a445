"""Where tracks spend their time: stays in one place, how they begin and how they end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from stemnet.analysis.tracks import Tracks
from stemnet.columns import Columns
from stemnet.errors import StemnetError

BEGAN, ENTERED, APPEARED, CAME = "start", "enters", "appears", "jump"
ENDED, LEFT, VANISHED, WENT = "end", "leaves", "disappears", "jump"


@dataclass(frozen=True)
class Stays:
    """One row for every time a track spends in one place.

    Parameters
    ----------
    track : ndarray of int, shape (S,)
    first, last : ndarray of int, shape (S,)
        Frames.
    seen : ndarray of int, shape (S,)
        Frames in which the column was found.
    yx : ndarray, shape (S, 2)
        Mean place without drift [px].
    intensity : ndarray, shape (S,)
        Median; NaN where it is not known.
    begins : ndarray of str, shape (S,)
        ``jump``, ``appears``, ``enters`` (no further than the longest jump from the
        edge of the field of view) or ``start`` (of the movie).
    ends : ndarray of str, shape (S,)
        ``jump``, ``disappears``, ``leaves`` or ``end``.
    site : ndarray of int, shape (S,)
        The same for stays in the same place.
    chances : ndarray of int, shape (S,)
        Steps to a next frame in which a jump could not have led out of sight.
    far : ndarray of bool, shape (S,)
        Whether the last of the steps is one of these.
    """

    track: np.ndarray
    first: np.ndarray
    last: np.ndarray
    seen: np.ndarray
    yx: np.ndarray
    intensity: np.ndarray
    begins: np.ndarray
    ends: np.ndarray
    site: np.ndarray
    chances: np.ndarray
    far: np.ndarray

    def __len__(self) -> int:
        return len(self.track)


def find_stays(
    tracks: Tracks, columns: Columns, yx: np.ndarray, positions: np.ndarray, *, within: float | None = None
) -> Stays:
    """List the stays of tracks.

    Parameters
    ----------
    tracks : Tracks
    columns : Columns
        Of all frames, with ``frame``.
    yx : ndarray, shape (N, 2)
        Positions without drift [px].
    positions : ndarray, shape (T, 2)
        Drift: a place is at yx + positions in a frame [px].
    within : float, optional
        Stays no further apart are in the same place [px]; a third of the typical distance of neighbors.

    Returns
    -------
    Stays

    Raises
    ------
    StemnetError
        If the tracks are of other columns, or frames have no drift.
    """
    frame, known = _frames(tracks, columns, yx, positions), np.flatnonzero(tracks.stay >= 0)
    order = known[np.lexsort((frame[known], tracks.stay[known]))]
    groups = np.split(order, np.flatnonzero(np.diff(tracks.stay[order])) + 1) if len(order) else []
    light = np.asarray(columns["intensity"]) if "intensity" in columns else np.full(len(columns), np.nan)
    track = np.array([tracks.track[g[0]] for g in groups], dtype=int)
    first = np.array([frame[g[0]] for g in groups], dtype=int)
    last = np.array([frame[g[-1]] for g in groups], dtype=int)
    place = np.array([yx[g].mean(axis=0) for g in groups]).reshape(-1, 2)
    rim = max(tracks.jump, tracks.spacing)
    begins, ends = (
        _how(track, turn, place, positions, columns.shape, rim, step)
        for turn, step in ((first, -1), (last, 1))
    )
    steps = last - first + (ends == WENT)
    return Stays(
        track,
        first,
        last,
        np.array([len(g) for g in groups], dtype=int),
        place,
        np.array([np.nanmedian(light[g]) if np.isfinite(light[g]).any() else np.nan for g in groups]),
        begins,
        ends,
        _sites(place, tracks.spacing / 3 if within is None else within),
        np.array(
            [
                _inside(one + positions[start : start + long], columns.shape, rim).sum()
                for one, start, long in zip(place, first, steps, strict=True)
            ],
            dtype=int,
        ),
        _inside(place + positions[last], columns.shape, rim),
    )


def _frames(tracks: Tracks, columns: Columns, yx: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Frames of the columns (N,), once everything is known to be of them."""
    if not len(tracks.stay) == len(columns) == len(yx):
        raise StemnetError(
            f"Tracks of {len(tracks.stay)} columns and {len(yx)} positions were given for {len(columns)} columns; "
            "find the tracks of these columns."
        )
    if "frame" not in columns:
        raise StemnetError("The columns do not say in which frame they are; give those of a stack.")
    frame = np.asarray(columns["frame"])
    if len(frame) and not 0 <= frame.min() <= frame.max() < len(positions):
        raise StemnetError(
            f"The columns are of frames {frame.min()} to {frame.max()}, the drift is of {len(positions)} frames; "
            "give a place to every frame, counted from 0."
        )
    return frame


def _how(
    track: np.ndarray,
    turn: np.ndarray,
    place: np.ndarray,
    positions: np.ndarray,
    shape: tuple[int, int],
    rim: float,
    step: int,
) -> np.ndarray:
    """How stays begin (step -1) or end (step 1), (S,)."""
    names = (BEGAN, ENTERED, APPEARED, CAME) if step < 0 else (ENDED, LEFT, VANISHED, WENT)
    beyond = turn + step
    outside = (beyond < 0) | (beyond >= len(positions))
    inside = _inside(place + positions[turn], shape, rim)
    how = np.where(outside, names[0], np.where(inside, names[2], names[1])).astype("U10")
    # all stays of a track but its first begin with a jump, all but its last end with one
    order = np.lexsort((step * -turn, track))
    other = np.ones(len(track), dtype=bool)
    if len(track):
        other[order[np.r_[True, np.diff(track[order]) > 0]]] = False
    how[other] = names[3]
    return how


def _inside(yx: np.ndarray, shape: tuple[int, int], rim: float) -> np.ndarray:
    """Which places (N, 2) lie further inside a frame than a rim."""
    return np.all((yx >= rim) & (yx <= np.array(shape) - 1 - rim), axis=1)


def _sites(place: np.ndarray, within: float) -> np.ndarray:
    """The same number for places near one another, (S,)."""
    if not len(place):
        return np.zeros(0, dtype=int)
    pairs = cKDTree(place).query_pairs(within, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(place),) * 2)
    return connected_components(graph, directed=False)[1]
