"""The mean of registered frames, and what it gains over one of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import maximum_filter

from stemnet.registration.canvas import Canvas, between_frames
from stemnet.registration.registering import Progress, Registration

MOSTLY = 0.9  # of the frames must reach a pixel that signal and noise are measured on
ENOUGH = 256  # such pixels
CLASSES = 24  # of brightness, in each of which most pixels do not change
CHANGED = 1.7  # times the usual variance, from which a pixel is one that changes
SPREAD = 7  # side of the square by which changes are widened [px]
PAIRS = 32  # of successive frames that tell the signal of one


@dataclass(frozen=True)
class Average:
    """Mean over frames.

    Parameters
    ----------
    image : ndarray, shape (H', W')
        In the coordinates of the first frame; NaN where no frame reaches.
    count : ndarray, shape (H', W')
        Frames that reach a pixel.
    change : ndarray, shape (H', W')
        Variance between frames over that of pixels that are as bright: 1 where
        nothing changes, more where atoms come and go; NaN where it is not known.
    origin : ndarray of int, shape (2,)
        Place of its first pixel in the first frame [px].
    frames : int
        Number of frames that were averaged.
    snr : float
        Standard deviation of the signal over that of the noise, in the mean,
        where nothing changes; NaN where it cannot be measured.
    frame_snr : float
        The same of a frame that was moved like those in the mean.
    """

    image: np.ndarray
    count: np.ndarray
    change: np.ndarray
    origin: np.ndarray
    frames: int
    snr: float
    frame_snr: float

    @property
    def gain(self) -> float:
        """By how much the mean is better; at best the root of the number of frames."""
        return self.snr / self.frame_snr if self.frame_snr > 0 else float("nan")


def average_frames(
    frames: np.ndarray, registration: Registration, *, progress: Progress | None = None
) -> Average:
    """Average registered frames.

    What the means of even and of odd frames have in common is signal, what
    they differ by is noise; of single frames, the same of successive ones.

    Parameters
    ----------
    frames : ndarray, shape (T, H, W)
        Or anything that is indexed like it; one frame at a time is read.
    registration : Registration
    progress : callable, optional

    Returns
    -------
    Average
    """
    shown = np.flatnonzero(registration.seen).tolist()
    halves = (Canvas(), Canvas())
    for number, k in enumerate(shown):
        halves[number % 2].add(*registration.placed(frames[k], k))
        if progress:
            progress("average", number + 1, len(shown))
    low = np.min([half.origin for half in halves], axis=0)
    height, width = (np.max([half.origin + half.total.shape for half in halves], axis=0) - low).tolist()
    shape = (height, width)
    means = [half.part(low, shape) for half in halves]
    even, odd = (half.sums(low, shape) for half in halves)
    total, squares, count = (one + other for one, other in zip(even, odd, strict=True))
    image = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    change = _change(image, between_frames(total, squares, count)[0], count)
    steady = (count >= MOSTLY * len(shown)) & (maximum_filter(np.nan_to_num(change), SPREAD) < CHANGED)
    signal, noise = _signal_and_noise(*(np.where(steady, mean, np.nan) for mean, _ in means))
    one_signal, one_noise = _of_one(frames, registration, shown, steady, low)
    rows, cols = (np.flatnonzero((count > 0).any(axis=axis)) for axis in (1, 0))
    area = np.s_[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    return Average(
        image[area].astype(np.float32),
        count[area],
        change[area],
        low + np.array([rows[0], cols[0]]),
        len(shown),
        _ratio(signal, noise / 4),
        _ratio(one_signal, one_noise / 2),
    )


def _change(image: np.ndarray, variance: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Variance over the usual one of pixels that are as bright."""
    known = count >= max(3.0, 0.5 * float(count.max()))
    change = np.full(image.shape, np.nan)
    if known.sum() < ENOUGH:
        return change
    values, found = image[known], variance[known]
    edges = np.quantile(values, np.linspace(0, 1, CLASSES + 1)[1:-1])
    group = np.searchsorted(edges, values)
    level = np.array([np.median(found[group == k]) if (group == k).any() else np.nan for k in range(CLASSES)])
    change[known] = found / np.maximum(level[group], 1e-30)
    return change


def _of_one(
    frames: np.ndarray, registration: Registration, shown: list[int], steady: np.ndarray, low: np.ndarray
) -> tuple[float, float]:
    """Signal of a frame, and noise of the difference of two, where nothing changes."""
    chosen = np.unique(np.linspace(0, len(shown) - 2, PAIRS).astype(int))
    found = []
    for k in chosen:
        pair = [_cut(*registration.placed(frames[one], one), steady, low) for one in (shown[k], shown[k + 1])]
        found.append(_signal_and_noise(*pair))
    signal, noise = np.nanmean(np.array(found), axis=0) if np.isfinite(found).any() else (np.nan, np.nan)
    return float(signal), float(noise)


def _cut(values: np.ndarray, corner: np.ndarray, steady: np.ndarray, low: np.ndarray) -> np.ndarray:
    """A placed frame on the grid of the mean, NaN but where nothing changes."""
    whole = np.full(steady.shape, np.nan, dtype=np.float32)
    y, x = corner - low
    whole[y : y + values.shape[0], x : x + values.shape[1]] = values
    return np.where(steady, whole, np.nan)


def _ratio(signal: float, noise: float) -> float:
    return float(np.sqrt(signal / noise)) if signal > 0 and noise > 0 else float("nan")


def _signal_and_noise(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Covariance of two images of the same, and variance of their difference."""
    known = np.isfinite(one) & np.isfinite(other)
    if known.sum() < ENOUGH:
        return float("nan"), float("nan")
    one, other = one[known].astype(np.float64), other[known].astype(np.float64)
    return float(np.mean((one - one.mean()) * (other - other.mean()))), float(np.var(one - other))
