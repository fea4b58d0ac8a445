"""Numbers of a movie study, without a truth."""

from __future__ import annotations

import numpy as np

from stemnet.analysis.displacements import MeanSquare
from stemnet.studies.findings import Number
from stemnet.studies.movie_results import Filmed, Followed

NEARLY = 0.9
"""Of the root of the number of frames: what registration should gain."""
MOVES = "root mean square displacement about its place, per axis"
SIGMAS = 3.92
"""Standard errors in an interval of 95 %."""


def length(filmed: Filmed) -> tuple[float, str]:
    """Factor from pixels to a physical unit, and that unit."""
    sampling = filmed.measured.micrograph.sampling
    return (1.0, "px") if sampling is None else (100 * sampling, "pm")


def rate_unit(filmed: Filmed) -> tuple[float, str]:
    """Factor from rates per frame, and the unit that it leads to."""
    return (1.0, "1/frame") if filmed.seconds is None else (1 / filmed.seconds, "1/s")


def about_registration(filmed: Filmed) -> list[Number]:
    """Drift, sway of the rows, and what the mean gains."""
    name, found = filmed.measured.name, filmed.registration
    root = float(np.sqrt(filmed.average.frames))
    error = float(np.nanmedian(found.errors))
    steps = np.hypot(*np.diff(found.positions, axis=0).T)
    numbers = [
        Number(name, "frames", float(len(found.positions))),
        Number(name, "frames that show the specimen", float(found.seen.sum())),
        Number(name, "drift, first frame to last", float(np.hypot(*found.positions[-1])), "px", error),
        Number(name, "drift, largest step between frames", float(steps.max()), "px", error),
        Number(name, "median standard error of a frame's place, per axis", error, "px"),
    ]
    for axis, letter in enumerate("yx"):
        sway = 0.0 if found.rows is None else float(found.rows[..., axis].std())
        numbers.append(
            Number(name, f"sway of rows within a frame, root mean square, along {letter}", sway, "px")
        )
    for words, mean, least in (
        ("after registration", filmed.average, NEARLY),
        ("without", filmed.plain, float("nan")),
    ):
        share = mean.gain / root
        numbers += [
            Number(name, f"signal-to-noise of the mean, {words}", mean.snr),
            Number(
                name,
                f"its gain over a frame, over the root of the number of frames, {words}",
                share,
                least=least if np.isfinite(share) else float("nan"),
            ),
        ]
    return numbers


def about_tracks(filmed: Filmed, followed: Followed) -> list[Number]:
    """Tracks, how far columns move and how often they jump, by kind."""
    name, tracks, stays = filmed.measured.name, followed.tracks, followed.stays
    scale, unit = length(filmed)
    per, rate = rate_unit(filmed)
    numbers = [
        Number(name, "tracks", float(len(tracks))),
        Number(name, "columns of no track", float((tracks.track < 0).sum())),
    ]
    for kind in np.unique(followed.kind[followed.kind >= 0]):
        mine = followed.kind == kind
        words = f"kind {kind}"
        numbers.append(Number(name, f"{words}: places", float(len(np.unique(stays.site[mine])))))
        root, sigma = root_mean_square(followed.wobble, mine)
        if np.isfinite(root):
            quantity = f"{words}: {MOVES}"
            numbers.append(Number(name, quantity, scale * root, unit, scale * sigma))
        for event in ("jump", "disappears", "appears"):
            found = followed.rates[int(kind), event]
            if found.chances:
                quantity = (
                    f"{words}: rate of jumps" if event == "jump" else f"{words}: rate at which it {event}"
                )
                sigma = (found.high - found.low) / SIGMAS
                numbers.append(Number(name, quantity, per * found.value, rate, per * sigma))
    return numbers


def pooled(found: MeanSquare, mine: np.ndarray) -> tuple[float, float]:
    """Mean of the groups that are chosen (G,), by how many positions each has, and its standard error."""
    good = mine & np.isfinite(found.value) & np.isfinite(found.error)
    if not good.any():
        return float("nan"), float("nan")
    share = (found.pairs[good] - 1.0) / (found.pairs[good] - 1.0).sum()
    return float((share * found.value[good]).sum()), float(np.sqrt(((share * found.error[good]) ** 2).sum()))


def root_mean_square(found: MeanSquare, mine: np.ndarray) -> tuple[float, float]:
    """Root of the pooled mean square and its standard error; 0 where errors alone explain it."""
    square, error = pooled(found, mine)
    root = float(np.sqrt(max(square, 0.0))) if np.isfinite(square) else float("nan")
    # of a root of almost nothing the error is the root of the error
    return root, float(min(error / (2 * root), np.sqrt(error))) if root > 0 else float(np.sqrt(error))
