"""Which candidates are columns: what the network and the joint fit say, weighed together.

The network sees patterns but not electrons: it cannot tell a faint column from
a ripple of a bright one's halo. The fit counts electrons but knows no
patterns: between bright columns any saddle is significant in a clean image.
A few numbers of both, and of what else is found around a candidate, are what
its `judge` goes by.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree
from skimage.measure import block_reduce

from stemnet.detection.echoes import LIKE, echoes
from stemnet.detection.judge import FEATURES, Acceptance
from stemnet.detection.refinement import Refinement
from stemnet.detection.smoothing import gaussian_mean

KIN = 40
"""Candidates among which kin is sought."""
NEIGHBORS = 12
AROUND = 10.0
"""Columns within this many widths are company [sigma]."""
SIGNIFICANT = 5.0
CERTAIN, LIKELY = 0.65, 0.5
"""Scores of the network: few candidates of the first are none; one of the second has a say in how wide columns are."""
WINDOW, FINE = 2.0, 0.8
"""Window through which residuals are seen, in widths; and how many of its cells a width holds."""
ROWS = 64
"""Rows of cells that are measured at a time."""
LOW = 1e-3
STRONGEST = 1e6
"""Standard errors beyond which it makes no difference."""
FAR_FAINTER, CLEAR = 0.15, 3.5
"""A column below this share of a neighbor's height must be this many standard errors above nothing."""
MISFIT, RIPPLE, NOISELESS = 3.0, 0.12, 90.0
"""Where squared residuals exceed the noise so many times, what is below this share of a neighbor's height is none, if
that neighbor is so many standard errors high."""


def features(
    score: np.ndarray, image: np.ndarray, fit: Refinement, width: float, company: np.ndarray | None = None
) -> np.ndarray:
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
    company : ndarray, shape (N, 12), optional
        The features in `COMPANY`, where more candidates were fitted before:
        these are known of all, not of those alone that were kept.

    Returns
    -------
    ndarray, shape (N, 19)
        Log odds of the score; log of 1 + significance; log height over the
        brightest candidate around; log of 1 + the light that neighbors throw
        on the place, in heights of its own; log of the squared residuals over
        the noise, around the place and of the whole image: where columns have
        halos that the model has no shape for, a faint one may be a piece of
        such; log of 1 + the significance that there would be if the noise
        were white: ripples of a support count as noise that is not; mean
        score of the nearest candidates of like height: a faint sublattice is
        many, a bump of the noise has kin that the network sees nothing in;
        shares of the nearest candidates that the network is certain of, and
        that are significant: a support is no lattice, even beside one; share
        of more of them that the network finds likely, and the mean log
        significance of these: little where the network sees columns in noise
        that was magnified, more at the lowest dose.
    """
    count = len(score)
    if not count:
        return np.zeros((0, len(FEATURES)))
    odds = np.clip(score, LOW, 1 - LOW)
    strength = _strength(fit)
    height = np.maximum(fit.amplitude, 0)
    apart, around = surroundings(fit.yx, KIN if company is None else NEIGHBORS)
    apart, near = apart[:, :NEIGHBORS], around[:, :NEIGHBORS]
    beside = np.where(np.isfinite(apart) & (apart < AROUND * width), height[near], 0.0)
    brightest = np.maximum(beside.max(axis=1), height)
    own = np.maximum(height, LOW * brightest + 1e-30)
    thrown = (beside * np.exp(-((np.minimum(apart, 1e6) / width) ** 2) / 4)).max(axis=1)
    white = np.log1p(in_white_noise(fit))
    misfit = _misfit(image, fit, width)
    if company is None:
        certain, clear = (many[near].mean(axis=1) for many in (score >= CERTAIN, strength >= SIGNIFICANT))
        likely = (score >= LIKELY)[around]
        strong = (likely * white[around]).sum(axis=1) / np.maximum(likely.sum(axis=1), 1)
        company = np.column_stack(
            [
                _kin(score, np.log(own), around),
                certain,
                clear,
                likely.mean(axis=1),
                strong,
                repeated(score, fit, width, image.shape, around),
            ]
        )
    return np.column_stack(
        [
            np.log(odds / (1 - odds)),
            np.log1p(strength),
            np.log(own / np.maximum(brightest, 1e-30)).clip(-7, 0),
            np.log1p(np.minimum(thrown / own, 50)),
            np.log(misfit).clip(-1, 5),
            np.full(count, np.log(np.median(misfit)).clip(-1, 5)),
            white,
            company,
        ]
    )


def repeated(
    score: np.ndarray,
    fit: Refinement,
    width: float,
    shape: tuple[int, ...],
    around: np.ndarray | None = None,
) -> np.ndarray:
    """The features in `ECHOES`, (N, 7).

    Parameters
    ----------
    score : ndarray, shape (N,)
        Probability of being a column: the network's, or what is known better.
    fit : Refinement
        Row i is candidate i.
    width : float
        Sigma of a column, in pixels of the fit.
    shape : tuple of int
        Of the image that was fitted.
    around : ndarray of int, shape (N, K), optional
        Nearest candidates of each, where they are known already.
    """
    height = np.maximum(fit.amplitude, LOW * fit.amplitude.max() + 1e-30)
    around = surroundings(fit.yx, NEIGHBORS)[1] if around is None else around[:, :NEIGHBORS]
    return echoes(fit.yx, score, np.log(height), in_white_noise(fit), around, width, shape)


def surroundings(yx: np.ndarray, most: int = KIN) -> tuple[np.ndarray, np.ndarray]:
    """Distances to the nearest others, and their rows, (N, K); inf, and any row, where there are fewer."""
    count = len(yx)
    apart, around = cKDTree(yx).query(yx, k=min(most, max(count - 1, 1)) + 1)
    return apart[:, 1:], np.minimum(around[:, 1:], count - 1)


def in_white_noise(fit: Refinement) -> np.ndarray:
    """Significance of each candidate, (N,), if the noise of pixels were independent; at least 0."""
    return np.asarray(_strength(fit) * np.sqrt(fit.correlation.amplitude))


def _strength(fit: Refinement) -> np.ndarray:
    """Significance of each candidate, (N,), finite and at least 0."""
    return np.nan_to_num(fit.significance, posinf=STRONGEST).clip(0, STRONGEST)


def credible(known: np.ndarray, significance: np.ndarray, least: float) -> np.ndarray:
    """Which candidates stand out enough to be judged at all.

    Parameters
    ----------
    known : ndarray, shape (N, 19)
        From `features`.
    significance : ndarray, shape (N,)
        In white noise.
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
    needed = np.where(height < np.log(FAR_FAINTER), max(least, CLEAR), least)
    ripple = known[:, FEATURES.index("misfit_everywhere")] > np.log(MISFIT)
    ripple &= (height < np.log(RIPPLE)) & (significance > NOISELESS * np.exp(height))
    return np.asarray((significance >= needed) & ~ripple)


def believed(trees: Acceptance, known: np.ndarray, fit: Refinement, least: float) -> np.ndarray:
    """Probability of being a column, (N,): what the trees say, and 0 for what is not `credible`."""
    judged, rows = np.zeros(len(known)), credible(known, in_white_noise(fit), least)
    judged[rows] = trees(known[rows])
    return judged


def _kin(score: np.ndarray, height: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Mean score of the nearest candidates, each weighed by how like its log height is, (N,)."""
    alike = np.exp(-0.5 * ((height[near] - height[:, None]) / LIKE) ** 2)
    # One candidate of score zero stands in for kin where there are none.
    return np.asarray((alike * score[near]).sum(axis=1) / (alike.sum(axis=1) + 1))


def _misfit(image: np.ndarray, fit: Refinement, width: float) -> np.ndarray:
    """Squared residuals over the noise around each candidate, (N,), seen through a window of two widths."""
    # The window is wide: cells that are a part of a width will do.
    edge = max(1, int(width / FINE))
    square, known = _in_cells(image, fit, edge)
    total = gaussian_mean(square, WINDOW * width / edge, truncate=2.5)
    if not (known == 1).all():
        total /= np.maximum(gaussian_mean(known, WINDOW * width / edge, truncate=2.5), 1e-6)
    row, col = (np.rint(fit.yx[:, k] / edge - 0.5 + 0.5 / edge).astype(int) for k in (0, 1))
    row, col = row.clip(0, total.shape[0] - 1), col.clip(0, total.shape[1] - 1)
    return total[row, col].astype(np.float64) + 1e-3


def _in_cells(image: np.ndarray, fit: Refinement, edge: int) -> tuple[np.ndarray, np.ndarray]:
    """Squared residuals over the noise, and measured pixels, per pixel of cells of `edge` px; 0 beyond the image."""
    offset, slope = fit.noise
    parts = []
    for top in range(0, len(image), ROWS * edge):
        band = slice(top, top + ROWS * edge)
        model = fit.model[band]
        square = (image[band] - model) ** 2
        square /= np.maximum(offset + slope * model, 1e-12 * max(abs(offset), 1e-30))
        known = np.isfinite(square)
        square[~known] = 0.0
        parts.append([block_reduce(values, edge, np.mean) for values in (square, known)])
    square, known = (np.concatenate(part) for part in zip(*parts, strict=True))
    return square.astype(np.float32), known.astype(np.float32)
