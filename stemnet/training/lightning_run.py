"""One run of a Lightning task: callbacks, log and checkpoints, and going on from one."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.plugins.environments import LightningEnvironment

from stemnet.errors import StemnetError

LOG = "metrics.csv"


class Diverged(StemnetError):
    """The loss is no number any more."""


@dataclass(frozen=True)
class Plan:
    """How a run is watched and kept.

    Parameters
    ----------
    folder : Path
        Gets ``checkpoints/`` and ``metrics.csv``.
    monitor : str
        Logged number of which more is better.
    patience : int
        Stop after this many epochs without a better one.
    trainer : mapping
        Keyword arguments of `lightning.pytorch.Trainer`.
    resume : str or None
        A ``.ckpt`` file to go on from.
    same : str
        What to do where it is of another network, for the message.
    quiet : bool
        No progress bar.
    """

    folder: Path
    monitor: str
    patience: int
    trainer: Mapping[str, Any]
    resume: str | None = None
    same: str = "Give the settings that the run had."
    quiet: bool = False


class Run:
    """A run that is set up, and where it is to happen.

    Parameters
    ----------
    plan : Plan
    """

    def __init__(self, plan: Plan) -> None:
        _hush()
        self.plan = plan
        plan.folder.mkdir(parents=True, exist_ok=True)
        checkpoints = plan.folder / "checkpoints"
        self.best = ModelCheckpoint(
            checkpoints, "best", monitor=plan.monitor, mode="max", enable_version_counter=False
        )
        # One of its own: `save_last` of the other would skip every epoch that is not the best so far.
        last = ModelCheckpoint(checkpoints, "last", enable_version_counter=False)
        self.stopping = EarlyStopping(plan.monitor, patience=plan.patience, mode="max")
        callbacks = [self.stopping, self.best, last]
        if not plan.quiet:
            callbacks.append(TQDMProgressBar(refresh_rate=5, leave=True))
        self.trainer = pl.Trainer(
            **plan.trainer,
            callbacks=callbacks,
            # Written at every epoch, so that a run that is killed leaves its log.
            logger=CSVLogger(plan.folder, name="", version="", flush_logs_every_n_steps=1),
            # Under SLURM Lightning would leave checkpoints of its own, which any later run nearby would load unasked.
            plugins=[LightningEnvironment()],
            default_root_dir=plan.folder,
            enable_progress_bar=not plan.quiet,
            enable_model_summary=False,
            use_distributed_sampler=False,
        )

    def go(
        self, task: pl.LightningModule, data: Any = None, begun: Callable[[int], None] | None = None
    ) -> None:
        """Train.

        Parameters
        ----------
        task : LightningModule
        data : LightningDataModule, optional
        begun : callable, optional
            Told the epoch at whose end a run that goes on had stopped, before it does.

        Raises
        ------
        StemnetError
            If the file to resume from is absent, damaged or of another network, or the loss is no number any more.
        SystemExit
            If it was interrupted, or told to stop.
        """
        folder, resume = self.plan.folder, self.plan.resume
        if resume is not None:
            epoch = _checked_epoch(resume, task, self.plan.same)
            if begun:
                begun(epoch)
            _keep_log(folder)
        try:
            self.trainer.fit(task, data, ckpt_path=resume, weights_only=True)
        except Diverged as problem:
            raise StemnetError(f"{problem}; {_what_is_kept(folder)}") from problem

    def best_state(self) -> dict[str, Any]:
        """The checkpoint of the best epoch; a run's folder may have been moved between its parts."""
        if not self.best.best_model_path:
            raise StemnetError(
                "Training ended before its first validation, so there is nothing to export. "
                "Let it run for at least one epoch."
            )
        path = Path(self.best.best_model_path)
        path = path if path.is_file() else self.plan.folder / "checkpoints" / path.name
        return dict(torch.load(path, map_location="cpu", weights_only=True))


def part_of(state: Mapping[str, Any], name: str) -> dict[str, torch.Tensor]:
    """Tensors of a task's part, by the names that they have in it."""
    prefix = f"{name}."
    return {
        key.removeprefix(prefix): value
        for key, value in state["state_dict"].items()
        if key.startswith(prefix)
    }


def _what_is_kept(folder: Path) -> str:
    last = folder / "checkpoints" / "last.ckpt"
    if not last.is_file():
        return "nothing was kept before. Give a lower learning_rate."
    return f"the epoch before it is kept. Go on with resume={last} and a lower learning_rate."


def _keep_log(folder: Path) -> None:
    """Put the log of the part before a resume aside: the logger would begin it anew."""
    log = folder / LOG
    if log.is_file():
        number = len(list(folder.glob("metrics.part*.csv"))) + 1
        log.rename(folder / f"metrics.part{number}.csv")


def _checked_epoch(path: str, task: pl.LightningModule, same: str) -> int:
    """The epoch at whose end a checkpoint was written, if training can go on from it."""
    if not Path(path).is_file():
        raise StemnetError(
            f"There is no checkpoint {path} to resume from. Give resume=<run folder>/checkpoints/last.ckpt."
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        held, epoch = state["state_dict"], int(state["epoch"])
    except Exception as problem:
        raise StemnetError(
            f"{path} is not a checkpoint that training can resume from ({type(problem).__name__}). "
            "Give resume=<run folder>/checkpoints/last.ckpt."
        ) from problem
    if {name: value.shape for name, value in held.items()} != {
        name: value.shape for name, value in task.state_dict().items()
    }:
        raise StemnetError(f"{path} holds another network than these settings make. {same}")
    return epoch


def _hush() -> None:
    """Keep Lightning's hints and adverts out of the user's sight."""
    for name in ("", ".utilities.rank_zero", ".accelerators"):
        logging.getLogger(f"lightning.pytorch{name}").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*Checkpoint directory.*exists and is not empty.*")
    warnings.filterwarnings("ignore", message=".*Experiment logs directory.*")
    warnings.filterwarnings("ignore", message=".*smaller than the logging interval.*")
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")
    warnings.filterwarnings("ignore", message="The dirpath has changed.*")
