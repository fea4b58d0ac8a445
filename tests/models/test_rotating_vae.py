import math

import pytest
import torch

from stemnet.models.rotating_vae import RotatingVAE
from stemnet.models.turning import Turning

ORDERS = torch.tensor([0, 0, 1, 1, 2, 3, 5])


def rows(count=6, seed=0):
    """Rows (N, 14) whose numbers of order 0 are real."""
    made = torch.randn(
        count, 2 * len(ORDERS), generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    made[:, 7:9] = 0
    return made


def test_the_best_angle_is_that_of_the_turn_and_the_curvature_that_of_the_overlap():
    turning, x = Turning(ORDERS).double(), rows()
    angle = torch.tensor([0.1, 1.0, 2.0, 3.0, -1.0, -2.0], dtype=torch.float64)
    found, bend = turning.best(turning.series(turning.turned(x, angle), x))
    torch.testing.assert_close(torch.remainder(found - angle + 1, 2 * math.pi), torch.ones(6).double())

    def overlap(phi):
        return (turning.turned(x, angle) * turning.turned(x, phi)).sum(dim=1)

    h = 1e-3
    expected = -(overlap(angle + h) - 2 * overlap(angle) + overlap(angle - h)) / h**2
    torch.testing.assert_close(bend, expected, rtol=1e-4, atol=1e-4)


def test_two_turns_are_one_by_their_sum():
    turning, x = Turning(ORDERS).double(), rows()
    one, two = torch.full((6,), 0.4).double(), torch.full((6,), 1.1).double()
    torch.testing.assert_close(turning.turned(turning.turned(x, one), two), turning.turned(x, one + two))


def test_shapes_and_a_gradient_for_every_parameter():
    torch.manual_seed(0)
    model = RotatingVAE(ORDERS, 2, 20, hidden=(8, 5)).double()
    with torch.no_grad():
        model.offset.copy_(rows(1, seed=3))
    x = torch.cat([rows(7), torch.rand(7, 1).double()], dim=1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(2):
        optimizer.zero_grad()
        likelihood, divergence = model(x, torch.ones(7, 2).double())
        (divergence.sum() - likelihood.sum()).backward()
        optimizer.step()
    assert likelihood.shape == (7,)
    assert divergence.shape == (7, 2)
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_the_bound_of_a_turned_row_is_the_same():
    torch.manual_seed(0)
    model = RotatingVAE(ORDERS, 2, 20, hidden=(8, 5)).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(0.3 * torch.randn_like(parameter))
        model.offset.copy_(rows(1, seed=3))
    x, rest = rows(7), torch.rand(7, 1).double()
    turned = model.turning.turned(x, torch.full((7,), 0.9).double())
    noise = torch.randn(7, 2).double()
    before, after = (model(torch.cat([one, rest], dim=1), noise) for one in (x, turned))
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)


def test_not_knowing_the_angle_costs_what_the_integral_over_it_says():
    model = RotatingVAE(ORDERS, 1, 14).double()
    with torch.no_grad():
        model.log_noise.fill_(math.log(0.05))
    decoded = rows(1, seed=5)
    x = model.turning.turned(decoded, torch.tensor([0.7]).double()) + 0.05 * rows(1, seed=6)
    angles = torch.linspace(0, 2 * math.pi, 20001, dtype=torch.float64)[:-1]
    turned = model.turning.turned(decoded.expand(20000, -1), angles)
    log_likelihood = -0.5 * (x - turned).square().sum(dim=1) / 0.05
    exact = torch.logsumexp(log_likelihood, 0) - math.log(20000)
    pose = model.pose(x, decoded)
    best = -0.5 * (x - model.posed(decoded, pose)).square().sum() / 0.05
    assert float((best + pose.evidence[0]).detach()) == pytest.approx(float(exact), abs=0.1)


def test_moves_are_found_and_their_divergence_is_taken_off():
    generator = torch.randn(14, 14, generator=torch.Generator().manual_seed(1)).double()
    generator = (generator - generator.T) / 4
    generator[:, 7:9] = generator[7:9] = 0
    model = RotatingVAE(ORDERS, 1, 14, generators=generator[None], spreads=[0.5]).double()
    with torch.no_grad():
        model.log_noise.fill_(math.log(1e-4))
    decoded, moves = rows(4, seed=2), torch.tensor([[0.2], [-0.3], [0.0], [0.4]]).double()
    found = model.pose(model.moved(decoded, moves), decoded)
    torch.testing.assert_close(found.moves, moves, rtol=0, atol=5e-3)
    assert (found.move_variance < 1e-3).all()
    assert (found.evidence < 0).all()
