"""Scan distortion: by how much every row of a frame is off, smooth from row to row.

A frame is scanned row by row, so what drifts, sways or is disturbed while it is
taken moves rows as wholes (C. Ophus, J. Ciston, and C. T. Nelson, Ultramicroscopy
162, 1, 2016; L. Jones et al., Adv. Struct. Chem. Imaging 1, 8, 2015). The offsets
are a random walk down the frame, fitted to the mean of the other frames by least
squares: a tridiagonal system. How far the walk goes from row to row is chosen
by pixels that the fit has not seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solveh_banded
from scipy.ndimage import map_coordinates

from stemnet.registration.canvas import Canvas, between_frames, placed, without_gaps
from stemnet.registration.fitting import ENOUGH, pixel_variance, trust
from stemnet.registration.rigid import Drift
from stemnet.registration.splines import coefficients, looked_up, with_slopes

STEPS = 3
WALKS = (0.0, 1e-2, 3e-2, 0.1, 0.3)
"""Standard deviations of the offset from row to row that are tried [px]."""
STIFFEST = 1e-5  # of walks: next to none [px]
TRIED = 6  # frames on which they are
BETTER = 4.0  # standard errors by which unseen pixels must gain before rows move at all,
MUCH = 10.0  # and logarithm of the odds a frame
LOST = 4.0  # standard deviations, beyond which a residual is that of an atom that hopped
BEYOND = 4  # pixels of the mean around what a frame sees


@dataclass(frozen=True)
class Rows:
    """Offsets of rows.

    Parameters
    ----------
    offsets : ndarray, shape (T, H, 2)
        What the mean shows at y lies at y + position + offset in a frame [px]; their mean over a frame is 0.
    walk : tuple of float
        Standard deviation of the offset from row to row, along y and x [px]; 0 where
        the rows are steady to within the noise.
    """

    offsets: np.ndarray
    walk: tuple[float, float]


def find_rows(
    frames: np.ndarray,
    drift: Drift,
    *,
    walk: tuple[float, float] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[np.ndarray, Rows]:
    """Find how rows are off.

    Parameters
    ----------
    frames : ndarray, shape (T, H, W)
        Or anything that is indexed like it.
    drift : Drift
    walk : tuple of float, optional
        Of `Rows`; chosen by unseen pixels if it is not given.
    progress : callable, optional

    Returns
    -------
    positions : ndarray, shape (T, 2)
        With the mean of the rows' offsets [px].
    rows : Rows
    """
    shown, positions = np.flatnonzero(drift.seen), drift.positions
    height = np.asarray(frames[0]).shape[0]
    offsets = np.zeros((len(positions), height, 2))
    if walk is None:
        walk = _chosen_walk(frames, drift)
    passes = 2 if max(walk) > 0 else 0
    for turn in range(passes):
        canvas = Canvas()
        for k in shown:
            canvas.add(*placed(frames[k] - drift.levels[k], positions[k], offsets[k] if turn else None))
        for done, k in enumerate(shown):
            frame = np.asarray(frames[k]) - drift.levels[k]
            values, corner = placed(frame, positions[k], offsets[k] if turn else None)
            canvas.add(values, corner, -1.0)
            offsets[k] = _Look(frame, canvas, positions[k]).fitted(walk, offsets[k])
            canvas.add(values, corner)
            if progress:
                progress(f"rows {turn + 1}/{passes}", done + 1, len(shown))
    mean = offsets.mean(axis=1)
    return positions + mean, Rows(offsets - mean[:, None], walk)


class _Look:
    """A frame against the mean around it."""

    def __init__(self, frame: np.ndarray, canvas: Canvas, position: np.ndarray) -> None:
        self.image, self.measured = without_gaps(frame)
        self.corner = -np.floor(position).astype(int) - BEYOND
        shape = (self.image.shape[0] + 2 * BEYOND, self.image.shape[1] + 2 * BEYOND)
        mean, count = canvas.part(self.corner, shape)
        filled, _ = without_gaps(mean)
        self.padded = coefficients(filled)
        _, *self.slopes = with_slopes(self.padded, np.zeros(2))
        self.between, self.freedom = between_frames(*canvas.sums(self.corner, shape))
        self.sure = (count / (count + 1)).astype(np.float32)
        self.position = position

    def fitted(
        self, walk: tuple[float, float], start: np.ndarray, used: np.ndarray | None = None
    ) -> np.ndarray:
        """Offsets (H, 2) [px], of the pixels of a row that are used (W,)."""
        offsets = start
        for _ in range(STEPS):
            rest, slopes, weight, _ = self.at(offsets)
            if used is not None:
                weight = weight * used
            if np.count_nonzero(weight) < ENOUGH:
                return offsets
            normal = np.einsum("arx,brx,rx->rab", slopes, slopes, weight)
            right = np.einsum("arx,rx->ra", slopes, weight * rest) + np.einsum("rab,rb->ra", normal, offsets)
            offsets = _smooth(normal, right, walk)
        return offsets

    def at(self, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Residuals (H, W), slopes by the offsets (2, H, W), weights and variances (H, W)."""
        height, width = self.image.shape
        y = (np.arange(height) - self.position[0] - offsets[:, 0] - self.corner[0])[:, None]
        x = np.arange(width)[None] - self.position[1] - offsets[:, 1:] - self.corner[1]
        y = np.broadcast_to(y, x.shape)
        model = looked_up(self.padded, y, x)
        slopes = np.stack([-map_coordinates(s, [y, x], order=1, mode="nearest") for s in self.slopes])
        weight = map_coordinates(self.sure, [y, x], order=1, mode="constant", cval=0.0) * self.measured
        total = max(float(weight.sum()), 1e-12)
        means = [float((weight * part).sum()) / total for part in (model, self.image)]
        model, image = model - means[0], self.image - means[1]
        scale = float((weight * model * image).sum() / max(float((weight * model**2).sum()), 1e-30))
        rest = image - scale * model
        between, freedom = (
            map_coordinates(part, [y, x], order=1, mode="nearest") for part in (self.between, self.freedom)
        )
        variance = pixel_variance(model, rest, between, freedom)
        return rest, slopes * scale, weight * trust(rest, variance) / variance, variance


def _smooth(normal: np.ndarray, right: np.ndarray, walk: tuple[float, float]) -> np.ndarray:
    """Solve (N + D'D / walk^2) u = b for offsets (H, 2), D taking differences from row to row."""
    rows = len(normal)
    ends = np.full(rows, 2.0)
    ends[[0, -1]] = 1.0
    bands = np.zeros((3, 2 * rows))
    bands[1, 1::2] = normal[:, 0, 1]
    for axis in (0, 1):
        stiff = 1 / max(walk[axis], STIFFEST) ** 2
        bands[0, 2 + axis :: 2] = -stiff
        bands[2, axis::2] = normal[:, axis, axis] + ends * stiff
    return solveh_banded(bands, right.ravel()).reshape(rows, 2)


def _loss(rest: np.ndarray) -> float:
    """Squares of residuals in standard deviations, of those that are no hop."""
    return float(np.minimum(rest**2, LOST**2).sum()) / 2


def _chosen_walk(frames: np.ndarray, drift: Drift) -> tuple[float, float]:
    """The walks along y and x whose offsets, fitted on half of the pixels, explain the other half best."""
    canvas, shown, positions = Canvas(), np.flatnonzero(drift.seen), drift.positions
    for k in shown:
        canvas.add(*placed(frames[k] - drift.levels[k], positions[k]))
    tried = shown[np.unique(np.linspace(0, len(shown) - 1, TRIED).astype(int))]
    looks = []
    for k in tried:
        frame = np.asarray(frames[k]) - drift.levels[k]
        values, corner = placed(frame, positions[k])
        canvas.add(values, corner, -1.0)
        looks.append(_Look(frame, canvas, positions[k]))
        canvas.add(values, corner)
    known: dict[tuple[float, float], np.ndarray] = {}

    def losses(pair: tuple[float, float]) -> np.ndarray:
        if pair not in known:
            known[pair] = np.array([_unseen(look, pair) for look in looks])
        return known[pair]

    chosen = (0.0, 0.0)
    for axes in ((0, 1), (0,), (1,)):
        asked = [(walk if 0 in axes else chosen[0], walk if 1 in axes else chosen[1]) for walk in WALKS]
        best = min(asked, key=lambda pair: float(losses(pair).sum()))
        # the steadiest of those that are as good, but for chance
        chosen = next(pair for pair in asked if _better(losses(pair), losses(best)) <= 1)
    none = losses((0.0, 0.0))
    gained = _better(none, losses(chosen)) > BETTER and (none - losses(chosen)).mean() > MUCH
    return chosen if gained else (0.0, 0.0)


def _better(loss: np.ndarray, other: np.ndarray) -> float:
    """By how many standard errors the other loss is less, frame by frame."""
    gain = loss - other
    error = float(gain.std(ddof=1)) / np.sqrt(len(gain)) if len(gain) > 1 else 0.0
    return float(gain.mean()) / error if error > 0 else np.inf * np.sign(gain.mean()) if gain.any() else 0.0


def _unseen(look: _Look, walk: tuple[float, float]) -> float:
    """Loss of the pixels of a frame that a fit has not seen, two by two in every row."""
    height, width = look.image.shape
    spread = np.sqrt(look.at(np.zeros((height, 2)))[-1])
    total = 0.0
    for part in (0, 1):
        used = (np.arange(width) // 2) % 2 == part
        rest, _, weight, _ = look.at(look.fitted(walk, np.zeros((height, 2)), used))
        total += _loss((rest / spread)[(weight > 0) & ~used])
    return total
