"""What calibrated probabilities promise: of an image, of a part of it, and of a column on the rim."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import ndtr

from stemnet.detection.refinement import Refinement

ACCEPTED = 0.5
"""Probability from which a fitted candidate is a column."""
AROUND = 40
"""Candidates that are a part of an image."""


def in_frame(fit: Refinement, shape: tuple[int, ...]) -> np.ndarray:
    """Probability that the centre of each column lies between the outermost pixels', (N,), by its error bar."""
    share = np.ones(len(fit.yx))
    for axis, sigma in enumerate((fit.sigma_y, fit.sigma_x)):
        # Of what the fit gives no error for, no more is known than its width.
        error = np.where(sigma > 0, sigma, fit.common_width)
        low, high = fit.yx[:, axis] / error, (shape[axis] - 1 - fit.yx[:, axis]) / error
        share *= ndtr(low) * ndtr(high)
    return share


def expected_f1(accepted: np.ndarray, judged: np.ndarray) -> float:
    """F1 that calibrated probabilities promise: hits among the accepted, misses among all candidates."""
    return float(2 * accepted.sum() / max(len(accepted) + judged.sum(), 1e-9))


def promised_around(yx: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """F1 promised by the nearest candidates of each, (N,): little on a support, even beside a lattice."""
    near = cKDTree(yx).query(yx, k=min(AROUND, len(yx)))[1].reshape(len(yx), -1)
    accepted = np.where(judged >= ACCEPTED, judged, 0.0)
    hits, counted = accepted[near].sum(axis=1), (accepted > 0)[near].sum(axis=1)
    return np.asarray(2 * hits / np.maximum(counted + judged[near].sum(axis=1), 1e-9))
