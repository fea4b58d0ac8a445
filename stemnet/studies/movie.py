"""Movies: drift taken off, frames averaged, columns followed, and how often they jump, appear and disappear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from stemnet.analysis.displacements import mean_square_displacement, spread_about_mean
from stemnet.analysis.stays import Stays, find_stays
from stemnet.analysis.tracks import GAP, find_tracks
from stemnet.analysis.transitions import rates
from stemnet.columns import Columns
from stemnet.errors import StemnetError
from stemnet.registration import average_frames, register
from stemnet.registration.rigid import Progress
from stemnet.studies.described import each
from stemnet.studies.findings import Findings
from stemnet.studies.framework import find_framework
from stemnet.studies.measured import Measured
from stemnet.studies.movie_numbers import about_registration, about_tracks
from stemnet.studies.movie_pictures import registration_picture, tracks_picture
from stemnet.studies.movie_results import Filmed, Followed
from stemnet.studies.movie_tables import frames_table, stays_table, tracks_table
from stemnet.studies.movie_truth import against_truth
from stemnet.studies.noted import or_note


def study(
    inputs: Sequence[Measured],
    *,
    seed: int = 0,
    seconds: float | None = None,
    rows: bool = True,
    reach: float | None = None,
    jump: float | None = None,
    gap: int = GAP,
    progress: Progress | None = None,
) -> Findings:
    """Register stacks and follow their columns.

    Parameters
    ----------
    inputs : sequence of Measured
        Stacks; columns of all frames, with ``frame``.
    seed : int
        Nothing here is random.
    seconds : float, optional
        From one frame to the next [s]; what the file says, else times are in frames.
    rows : bool
        Look for the sway of rows within frames too.
    reach : float, optional
        Largest jump of the drift [px]; a quarter of the shorter side.
    jump : float, optional
        Longest jump of a column [px], 0 for none; twice the typical distance of neighbors.
    gap : int
        Frames that a column may be missed.
    progress : callable, optional
        Called with (stage, steps done, steps in all).

    Returns
    -------
    Findings

    Raises
    ------
    StemnetError
        If no input is a stack whose frames show the same.
    """
    del seed
    one = partial(_one, seconds=seconds, rows=rows, reach=reach, jump=jump, gap=gap, progress=progress)
    return each(inputs, one)


def _one(
    measured: Measured,
    *,
    seconds: float | None,
    rows: bool,
    reach: float | None,
    jump: float | None,
    gap: int,
    progress: Progress | None,
) -> Findings:
    frames = measured.micrograph.frames
    if len(frames) < 2:
        raise StemnetError("A movie has two frames or more, this is a single image; give a stack of frames.")
    said = measured.micrograph.metadata.get("frame_time")
    seconds = seconds if seconds is not None else float(said) if isinstance(said, int | float) else None
    notes: list[str] = []
    registration = register(frames, rows=rows, reach=reach, progress=progress)
    still = replace(registration, positions=np.zeros((len(frames), 2)), rows=None)
    filmed = Filmed(
        measured, registration, average_frames(frames, registration), average_frames(frames, still), seconds
    )
    lost = np.flatnonzero(~registration.seen)
    if len(lost):
        named = ", ".join(map(str, lost[:5])) + (", ..." if len(lost) > 5 else "")
        notes.append(f"{len(lost)} of {len(frames)} frames do not show what the others do: {named}.")
    followed = or_note(notes, lambda: _followed(filmed, jump, gap, notes))
    numbers = [
        *about_registration(filmed),
        *(about_tracks(filmed, followed) if followed else []),
        *against_truth(filmed, followed),
    ]
    tables = [frames_table(filmed)]
    pictures = [registration_picture(filmed)]
    if followed is not None:
        tables += [tracks_table(filmed, followed), stays_table(filmed, followed)]
        pictures.append(tracks_picture(filmed, followed))
    return Findings(_summary(filmed, followed), tuple(numbers), tuple(tables), tuple(pictures), tuple(notes))


def _followed(filmed: Filmed, jump: float | None, gap: int, notes: list[str]) -> Followed:
    columns, registration = filmed.measured.columns, filmed.registration
    yx = registration.corrected(columns)
    tracks = find_tracks(columns, yx, jump=jump, gap=gap)
    stays = find_stays(tracks, columns, yx, registration.positions)
    if not len(stays):
        raise StemnetError("No column was found in three frames or more, so none can be followed.")
    kind = _kinds(columns, stays, notes)
    if not stays.chances.any():
        notes.append(
            f"The frames are too small for rates: columns jump up to {tracks.jump:.0f} px, and none is that far "
            "from the edge."
        )
    known = all(name in columns for name in ("sigma_y", "sigma_x"))
    if not known:
        notes.append("Errors of the positions are not known: none are taken off the displacements.")
    errors = (
        np.column_stack([columns["sigma_y"], columns["sigma_x"]]) if known else np.zeros((len(columns), 2))
    )
    frame = np.asarray(columns["frame"])
    return Followed(
        yx,
        errors,
        tracks,
        stays,
        kind,
        spread_about_mean(tracks.stay, yx, errors, len(stays)),
        mean_square_displacement(tracks.stay, frame, yx, errors, 1, len(stays)),
        rates(stays, kind),
    )


def _kinds(columns: Columns, stays: Stays, notes: list[str]) -> np.ndarray:
    """Sublattice of every stay's place, (S,)."""
    sites, first = np.unique(stays.site, return_index=True)
    place = stays.yx[first]
    corner = place.min(axis=0)
    shape = np.ceil(np.ptp(place, axis=0)).astype(int) + 1
    light = stays.intensity[first]
    fields = {"intensity": light} if np.isfinite(light).all() else {}
    frame = find_framework(Columns(place - corner, tuple(shape), columns.sampling, fields))
    if frame.note:
        notes.append(frame.note)
    label = np.asarray(frame.columns["sublattice"])
    return label[np.searchsorted(sites, stays.site)]


def _summary(filmed: Filmed, followed: Followed | None) -> str:
    count = len(filmed.registration.positions)
    drift = filmed.registration.positions
    far = float(np.hypot(*np.ptp(drift, axis=0)))
    sampling = filmed.measured.micrograph.sampling
    length = f"{far:.1f} px" if sampling is None else f"{far * sampling:.1f} A"
    text = f"{filmed.measured.name}: {count} frames drift over {length}"
    gain = filmed.average.gain
    if np.isfinite(gain):
        text += f"; their registered mean has {gain:.1f} times the signal-to-noise of a frame"
        text += f" (at best {count**0.5:.1f})"
    if followed is None:
        return text + "."
    jumps = sum(rate.events for (_, event), rate in followed.rates.items() if event == "jump")
    return f"{text}. {len(followed.tracks)} columns are followed; {jumps} jumps were seen far from the edge."
