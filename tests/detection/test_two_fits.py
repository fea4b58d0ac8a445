"""Candidates of which most are nothing: the fit stays sane, thins them, and keeps to the columns' width."""

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from stemnet.detection.column_model import render_columns
from stemnet.detection.refinement import refine
from stemnet.detection.two_fits import finally_fitted, roughly_fitted

SHAPE, WIDTH = (128, 128), 2.5
AXIS = np.arange(12.0, 120.0, 15.0)
YX = np.stack(np.meshgrid(AXIS, AXIS, indexing="ij"), -1).reshape(-1, 2)


def crowd(spacing: float) -> np.ndarray:
    """Starts everywhere, closer to each other than columns can be told apart, clear of the true ones."""
    axis = np.arange(2.0, 126.0, spacing)
    starts = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    return starts[cKDTree(YX).query(starts)[0] > 1.5 * WIDTH]


def textured(dose: float, contrast: float = 0.04) -> np.ndarray:
    """Columns on a support whose grains are twice as wide as they are."""
    grain = gaussian_filter(np.random.default_rng(1).normal(0, 1, SHAPE), 2 * WIDTH)
    mean = 0.5 + contrast * grain / grain.std() + render_columns(SHAPE, YX, np.ones(len(YX)), WIDTH)
    return np.random.default_rng(2).poisson(dose * mean.clip(0.01)) / dose


def test_a_crowd_of_false_starts_does_not_blow_the_fit_up():
    image = textured(1e5, 0.15)
    starts = np.concatenate([YX, crowd(5.0)])
    for drift in (1.5, 4.0):
        fit = refine(image, starts, 0.8 * WIDTH, max_iterations=6, width_drift=drift, rough=True)
        assert fit.residual_rms < 0.15 * image.std()
        assert np.abs(fit.yx - starts).max() < 1.6 * WIDTH


def test_where_most_candidates_are_nothing_the_others_are_fitted_without_them():
    image = textured(20.0)
    starts = np.concatenate([YX, crowd(3.4)])
    score = np.r_[np.full(len(YX), 0.9), np.full(len(starts) - len(YX), 0.1)]
    start = roughly_fitted(image, starts, score, WIDTH)
    assert len(start.fit.yx) == len(start.rows) < 0.7 * len(starts)
    assert np.isin(np.arange(len(YX)), start.rows).mean() > 0.95
    kept = np.flatnonzero(score[start.rows] > 0.5)
    final = finally_fitted(start, kept, score[start.rows])
    assert np.abs(final.yx - starts[start.rows[kept]]).max() < 1.0


def test_columns_that_are_certain_settle_the_width():
    blobs = YX[:-8] + 7.5
    wide = render_columns(SHAPE, blobs, np.full(len(blobs), 0.8), 1.5 * WIDTH)
    mean = 0.5 + render_columns(SHAPE, YX, np.ones(len(YX)), WIDTH) + wide
    image = np.random.default_rng(3).poisson(1e3 * mean) / 1e3
    starts = np.concatenate([YX, blobs])
    certain = np.arange(len(starts)) < len(YX)
    told = refine(image, starts, WIDTH, certain=certain)
    untold = refine(image, starts, WIDTH)
    assert abs(told.common_width / WIDTH - 1) < 0.05
    assert untold.common_width > 1.2 * WIDTH
