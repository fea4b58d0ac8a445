"""Training an autoencoder by Lightning: the same course as in memory, on any device, kept and resumed."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from stemnet.errors import StemnetError
from stemnet.models.elbo import Course, one_thread
from stemnet.models.schedule import Schedule, Trained
from stemnet.training.lightning_run import Diverged, Plan, Run

MONITOR = "val/elbo"


class Autoencoding(LightningModule):
    """Steps of a course, each on a batch that it names by a number.

    Parameters
    ----------
    network : nn.Module
        On the device of the course.
    course : Course
    """

    def __init__(self, network: nn.Module, course: Course) -> None:
        super().__init__()
        self.network = network
        self.course = course
        self.total = torch.zeros(())
        self.began = 0.0

    def train_dataloader(self) -> Sequence[int]:
        """Numbers of an epoch's batches: the rows are where the course has them."""
        return range(self.course.epoch.batches)

    def val_dataloader(self) -> Sequence[int]:
        """The rows that were held out, at once."""
        return range(1)

    def on_train_epoch_start(self) -> None:
        """Shuffle."""
        self.course.begin(self.current_epoch + 1)
        self.total = torch.zeros((), device=self.device)
        self.began = time.perf_counter()

    def training_step(self, number: int, index: int) -> Tensor:
        """Loss of one batch."""
        loss = self.course.loss(self.network, number)
        self.total += loss.detach()
        return loss

    def validation_step(self, number: int, index: int) -> None:
        """Bound of the rows that were held out, the mean loss of the epoch, and how quick it was."""
        # waits for the device, so that the time is that of the work
        loss = float(self.total) / self.course.epoch.batches
        seconds = time.perf_counter() - self.began
        elbo = self.course.judge(self.network, self.current_epoch + 1)
        # Raised before the epoch's checkpoint is written: what lies on the disk stays good.
        if not math.isfinite(elbo) or not math.isfinite(loss):
            raise Diverged(f"The loss became {loss:g} in epoch {self.current_epoch}")
        told = {"train/loss": loss, MONITOR: elbo, "rows_per_second": self.course.epoch.rows / seconds}
        for name, value in told.items():
            self.log(
                name, torch.tensor(value, dtype=_exact(self.device)), prog_bar=name == MONITOR, batch_size=1
            )

    def configure_optimizers(self) -> Any:
        """That of the schedule."""
        return self.course.schedule.optimizer(self.network)

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        """Keep where the course is."""
        checkpoint["course"] = self.course.state()

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        """Take it up; the learning rate is this run's."""
        if not self.course.restore(checkpoint["course"]):
            raise StemnetError(
                "The checkpoint to resume from was trained on other rows. Give the input and settings that the run had."
            )
        if self.course.reseeded:
            print(
                "Note: The checkpoint was written on another kind of device, whose random numbers cannot be taken up; "
                "the run goes on with others, from the same seed."
            )
        for optimizer in checkpoint["optimizer_states"]:
            for group in optimizer["param_groups"]:
                group["lr"] = self.course.schedule.learning_rate


@dataclass(frozen=True)
class ByLightning:
    """A trainer of autoencoders, with the signature of `stemnet.models.elbo.train`.

    Parameters
    ----------
    trainer : mapping
        Keyword arguments of `lightning.pytorch.Trainer`; ``max_epochs`` is that of the schedule.
    folder : Path
        Gets ``checkpoints/`` and ``metrics.csv``.
    resume : str or None
        A ``.ckpt`` file to go on from.
    threads : int or None
        Of torch on a processor; None for one, since more only wait for each other in small networks.
    quiet : bool
        No progress bar.
    """

    trainer: dict[str, Any]
    folder: Path
    resume: str | None = None
    threads: int | None = None
    quiet: bool = False

    def __call__(
        self, model: nn.Module, rows: Tensor, latent: int, schedule: Schedule, seed: int, device: str
    ) -> Trained:
        """Train a model in place, and leave it in the state of its best held-out bound.

        Parameters
        ----------
        model, rows, latent, schedule, seed
            As of `stemnet.models.elbo.train`.
        device : str
            Not looked at: the trainer knows.

        Raises
        ------
        StemnetError
            If it cannot go on from the file to resume from, or the loss is no number any more.
        SystemExit
            If it was interrupted, or told to stop.
        """
        settings = {**self.trainer, "max_epochs": schedule.max_epochs, "num_sanity_val_steps": 0}
        run = Run(Plan(self.folder, MONITOR, schedule.endurance, settings, self.resume, quiet=self.quiet))
        if run.trainer.world_size != 1:
            raise StemnetError(
                f"An autoencoder was to be trained on {run.trainer.world_size} devices; it takes one. Give "
                "trainer.devices=1."
            )
        place = run.trainer.strategy.root_device
        model.to(place)
        course = Course(rows, latent, schedule, seed, place)
        # what does not improve on the start counts as no progress
        run.stopping.best_score = torch.tensor(course.judge(model, 0), dtype=_exact(place))
        with one_thread() if place.type == "cpu" and self.threads is None else nullcontext():
            run.go(Autoencoding(model, course))
        return course.finish(model, run.trainer.current_epoch)


def _exact(device: torch.device) -> torch.dtype:
    """Of numbers that are compared; Apple's GPUs have no double precision."""
    return torch.float32 if device.type == "mps" else torch.float64
