"""The law of the counts, computed, not sampled."""

import numpy as np
import pytest
import torch
from scipy.stats import norm
from scipy.stats import poisson as law

from stemnet.simulation.counting import FEW, poisson


def made_law(mean: float) -> np.ndarray:
    """Probabilities of 0, 1, ... counts: the weight of the normal numbers that lead to each."""
    normal = np.linspace(-5.55, 5.55, 2_000_001)
    weight = norm.pdf(normal)
    counts = poisson(torch.full((len(normal),), mean), torch.tensor(normal, dtype=torch.float32))
    return np.bincount(counts.numpy().astype(int), weights=weight * (normal[1] - normal[0]))


@pytest.mark.parametrize("mean", [1e-3, 0.03, 0.4, 1.0, 2.7, 8.0, 19.0, FEW - 0.01, FEW, 40.0, 300.0])
def test_counts_follow_the_poisson_law(mean):
    made = made_law(mean)
    wanted = law.pmf(np.arange(len(made)), mean)
    assert np.abs(made - wanted).sum() / 2 < 1e-4
    number = np.arange(len(made))
    average = (made * number).sum()
    assert average == pytest.approx(mean, rel=2e-4)
    assert (made * (number - average) ** 2).sum() == pytest.approx(mean, rel=2e-4)


def test_nothing_comes_of_nothing_and_counts_are_whole():
    normal = torch.randn(3, 200, 200, generator=torch.Generator().manual_seed(0))
    assert not poisson(torch.zeros_like(normal), normal).any()
    assert not poisson(torch.full_like(normal, -5.0), normal).any()
    counts = poisson(torch.rand(3, 200, 200, generator=torch.Generator().manual_seed(1)) * 60, normal)
    assert torch.equal(counts, counts.round())
    assert counts.min() >= 0


def test_a_pixel_does_not_depend_on_the_others():
    normal = torch.randn(1000, generator=torch.Generator().manual_seed(2))
    mean = torch.logspace(-3, 4, 1000)
    together = poisson(mean, normal)
    assert torch.equal(together[:400], poisson(mean[:400], normal[:400]))
    assert torch.equal(together[700:], poisson(mean[700:], normal[700:]))
