"""Where a frame lies against a mean of others: least squares, by Gauss and Newton.

The scheme of B. D. Lucas and T. Kanade (Proc. IJCAI 1981, 674) with a scale and
an offset of the intensities, so that a dose or a background that changes
does not count as motion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_erosion, gaussian_filter

from stemnet.registration.canvas import Canvas, between_frames, without_gaps
from stemnet.registration.splines import coefficients, with_slopes

STEPS = 12
SMALL = 0.003  # last step [px]
LONGEST = 1.0  # of a step [px]
MARGIN = 3  # pixels around what is not known, into which splines carry it
CLASSES = 12  # of brightness
WITHIN = 0.99  # share of the pixels of a class that tell its variance
PRIOR = 5.0  # frames that the variance by brightness counts as
HUBER = 1.5  # robust standard deviations, beyond which a pixel counts less
ENOUGH = 100  # pixels in common


@dataclass(frozen=True)
class Fit:
    """One frame against the mean.

    Parameters
    ----------
    position : ndarray, shape (2,)
        [px]
    error : ndarray, shape (2,)
        Standard errors [px]; NaN where nothing could be fitted.
    scale : float
        Contrast of the frame against the mean's.
    scale_error : float
    level : float
        By how much the frame is brighter than the mean where both are.
    """

    position: np.ndarray
    error: np.ndarray
    scale: float
    scale_error: float
    level: float = 0.0


def fit_position(
    frame: np.ndarray, canvas: Canvas, start: np.ndarray, reach: float, blur: float = 0.0
) -> Fit:
    """Find the position at which a frame fits the mean best.

    Parameters
    ----------
    frame : ndarray, shape (H, W)
    canvas : Canvas
        Without this frame, whose noise would hold it where it is.
    start : ndarray, shape (2,)
        [px]
    reach : float
        How far from the start the position may be [px].
    blur : float
        By which mean and frame are smoothed, for the noise of the mean would pass for detail [px].

    Returns
    -------
    Fit
        With NaN errors where frame and mean have too little in common, or the
        position ran away; the position is the start then.
    """
    image, measured = without_gaps(frame)
    image = gaussian_filter(image, blur)
    # neighbors share their noise then: so many pixels count as one
    share = max(1.0, 4 * np.pi * blur**2)
    position, failed = np.array(start, dtype=float), Fit(np.array(start), np.full(2, np.nan), 0.0, np.inf)
    base: np.ndarray = np.floor(-position).astype(int)
    weights = np.ones(image.shape, np.float32)
    view = _View.of(canvas, base, image.shape, measured, blur)
    for turn in range(STEPS):
        # the canvas between two of its pixels: sampled at i + whole + fraction
        whole = np.floor(-position).astype(int)
        if np.any(whole != base):
            base, view = whole, _View.of(canvas, whole, image.shape, measured, blur)
        if np.count_nonzero(view.seen) < ENOUGH:
            return failed
        value, down, right = (part[:-1, :-1] for part in with_slopes(view.padded, -position - whole))
        design = np.stack([-down, -right, value, np.ones_like(value)], -1).reshape(-1, 4)
        solved = _solved(design, image, view.seen * weights)
        if solved is None:
            return failed
        found, normal, rest = solved
        if found[2] <= 0:
            return failed
        step = np.clip(found[:2] / found[2], -LONGEST, LONGEST)
        position = position + step
        if np.abs(position - start).max() > reach:
            return failed
        if turn and np.abs(step).max() < SMALL:
            break
        variance = pixel_variance(value, rest, view.between / share, view.freedom)
        weights = (trust(rest, variance) / variance).astype(np.float32)
    scatter = float((weights * view.seen * rest**2).sum()) / max(int(np.count_nonzero(view.seen)) - 4, 1)
    error = np.sqrt(share * scatter * np.diag(np.linalg.inv(normal)))
    level = float((view.seen * (image - value)).sum() / view.seen.sum())
    return Fit(position, error[:2] / found[2], float(found[2]), float(error[2]), level)


@dataclass(frozen=True)
class _View:
    """What a frame sees of the mean: coefficients (H + 5, W + 5), and where it counts how much (H, W)."""

    padded: np.ndarray
    seen: np.ndarray
    between: np.ndarray
    freedom: np.ndarray

    @classmethod
    def of(
        cls, canvas: Canvas, corner: np.ndarray, shape: tuple[int, int], measured: np.ndarray, blur: float
    ) -> _View:
        mean, count = canvas.part(corner, (shape[0] + 1, shape[1] + 1))
        filled, known = without_gaps(mean)
        if not known.all():
            known = binary_erosion(known, iterations=MARGIN, border_value=1)
        seen = count / (count + 1) * known
        seen = np.minimum(seen[:-1, :-1], seen[1:, 1:]) * measured
        return cls(
            coefficients(gaussian_filter(filled, blur)), seen, *between_frames(*canvas.sums(corner, shape))
        )


def trust(rest: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Weights (H, W) of residuals, less for large ones (P. J. Huber, Ann. Math. Stat. 35, 73, 1964)."""
    return np.minimum(1, HUBER * np.sqrt(variance) / np.maximum(np.abs(rest), 1e-30))


def pixel_variance(
    model: np.ndarray, rest: np.ndarray, between: np.ndarray, freedom: np.ndarray
) -> np.ndarray:
    """Variance of every pixel of a frame (H, W).

    By how bright it should be, as counting makes it (mean squares of the
    residuals in classes of brightness, the largest left out), and by how much
    frames differ there, as they do where atoms come and go.

    Parameters
    ----------
    model, rest : ndarray, shape (H, W)
        What should be there, and what the frame shows more.
    between, freedom : ndarray, shape (H, W)
        Variance between the frames, and from how many of them it is known.
    """
    squares = rest**2
    edges = np.quantile(model, np.linspace(0, 1, CLASSES + 1)[1:-1])
    group = np.searchsorted(edges, model)
    middle, level = np.zeros(CLASSES), np.full(CLASSES, np.nan)
    for k in range(CLASSES):
        mine = squares[group == k]
        if mine.size:
            level[k] = mine[mine <= np.quantile(mine, WITHIN)].mean()
            middle[k] = model[group == k].mean()
    good = level > 0
    counted = np.interp(model, middle[good], level[good]) if good.any() else np.full(model.shape, 1e-30)
    return np.maximum((PRIOR * counted + freedom * between) / (PRIOR + freedom), 1e-30)


def _solved(
    design: np.ndarray, image: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Factors (4,), normal matrix (4, 4) and residuals (H, W); None where there is no contrast."""
    weighted = design * weights.reshape(-1, 1)
    normal = (weighted.T @ design).astype(np.float64)
    try:
        found = np.linalg.solve(normal, (weighted.T @ image.ravel()).astype(np.float64))
    except np.linalg.LinAlgError:
        return None
    return found, normal, image - (design @ found.astype(np.float32)).reshape(image.shape)
