"""Losses against their formulas, and what any of them must do."""

import numpy as np
import pytest
import torch

from stemnet.training.losses import PeakBCE, PeakMSE, SoftDice

LOSSES = [PeakBCE(), PeakMSE(), SoftDice()]


def example(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(2, 5, 6, generator=generator)
    target = torch.rand(2, 5, 6, generator=generator)
    weight = (torch.rand(2, 5, 6, generator=generator) > 0.3).float()
    return logits, target, weight


def test_formulas():
    logits, target, weight = example()
    z, t, w = (part.double().numpy() for part in (logits, target, weight))
    p = 1 / (1 + np.exp(-z))
    peaked = w * (1 + 8 * t)
    entropy = -(t * np.log(p) + (1 - t) * np.log(1 - p))
    assert float(PeakBCE(8.0)(logits, target, weight)) == pytest.approx(
        (entropy * peaked).sum() / peaked.sum(), rel=1e-5
    )
    square = ((p - t) ** 2 * peaked).sum() / peaked.sum()
    assert float(PeakMSE(8.0)(logits, target, weight)) == pytest.approx(square, rel=1e-5)
    a, b = p * w, t * w
    dice = [
        1 - (2 * (x * y).sum() + 0.5) / ((x**2).sum() + (y**2).sum() + 0.5) for x, y in zip(a, b, strict=True)
    ]
    assert float(SoftDice(0.5)(logits, target, weight)) == pytest.approx(np.mean(dice), rel=1e-5)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_the_right_answer_costs_least(loss):
    _, target, _ = example()
    target = (target > 0.8).float()
    right = torch.where(target > 0, 30.0, -30.0)
    everywhere = torch.ones_like(target)
    best = float(loss(right, target, everywhere))
    assert best == pytest.approx(0, abs=1e-3)
    assert float(loss(-right, target, everywhere)) > 0.5


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_pixels_of_no_weight_have_no_say(loss):
    logits, target, weight = example()
    other = torch.where(weight > 0, logits, logits + 5)
    assert torch.equal(loss(logits, target, weight), loss(other, target, weight))
    logits.requires_grad_()
    loss(logits, target, weight).backward()
    assert (logits.grad[weight == 0] == 0).all()
    assert (logits.grad[weight > 0] != 0).all()


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_nothing_that_counts_costs_nothing_and_extremes_stay_finite(loss):
    logits, target, _ = example()
    assert float(loss(logits, target, torch.zeros_like(target))) == pytest.approx(0, abs=1e-6)
    assert torch.isfinite(loss(1e4 * logits, target, torch.ones_like(target)))


def test_missing_a_peak_costs_more_than_inventing_one():
    target = torch.zeros(1, 4, 4)
    target[0, 1, 1] = 1
    everywhere = torch.ones_like(target)
    missed = torch.full_like(target, -6)
    invented = torch.where(target > 0, 6.0, -6.0)
    invented[0, 3, 3] = 6
    for loss in (PeakBCE(), PeakMSE()):
        assert loss(missed, target, everywhere) > 4 * loss(invented, target, everywhere)
