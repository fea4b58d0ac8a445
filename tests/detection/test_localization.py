"""Laws of the peaks of a probability map."""

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from stemnet.detection import localization
from stemnet.detection.localization import locate

SHAPE = (70, 90)


def peaks(yx: np.ndarray, sigma: float, height: np.ndarray | float = 0.9) -> torch.Tensor:
    """The highest of Gaussian peaks at each pixel, as the network is taught to draw them."""
    rows, columns = np.arange(SHAPE[0])[:, None], np.arange(SHAPE[1])
    away = (rows - yx[:, 0, None, None]) ** 2 + (columns - yx[:, 1, None, None]) ** 2
    drawn = np.reshape(height, (-1, 1, 1)) * np.exp(-0.5 * away / sigma**2)
    return torch.as_tensor(drawn.max(0), dtype=torch.float32)


def apart(seed: int, distance: float = 9.0) -> np.ndarray:
    """Positions none of which is near another or the border."""
    yx = np.random.default_rng(seed).uniform(5, np.array(SHAPE) - 6, (400, 2))
    kept: list[np.ndarray] = []
    for point in yx:
        if all(np.hypot(*(point - other)) > distance for other in kept):
            kept.append(point)
    return np.array(kept)


@pytest.mark.parametrize(("sigma", "error"), [(0.9, 0.05), (1.2, 0.13), (2.4, 0.4)])
def test_every_peak_is_found_near_its_place(sigma: float, error: float):
    """A centroid over a small disk leans to the pixel; the fit that follows takes that off."""
    truth = apart(1)
    _, yx, score = locate(peaks(truth, sigma)[None], 0.3)
    assert len(yx) == len(truth) == len(score)
    distance, _ = cKDTree(truth).query(yx.numpy())
    assert distance.max() < error * np.sqrt(2)


def test_a_peak_on_a_pixel_is_exact():
    truth = np.array([[10.0, 12.0], [40.0, 55.0], [60.0, 20.0]])
    _, yx, score = locate(peaks(truth, 1.2, np.array([0.4, 0.6, 0.8]))[None], 0.3)
    np.testing.assert_allclose(yx, truth, atol=1e-5)
    np.testing.assert_allclose(score, [0.4, 0.6, 0.8], rtol=1e-5)


def test_the_threshold_decides_and_nothing_else():
    heights = np.linspace(0.1, 0.9, len(apart(2)))
    image = peaks(apart(2), 1.2, heights)[None]
    _, everything, score = locate(image, 0.0)
    for threshold in (0.2, 0.5, 0.85):
        _, yx, _ = locate(image, threshold)
        np.testing.assert_array_equal(yx, everything[score >= threshold])


def test_whole_pixel_shifts_and_transposition_move_the_peaks_along():
    image = peaks(apart(3), 1.3)[None]
    _, yx, _ = locate(image, 0.3)
    _, shifted, _ = locate(torch.roll(image, (2, -3), (1, 2)), 0.3)
    np.testing.assert_allclose(shifted, yx + torch.tensor([2, -3]), atol=1e-5)
    _, turned, _ = locate(image.transpose(1, 2), 0.3)
    order = np.lexsort(turned.numpy().T)
    np.testing.assert_allclose(turned[order].flip(1), yx[np.lexsort(yx.numpy()[:, ::-1].T)], atol=1e-5)


def test_images_of_a_batch_keep_apart():
    images = [peaks(apart(seed), 1.2) for seed in (4, 5)] + [torch.zeros(SHAPE)]
    image, yx, score = locate(torch.stack(images), 0.3)
    for number, alone in enumerate(images):
        _, expected, expected_score = locate(alone[None], 0.3)
        np.testing.assert_array_equal(yx[image == number], expected)
        np.testing.assert_array_equal(score[image == number], expected_score)


def test_peaks_at_the_border_and_in_the_corners_are_found():
    corners = np.array([[0, 0], [0, SHAPE[1] - 1], [SHAPE[0] - 1, 0], [SHAPE[0] - 1, SHAPE[1] - 1], [0, 40]])
    _, yx, _ = locate(peaks(corners.astype(float), 1.2)[None], 0.3)
    assert len(yx) == 5
    assert cKDTree(corners).query(yx.numpy())[0].max() < 1.0


@pytest.mark.parametrize("side", [1, 2, 3, 4])
def test_a_flat_top_is_one_peak_in_its_middle(side: int):
    """A sigmoid in single precision is exactly 1 over a wide range."""
    image = torch.zeros(1, *SHAPE)
    image[0, 20 : 20 + side, 30 : 30 + side] = 1.0
    _, yx, _ = locate(image, 0.5)
    assert len(yx) == 1
    middle = np.array([20, 30]) + (side - 1) / 2
    np.testing.assert_allclose(yx[0], middle, atol=0.6)


@pytest.mark.parametrize("radius", [1, 2, 3])
def test_two_peaks_are_further_apart_than_the_radius(radius: int):
    """Also where many pixels are equal: no square of side radius + 1 holds two."""
    noise = torch.rand(4, *SHAPE, generator=torch.Generator().manual_seed(0)).round(decimals=1)
    image, _, _ = locate(noise, 0.0, radius)
    most = np.prod([-(-side // (radius + 1)) for side in SHAPE])
    assert all(0 < int((image == number).sum()) <= most for number in range(4))


def test_nothing_gives_nothing():
    image, yx, score = locate(torch.zeros(1, *SHAPE), 0.1)
    assert len(image) == len(yx) == len(score) == 0
    assert yx.shape == (0, 2)


@pytest.mark.parametrize("radius", [1, 2, 3])
@pytest.mark.parametrize("decimals", [0, 1, 6])
@pytest.mark.parametrize("rows", [1, 7, 64, 69])
def test_peaks_are_the_same_in_any_number_of_bands(
    rows: int, decimals: int, radius: int, monkeypatch: pytest.MonkeyPatch
):
    """Also where all is one flat top, of which the rows above and below take part in the choice."""
    noise = torch.rand(3, *SHAPE, generator=torch.Generator().manual_seed(1)).round(decimals=decimals)
    noise[2, 10:60, 20:60] = 1.0
    at_once = locate(noise, 0.1, radius)
    monkeypatch.setattr(localization, "BAND", rows)
    for part, whole in zip(locate(noise, 0.1, radius), at_once, strict=True):
        assert torch.equal(part, whole)
