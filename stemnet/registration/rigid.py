"""How a specimen drifts from frame to frame: one shift a frame, to a fraction of a pixel.

Every frame is laid over the mean of those before it, near where the drift goes
on to, then all are laid over the mean of all others, twice. Errors do not add
up as they do from each frame to the next (compare B. H. Savitzky et al.,
Ultramicroscopy 191, 56, 2018, who solve for all pairs), and memory is that of
the mean. A drift of more than half a period of the lattice between two frames
looks like a smaller one the other way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stemnet.errors import StemnetError
from stemnet.registration.canvas import Canvas, placed
from stemnet.registration.correlation import finest, nearest_shift, noise_level, pass_band, spectrum, taper
from stemnet.registration.fitting import Fit, fit_position

Progress = Callable[[str, int, int], None]
REACH = 0.25  # of the shorter side: the largest jump
FINE = 3.0  # around the maximum of the correlation [px]
KEPT = 0.99  # of the mean's weight from one frame to the next: a specimen that changes is followed
LATELY = 0.6  # the same of the mean that is correlated with: atoms that hop make ghosts in a longer one
STEADY = 5  # frames whose median step is what the next is expected to be
PASSES = 3  # at most
SETTLED = 0.3  # median standard errors by which frames still move, when another pass would gain nothing
BLUR = 0.5  # of the size of the finest things that are seen
SEEN = 4.0  # standard errors of the contrast, below which a frame does not show what those before it do
SURE = (
    12.0  # the same against all others; noise that was searched for its best agreement with noise reaches 10
)
POWER = 32  # frames whose spectra tell the signal from the noise


@dataclass(frozen=True)
class Drift:
    """Where the specimen lies in every frame.

    Parameters
    ----------
    positions : ndarray, shape (T, 2)
        What lies at y in the first frame lies at y + position in another [px].
        A frame that does not show the specimen has the position of the one before it.
    errors : ndarray, shape (T, 2)
        Standard errors against the mean of the others [px]; NaN where `seen` is False.
    seen : ndarray of bool, shape (T,)
        Frames that show the specimen.
    levels : ndarray, shape (T,)
        By how much a frame is brighter than the others where both see the same.
    """

    positions: np.ndarray
    errors: np.ndarray
    seen: np.ndarray
    levels: np.ndarray


def find_drift(
    frames: np.ndarray,
    *,
    reach: float | None = None,
    passes: int = PASSES,
    progress: Progress | None = None,
) -> Drift:
    """Find where the specimen is in every frame.

    Parameters
    ----------
    frames : ndarray, shape (T, H, W)
        Or anything that is indexed like it: one frame at a time is read.
    reach : float, optional
        Largest jump from where a frame is expected [px]; a quarter of the
        shorter side if it is not given.
    passes : int
        How often all frames are laid over the mean of the others, at most.
    progress : callable, optional
        Called with (stage, steps done, steps in all).

    Returns
    -------
    Drift

    Raises
    ------
    StemnetError
        If there are fewer than two frames, or none shows anything.
    """
    count = len(frames)
    if count < 2:
        raise StemnetError(f"{count} frame(s) were to be registered; a stack of two or more is needed.")
    shape = np.asarray(frames[0]).shape
    reach = REACH * min(shape) if reach is None else float(reach)
    tell = progress or (lambda stage, done, steps: None)
    band, blur = _noise(frames)
    fits = _followed(frames, reach, band, blur, tell)
    for number in range(passes):
        before, fits = fits, _again(frames, fits, blur, f"registration, pass {number + 2}", tell)
        if _settled(before, fits):
            break
    seen = np.array([_shows(fit, SURE if passes else SEEN) for fit in fits])
    if seen.sum() < 2:
        raise StemnetError(
            "No two frames show the same above their noise; give frames of one field of view, in their order, or sums "
            "of several frames each."
        )
    positions = np.array([fit.position for fit in fits])
    errors = np.array([fit.error for fit in fits])
    levels = np.array([fit.level for fit in fits])
    return Drift(positions - positions[0], np.where(seen[:, None], errors, np.nan), seen, levels)


def _settled(before: list[Fit], now: list[Fit]) -> bool:
    """Whether frames hardly moved, all together left aside."""
    both = [k for k, pair in enumerate(zip(before, now, strict=True)) if all(map(_shows, pair))]
    if not both:
        return True
    off = np.array([now[k].position - before[k].position for k in both])
    error = float(np.median([now[k].error for k in both]))
    return bool(np.sqrt(np.mean((off - off.mean(axis=0)) ** 2)) < SETTLED * error)


def _followed(frames: np.ndarray, reach: float, band: np.ndarray, blur: float, tell: Progress) -> list[Fit]:
    """Every frame against the mean of those before it."""
    shape = np.asarray(frames[0]).shape
    weights, canvas, lately = taper(shape), Canvas(), Canvas()
    fits: list[Fit] = []
    for number in range(len(frames)):
        frame = np.asarray(frames[number], dtype=np.float32)
        if not canvas.count.any():
            fit = Fit(np.zeros(2), np.zeros(2), 1.0 if np.nanstd(frame) > 0 else 0.0, 1e-9)
        else:
            expected = _expected([fit.position for fit in fits])
            near = np.round(expected)
            mean = lately.part(-near.astype(int), shape)[0]
            jump = nearest_shift(spectrum(mean, weights), spectrum(frame, weights), band, reach)
            fit = fit_position(frame, canvas, near + jump, FINE, blur)
            if not _shows(fit):
                fit = Fit(fits[-1].position, fit.error, fit.scale, fit.scale_error)
        fits.append(fit)
        if _shows(fit):
            values, corner = _level(frame, fit)
            for mean_of, keep in ((canvas, KEPT), (lately, LATELY)):
                mean_of.fade(keep)
                mean_of.add(values, corner)
        tell("registration", number + 1, len(frames))
    return fits


def _again(frames: np.ndarray, fits: list[Fit], blur: float, stage: str, tell: Progress) -> list[Fit]:
    """Every frame against the mean of all others."""
    canvas, again = Canvas(), []
    for number, fit in enumerate(fits):
        if _shows(fit):
            canvas.add(*_level(np.asarray(frames[number]), fit))
    for number, fit in enumerate(fits):
        frame = np.asarray(frames[number], dtype=np.float32)
        if _shows(fit):
            values, corner = _level(frame, fit)
            canvas.add(values, corner, -1.0)
        found = fit_position(frame, canvas, fit.position, FINE, blur)
        if _shows(fit):
            canvas.add(values, corner)
        again.append(found)
        tell(stage, number + 1, len(fits))
    return again


def _level(frame: np.ndarray, fit: Fit) -> tuple[np.ndarray, np.ndarray]:
    """A placed frame as bright as the others: else edges of frames would be steps in their mean."""
    values, corner = placed(frame, fit.position)
    return values - np.float32(fit.level), corner


def _shows(fit: Fit, least: float = SEEN) -> bool:
    return bool(np.isfinite(fit.error).all() and fit.scale > least * fit.scale_error)


def _expected(positions: list[np.ndarray]) -> np.ndarray:
    """Where the next frame should be: one usual step further on."""
    last = np.array(positions[-STEADY - 1 :])
    return last[-1] + (np.median(np.diff(last, axis=0), axis=0) if len(last) > 2 else 0)


def _noise(frames: np.ndarray) -> tuple[np.ndarray, float]:
    """Share of signal by frequency, and by how much images may be smoothed [px]."""
    chosen = np.unique(np.linspace(0, len(frames) - 1, POWER).astype(int))
    weights = taper(np.asarray(frames[0]).shape)
    power = np.mean([np.abs(spectrum(np.asarray(frames[k]), weights)) ** 2 for k in chosen], axis=0)
    noise = noise_level(power, len(chosen))
    return pass_band(power, noise), BLUR * finest(power, noise, len(chosen))
