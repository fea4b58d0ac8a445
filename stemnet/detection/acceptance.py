"""Which candidates are columns: what the network and the joint fit say, weighed together.

The network sees patterns but not electrons: it cannot tell a faint column from
a ripple of a bright one's halo. The fit counts electrons but knows no
patterns: between bright columns any saddle is significant in a clean image.
Boosted trees on a few numbers of both (J. H. Friedman, Annals of Statistics
29, 1189, 2001) are grown on simulated images with known columns, so that what
they return is a probability: of the columns given 0.8, eight in ten are real
on such images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
    "kin",
    "certain_company",
    "significant_company",
)
KIN, LIKE = 40, 0.35
"""Candidates among which kin is sought, and the difference of log heights at which they hardly are."""
NEIGHBORS = 12
AROUND = 10.0
"""Columns within this many widths are company [sigma]."""
SIGNIFICANT = 5.0
CERTAIN = 0.65
LOW = 1e-3
FAR_FAINTER, CLEAR = 0.15, 3.5
"""A column below this share of a neighbor's height must be this many standard errors above nothing."""
MISFIT, RIPPLE, NOISELESS = 3.0, 0.12, 90.0
"""Where squared residuals exceed the noise so many times, what is below this share of a neighbor's height is none, if
that neighbor is so many standard errors high."""


@dataclass(frozen=True)
class Acceptance:
    """Boosted trees on `FEATURES`: T trees of up to M nodes each.

    Parameters
    ----------
    baseline : float
        Log odds before any tree.
    feature : array_like of int, shape (T, M)
        What a node asks for; -1 at a leaf.
    threshold : array_like, shape (T, M)
        Up to which the left branch is taken.
    left, right : array_like of int, shape (T, M)
        Nodes that follow.
    value : array_like, shape (T, M)
        What a leaf adds to the log odds.
    """

    baseline: float
    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray

    def __post_init__(self) -> None:
        for name in ("feature", "left", "right"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.int64))
        for name in ("threshold", "value"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Probability of being a column, (N,), of candidates with `features` (N, 9)."""
        logit = np.full(len(features), self.baseline)
        for feature, threshold, left, right, value in zip(
            self.feature, self.threshold, self.left, self.right, self.value, strict=True
        ):
            node = np.zeros(len(features), dtype=np.int64)
            while True:
                asked = feature[node]
                inner = asked >= 0
                if not inner.any():
                    break
                low = features[np.arange(len(node)), asked] <= threshold[node]
                node = np.where(inner, np.where(low, left[node], right[node]), node)
            logit += value[node]
        return np.asarray(1 / (1 + np.exp(-logit)))

    def entry(self) -> dict[str, object]:
        """For a card: plain numbers."""
        return {
            "baseline": self.baseline,
            **{name: getattr(self, name).tolist() for name in ("feature", "left", "right")},
            **{
                name: np.array([[float(f"{x:.6g}") for x in row] for row in getattr(self, name)]).tolist()
                for name in ("threshold", "value")
            },
        }

    @classmethod
    def from_card(cls, entry: Mapping[str, Any]) -> Acceptance | None:
        """The one that came with the weights; None where there is none."""
        return cls(**entry) if entry else None


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
    ndarray, shape (N, 9)
        Log odds of the score; log of 1 + significance; log height over the
        brightest candidate around; log of 1 + the light that neighbors throw
        on the place, in heights of its own; log of the squared residuals over
        the noise, around the place and of the whole image: where columns have
        halos that the model has no shape for, a faint one may be a piece of
        such; mean score of the nearest candidates of like height: a faint
        sublattice is many, a bump of the noise has kin that the network sees
        nothing in; shares of the nearest candidates that the network is certain of,
        and that are significant: a support is no lattice, even beside one.
    """
    count = len(score)
    if not count:
        return np.zeros((0, len(FEATURES)))
    odds = np.clip(score, LOW, 1 - LOW)
    strength = np.clip(np.nan_to_num(fit.significance), 0, None)
    height = np.maximum(fit.amplitude, 0)
    apart, around = cKDTree(fit.yx).query(fit.yx, k=min(KIN, max(count - 1, 1)) + 1)
    around = np.minimum(around[:, 1:], count - 1)
    apart, near = apart[:, 1 : NEIGHBORS + 1], around[:, :NEIGHBORS]
    beside = np.where(np.isfinite(apart) & (apart < AROUND * width), height[near], 0.0)
    brightest = np.maximum(beside.max(axis=1), height)
    own = np.maximum(height, LOW * brightest + 1e-30)
    thrown = (beside * np.exp(-((np.minimum(apart, 1e6) / width) ** 2) / 4)).max(axis=1)
    misfit = _misfit(image, fit, width)
    row, col = (np.rint(fit.yx[:, k]).astype(int).clip(0, image.shape[k] - 1) for k in (0, 1))
    return np.column_stack(
        [
            np.log(odds / (1 - odds)),
            np.log1p(strength),
            np.log(own / np.maximum(brightest, 1e-30)).clip(-7, 0),
            np.log1p(np.minimum(thrown / own, 50)),
            np.log(misfit[row, col]).clip(-1, 5),
            np.full(count, np.log(np.median(misfit[row, col])).clip(-1, 5)),
            _kin(score, np.log(own), around),
            (score >= CERTAIN)[near].mean(axis=1),
            (strength >= SIGNIFICANT)[near].mean(axis=1),
        ]
    )


def credible(known: np.ndarray, significance: np.ndarray, least: float) -> np.ndarray:
    """Which candidates stand out enough to be judged at all.

    Parameters
    ----------
    known : ndarray, shape (N, 9)
        From `features`.
    significance : ndarray, shape (N,)
    least : float
        Standard errors above nothing that every column needs.

    Returns
    -------
    ndarray of bool, shape (N,)
        Not those far fainter than a neighbor, whose light and noise feign
        them, unless they are clear; and in an image with hardly any noise, in
        which every ripple is significant that the model has no shape for, not
        those that could be such.
    """
    height = known[:, FEATURES.index("height")]
    strength = np.nan_to_num(significance)
    needed = np.where(height < np.log(FAR_FAINTER), max(least, CLEAR), least)
    ripple = known[:, FEATURES.index("misfit_everywhere")] > np.log(MISFIT)
    ripple &= (height < np.log(RIPPLE)) & (strength > NOISELESS * np.exp(height))
    return np.asarray((strength >= needed) & ~ripple)


def _kin(score: np.ndarray, height: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Mean score of the nearest candidates, each weighed by how like its log height is, (N,)."""
    alike = np.exp(-0.5 * ((height[near] - height[:, None]) / LIKE) ** 2)
    # One candidate of score zero stands in for kin where there are none.
    return np.asarray((alike * score[near]).sum(axis=1) / (alike.sum(axis=1) + 1))


def _misfit(image: np.ndarray, fit: Refinement, width: float) -> np.ndarray:
    """Squared residuals over the noise, seen through a window of two widths, (H, W)."""
    offset, slope = fit.noise
    variance = np.maximum(offset + slope * fit.model, 1e-12 * max(abs(offset), 1e-30))
    square = (image - fit.model) ** 2 / variance
    known = np.isfinite(square)
    window = 2 * width
    total = gaussian_filter(np.where(known, square, 0.0), window, truncate=2.5)
    return np.asarray(
        total / np.maximum(gaussian_filter(known.astype(float), window, truncate=2.5), 1e-6) + 1e-3
    )
