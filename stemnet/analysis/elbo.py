"""Training on the evidence lower bound, for every model of the family."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

EPOCH_BATCHES = 50
"""An epoch of a large table visits this many batches, so that a fit stays seconds long."""
HELD_ROWS = 2000
"""Rows that judge an epoch."""
SCORE_DRAWS = 8
"""Posterior samples behind each row's evidence lower bound."""


@dataclass(frozen=True)
class Schedule:
    """How a model is trained.

    Parameters
    ----------
    max_epochs : int
        Most passes; of a large table a pass visits 50 batches.
    batch_size : int
    learning_rate : float
        Of the Adam optimizer.
    validation_fraction : float
        Share of the rows held out to stop the training.
    patience : int
        Epochs without a better held-out bound before it stops.
    beta : float
        Weight of the Kullback-Leibler term at the end.
    warm_up : int
        Epochs in which the weight rises from 0 to there.
    free_nats : float
        Divergence of each latent, on average over a batch, that costs nothing
        (free bits: Kingma et al., NeurIPS 2016).
    """

    max_epochs: int
    batch_size: int
    learning_rate: float
    validation_fraction: float
    patience: int
    beta: float = 1.0
    warm_up: int = 0
    free_nats: float = 0.0

    def weight(self, epoch: int) -> float:
        """Of the Kullback-Leibler term in an epoch, counted from 1."""
        return self.beta * min(1.0, epoch / (self.warm_up + 1))


@dataclass(frozen=True)
class Trained:
    """How a training ended.

    Parameters
    ----------
    score : float
        Best held-out bound per row [nats].
    epochs : int
        That were run.
    best_epoch : int
        0 if no step improved on the start.
    """

    score: float
    epochs: int
    best_epoch: int


def train(model: nn.Module, rows: Tensor, latent: int, schedule: Schedule, seed: int, device: str) -> Trained:
    """Train a model in place, and leave it in the state of its best held-out bound.

    Parameters
    ----------
    model : nn.Module
        Called with rows and standard normal noise (N, latent): log-likelihood
        (N,) and divergence (N, latent) [nats].
    rows : Tensor, shape (N, D)
    latent : int
    schedule : Schedule
    seed : int
    device : str

    Returns
    -------
    Trained
    """
    model.to(device)
    rows = rows.to(device)
    generator = torch.Generator(device).manual_seed(seed)

    def normal(n: int) -> Tensor:
        return torch.randn(n, latent, generator=generator, device=device)

    order = torch.randperm(len(rows), generator=generator, device=device)
    n_held = min(int(schedule.validation_fraction * len(rows)), HELD_ROWS)
    # with few rows nothing can be spared: the training rows then judge themselves
    held, rows = (rows[order[:n_held]], rows[order[n_held:]]) if n_held >= 10 else (rows, rows)
    held_noise = normal(len(held))
    optimizer = torch.optim.Adam(model.parameters(), lr=schedule.learning_rate, fused=True)

    def held_out() -> float:
        with torch.no_grad():
            likelihood, divergence = model(held, held_noise)
            return float((likelihood - schedule.beta * divergence.sum(dim=1)).mean())

    best, best_epoch, best_state = held_out(), 0, deepcopy(model.state_dict())
    epoch = 0
    for epoch in range(1, schedule.max_epochs + 1):
        order = torch.randperm(len(rows), generator=generator, device=device)
        for batch in order.split(schedule.batch_size)[:EPOCH_BATCHES]:
            likelihood, divergence = model(rows[batch], normal(len(batch)))
            cost = divergence.mean(dim=0).clamp(min=schedule.free_nats).sum()
            loss = schedule.weight(epoch) * cost - likelihood.mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        now = held_out()
        if now > best:
            best, best_epoch, best_state = now, epoch, deepcopy(model.state_dict())
        elif epoch - best_epoch >= schedule.patience + schedule.warm_up:
            break
    model.load_state_dict(best_state)
    return Trained(best, epoch, best_epoch)


def evidence(model: nn.Module, rows: Tensor, latent: int) -> tuple[Tensor, Tensor]:
    """Log-likelihood (N,) and divergence (N, latent) [nats] of rows, over fixed posterior samples."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        draws = [
            model(rows, torch.randn(len(rows), latent, generator=generator, dtype=rows.dtype))
            for _ in range(SCORE_DRAWS)
        ]
    return torch.stack([likelihood for likelihood, _ in draws]).mean(0), draws[0][1]


@contextmanager
def one_thread() -> Iterator[None]:
    """Run small networks on one thread, where more only wait for each other; the setting is restored."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
