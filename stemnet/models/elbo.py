"""Training on the evidence lower bound, for every model of the family: in memory, or by what drives `Course`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from stemnet.models.schedule import Schedule, Trained

FEW_ROWS = 10
"""Fewer rows than this judge nothing."""
SCORE_DRAWS = 8
"""Posterior samples behind each row's evidence lower bound."""
AT_ONCE = 20000
"""Rows whose bound is computed together; memory grows with it."""
ROOM = 0.5
"""Share of a GPU's free memory that rows may take; more of them stay with the processor, and batches travel."""
ALIKE = 0.05
"""Deviations by which a row that was found anew may differ, as columns do that another device found."""


Trainer = Callable[[nn.Module, Tensor, int, Schedule, int, str], Trained]
"""Called as `train` is."""


class Course:
    """What a training goes through: which rows are held out, batches, noise, loss. All its randomness is here.

    Which rows are held out, and the noise that they are judged with, is the same on every device; the order of batches
    and their noise are drawn where the model is.

    Parameters
    ----------
    rows : Tensor, shape (N, D)
    latent : int
    schedule : Schedule
    seed : int
    device : str or torch.device
        Where the model is.

    Attributes
    ----------
    epoch : Epoch
    reseeded : bool
        True if it goes on from a state of another kind of device, whose generator cannot be taken up.
    """

    def __init__(
        self, rows: Tensor, latent: int, schedule: Schedule, seed: int, device: str | torch.device
    ) -> None:
        self.schedule, self.latent, self.device = schedule, latent, torch.device(device)
        self.seed = seed
        everywhere = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(rows), generator=everywhere)
        if _fits(rows, self.device):
            rows = rows.to(self.device)
        order = order.to(rows.device)
        n_held = min(int(schedule.validation_fraction * len(rows)), schedule.held_rows)
        # with few rows nothing can be spared: the training rows then judge themselves
        few = n_held < FEW_ROWS
        self.held, self.rows = (rows, rows) if few else (rows[order[:n_held]], rows[order[n_held:]])
        self.held = self.held.to(self.device)
        self.epoch = schedule.epoch(len(self.rows), judged=not few)
        self.held_noise = torch.randn(len(self.held), latent, generator=everywhere).to(self.device)
        on_cpu = self.device.type == "cpu"
        self.generator = everywhere if on_cpu else torch.Generator(self.device).manual_seed(seed)
        self.reseeded = False
        self.weight = schedule.weight(1)
        self.best, self.best_epoch, self.best_state = -math.inf, 0, dict[str, Tensor]()
        self.order = torch.zeros(0, dtype=torch.long)

    def begin(self, epoch: int) -> None:
        """Shuffle the rows for an epoch, counted from 1."""
        passes = -(-self.epoch.rows // len(self.rows))
        order = torch.cat([self._shuffled(len(self.rows)) for _ in range(passes)])
        self.order = order[: self.epoch.rows].to(self.rows.device)
        self.weight = self.schedule.weight(epoch)

    def loss(self, model: nn.Module, number: int) -> Tensor:
        """What a step lowers, on a batch of the epoch [nats].

        Parameters
        ----------
        model : nn.Module
            Called with rows and standard normal noise (N, latent):
            log-likelihood (N,) and divergence (N, latent) [nats].
        number : int
            Of the batch, from 0.
        """
        size = self.epoch.batch_size
        batch = self.order[number * size : (number + 1) * size]
        likelihood, divergence = model(self.rows[batch].to(self.device), self._normal(len(batch)))
        cost = divergence.mean(dim=0).clamp(min=self.schedule.free_nats).sum()
        return self.weight * cost - likelihood.mean()

    def judge(self, model: nn.Module, epoch: int) -> float:
        """Bound per row that was held out [nats]; the state of the best one is kept. Epoch 0 is the start."""
        now = self.held_out(model)
        if now > self.best or not self.best_state:
            self.best, self.best_epoch, self.best_state = now, epoch, deepcopy(model.state_dict())
        return now

    def finish(self, model: nn.Module, epochs: int) -> Trained:
        """Put a model into its best state after so many epochs."""
        model.load_state_dict(self.best_state)
        return Trained(self.best, epochs, self.best_epoch, epochs * self.epoch.rows / len(self.rows))

    def held_out(self, model: nn.Module) -> float:
        """Bound per row that was held out [nats], in full precision."""
        total = 0.0
        with torch.no_grad(), torch.autocast(self.device.type, enabled=False):
            for rows, noise in zip(self.held.split(AT_ONCE), self.held_noise.split(AT_ONCE), strict=True):
                likelihood, divergence = model(rows, noise)
                bound = likelihood - self.schedule.beta * divergence.sum(dim=1)
                total += float(bound.mean()) * len(rows) / len(self.held)
        return total

    def state(self) -> dict[str, Any]:
        """What the next epochs depend on besides the model and its optimizer, and what tells these rows from others."""
        best = {"best": self.best, "best_epoch": self.best_epoch, "best_state": self.best_state}
        return {"generator": self.generator.get_state(), "rows": self._mark(), **best}

    def restore(self, state: Mapping[str, Any]) -> bool:
        """Go on from a state, of whichever device; False, and nothing done, if it was of other rows."""
        generator, rows, mark = state["generator"].cpu(), state["rows"].cpu(), self._mark()
        if rows.shape != mark.shape or not torch.allclose(rows, mark, rtol=0, atol=ALIKE):
            return False
        self.reseeded = generator.shape != self.generator.get_state().shape
        if self.reseeded:
            self.generator.manual_seed(self.seed + 1)
        else:
            self.generator.set_state(generator)
        self.best, self.best_epoch = state["best"], state["best_epoch"]
        self.best_state = dict(state["best_state"])
        return True

    def _mark(self) -> Tensor:
        first, last = self.held[0].double().cpu(), self.held[-1].double().cpu()
        return torch.cat([torch.tensor([len(self.rows), len(self.held)]).double(), first, last])

    def _shuffled(self, n: int) -> Tensor:
        return torch.randperm(n, generator=self.generator, device=self.device)

    def _normal(self, n: int) -> Tensor:
        return torch.randn(n, self.latent, generator=self.generator, device=self.device)


def _fits(rows: Tensor, device: torch.device) -> bool:
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    # shuffled once, so held twice
    return 2 * rows.numel() * rows.element_size() < ROOM * free


def train(model: nn.Module, rows: Tensor, latent: int, schedule: Schedule, seed: int, device: str) -> Trained:
    """Train a model in place, and leave it in the state of its best held-out bound.

    Parameters
    ----------
    model : nn.Module
        As `Course.loss` calls it.
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
    with one_thread():
        course = Course(rows, latent, schedule, seed, device)
        optimizer = schedule.optimizer(model)
        course.judge(model, 0)
        epoch = 0
        for epoch in range(1, schedule.max_epochs + 1):
            course.begin(epoch)
            for number in range(course.epoch.batches):
                loss = course.loss(model, number)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            course.judge(model, epoch)
            if epoch - course.best_epoch >= schedule.endurance:
                break
    return course.finish(model, epoch)


def evidence(model: nn.Module, rows: Tensor, latent: int, draws: int = SCORE_DRAWS) -> tuple[Tensor, Tensor]:
    """Log-likelihood (N,) and divergence (N, latent) [nats] of rows, over fixed posterior samples."""
    generator = torch.Generator().manual_seed(0)
    found = []
    with torch.no_grad():
        for _ in range(draws):
            noise = torch.randn(len(rows), latent, generator=generator, dtype=rows.dtype)
            parts = [model(*part) for part in zip(rows.split(AT_ONCE), noise.split(AT_ONCE), strict=True)]
            found.append([torch.cat(part) for part in zip(*parts, strict=True)])
    return torch.stack([likelihood for likelihood, _ in found]).mean(0), found[0][1]


@contextmanager
def one_thread() -> Iterator[None]:
    """Run small networks on one thread, where more only wait for each other; the setting is restored."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
