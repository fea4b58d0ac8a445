"""Which candidates are columns: what the network and the joint fit say, weighed together.

The network sees patterns but not electrons: it cannot tell a faint column from
a ripple of a bright one's halo. The fit counts electrons but knows no
patterns: between bright columns any saddle is significant in a clean image.
A logistic regression on a few numbers of both, and their products, is fitted
on simulated images with known columns, so that what it returns is a
probability: of the columns given 0.8, eight in ten are real on such images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from stemnet.detection.refinement import Refinement

FEATURES = (
    "network",
    "significance",
    "height",
    "crowding",
    "misfit_around",
    "misfit_everywhere",
    "certain_company",
    "significant_company",
)
NEIGHBORS = 12
AROUND = 10.0
"""Columns within this many widths are company [sigma]."""
SIGNIFICANT = 5.0
CERTAIN = 0.65
LOW = 1e-3


@dataclass(frozen=True)
class Acceptance:
    """A logistic regression on `FEATURES`, their squares and their products.

    Parameters
    ----------
    center, scale : sequence of float
        What the features are standardized with.
    weights : sequence of float
        Intercept, then one for each term of `terms`.
    """

    center: Sequence[float]
    scale: Sequence[float]
    weights: Sequence[float]

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Probability of being a column, (N,), of candidates with `features` (N, 8)."""
        standard = (features - np.asarray(self.center)) / np.asarray(self.scale)
        logit = terms(standard) @ np.asarray(self.weights)
        return np.asarray(1 / (1 + np.exp(-np.clip(logit, -30, 30))))

    @classmethod
    def from_card(cls, entry: Mapping[str, Sequence[float]]) -> Acceptance | None:
        """The one that came with the weights; None where there is none."""
        return cls(**entry) if entry else None


def terms(standard: np.ndarray) -> np.ndarray:
    """One, the standardized features (N, F), their squares and products: (N, 1 + F + F (F + 1) / 2)."""
    count = standard.shape[1]
    # Far outside of what was fitted a square must not run away.
    bounded = np.clip(standard, -4, 4)
    i, j = np.triu_indices(count)
    return np.concatenate([np.ones((len(standard), 1)), bounded, bounded[:, i] * bounded[:, j]], axis=1)


def features(score: np.ndarray, image: np.ndarray, fit: Refinement, width: float) -> np.ndarray:
    """What is known of each candidate after a joint fit of all of them.

    Parameters
    ----------
    score : ndarray, shape (N,)
        The network's probability.
    image : ndarray, shape (H, W)
        That was fitted.
    fit : Refinement
        Row i is candidate i.
    width : float
        Sigma of a column, in pixels of the fit.

    Returns
    -------
    ndarray, shape (N, 8)
        Log odds of the score; log of 1 + significance; log height over the
        brightest candidate around; log of 1 + the light that neighbors throw
        on the place, in heights of its own; log of the squared residuals over
        the noise, around the place and of the whole image: where columns have
        halos that the model has no shape for, a faint one may be a piece of
        such; shares of all candidates that the network is certain of, and that
        are significant.
    """
    count = len(score)
    if not count:
        return np.zeros((0, len(FEATURES)))
    odds = np.clip(score, LOW, 1 - LOW)
    strength = np.clip(np.nan_to_num(fit.significance), 0, None)
    height = np.maximum(fit.amplitude, 0)
    apart, near = cKDTree(fit.yx).query(fit.yx, k=min(NEIGHBORS, max(count - 1, 1)) + 1)
    apart, near = apart[:, 1:], np.minimum(near[:, 1:], count - 1)
    beside = np.where(np.isfinite(apart) & (apart < AROUND * width), height[near], 0.0)
    brightest = np.maximum(beside.max(axis=1), height)
    own = np.maximum(height, LOW * brightest + 1e-30)
    thrown = (beside * np.exp(-((np.minimum(apart, 1e6) / width) ** 2) / 4)).max(axis=1)
    misfit = _misfit(image, fit, width)
    row, col = (np.rint(fit.yx[:, k]).astype(int).clip(0, image.shape[k] - 1) for k in (0, 1))
    shares = np.array([(score >= CERTAIN).mean(), (strength >= SIGNIFICANT).mean()])
    return np.column_stack(
        [
            np.log(odds / (1 - odds)),
            np.log1p(strength),
            np.log(own / np.maximum(brightest, 1e-30)).clip(-7, 0),
            np.log1p(np.minimum(thrown / own, 50)),
            np.log(misfit[row, col]).clip(-1, 5),
            np.full(count, np.log(np.median(misfit[row, col])).clip(-1, 5)),
            np.broadcast_to(shares, (count, 2)),
        ]
    )


def _misfit(image: np.ndarray, fit: Refinement, width: float) -> np.ndarray:
    """Squared residuals over the noise, seen through a window of two widths, (H, W)."""
    offset, slope = fit.noise
    variance = np.maximum(offset + slope * fit.model, 1e-12 * max(abs(offset), 1e-30))
    square = (image - fit.model) ** 2 / variance
    known = np.isfinite(square)
    window = 2 * width
    total = gaussian_filter(np.where(known, square, 0.0), window, truncate=2.5)
    return np.asarray(total / np.maximum(gaussian_filter(known.astype(float), window, truncate=2.5), 1e-6) + 1e-3)


def fitted_acceptance(features: np.ndarray, real: np.ndarray, *, ridge: float = 3.0) -> Acceptance:
    """Fit by penalized maximum likelihood (iteratively reweighted least squares).

    Parameters
    ----------
    features : ndarray, shape (N, 8)
    real : ndarray of bool, shape (N,)
    ridge : float
        Pull on every weight but the intercept's.

    Returns
    -------
    Acceptance
    """
    center, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    design = terms((features - center) / scale)
    target = real.astype(float)
    penalty = np.full(design.shape[1], ridge)
    penalty[0] = 0.0
    weights = np.zeros(design.shape[1])
    for _ in range(50):
        mean = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        curvature = np.maximum(mean * (1 - mean), 1e-6)
        hessian = design.T @ (design * curvature[:, None]) + np.diag(penalty + 1e-9)
        step = np.linalg.solve(hessian, design.T @ (target - mean) - penalty * weights)
        weights += step
        if np.abs(step).max() < 1e-6:
            break
    return Acceptance(*(tuple(float(round(v, 6)) for v in part) for part in (center, scale, weights)))
