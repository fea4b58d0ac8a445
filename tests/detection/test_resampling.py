"""Binning keeps positions, volumes and what was not measured."""

import numpy as np
import pytest
import torch

from stemnet.detection.column_model import render_columns
from stemnet.detection.refinement import refine
from stemnet.detection.resampling import binned, binning, from_binned, to_binned, without_spikes, zoomed


@pytest.mark.parametrize(("width", "factor"), [(1.0, 1), (3.0, 1), (5.9, 1), (6.0, 2), (9.5, 3), (20.0, 6)])
def test_only_wide_columns_are_binned_and_stay_wide_enough(width: float, factor: int):
    assert binning(width) == factor
    assert factor == 1 or width / factor >= 3.0


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_a_fit_of_binned_pixels_finds_columns_where_they_are(factor: int):
    width, shape = 9.0, (241, 263)
    yx = np.array([[60.3, 71.8], [63.9, 140.2], [150.5, 90.1], [171.2, 200.7]])
    image = 10 + render_columns(shape, yx, np.full(4, 50.0), width)
    coarse = binned(image, factor)
    start = to_binned(yx + 1.0, factor)
    fit = refine(coarse, start, width / factor, background_spacing=200.0)
    np.testing.assert_allclose(from_binned(fit.yx, factor), yx, atol=0.02)
    # A pixel of b x b adds b^2 / 12 to the square of the width, and takes as much height.
    np.testing.assert_allclose(fit.width * factor, np.sqrt(width**2 + (factor**2 - 1) / 12), rtol=0.01)
    np.testing.assert_allclose(fit.intensity * factor**2, 2 * np.pi * 50 * width**2, rtol=0.02)


def test_blocks_that_were_hardly_measured_are_not_a_number():
    image = np.arange(35.0).reshape(5, 7)
    image[0, :3] = np.nan
    coarse = binned(image, 2)
    assert coarse.shape == (3, 4)
    assert coarse[0, 0] == pytest.approx(np.nanmean(image[:2, :2])) or np.isnan(coarse[0, 0])
    assert np.isnan(coarse[2, 3])
    assert coarse[1, 1] == pytest.approx(image[2:4, 2:4].mean())


def test_positions_go_to_binned_pixels_and_back():
    yx = np.random.default_rng(0).uniform(0, 100, (20, 2))
    np.testing.assert_allclose(from_binned(to_binned(yx, 3), 3), yx)
    np.testing.assert_allclose(to_binned(np.array([[1.0, 1.0]]), 3), [[0.0, 0.0]])


def test_a_hot_pixel_is_clipped_and_nothing_else_is():
    image = torch.arange(10000.0).view(100, 100)
    image[50, 50] = 1e9
    clean = without_spikes(image)
    assert clean[50, 50] < 4e4
    clean[50, 50] = image[50, 50]
    assert torch.equal(clean, image)


def test_zoomed_says_exactly_by_how_much():
    image = torch.rand(101, 57, generator=torch.Generator().manual_seed(0)) + 1e6
    small, (down, across) = zoomed(image, 0.4)
    assert small.shape == (40, 23)
    assert (down, across) == (40 / 101, 23 / 57)
    assert zoomed(image, 1.0)[0] is image
