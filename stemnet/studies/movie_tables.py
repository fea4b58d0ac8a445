"""Tables of a movie study: frames, columns with their tracks, stays."""

from __future__ import annotations

import numpy as np

from stemnet.studies.findings import Table
from stemnet.studies.movie_results import Filmed, Followed


def frames_table(filmed: Filmed) -> Table:
    """One row a frame."""
    found = filmed.registration
    values = {
        "frame": np.arange(len(found.positions)),
        "drift_y_px": found.positions[:, 0],
        "drift_x_px": found.positions[:, 1],
        "sigma_y_px": found.errors[:, 0],
        "sigma_x_px": found.errors[:, 1],
        "seen": found.seen.astype(int),
    }
    return Table(f"{filmed.measured.name}_frames", values)


def tracks_table(filmed: Filmed, followed: Followed) -> Table:
    """One row a column, in the order of the columns."""
    columns, stay = filmed.measured.columns, followed.tracks.stay
    kind = np.append(followed.kind, -1)[stay]
    values = {
        "y_px": columns.yx[:, 0],
        "x_px": columns.yx[:, 1],
        "frame": np.asarray(columns["frame"]),
        "track": followed.tracks.track,
        "stay": stay,
        "kind": kind,
        "registered_y_px": followed.yx[:, 0],
        "registered_x_px": followed.yx[:, 1],
    }
    return Table(f"{filmed.measured.name}_tracks", values)


def stays_table(filmed: Filmed, followed: Followed) -> Table:
    """One row for every time a column spends in one place."""
    stays = followed.stays
    values = {
        "track": stays.track,
        "kind": followed.kind,
        "site": stays.site,
        "first_frame": stays.first,
        "last_frame": stays.last,
        "found_frames": stays.seen,
        "y_px": stays.yx[:, 0],
        "x_px": stays.yx[:, 1],
        "intensity": stays.intensity,
        "begins": stays.begins,
        "ends": stays.ends,
        "spread_px2": followed.wobble.value,
        "spread_sigma_px2": followed.wobble.error,
        "step_squared_px2": followed.step.value,
        "step_squared_sigma_px2": followed.step.error,
    }
    return Table(f"{filmed.measured.name}_stays", values)
