"""What the fit says of columns beside where they are: intensity, width, ellipticity, cells."""

import numpy as np
import pytest
import torch

from stemnet.detection import fit_report
from stemnet.detection.refinement import refine

SHAPE = (176, 176)
WIDTH = 3.0


def lattice(spacing=17.0, seed=0):
    axis = np.arange(spacing / 2, SHAPE[0] - spacing / 4, spacing)
    yx = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    return yx + np.random.default_rng(seed).uniform(-0.7, 0.7, yx.shape)


def elliptical(yx, ratio, angle, peak, background=8.0, width=WIDTH):
    """Expected counts of columns as long as `ratio` times their width, area as that of round ones."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
    image = np.full(SHAPE, background)
    for (y0, x0), r, a, height in zip(yx, ratio, angle, peak, strict=True):
        along = (x - x0) * np.cos(a) + (y - y0) * np.sin(a)
        aside = (y - y0) * np.cos(a) - (x - x0) * np.sin(a)
        image += height * np.exp(-(along**2 / r + aside**2 * r) / (2 * width**2))
    return image


def fitted(spacing, ratio, peak=60.0, seeds=3):
    """Fits of noisy images of columns with random directions, with what was planted; inner columns only."""
    rows = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        yx = lattice(spacing, seed)
        angle = rng.uniform(-np.pi / 2, np.pi / 2, len(yx))
        mean = elliptical(yx, np.full(len(yx), ratio), angle, np.full(len(yx), peak))
        fit = refine(rng.poisson(mean), yx + rng.normal(0, 0.3, yx.shape), WIDTH)
        inner = ((yx > 12) & (yx < SHAPE[0] - 13)).all(1)
        planted = np.log(ratio) * np.stack([np.cos(2 * angle), np.sin(2 * angle)], 1)
        found = np.stack([fit.ellipticity_1, fit.ellipticity_2], 1)
        rows.append([found[inner], planted[inner], fit.ellipticity_sigma[inner]])
    return [np.concatenate(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize("spacing", [17.0, 12.5])
def test_round_columns_are_round_within_their_errors(spacing):
    found, _, sigma = fitted(spacing, 1.0)
    pull = found / sigma[:, None]
    assert (np.abs(pull.mean(0)) < 3.5 / np.sqrt(len(pull))).all()
    assert pull.std() == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("ratio", [1.1, 1.2])
def test_planted_ellipticity_comes_back(ratio):
    found, planted, sigma = fitted(17.0, ratio)
    slope = (found * planted).sum() / (planted**2).sum()
    error = np.median(sigma) / np.sqrt((planted**2).sum())
    assert slope == pytest.approx(1.0, abs=0.02 + 3 * error)
    # the errors are those of the noise, not of the shape that they describe
    assert ((found - planted) / sigma[:, None]).std() == pytest.approx(1.0, abs=0.12)


def test_the_direction_is_from_x_towards_y():
    yx = lattice()
    angle = np.resize([0.0, np.pi / 4, np.pi / 2, -np.pi / 4], len(yx))
    image = elliptical(yx, np.full(len(yx), 1.15), angle, np.full(len(yx), 60.0))
    fit = refine(image, yx, WIDTH)
    inner = ((yx > 12) & (yx < SHAPE[0] - 13)).all(1)
    np.testing.assert_allclose(fit.ellipticity[inner], 0.15, atol=0.02)
    turn = (fit.ellipticity_angle - angle + np.pi / 2) % np.pi - np.pi / 2
    assert np.abs(turn[inner]).max() < 0.05


@pytest.fixture(scope="module")
def counts():
    """Columns of different heights on noise, and their fit."""
    rng = np.random.default_rng(5)
    yx = lattice()
    peak = rng.uniform(30, 60, len(yx))
    image = rng.poisson(elliptical(yx, np.ones(len(yx)), np.zeros(len(yx)), peak)).astype(np.float32)
    return yx, peak, image, refine(image, yx, WIDTH)


def test_intensity_and_cell_are_the_light_of_a_column(counts):
    yx, peak, _, fit = counts
    inner = ((yx > 12) & (yx < SHAPE[0] - 13)).all(1)
    truth = (2 * np.pi * peak * WIDTH**2)[inner]
    for value, sigma in (
        (fit.intensity, fit.intensity_sigma),
        (fit.cross_section, fit.cross_section_sigma),
    ):
        pull = (value[inner] - truth) / sigma[inner]
        assert abs(pull.mean()) < 0.6  # all columns share the background's and the common width's error
        assert 0.75 < pull.std() < 1.25
        assert np.mean(value[inner] / truth) == pytest.approx(1.0, abs=0.02)


def test_the_error_of_the_width_is_honest():
    pull = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        yx = lattice(seed=seed)
        width = rng.uniform(2.4, 3.6, len(yx))
        y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
        image = np.full(SHAPE, 8.0)
        for (y0, x0), w in zip(yx, width, strict=True):
            image += 60 * np.exp(-((y - y0) ** 2 + (x - x0) ** 2) / (2 * w**2))
        fit = refine(rng.poisson(image), yx, WIDTH)
        pull.append((fit.width - width) / fit.width_sigma)
    assert np.concatenate(pull).std() == pytest.approx(1.0, abs=0.15)


def test_a_rough_fit_is_near_the_end_and_describes_nothing(counts):
    yx, _, image, fit = counts
    rough = refine(image, yx, WIDTH, rough=True)
    away = (rough.yx - fit.yx) / np.column_stack([fit.sigma_y, fit.sigma_x])
    assert np.sqrt(np.mean(away**2)) < 0.5
    np.testing.assert_allclose(rough.sigma_y, fit.sigma_y, rtol=0.12)
    np.testing.assert_allclose(rough.significance, fit.significance, rtol=0.1)
    assert np.isnan(rough.ellipticity).all()
    assert np.isnan(rough.cross_section).all()


def test_transposing_turns_the_ellipticity(counts):
    yx, _, image, fit = counts
    turned = refine(image.T, yx[:, ::-1], WIDTH)
    sigma = fit.ellipticity_sigma
    assert (np.abs(turned.ellipticity_1 + fit.ellipticity_1) < 0.1 * sigma).all()
    assert (np.abs(turned.ellipticity_2 - fit.ellipticity_2) < 0.1 * sigma).all()
    np.testing.assert_allclose(turned.cross_section, fit.cross_section, rtol=1e-3)


def test_two_sublattices_of_other_widths_keep_their_intensities():
    first = lattice(24.0, 1)
    yx = np.concatenate([first, first + 12.0])
    yx = yx[(yx < SHAPE[0] - 4).all(1)]
    bright = np.arange(len(yx)) < len(first)
    height, width = np.where(bright, 300.0, 120.0), np.where(bright, 3.0, 2.7)
    image = np.full(SHAPE, 40.0)
    for (y0, x0), h, w in zip(yx, height, width, strict=True):
        y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
        image += h * np.exp(-((y - y0) ** 2 + (x - x0) ** 2) / (2 * w**2))
    fit = refine(np.random.default_rng(0).poisson(image), yx, WIDTH)
    inner = ((yx > 12) & (yx < SHAPE[0] - 13)).all(1)
    share = fit.intensity / (2 * np.pi * height * width**2)
    for rows in (inner & bright, inner & ~bright):
        assert np.median(share[rows]) == pytest.approx(1.0, abs=0.015)
        assert np.median(fit.width[rows] / width[rows]) == pytest.approx(1.0, abs=0.01)


def test_shapes_that_explain_nothing_widen_no_error(monkeypatch):
    rng = np.random.default_rng(0)
    yx = lattice()
    image = rng.poisson(elliptical(yx, np.ones(len(yx)), np.zeros(len(yx)), np.full(len(yx), 60.0)))
    known = refine(image, yx, WIDTH)
    monkeypatch.setattr(
        fit_report, "stretches", lambda equations, own, *_: 3 * torch.ones(len(own), 2).double()
    )
    astray = refine(image, yx, WIDTH)
    assert np.isnan(astray.ellipticity).all()
    assert np.isnan(astray.ellipticity_sigma).all()
    np.testing.assert_allclose(astray.sigma_y, known.sigma_y, rtol=0.1)
    np.testing.assert_allclose(astray.intensity_sigma, known.intensity_sigma, rtol=0.1)
    np.testing.assert_allclose(astray.cross_section, known.cross_section, rtol=1e-6)
