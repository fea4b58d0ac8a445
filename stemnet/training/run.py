"""One training run: simulations in, a weights file out."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from torch import nn
from tqdm import tqdm

import stemnet
from stemnet.models.checkpoint import Card, Checkpoint, round_as_saved, save
from stemnet.storage import read_rows
from stemnet.training.data import SimulatedData
from stemnet.training.judgement import learn_acceptance
from stemnet.training.lightning_run import LOG, Plan, Run, part_of
from stemnet.training.task import Segmentation
from stemnet.training.validation import HeldOut

MONITOR = "val/f1"


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
    before = _scores(held_out, "before", network, data)
    run = Run(
        Plan(
            folder,
            MONITOR,
            patience,
            trainer,
            resume,
            "Give the model= (or initial=) that the run had.",
            quiet,
        )
    )

    def begun(epoch: int) -> None:
        data.first_epoch = epoch + 1

    run.go(task, data, begun)
    state = run.best_state()
    network.load_state_dict(part_of(state, "network"))
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


def log_rows(folder: Path) -> list[dict[str, str]]:
    """Rows of a run's log, all parts of a resumed run in order."""
    parts = sorted(
        folder.glob("metrics.part*.csv"), key=lambda part: int(part.stem.removeprefix("metrics.part"))
    )
    parts = [*parts, folder / LOG]
    return [row for part in parts if part.is_file() for row in read_rows(part)]
