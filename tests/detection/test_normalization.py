"""What the preparation of an image must not care about, and what it must keep."""

import pytest
import torch

from stemnet.detection.normalization import Normalization

SIDES = (96, 128)


def scene(seed: int, count: int = 2) -> torch.Tensor:
    """Bumps on a slope, with noise."""
    generator = torch.Generator().manual_seed(seed)
    y, x = torch.meshgrid(torch.arange(SIDES[0]), torch.arange(SIDES[1]), indexing="ij")
    bumps = torch.cos(2 * torch.pi * y / 11) * torch.cos(2 * torch.pi * x / 13)
    return bumps + 0.02 * y + 0.3 * torch.randn(count, *SIDES, generator=generator)


@pytest.mark.parametrize(("gain", "offset"), [(1e-4, 0.0), (300.0, 7.0), (1.0, -50.0), (2.0, 3000.0)])
def test_gain_and_offset_of_the_detector_do_not_matter(gain: float, offset: float):
    normalize = Normalization()
    torch.testing.assert_close(normalize(gain * scene(0) + offset), normalize(scene(0)), rtol=0, atol=5e-3)


def test_contrast_keeps_its_sign_and_its_order():
    image = scene(1)
    prepared = Normalization()(image)
    assert prepared.dtype == torch.float32
    assert (
        torch.corrcoef(
            torch.stack([prepared.flatten(), (image - 0.02 * torch.arange(96.0)[:, None]).flatten()])
        )[0, 1]
        > 0.95
    )
    torch.testing.assert_close(Normalization()(-image), -prepared, rtol=0, atol=1e-4)


def test_images_of_a_batch_are_prepared_alone():
    normalize, images = Normalization(), scene(2, 3)
    images[1] *= 1000
    together = normalize(images)
    for number in range(3):
        torch.testing.assert_close(
            together[number], normalize(images[number : number + 1])[0], rtol=0, atol=1e-5
        )


def test_a_slope_is_taken_off():
    flat, y = scene(3), torch.arange(SIDES[0], dtype=torch.float32)[:, None]
    tilted, level = Normalization()(flat + 0.05 * y), Normalization()(flat)
    rows = slice(24, -24)
    assert abs(tilted[:, rows].mean(2)).max() < 0.7
    assert torch.corrcoef(torch.stack([tilted[:, rows].flatten(), level[:, rows].flatten()]))[0, 1] > 0.98


def test_pixels_without_a_number_are_zero_and_what_they_held_is_ignored():
    normalize, image = Normalization(), scene(4)
    holed = image.clone()
    holed[:, 30:50, 40:60] = torch.nan
    holed[0, 3, 4], holed[0, 5, 6] = torch.inf, -torch.inf
    prepared = normalize(holed)
    missing = ~torch.isfinite(holed)
    assert torch.isfinite(prepared).all()
    assert (prepared[missing] == 0).all()
    loud = image.clone()
    loud[missing] = 1e6
    loud[missing] = torch.nan
    assert torch.equal(normalize(loud), prepared)
    # Next to the hole only the statistics of the neighborhood change, and by little.
    away = torch.ones(SIDES, dtype=torch.bool)
    away[10:70, 20:80] = False
    torch.testing.assert_close(prepared[:, away][1], normalize(image)[:, away][1], rtol=0, atol=0.1)


def test_no_side_is_seen_from_the_other():
    normalize, image = Normalization(window=8.0), scene(5)
    bright = image.clone()
    bright[:, :, :6] += 40
    far = slice(64, None)
    # Its median of local deviations may change, which is one factor for the whole image.
    torch.testing.assert_close(normalize(bright)[:, :, far], normalize(image)[:, :, far], rtol=0, atol=0.1)


@pytest.mark.parametrize(
    "image", [torch.full((1, 40, 40), 3.0), torch.full((1, 40, 40), torch.nan), torch.zeros(2, 5, 7)]
)
def test_where_there_is_nothing_there_is_nothing(image: torch.Tensor):
    assert torch.equal(Normalization()(image), torch.zeros_like(image))


def test_a_hot_pixel_drowns_its_neighborhood_only():
    normalize, image = Normalization(window=4.0), scene(6)
    hot = image.clone()
    hot[0, 48, 64] = 1e4
    prepared, plain = normalize(hot), normalize(image)
    assert prepared[0, 48, 64] < 12
    away = torch.ones(SIDES, dtype=torch.bool)
    away[28:69, 44:85] = False
    torch.testing.assert_close(prepared[0, away], plain[0, away], rtol=0, atol=0.2)


def test_mirrored_images_are_mirrored():
    normalize, image = Normalization(), scene(7)
    torch.testing.assert_close(normalize(image.flip(1)), normalize(image).flip(1), rtol=0, atol=1e-4)
    torch.testing.assert_close(normalize(image.flip(2)), normalize(image).flip(2), rtol=0, atol=1e-4)
    torch.testing.assert_close(normalize(image.mT), normalize(image).mT, rtol=0, atol=1e-4)
