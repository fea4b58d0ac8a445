"""A movie study against what was planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stemnet.analysis.displacements import spread_about_mean
from stemnet.columns import Columns
from stemnet.registration import Registration
from stemnet.studies.findings import Number
from stemnet.studies.measured import Truth
from stemnet.studies.movie_numbers import MOVES, SIGMAS, length, root_mean_square
from stemnet.studies.movie_results import Filmed, Followed

ROUNDS = 30  # of means over frames and over columns in turn
OFTEN = 5  # frames in which a column must be


def against_truth(filmed: Filmed, followed: Followed | None) -> list[Number]:
    """Errors of the drift, what is left of the sway, joins of tracks, and rates; none without a truth by frames."""
    truth = filmed.measured.truth
    if truth is None or "frame" not in truth.columns:
        return []
    numbers = _drift(filmed, truth.columns)
    if followed is not None and "track" in truth.columns:
        numbers += _joins(filmed, followed, truth)
        numbers += _wobble(filmed, followed, truth)
        if "hops_per_frame" in truth.columns:
            numbers += _rate(filmed, followed, truth)
    return numbers


def _drift(filmed: Filmed, true: Columns) -> list[Number]:
    """Frames' places against those of the true columns that stand still, and against the planted drift."""
    name, found = filmed.measured.name, filmed.registration
    numbers = []
    if "track" in true:
        still = _standing(true)
        place = _frame_places(still, len(found.positions))
        numbers.append(
            Number(
                name,
                "error of a frame's place against its true columns, root mean square per axis",
                _rms(_centered(found.positions - place, found.seen)),
                "px",
                most=0.1,
            )
        )
        plain = Registration(np.zeros_like(found.positions), found.errors, found.seen)
        for words, registration in (
            ("as they are", plain),
            ("shifted as wholes", replace(found, rows=None)),
            ("shifted row by row", found),
        ):
            if registration is found and found.rows is None:
                continue
            off = _about_places(still, registration)
            numbers.append(
                Number(
                    name, f"what true columns move in frames {words}, root mean square per axis", off, "px"
                )
            )
    if "drift_y_A" in true and true.sampling:
        frame = np.asarray(true["frame"])
        count = np.maximum(np.bincount(frame, minlength=len(found.positions)), 1)
        drift = np.stack(
            [np.bincount(frame, true[f"drift_{a}_A"], len(count)) / count / true.sampling for a in "yx"], 1
        )
        off = _rms(_centered(found.positions - drift, found.seen))
        words = "error of the drift, root mean square per axis (truth: the mean sway of the scan, in it too)"
        sway = _rms(_centered(place - drift, found.seen)) if "track" in true else float("nan")
        numbers.append(Number(name, words, off, "px", truth=sway))
    return numbers


def _standing(true: Columns) -> Columns:
    """True columns that never hop and are no adatoms."""
    hops = np.asarray(true["hops"]) if "hops" in true else np.zeros(len(true), int)
    moves = np.isin(true["track"], np.unique(np.asarray(true["track"])[hops > 0]))
    if "adatom" in true:
        moves |= np.asarray(true["adatom"]) > 0
    return true.select(np.flatnonzero(~moves))


def _frame_places(still: Columns, frames: int) -> np.ndarray:
    """Where frames lie (T, 2) [px], by places of columns and frames in turn."""
    frame, which = np.asarray(still["frame"]), np.unique(still["track"], return_inverse=True)[1].ravel()
    number, seen = np.bincount(which), np.maximum(np.bincount(frame, minlength=frames), 1)
    place = np.zeros((frames, 2))
    for _ in range(ROUNDS):
        for axis in (0, 1):
            home = np.bincount(which, still.yx[:, axis] - place[frame, axis]) / number
            place[:, axis] = np.bincount(frame, still.yx[:, axis] - home[which], frames) / seen
    return place - place[0]


def _about_places(still: Columns, registration: Registration) -> float:
    """Root mean square of registered true columns about their mean places [px]."""
    yx, which = registration.corrected(still), np.unique(still["track"], return_inverse=True)[1].ravel()
    number = np.bincount(which)
    often = (number >= OFTEN)[which]
    home = np.stack([np.bincount(which, yx[:, axis]) / number for axis in (0, 1)], axis=1)
    return _rms((yx - home[which])[often])


def _joins(filmed: Filmed, followed: Followed, truth: Truth) -> list[Number]:
    """Shares of the steps of true columns that tracks follow, and of steps of tracks that are wrong."""
    name = filmed.measured.name
    frame, track = np.asarray(filmed.measured.columns["frame"]), followed.tracks.track
    true = truth.of("track").astype(int)
    one, other = _steps(true, frame)
    kept = (track[one] == track[other]) & (track[one] >= 0)
    numbers = [
        Number(name, f"share of {len(one)} steps of true columns that are followed", _share(kept), least=0.99)
    ]
    if "hops" in truth.columns:
        hopped = truth.of("hops")[other] > 0
        if hopped.any():
            words = f"share of {hopped.sum()} steps with a hop that are followed"
            numbers.append(Number(name, words, _share(kept[hopped]), least=0.9))
    one, other = _steps(track, frame)
    both = (true[one] >= 0) & (true[other] >= 0)
    wrong = (true[one] != true[other])[both]
    numbers.append(
        Number(name, f"share of {both.sum()} steps of tracks that join two columns", _share(wrong), most=0.01)
    )
    return numbers


def _wobble(filmed: Filmed, followed: Followed, truth: Truth) -> list[Number]:
    """How far columns move about their places, against their true positions, registered alike."""
    registration = filmed.registration
    scale, unit = length(filmed)
    yx = np.full((len(truth.partner), 2), np.nan)
    known = np.flatnonzero(truth.partner >= 0)
    yx[known] = registration.corrected(truth.columns)[truth.partner[known]]
    errors = np.where(np.isfinite(yx) & np.isfinite(followed.errors), 0.0, np.nan)
    right = spread_about_mean(followed.tracks.stay, yx, errors, len(followed.stays))
    numbers = []
    for kind in np.unique(followed.kind[followed.kind >= 0]).tolist():
        mine = followed.kind == kind
        root, sigma = root_mean_square(followed.wobble, mine)
        true, _ = root_mean_square(right, mine)
        words = f"kind {kind}: {MOVES}, against true positions registered alike"
        numbers.append(Number(filmed.measured.name, words, scale * root, unit, scale * sigma, scale * true))
    return numbers


def _steps(label: np.ndarray, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the same label in successive frames."""
    rows = np.flatnonzero(label >= 0)
    order = rows[np.lexsort((frame[rows], label[rows]))]
    next_to = (np.diff(label[order]) == 0) & (np.diff(frame[order]) == 1)
    return order[:-1][next_to], order[1:][next_to]


def _rate(filmed: Filmed, followed: Followed, truth: Truth) -> list[Number]:
    """The rate of jumps of the kind that hops, against the planted one."""
    planted = truth.of("hops_per_frame")
    stay = followed.tracks.stay
    numbers = []
    for kind in np.unique(followed.kind[followed.kind >= 0]).tolist():
        mine = (stay >= 0) & (np.append(followed.kind, -2)[stay] == kind) & (truth.partner >= 0)
        hopping = np.isfinite(planted[mine])
        if not mine.any() or hopping.mean() < 0.5:
            continue
        rate, expected = followed.rates[kind, "jump"], float(np.median(planted[mine][hopping]))
        where = (expected - rate.low) / (rate.high - rate.low)
        numbers += [
            Number(
                filmed.measured.name,
                f"kind {kind}: jumps, of {rate.chances} steps",
                rate.value,
                "1/frame",
                (rate.high - rate.low) / SIGMAS,
                expected,
            ),
            Number(
                filmed.measured.name,
                f"kind {kind}: the planted rate within the interval of 95 % (0 its lower end, 1 its upper)",
                where,
                least=0.0,
                most=1.0,
            ),
        ]
    return numbers


def _centered(values: np.ndarray, seen: np.ndarray) -> np.ndarray:
    return (values - values[seen].mean(axis=0))[seen]


def _share(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2))) if values.size else float("nan")
