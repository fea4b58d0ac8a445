"""From a Hydra config to a batch of result folders."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from tqdm import tqdm

from stemnet import resources, storage
from stemnet.detection.segmenter import Settings
from stemnet.doors.one_input import Job, process
from stemnet.doors.values import PREDICT, checked_values
from stemnet.errors import StemnetError
from stemnet.models import checkpoint
from stemnet.reading import expand_inputs, unique_stems

EXAMPLE = "pbtio3_domains.tif"
EXTRAS = {"umap": "umap"}  # library: the extra that brings it


def predict_from(config: DictConfig) -> None:
    """Process every input; one that fails is recorded and the others go on.

    Raises
    ------
    StemnetError
        If nothing can be processed at all: no input, unreadable weights, an
        impossible setting; or, at the end, if some inputs failed.
    """
    checked_values(config, PREDICT)
    if config.threads:
        torch.set_num_threads(int(config.threads))
    job = _job(config)
    paths = _inputs(config)
    output = _output(config)
    if config.get("study"):
        from stemnet.doors.studying import study_from

        study_from(config, job, paths, output)
        return
    rows, failed = [], []
    names = unique_stems(paths)
    bar = tqdm(total=len(paths), disable=None, unit="file", leave=False)
    for path, name in zip(paths, names, strict=True):

        def progress(stage: str, done: int, steps: int, name: str = name) -> None:
            bar.set_description_str(f"{name}: {stage}" + (f" {done}/{steps}" if steps > 1 else ""))

        try:
            row = process(Path(path), output / name, job, _truth(config, Path(path)), progress)
        except StemnetError as problem:
            row = {"input": path, "status": "failed", "columns": 0, "message": str(problem)}
        except Exception as problem:
            # Not foreseen: the input is lost, the batch is not.
            words = f"stemnet could not process this input ({type(problem).__name__}: {problem})."
            row = {"input": path, "status": "failed", "columns": 0, "message": words}
        rows.append(row)
        bar.update()
        with bar.external_write_mode():
            _tell(row, output / name)
        if row["status"] == "failed":
            failed.append(path)
        storage.write_summary(output / "summary.csv", rows)
    bar.close()
    if failed and len(paths) > 1:
        raise StemnetError(
            f"{len(failed)} of {len(paths)} inputs failed; the reasons are above and in "
            f"{output / 'summary.csv'}."
        )
    if failed:
        sys.exit(1)


def _tell(row: Mapping[str, object], folder: Path) -> None:
    if row["status"] == "failed":
        print(f"stemnet: {row['message']}", file=sys.stderr)
        return
    said = f" {row['message']}" if row["message"] else ""
    low = " Low confidence." if row["status"] != "ok" else ""
    print(f"{row['input']}: {row['columns']} columns in {row['seconds']} s -> {folder}.{low}{said}")


def _inputs(config: DictConfig) -> list[str]:
    if config.input is None:
        study = config.get("study")
        names = [f"{name}.tif" for name in study.examples] if study else [EXAMPLE]
        return [str(resources.simulated_data() / name) for name in names]
    given = [config.input] if isinstance(config.input, str) else [str(item) for item in config.input]
    paths = expand_inputs(given)
    if not paths:
        raise StemnetError(f"input={config.input} names no file. Give a file, a folder, a glob, or a [list].")
    return paths


def _output(config: DictConfig) -> Path:
    """The folder that was named, or of a sweep the one of this run in it."""
    if not config.output:
        raise StemnetError(
            "output= names no folder. Give one for the results, or leave it out for 'results'."
        )
    folder = Path(config.output)
    if HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN:
        folder = Path(HydraConfig.get().runtime.output_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise StemnetError(
            f"output={config.output} cannot be made a folder ({problem.strerror}). Give one that can be written."
        ) from problem
    return folder


def _truth(config: DictConfig, path: Path) -> Path | None:
    """The truth that was named, or the one that lies beside a simulated example."""
    if config.truth is not None:
        return Path(config.truth)
    beside = path.with_name(f"{path.stem}.truth.csv")
    return beside if beside.is_file() else None


def _job(config: DictConfig) -> Job:
    weights = Path(config.checkpoint) if config.checkpoint else resources.weights()
    if config.device != "cpu" and not _available(config.device):
        raise StemnetError(
            f"device={config.device} was asked for, and torch finds none here. Leave it out to use the CPU."
        )
    return Job(
        checkpoint=checkpoint.load(weights),
        settings=Settings(config.threshold, config.significance, config.width, config.refine, config.views),
        sampling=config.sampling,
        signal=config.signal,
        describe=instantiate(config.descriptor),
        embedders=methods_of(config, "embedding"),
        clusterers=methods_of(config, "clustering"),
        clusters=config.clusters,
        seed=config.seed,
        device=config.device,
        model_selection=config.model_selection,
        figures=config.figures,
        overrides=_typed(),
        config=cast("dict[str, object]", OmegaConf.to_container(config, resolve=True)),
    )


def _typed() -> tuple[str, ...]:
    """The settings that were typed, or that a sweep set."""
    return tuple(HydraConfig.get().overrides.task) if HydraConfig.initialized() else ()


def methods_of(config: DictConfig, group: str) -> dict[str, Any]:
    """The methods of a group that were chosen, by name.

    Raises
    ------
    StemnetError
        If a method's library is not installed, or there is no file of its weights.
    """
    chosen = config.get(group) or {}
    for name, call in chosen.items():
        library = str(call["_target_"]).split(".")[0]
        if importlib.util.find_spec(library) is None:
            extra = f" 'stemnet[{EXTRAS[library]}]'" if library in EXTRAS else f" {library}"
            raise StemnetError(
                f"{group}={name} was asked for, and its library '{library}' is not installed. Install it by "
                f"pip install{extra}, or leave {name} out."
            )
    return {str(name): _made(call) for name, call in chosen.items()}


def _made(call: DictConfig) -> Any:
    """A method, or one that takes what was trained before, with the settings that it was trained with."""
    made = instantiate(call)
    return type(made).of(call["weights"]) if call.get("weights") else made


def _available(device: str) -> bool:
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError):
        return False
    return True
