"""Registration of a stack: the drift, and the offsets of rows where frames tell them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.columns import Columns
from stemnet.registration.canvas import placed
from stemnet.registration.rigid import Progress, find_drift
from stemnet.registration.rows import find_rows


@dataclass(frozen=True)
class Registration:
    """Where things of the first frame are in the others.

    Parameters
    ----------
    positions, errors, seen : ndarray
        As of `stemnet.registration.rigid.Drift`.
    rows : ndarray, shape (T, H, 2), or None
        By how much more the rows of a frame are off, 0 on average [px]; None for rigid frames.
    walk : tuple of float
        Standard deviation of these offsets from row to row, along y and x [px].
    """

    positions: np.ndarray
    errors: np.ndarray
    seen: np.ndarray
    rows: np.ndarray | None = None
    walk: tuple[float, float] = (0.0, 0.0)

    def placed(self, image: np.ndarray, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """A frame on the grid of the first one; see `stemnet.registration.canvas.placed`."""
        return placed(image, self.positions[frame], None if self.rows is None else self.rows[frame])

    def corrected(self, columns: Columns) -> np.ndarray:
        """Positions (N, 2) of columns, with ``frame``, as if nothing had drifted [px]."""
        frame = np.asarray(columns["frame"])
        yx = columns.yx - self.positions[frame]
        if self.rows is None:
            return yx
        at = np.arange(self.rows.shape[1])
        for k in np.unique(frame):
            mine = frame == k
            for axis in (0, 1):
                yx[mine, axis] -= np.interp(columns.yx[mine, 0], at, self.rows[k, :, axis])
        return yx


def register(
    frames: np.ndarray,
    *,
    rows: bool = True,
    reach: float | None = None,
    progress: Progress | None = None,
) -> Registration:
    """Register a stack.

    Parameters
    ----------
    frames : ndarray, shape (T, H, W)
        Or anything that is indexed like it; one frame at a time is read, and
        memory is that of a few frames.
    rows : bool
        Look for offsets of rows too.
    reach : float, optional
        Largest jump of the drift from where it is expected [px].
    progress : callable, optional
        Called with (stage, steps done, steps in all).

    Returns
    -------
    Registration

    Raises
    ------
    StemnetError
        As `find_drift`.
    """
    drift = find_drift(frames, reach=reach, progress=progress)
    if not rows:
        return Registration(drift.positions, drift.errors, drift.seen)
    positions, found = find_rows(frames, drift, progress=progress)
    if max(found.walk) == 0:
        return Registration(drift.positions, drift.errors, drift.seen)
    return Registration(positions, drift.errors, drift.seen, found.offsets, found.walk)
