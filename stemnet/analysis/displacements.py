"""How far columns move from frame to frame, the errors of their positions taken off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.errors import StemnetError


@dataclass(frozen=True)
class MeanSquare:
    """Mean square displacements, one a group of rows.

    Parameters
    ----------
    value : ndarray, shape (G,)
        <|r(t + lag) - r(t)|^2> less the variances of the positions [px^2]; it may come out below 0.
    error : ndarray, shape (G,)
        Standard error [px^2].
    pairs : ndarray of int, shape (G,)
    """

    value: np.ndarray
    error: np.ndarray
    pairs: np.ndarray


def mean_square_displacement(
    group: np.ndarray,
    frame: np.ndarray,
    yx: np.ndarray,
    errors: np.ndarray,
    lag: int = 1,
    count: int | None = None,
) -> MeanSquare:
    """Mean square displacement over a lag, of each track or stay.

    The mean of squared differences of noisy positions exceeds that of the true
    ones by the variances of both (X. Michalet, Phys. Rev. E 82, 041914, 2010,
    gives the statistics; successive differences share a position, so their
    covariance counts for the error).

    Parameters
    ----------
    group : ndarray of int, shape (N,)
        Track or stay of every column; -1 for none.
    frame : ndarray of int, shape (N,)
    yx : ndarray, shape (N, 2)
        [px]
    errors : ndarray, shape (N, 2)
        Standard errors of the positions [px]; rows with NaN here or in `yx` are left out.
    lag : int
        [frames]
    count : int, optional
        Number of groups.

    Returns
    -------
    MeanSquare
        NaN where a group has no pair.

    Raises
    ------
    StemnetError
        If the lag is no frame, or the arrays are not of the same rows.
    """
    if lag < 1:
        raise StemnetError(f"Displacements over {lag} frames are none; give a lag of one frame or more.")
    count = int(group.max(initial=-1)) + 1 if count is None else count
    one, other = pairs_of(group, frame, lag, _known(group, frame, yx, errors))
    excess = ((yx[other] - yx[one]) ** 2 - errors[one] ** 2 - errors[other] ** 2).sum(axis=1)
    mine = group[one]
    pairs = np.bincount(mine, minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.bincount(mine, excess, count) / np.where(pairs, pairs, np.nan)
        off = excess - value[mine]
        total = np.bincount(mine, off**2, count)
        # successive differences are not independent: covariances up to the lag
        place = {(g, t): k for k, (g, t) in enumerate(zip(mine, frame[one], strict=True))}
        for step in range(1, lag + 1):
            next_to = np.array(
                [place.get((g, t + step), -1) for g, t in zip(mine, frame[one], strict=True)], int
            )
            there = next_to >= 0
            total += 2 * np.bincount(mine[there], off[there] * off[next_to[there]], count)
        floor = np.bincount(mine, off**2, count)
        error = np.sqrt(np.maximum(total, floor) / np.where(pairs > 1, pairs * (pairs - 1.0), np.nan))
    return MeanSquare(value, error, pairs)


def spread_about_mean(
    group: np.ndarray, yx: np.ndarray, errors: np.ndarray, count: int | None = None
) -> MeanSquare:
    """Mean square distance from the mean place, an axis, of each group; the errors of the positions taken off.

    Parameters and returns as `mean_square_displacement`; here ``value`` is per
    axis, and ``pairs`` the number of positions. The error is that of normal numbers.
    """
    count = int(group.max(initial=-1)) + 1 if count is None else count
    rows = np.flatnonzero((group >= 0) & _known(group, group, yx, errors))
    mine = group[rows]
    number = np.bincount(mine, minlength=count)
    with np.errstate(invalid="ignore", divide="ignore"):
        many = np.where(number > 1, number, np.nan)
        mean = np.stack([np.bincount(mine, yx[rows, axis], count) / many for axis in (0, 1)], 1)
        square = ((yx[rows] - mean[mine]) ** 2).sum(axis=1) / 2
        total = np.bincount(mine, square, count) / (many - 1)
        noise = np.bincount(mine, (errors[rows] ** 2).sum(axis=1) / 2, count) / many
        error = total / np.sqrt(many - 1)
    return MeanSquare(total - noise, error, number)


def pairs_of(
    group: np.ndarray, frame: np.ndarray, lag: int, good: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the same group that are a lag of frames apart: (P,), (P,)."""
    rows = np.flatnonzero((group >= 0) & good)
    span = int(frame.max(initial=0)) + lag + 1
    key = group[rows].astype(np.int64) * span + frame[rows]
    order = np.argsort(key)
    key, rows = key[order], rows[order]
    at = np.searchsorted(key, key + lag)
    found = (
        (at < len(key)) & (key[np.minimum(at, len(key) - 1)] == key + lag) if len(key) else np.zeros(0, bool)
    )
    return rows[found], rows[at[found]]


def _known(group: np.ndarray, frame: np.ndarray, yx: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Which rows (N,) have a position and its errors."""
    if not len(group) == len(frame) == len(yx) == len(errors):
        raise StemnetError(
            f"{len(group)} groups, {len(frame)} frames, {len(yx)} positions and {len(errors)} errors were given; "
            "each row needs one of each."
        )
    return np.isfinite(yx).all(axis=1) & np.isfinite(errors).all(axis=1)
