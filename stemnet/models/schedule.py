"""How a model of the family is trained: epochs, batches, patience, and the weight of what the latent holds."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

EPOCH_BATCHES = 50
"""An epoch of a large table visits this many batches, so that a fit stays seconds long."""
LEAST_BATCHES = 10
"""Steps of an epoch of few rows: with fewer, patience ends a training before its steps can show a gain."""
LEAST_BATCH = 32
"""Rows of a batch that few rows are dealt into; of still fewer rows, an epoch makes several passes."""
HELD_ROWS = 2000
"""Rows that judge an epoch."""


@dataclass(frozen=True)
class Epoch:
    """What a model sees between two judgments.

    Parameters
    ----------
    batches : int
    batch_size : int
    rows : int
        In all, each as often as it is seen.
    """

    batches: int
    batch_size: int
    rows: int


@dataclass(frozen=True)
class Schedule:
    """How a model is trained.

    Parameters
    ----------
    max_epochs : int
        Most epochs.
    batch_size : int
        Most rows of a batch; see `epoch`.
    learning_rate : float
        Of the AdamW optimizer (Loshchilov and Hutter, ICLR 2019).
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
    weight_decay : float
        Of the optimizer; 0 makes it Adam.
    epoch_batches : int or None
        Most batches of an epoch; None for all rows.
    held_rows : int
        Most rows that are held out.
    """

    max_epochs: int
    batch_size: int
    learning_rate: float
    validation_fraction: float
    patience: int
    beta: float = 1.0
    warm_up: int = 0
    free_nats: float = 0.0
    weight_decay: float = 0.0
    epoch_batches: int | None = EPOCH_BATCHES
    held_rows: int = HELD_ROWS

    def epoch(self, count: int, judged: bool) -> Epoch:
        """What an epoch of so many rows is: a pass over them; of few rows in smaller batches, of fewer several passes.

        Parameters
        ----------
        count : int
        judged : bool
            By rows that were held out. Those that judge themselves are passed once, lest they be learned by heart.
        """
        size = min(count, self.batch_size, max(LEAST_BATCH, -(-count // LEAST_BATCHES)))
        one_pass = -(-count // size)
        batches = max(one_pass, LEAST_BATCHES if judged else 1)
        if self.epoch_batches is not None:
            batches = min(batches, self.epoch_batches)
        return Epoch(batches, size, count if batches == one_pass else batches * size)

    def weight(self, epoch: int) -> float:
        """Of the Kullback-Leibler term in an epoch, counted from 1."""
        return self.beta * min(1.0, epoch / (self.warm_up + 1))

    @property
    def endurance(self) -> int:
        """Epochs without a better held-out bound after which a training ends."""
        return self.patience + self.warm_up

    def optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """What takes the steps."""
        return torch.optim.AdamW(
            model.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay, fused=True
        )


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
    passes : float
        Times that it saw its rows.
    """

    score: float
    epochs: int
    best_epoch: int
    passes: float
