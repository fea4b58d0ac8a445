"""From a Hydra config to an autoencoder that is trained on the columns of many images."""

from __future__ import annotations

import platform
import shlex
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from tqdm import tqdm

import stemnet
from stemnet import resources
from stemnet.analysis.out_of_sample import remarks, scores
from stemnet.analysis.vae_file import VAECard
from stemnet.columns import Columns
from stemnet.detection.segmenter import find_columns
from stemnet.doors.pooling import listed, pooled, sources_of
from stemnet.doors.row_maker import RowMaker, Source
from stemnet.errors import StemnetError
from stemnet.micrograph import Micrograph
from stemnet.models import checkpoint
from stemnet.reading import read_micrograph, unique_stems
from stemnet.report.style import save as save_figure
from stemnet.report.training import training_figure
from stemnet.training.autoencoding import ByLightning
from stemnet.training.run import log_rows

FEWEST = 50
"""Rows without which there is nothing to train on and to judge by."""
MACHINE = ("resume", "output", "input", "checkpoint", "device", "threads", "quiet")
"""Settings that are this machine's business: they do not travel with the weights."""


def train_vae_from(config: DictConfig, folder: Path) -> float:
    """Train as a config says; returns the bound of rows that no training saw [nats a row].

    Raises
    ------
    StemnetError
        If a value in the config is impossible, an input cannot be used, or there are too few rows.
    SystemExit
        If it was interrupted.
    """
    maker = RowMaker(config.rows, instantiate(config.descriptor), config.size, config.center)
    sources = _sources(config)
    maker = maker.suited(sources, config.step, config.invariance is not None)
    pool = pooled(sources, maker)
    print("\n".join(pool.notes))
    training, aside = pool.parted(config.test, config.test_by, config.seed)
    train, test = pool.rows[training], pool.rows[aside]
    if len(train) < FEWEST:
        raise StemnetError(
            f"{len(train)} rows to train on are there; {FEWEST} at least are needed. Give more images, or larger ones."
        )
    model = instantiate(config.autoencoder)
    model.set_params(patch_shape=maker.patch_shape)
    trainer = cast("dict[str, Any]", OmegaConf.to_container(config.trainer, resolve=True))
    model.fit_by(
        ByLightning(trainer, folder, config.resume, config.threads, config.quiet),
        train,
    )
    found = scores(model, train, test)
    settings = cast("dict[str, Any]", OmegaConf.to_container(config, resolve=True))
    card = VAECard(
        names=pool.names,
        rows=maker.record(settings["descriptor"]),
        scores=found,
        config={
            **{key: value for key, value in settings.items() if key not in MACHINE},
            "inputs": list(pool.sources),
        },
        versions={
            "stemnet": stemnet.__version__,
            "torch": torch.__version__.split("+")[0],
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    )
    weights = folder / "weights.safetensors"
    model.save(weights, card)
    save_figure(training_figure(log_rows(folder), title="training"), folder / "training.png")
    _tell(model, found, [pool.sources[i] for i in np.unique(pool.source[aside])], weights)
    if maker.kind == "windows" and set(pool.source[aside]) & set(pool.source[training]):
        print(
            "Note: windows of an image overlap, so that rows that were put aside share pixels with others that were "
            "trained on. Give three images or more for scores of images that no training saw."
        )
    for remark in remarks(model, pool.names, train):
        print(f"Note: {remark}")
    return float(found["elbo"])


def _tell(model: Any, found: dict[str, float], judged: list[str], weights: Path) -> None:
    name = "vae" if model.invariance is None else "rvae"
    pca, use = found["error_held_out_pca"], f"embedding.{name}.weights={shlex.quote(str(weights))}"
    print(
        f"ELBO {found['elbo']:.4g} nats a row, error {found['error_held_out']:.4g} (PCA {pca:.4g}) on "
        f"{found['rows_test']} rows of {', '.join(judged)} that no training saw; {found['rows_train']} rows, "
        f"{found['epochs']} epochs.\nWeights: {weights}\n"
        f"Next: python predict.py input=scan.dm4 embedding=[pca,{name}] {use}"
    )


def _sources(config: DictConfig) -> list[Source]:
    """All inputs with their columns."""
    if config.input is None:
        paths = [str(resources.simulated_data() / f"{name}.tif") for name in config.examples]
    else:
        given = [config.input] if isinstance(config.input, str) else [str(one) for one in config.input]
        paths = listed(given)
    if not paths:
        raise StemnetError(f"input={config.input} names no file. Give a file, a folder, a glob, or a [list].")
    weights = checkpoint.load(config.checkpoint or resources.weights())
    device = config.device or (
        "cuda" if torch.cuda.is_available() and config.trainer.accelerator != "cpu" else "cpu"
    )
    bar = tqdm(total=len(paths), desc="columns", unit="file", leave=False, disable=config.quiet or None)

    def found(path: Path) -> tuple[Micrograph, Columns]:
        micrograph = read_micrograph(path, sampling=config.sampling, signal=config.signal)
        detection = find_columns(micrograph, weights, device=device)
        bar.update()
        return micrograph, detection.columns

    with bar:
        return sources_of(paths, unique_stems(paths), found)
