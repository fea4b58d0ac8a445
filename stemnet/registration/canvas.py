"""A mean of frames that lie at different places, gathered one after the other."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import minimum_filter, uniform_filter

from stemnet.registration.splines import PAD, coefficients, looked_up, shifted

LEAST = 1e-3
"""Of a frame's weight: what has faded below it is not known any more."""
AVERAGED = 3
"""Side of the square over which variances are averaged [px]."""
ROUND = 64
"""By at least so many pixels a canvas grows at a side."""


class Canvas:
    """Sums over frames in the coordinates of the first one, as large as they need.

    Attributes
    ----------
    total : ndarray, shape (H', W')
        Sum of the frames.
    squares : ndarray, shape (H', W')
        Sum of their squares.
    count : ndarray, shape (H', W')
        Number of frames that reach a pixel.
    origin : ndarray of int, shape (2,)
        Of its first pixel.
    """

    def __init__(self) -> None:
        self.total = np.zeros((0, 0), dtype=np.float32)
        self.squares = np.zeros((0, 0), dtype=np.float32)
        self.count = np.zeros((0, 0), dtype=np.float32)
        self.origin = np.zeros(2, dtype=int)

    def add(self, values: np.ndarray, corner: np.ndarray, weight: float = 1.0) -> None:
        """Add a placed frame (of `placed`), or take it out again with weight -1; NaN is not measured."""
        self._reach(corner, corner + values.shape)
        (y, x), (height, width) = corner - self.origin, values.shape
        known = np.isfinite(values)
        filled = np.where(known, values, 0)
        self.total[y : y + height, x : x + width] += weight * filled
        self.squares[y : y + height, x : x + width] += weight * filled**2
        self.count[y : y + height, x : x + width] += weight * known

    def fade(self, keep: float) -> None:
        """Make what was added so far count less."""
        for sums in (self.total, self.squares, self.count):
            sums *= keep

    def sums(self, corner: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Sum, sum of squares and count in a part of the canvas."""
        self._reach(corner, corner + shape)
        y, x = corner - self.origin
        area = np.s_[y : y + shape[0], x : x + shape[1]]
        return self.total[area], self.squares[area], self.count[area]

    def part(self, corner: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Mean and count in a part of the canvas; NaN and 0 where there is nothing."""
        total, _, count = self.sums(corner, shape)
        known = count > LEAST
        return np.where(known, total / np.where(known, count, 1), np.nan), np.where(known, count, 0)

    def _reach(self, low: np.ndarray, high: np.ndarray) -> None:
        """Grow until a region fits."""
        if not self.total.size:
            self.origin = np.array(low)
        end = self.origin + self.total.shape
        before, after = np.maximum(self.origin - low, 0), np.maximum(high - end, 0)
        if not before.any() and not after.any():
            return
        if self.total.size:
            before, after = (np.where(side > 0, np.maximum(side, ROUND), 0) for side in (before, after))
        around = tuple(zip(before.tolist(), after.tolist(), strict=True))
        self.total, self.squares, self.count = (
            np.pad(sums, around) for sums in (self.total, self.squares, self.count)
        )
        self.origin = self.origin - before


def between_frames(
    total: np.ndarray, squares: np.ndarray, count: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Variance between frames, over a square of pixels, and from how many frames it is known: (H, W) each."""
    off = squares - total**2 / np.maximum(count, LEAST)
    off, freedom = (uniform_filter(part * (count > 1), AVERAGED) for part in (off, np.maximum(count - 1, 0)))
    return np.maximum(off, 0) / np.maximum(freedom, LEAST), freedom


def placed(
    frame: np.ndarray, position: np.ndarray, rows: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Lay a frame onto the grid of the canvas.

    Parameters
    ----------
    frame : ndarray, shape (H, W)
        NaN where nothing was measured.
    position : ndarray, shape (2,)
        What lies at y on the canvas lies at y + position in the frame [px].
    rows : ndarray, shape (H, 2), optional
        By how much more what a row shows is off [px].

    Returns
    -------
    values : ndarray, shape (H, W)
        NaN where the frame does not reach.
    corner : ndarray of int, shape (2,)
        Their place on the canvas.
    """
    whole = np.floor(position).astype(int)
    fraction = position - whole
    filled, known = without_gaps(frame)
    height, width = frame.shape
    padded = coefficients(filled)
    if rows is None:
        values = shifted(padded, fraction)
        y = np.arange(height) + fraction[0]
        x = np.arange(width)[None] + fraction[1]
    else:
        y, off = row_of(np.arange(height) + fraction[0], rows)
        x = np.arange(width)[None] + fraction[1] + off[:, None]
        values = looked_up(padded, np.broadcast_to(y[:, None], frame.shape), x)
    outside = ((y < 0) | (y > height - 1))[:, None] | (x < 0) | (x > width - 1)
    if not known.all():
        near = minimum_filter(known, PAD + 1, origin=-1)
        outside = outside | ~near
    return np.where(outside, np.float32(np.nan), values), -whole


def row_of(y: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the frame that show what belongs into rows y (H,), and how far off it is along x there."""
    at = np.arange(len(rows))
    found = y
    for _ in range(3):  # offsets change little from row to row
        found = y + np.interp(found, at, rows[:, 0])
    return found, np.interp(found, at, rows[:, 1])


def without_gaps(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An image whose NaN are its mean, and where it is known."""
    image = np.asarray(image, dtype=np.float32)
    known = np.isfinite(image)
    if known.all():
        return image, known
    return np.where(known, image, np.float32(image[known].mean()) if known.any() else np.float32(0)), known
