"""Gaussian means."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from stemnet.detection.smoothing import gaussian_mean


@pytest.mark.parametrize("sigma", [0.05, 0.4, 1.5, 7.0, 40.0])
@pytest.mark.parametrize("shape", [(1, 1), (5, 90), (64, 33)])
@pytest.mark.parametrize("truncate", [2.5, 4.0])
def test_they_are_those_of_a_filter_with_mirrored_edges(
    sigma: float, shape: tuple[int, int], truncate: float
):
    image = np.random.default_rng(0).normal(100, 1, shape)
    expected = gaussian_filter(image, sigma, truncate=truncate)
    kept = image.copy()
    found = gaussian_mean(image, sigma, truncate)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=2e-6)
    np.testing.assert_array_equal(image, kept)
