"""From a Hydra config to a training run."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any, NoReturn, cast

import torch
from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from stemnet.doors.tuning import comparison, initial_weights, subject
from stemnet.doors.values import TRAIN, TRAIN_VAE, checked_values
from stemnet.errors import StemnetError
from stemnet.models.checkpoint import Checkpoint
from stemnet.report.style import save as save_figure
from stemnet.report.training import training_figure
from stemnet.training.data import SimulatedData
from stemnet.training.run import fit, log_rows
from stemnet.training.task import Segmentation


def train_from(config: DictConfig) -> float:
    """Train as a config says; returns what a search makes large: F1, or the bound of an autoencoder.

    Raises
    ------
    StemnetError
        If a value in the config is impossible.
    """
    settings = HydraConfig.get()
    folder = Path(settings.runtime.output_dir)
    try:
        if settings.runtime.choices["task"] == "vae":
            from stemnet.doors.training_vae import train_vae_from

            checked_values(config, TRAIN_VAE)
            prepare_torch(config)
            return train_vae_from(config, folder)
        return _segmentation(config, folder)
    except SystemExit:  # what Lightning ends with, interrupted by a user or by a scheduler
        _interrupted(folder)


def prepare_torch(config: DictConfig) -> None:
    """Set as many threads as settings say.

    Raises
    ------
    StemnetError
        If they train on a GPU, and there is none.
    """
    if config.trainer.accelerator == "gpu" and not (
        torch.cuda.is_available() or torch.backends.mps.is_available()
    ):
        raise StemnetError(
            "These settings train on a GPU, and torch finds none here. Give trainer=cpu_bf16 (or trainer=cpu)"
            f"{' and workers=1' if 'workers' in config else ''}, which takes longer, or install a torch that knows "
            "your GPU."
        )
    if config.threads:
        torch.set_num_threads(int(config.threads))


def _segmentation(config: DictConfig, folder: Path) -> float:
    if config.crystal == "":
        raise StemnetError(
            "Which crystal is to be tuned on? Give crystal=my.cif or one of the library's names, and axis=110 or such."
        )
    checked_values(config, TRAIN)
    prepare_torch(config)
    # The one place that seeds globally: layers draw their initial weights from torch's own generator.
    torch.manual_seed(config.seed)
    initial = initial_weights(config, HydraConfig.get().overrides.task)
    network = initial.network.train() if initial else instantiate(config.model)
    if config.patch % network.stride:
        raise StemnetError(
            f"patch={config.patch} does not fit a network of {config.model.levels} levels; "
            f"give a multiple of {network.stride}."
        )
    wanted = subject(config, instantiate(config.simulator, _convert_="all"), config.validation)
    targets = instantiate(config.targets, _convert_="all")
    data = SimulatedData(
        wanted.simulator,
        targets,
        instantiate(config.normalization),
        batch_size=config.batch_size,
        batches=config.batches,
        validation=config.validation,
        workers=config.workers,
    )
    domain = config.domain or (initial.card.domain if initial else "")
    scores = fit(
        network=network,
        network_spec=_plain(config.model),
        data=data,
        task=Segmentation(network, instantiate(config.loss), targets, config.learning_rate),
        trainer=_plain(config.trainer),
        folder=folder,
        patience=config.patience,
        working_width=config.working_width,
        domain=f"{domain}; tuned on {wanted.crystal}" if wanted.crystal else domain,
        config=_record(config, initial),
        resume=config.resume,
        held_out=wanted.held_out,
        judged=config.judged,
        quiet=config.quiet,
    )
    save_figure(training_figure(log_rows(folder), title="training"), folder / "training.png")
    if wanted.crystal:
        print(comparison(scores, wanted.crystal))
    weights = folder / "weights.safetensors"
    print(
        f"F1 {scores['f1']:.3f}, RMSE {scores['rmse']:.3f} px at threshold {scores['threshold']:.2f} "
        f"(validation, epoch {scores['epoch']}).\nWeights: {weights}"
    )
    if wanted.crystal:
        print(f"Next: python predict.py input=scan.dm4 checkpoint={shlex.quote(str(weights))}")
    return scores["f1"]


def _record(config: DictConfig, initial: Checkpoint | None) -> dict[str, Any]:
    """What made the weights, without what is this machine's business: they travel."""
    record = {key: value for key, value in _plain(config).items() if key != "resume"}
    if initial:
        record["initial"] = f"sha256 {initial.sha256}"
    if config.crystal:
        record["crystal"] = Path(str(config.crystal)).name
    return record


def _interrupted(folder: Path) -> NoReturn:
    last = folder / "checkpoints" / "last.ckpt"
    kept = f"resume={last} goes on after its last epoch" if last.is_file() else "no epoch had ended"
    print(f"stemnet: interrupted; {kept}.", file=sys.stderr)
    sys.exit(130)


def _plain(config: DictConfig) -> dict[str, Any]:
    """Resolved, in plain types: what a file can hold without code."""
    return cast("dict[str, Any]", OmegaConf.to_container(config, resolve=True))
