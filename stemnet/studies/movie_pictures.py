"""Pictures of a movie study."""

from __future__ import annotations

import numpy as np

from stemnet.analysis.displacements import mean_square_displacement
from stemnet.analysis.transitions import survival
from stemnet.studies.findings import Picture
from stemnet.studies.movie_results import Filmed, Followed

LAGS = 16  # of the mean square displacement, at most
FEW = 5  # tracks that tell one
SHOWN = 40  # tracks that jump, at most


def registration_picture(filmed: Filmed) -> Picture:
    """What registration did."""
    measured, found = filmed.measured, filmed.registration

    def draw():
        from stemnet.report.movie import registration_figure

        return registration_figure(
            measured.micrograph.frames[0],
            filmed.plain.image,
            filmed.average.image,
            filmed.average.change,
            found.positions,
            found.rows,
            sampling=measured.micrograph.sampling,
            seconds=filmed.seconds,
            title=measured.name,
        )

    return Picture(
        f"{measured.name}_registration",
        f"{measured.name}: a frame, the mean of all frames as they are and after registration, the drift, the sway of "
        "the rows within frames, and where frames differ more than noise does.",
        draw,
    )


def tracks_picture(filmed: Filmed, followed: Followed) -> Picture:
    """What columns do."""
    measured, stays = filmed.measured, followed.stays

    def draw():
        from stemnet.report.movie_tracks import Curve, RateBar, tracks_figure

        moving = np.unique(followed.kind[stays.ends == "jump"])
        lasting = {}
        for kind in moving.tolist():
            time, share, error = survival(stays, followed.kind == kind)
            lasting[kind] = Curve(time, share, error)
        events = {"jump": "jumps", "disappears": "disappears", "appears": "appears"}
        bars = [
            RateBar(f"kind {kind} {events[event]}", kind, rate.value, rate.low, rate.high)
            for (kind, event), rate in followed.rates.items()
            if rate.chances and kind >= 0
        ]
        return tracks_figure(
            filmed.average.image,
            stays.yx - filmed.average.origin,
            followed.kind,
            _jumps(followed) - filmed.average.origin,
            np.sqrt(np.maximum(followed.wobble.value, 0)),
            _stay_bars(followed),
            {kind: Curve(*values) for kind, values in _squares(filmed, followed).items()},
            lasting,
            bars,
            sampling=measured.micrograph.sampling,
            seconds=filmed.seconds,
            title=measured.name,
        )

    return Picture(
        f"{measured.name}_tracks",
        f"{measured.name}: where columns are and jump, how far they move about their places (errors of the positions "
        "taken off), the stays of those that jump, mean square displacements, dwell times, and rates.",
        draw,
    )


def _jumps(followed: Followed) -> np.ndarray:
    """From where to where columns jump, (J, 2, 2) [px]."""
    stays = followed.stays
    order = np.lexsort((stays.first, stays.track))
    same = np.flatnonzero(np.diff(stays.track[order]) == 0)
    return np.stack([stays.yx[order[same]], stays.yx[order[same + 1]]], axis=1).reshape(-1, 2, 2)


def _stay_bars(followed: Followed):
    from stemnet.report.movie_tracks import StayBars

    stays = followed.stays
    jumping = np.unique(stays.track[stays.ends == "jump"])[:SHOWN]
    mine = np.flatnonzero(np.isin(stays.track, jumping))
    rows = np.searchsorted(jumping, stays.track[mine])
    return StayBars(rows, stays.first[mine], stays.last[mine], followed.kind[mine])


def _squares(filmed: Filmed, followed: Followed) -> dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Lags, mean square displacements and errors, by the kind in which a track begins."""
    track, frame = followed.tracks.track, np.asarray(filmed.measured.columns["frame"])
    stays = followed.stays
    order = np.lexsort((stays.first, stays.track))
    first = order[np.r_[True, np.diff(stays.track[order]) > 0]]
    kind = followed.kind[first]
    lags = np.unique(
        np.linspace(1, max(1, min(LAGS, len(filmed.registration.positions) // 2)), LAGS).astype(int)
    )
    found: dict[int, list[tuple[float, float]]] = {int(one): [] for one in np.unique(kind[kind >= 0])}
    for lag in lags:
        square = mean_square_displacement(track, frame, followed.yx, followed.errors, int(lag), len(kind))
        for one, values in found.items():
            value = square.value[(kind == one) & np.isfinite(square.value)]
            error = float(value.std(ddof=1) / np.sqrt(len(value))) if len(value) >= FEW else np.nan
            values.append((float(value.mean()) if len(value) >= FEW else np.nan, error))
    return {
        one: (lags, *np.array(values).T)
        for one, values in found.items()
        if np.isfinite(np.array(values)).any()
    }
