"""Backgrounds, counting, reading out."""

import numpy as np
import pytest
import torch

from stemnet.simulation.detector import count, read_out, smooth_field, texture


def generators(*seeds):
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def test_equal_knots_make_a_flat_field_and_a_ramp_stays_a_ramp():
    flat = smooth_field(torch.full((2, 9, 9), 3.0), (40, 50))
    assert flat.shape == (2, 40, 50)
    assert torch.allclose(flat, torch.tensor(3.0), atol=1e-5)
    ramp = smooth_field(torch.linspace(0, 8, 9).expand(1, 9, 9), (40, 81))[0]
    wanted = torch.linspace(0, 8, 81).expand(40, 81)
    assert torch.allclose(ramp[:, ::10], wanted[:, ::10], atol=1e-5)
    assert torch.allclose(ramp, wanted, atol=0.1)


@pytest.mark.parametrize("length", [1.0, 3.0])
def test_texture_has_unit_variance_and_its_correlation_length(length):
    white = torch.randn(4, 256, 256, generator=torch.Generator().manual_seed(0))
    made = texture(white, torch.full((4,), length))
    assert torch.allclose(made.std((1, 2)), torch.ones(4), atol=1e-4)
    # A Gaussian filter of sigma s gives a correlation of exp(-d^2 / 4 s^2).
    distance = round(2 * length)
    alike = (made * made.roll(distance, -1)).mean().item()
    assert alike == pytest.approx(np.exp(-((distance / (2 * length)) ** 2)), abs=0.05)


def test_counts_follow_poisson_and_their_own_generator():
    mean = torch.full((2, 200, 200), 4.0)
    mean[1] = 400.0
    counts = count(mean, generators(1, 2))
    for image, wanted in zip(counts, (4.0, 400.0), strict=True):
        assert image.mean().item() == pytest.approx(wanted, rel=0.02)
        assert image.var().item() == pytest.approx(wanted, rel=0.04)
    assert torch.equal(count(mean[:1], generators(1))[0], counts[0])
    assert torch.equal(count(torch.full((1, 5, 5), -3.0), generators(1)), torch.zeros(1, 5, 5))


def test_read_noise_adds_its_variance_to_its_image_only():
    counts = torch.zeros(2, 200, 200)
    image = read_out(counts, torch.tensor([0.0, 2.5]), torch.zeros(2), generators(1, 2))
    assert torch.equal(image[0], counts[0])
    assert image[1].std().item() == pytest.approx(2.5, rel=0.03)
    assert image[1].mean().item() == pytest.approx(0, abs=0.06)


def test_afterglow_trails_along_the_fast_axis_and_keeps_the_electrons():
    counts = torch.zeros(1, 3, 10)
    counts[0, 1, 4] = 100.0
    image = read_out(counts, torch.zeros(1), torch.tensor([0.2]), generators(1))[0]
    wanted = torch.zeros(3, 10)
    wanted[1, 4:7] = torch.tensor([80.0, 14.0, 6.0])
    assert torch.allclose(image, wanted)
