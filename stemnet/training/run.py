"""One training run: simulations in, a weights file out."""

from __future__ import annotations

import logging
import platform
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import CSVLogger
from lightning.pytorch.plugins.environments import LightningEnvironment
from torch import nn
from tqdm import tqdm

import stemnet
from stemnet.errors import StemnetError
from stemnet.models.checkpoint import Card, Checkpoint, round_as_saved, save
from stemnet.storage import read_rows
from stemnet.training.data import SimulatedData
from stemnet.training.judgement import learn_acceptance
from stemnet.training.task import Diverged, Segmentation
from stemnet.training.validation import HeldOut

MONITOR = "val/f1"
LOG = "metrics.csv"


def fit(
    *,
    network: nn.Module,
    network_spec: Mapping[str, object],
    data: SimulatedData,
    task: Segmentation,
    trainer: Mapping[str, Any],
    folder: Path,
    patience: int,
    working_width: float,
    domain: str,
    config: Mapping[str, object],
    resume: str | None = None,
    held_out: Sequence[HeldOut] = (),
    judged: int = 0,
    quiet: bool = False,
) -> dict[str, float]:
    """Train, keep the best and the last state, and export the best as a weights file.

    Parameters
    ----------
    network : nn.Module
    network_spec : mapping
        ``_target_`` and arguments that make the network again.
    data : SimulatedData
    task : Segmentation
    trainer : mapping
        Keyword arguments of `lightning.pytorch.Trainer`.
    folder : Path
        Gets ``checkpoints/``, ``metrics.csv`` and ``weights.safetensors``.
    patience : int
        Stop after this many epochs without a better F1.
    working_width : float
        Sigma of a column to which predicting should scale images [px].
    domain : str
        What the network is shown, in words.
    config : mapping
        Resolved config, plain types only.
    resume : str or None
        A ``.ckpt`` file to go on from.
    held_out : sequence of HeldOut
        Scored with the network as it is given and as it is exported; the scores
        are named ``<name>_f1_before``, ``<name>_f1_after`` and so on.
    judged : int
        Simulated images on which it is learned which candidates are columns; 0
        leaves that to the threshold.
    quiet : bool
        No progress bar.

    Returns
    -------
    dict
        Scores of the exported state.

    Raises
    ------
    StemnetError
        If the file to resume from is absent, damaged or of another network, or
        the loss is no number any more.
    SystemExit
        If it was interrupted, or told to stop.
    """
    _hush()
    folder.mkdir(parents=True, exist_ok=True)
    before = _scores(held_out, "before", network, data)
    if resume is not None:
        data.first_epoch = _checked_epoch(resume, task) + 1
        _keep_log(folder)
    checkpoints = folder / "checkpoints"
    best = ModelCheckpoint(checkpoints, "best", monitor=MONITOR, mode="max", enable_version_counter=False)
    # One of its own: `save_last` of the other would skip every epoch that is not the best so far.
    last = ModelCheckpoint(checkpoints, "last", enable_version_counter=False)
    callbacks = [EarlyStopping(MONITOR, patience=patience, mode="max"), best, last]
    if not quiet:
        callbacks.append(TQDMProgressBar(refresh_rate=5, leave=True))
    runner = pl.Trainer(
        **trainer,
        callbacks=callbacks,
        # Written at every epoch, so that a run that is killed leaves its log.
        logger=CSVLogger(folder, name="", version="", flush_logs_every_n_steps=1),
        # Under SLURM Lightning would leave checkpoints of its own, which any later run nearby would load unasked.
        plugins=[LightningEnvironment()],
        default_root_dir=folder,
        enable_progress_bar=not quiet,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    try:
        runner.fit(task, data, ckpt_path=resume, weights_only=True)
    except Diverged as problem:
        raise StemnetError(f"{problem}; {_what_is_kept(folder)}") from problem
    state = torch.load(_best(best, folder), map_location="cpu", weights_only=True)
    prefix = "network."
    tensors = {name: value for name, value in state["state_dict"].items() if name.startswith(prefix)}
    network.load_state_dict({name.removeprefix(prefix): value for name, value in tensors.items()})
    round_as_saved(network)
    scores = {
        **state["scores"],
        "epoch": int(state["epoch"]),
        "validation_examples": data.validation,
        **before,
        **_scores(held_out, "after", network, data),
    }
    drawn = [data.simulator.microscope.draw(np.random.default_rng(i))[0].sampling for i in range(200)]
    card = Card(
        network=network_spec,
        normalization={"window": data.normalization.window, "floor": data.normalization.floor},
        width=(float(data.simulator.microscope.width[0]), float(data.simulator.microscope.width[1])),
        working_width=working_width,
        sampling=(round(min(drawn), 4), round(max(drawn), 4)),
        threshold=scores["threshold"],
        domain=domain,
        scores=scores,
        config=config,
        versions={
            "stemnet": stemnet.__version__,
            "torch": torch.__version__.split("+")[0],
            "lightning": pl.__version__,
            "python": platform.python_version(),
        },
    )
    if judged:
        card = replace(card, acceptance=_acceptance(Checkpoint(network.eval(), card), data, judged, quiet))
    save(folder / "weights.safetensors", network, card)
    return scores


def _scores(
    held_out: Sequence[HeldOut], when: str, network: nn.Module, data: SimulatedData
) -> dict[str, float]:
    return {
        f"{each.name}_{name}_{when}": value
        for each in held_out
        for name, value in each.scores(network, data.targets, data.normalization).items()
    }


def _acceptance(checkpoint: Checkpoint, data: SimulatedData, images: int, quiet: bool) -> dict[str, object]:
    """What is written on the card of how network and fit judge together."""
    with tqdm(total=2 * images, desc="judgement", disable=quiet or None, leave=False) as bar:
        judge, _, _ = learn_acceptance(
            checkpoint, data.simulator, data.targets, images, lambda done, _: bar.update()
        )
    return judge.entry() if judge else {}


def _best(best: ModelCheckpoint, folder: Path) -> Path:
    """The best state; a run's folder may have been moved between its parts."""
    if not best.best_model_path:
        raise StemnetError(
            "Training ended before its first validation, so there is nothing to export. "
            "Let it run for at least one epoch."
        )
    path = Path(best.best_model_path)
    return path if path.is_file() else folder / "checkpoints" / path.name


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


def log_rows(folder: Path) -> list[dict[str, str]]:
    """Rows of a run's log, all parts of a resumed run in order."""
    parts = sorted(
        folder.glob("metrics.part*.csv"), key=lambda part: int(part.stem.removeprefix("metrics.part"))
    )
    parts = [*parts, folder / LOG]
    return [row for part in parts if part.is_file() for row in read_rows(part)]


def _checked_epoch(path: str, task: Segmentation) -> int:
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
        raise StemnetError(
            f"{path} holds another network than these settings make. Give the model= (or initial=) that the run had."
        )
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
