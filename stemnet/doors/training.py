"""From a Hydra config to a training run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from stemnet.doors.values import TRAIN, checked_values
from stemnet.errors import StemnetError
from stemnet.report.style import save as save_figure
from stemnet.report.training import training_figure
from stemnet.training.data import SimulatedData
from stemnet.training.run import fit, log_rows
from stemnet.training.task import Segmentation


def train_from(config: DictConfig) -> float:
    """Train as a config says; returns the F1 of the exported weights.

    Raises
    ------
    StemnetError
        If a value in the config is impossible.
    """
    checked_values(config, TRAIN)
    if config.threads:
        torch.set_num_threads(int(config.threads))
    # The one place that seeds globally: layers draw their initial weights from torch's own generator.
    torch.manual_seed(config.seed)
    network = instantiate(config.model)
    if config.patch % network.stride:
        raise StemnetError(
            f"patch={config.patch} does not fit a network of {config.model.levels} levels; "
            f"give a multiple of {network.stride}."
        )
    targets = instantiate(config.targets, _convert_="all")
    data = SimulatedData(
        instantiate(config.simulator, _convert_="all"),
        targets,
        instantiate(config.normalization),
        batch_size=config.batch_size,
        batches=config.batches,
        validation=config.validation,
        workers=config.workers,
    )
    folder = Path(HydraConfig.get().runtime.output_dir)
    scores = fit(
        network=network,
        network_spec=_plain(config.model),
        data=data,
        task=Segmentation(network, instantiate(config.loss), targets, config.learning_rate),
        trainer=_plain(config.trainer),
        folder=folder,
        patience=config.patience,
        working_width=config.working_width,
        domain=config.domain,
        # Where a run was resumed from is this machine's business; the weights travel.
        config={key: value for key, value in _plain(config).items() if key != "resume"},
        resume=config.resume,
        quiet=config.quiet,
    )
    save_figure(training_figure(log_rows(folder), title="training"), folder / "training.png")
    print(
        f"F1 {scores['f1']:.3f}, RMSE {scores['rmse']:.3f} px at threshold {scores['threshold']:.2f} "
        f"(validation, epoch {scores['epoch']}).\nWeights: {folder / 'weights.safetensors'}"
    )
    return scores["f1"]


def _plain(config: DictConfig) -> dict[str, Any]:
    """Resolved, in plain types: what a file can hold without code."""
    return cast("dict[str, Any]", OmegaConf.to_container(config, resolve=True))
