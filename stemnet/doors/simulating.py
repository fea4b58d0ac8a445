"""From a Hydra config to a dataset."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, ListConfig, OmegaConf
from tqdm import tqdm

from stemnet.doors.values import SIMULATE, axis_of, checked_values
from stemnet.errors import StemnetError
from stemnet.simulation.dataset import read_dataset
from stemnet.simulation.dataset_file import Contents, DatasetFile
from stemnet.simulation.dataset_folder import DatasetFolder, occupied
from stemnet.simulation.library import crystal
from stemnet.simulation.rendering import render
from stemnet.simulation.sources import Drawn, Movies, NamedWorld, OneCrystal, Stills
from stemnet.simulation.streaming import batches

FILES = (".h5", ".hdf5", ".he5")
IMAGES, SIDE = 1000, 256
BYTES_A_PIXEL = 100
"""What making an image takes at its peak, about."""
PIXELS_AT_ONCE = 2**21
NOT_OF_THE_IMAGES = ("output", "count", "overwrite", "continue", "workers", "threads", "quiet")
"""Settings that change no image: a dataset may be gone on with under others."""


def simulate_from(config: DictConfig) -> None:
    """Make a dataset as a config says.

    Raises
    ------
    StemnetError
        If a value in the config is impossible, or the output cannot be written.
    """
    checked_values(config, SIMULATE)
    if config.threads:
        torch.set_num_threads(int(config.threads))
    begun = time.perf_counter()
    source, count = _source(config)
    settings = _settings(config)
    config.output = _output(config)
    done = _already(config, settings)
    if done >= count:
        print(f"{config.output} holds {done} images; {count} were asked for, so there is nothing to do.")
        return
    # What is wrong with the settings shows with the first image, before there is a file.
    shape = source.example(done).scene.shape
    writer = DatasetFolder if _folder(config) else DatasetFile
    sink = writer(config.output, _contents(config), settings, resume=done > 0)
    size = max(1, min(32, PIXELS_AT_ONCE // (shape[0] * shape[1])))
    columns = 0
    with (
        _asked_to_stop() as stopping,
        tqdm(
            total=count, initial=done, unit="image", delay=2, leave=False, disable=config.quiet or None
        ) as bar,
    ):
        try:
            for examples in batches(source, done, count, size, config.workers):
                scenes = [example.scene for example in examples]
                images = render(scenes).numpy()
                sink.append(images, examples)
                columns += sum(int(scene.within_frame(scene.apparent).sum()) for scene in scenes)
                bar.update(len(examples))
                if stopping() and len(sink) < count:
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            bar.close()
            print(
                f"stemnet: interrupted; {config.output} holds {len(sink)} of {count} images and is whole. "
                "The same command with continue=true goes on.",
                file=sys.stderr,
            )
            sys.exit(130)
        except OSError as problem:
            raise StemnetError(
                f"{config.output} could not be written further ({problem.strerror or problem}); it holds "
                f"{len(sink)} of {count} images. Make room and go on with continue=true."
            ) from problem
        finally:
            sink.close()
    if not config.quiet:
        print(
            f"{count - done} images of {shape[0]} x {shape[1]} px with {columns} columns in "
            f"{time.perf_counter() - begun:.1f} s -> {config.output}"
        )


def _source(config: DictConfig) -> tuple[Stills | Movies, int]:
    """What makes the images, and how many there will be."""
    if config.world and config.crystal:
        raise StemnetError(f"world={config.world} and crystal={config.crystal} were given; give one of them.")
    if config.axis is not None and not config.crystal:
        raise StemnetError(f"axis={config.axis} was given without a crystal; give crystal=, or leave it out.")
    shape = _shape(config)
    subject: NamedWorld | Drawn
    if config.world:
        subject = NamedWorld(str(config.world), shape, config.sampling, config.dose)
    else:
        specimen: Any
        if config.crystal:
            grown = crystal(str(config.crystal), axis_of(config.axis))
            specimen = OneCrystal(
                grown, config.thickness, config.orientation, float(config.vacancy), float(config.disorder)
            )
        else:
            specimen = instantiate(config.specimen, _convert_="all")
        microscope = instantiate(config.microscope, _convert_="all")
        subject = Drawn(specimen, microscope, shape or (SIDE, SIDE), config.sampling, config.dose)
    if config.frames is None:
        return Stills(subject, config.seed, config.split), config.count or IMAGES
    motions = instantiate(config.movie, _convert_="all")
    movies = Movies(subject, config.seed, config.split, config.frames, motions, float(config.seconds))
    return movies, (config.count or 1) * config.frames


def _shape(config: DictConfig) -> tuple[int, int] | None:
    """Rows and columns, if they were given; an image that fits in memory."""
    given = config.shape
    if given is None:
        return None
    rows, columns = (int(side) for side in given) if isinstance(given, ListConfig) else (int(given),) * 2
    needed, there = rows * columns * BYTES_A_PIXEL, _memory()
    if needed > there:
        raise StemnetError(
            f"shape={rows} x {columns} would need about {needed / 2**30:.3g} GiB of memory, and this machine has "
            f"{there / 2**30:.3g} GiB; give a smaller shape."
        )
    return rows, columns


def _memory() -> float:
    """Bytes of memory; 16 GiB where the system does not say."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return 16 * 2.0**30


def _folder(config: DictConfig) -> bool:
    return Path(str(config.output)).suffix.lower() not in FILES


def _contents(config: DictConfig) -> Contents:
    return Contents(
        config.dtype,
        config.compression,
        config.step if config.fields else None,
        config.masks,
        float(config.mask_radius),
    )


def _settings(config: DictConfig) -> dict[str, Any]:
    """Resolved, in plain types: what decides on the images."""
    plain = cast("dict[str, Any]", OmegaConf.to_container(config, resolve=True))
    return {key: value for key, value in plain.items() if key not in NOT_OF_THE_IMAGES}


def _output(config: DictConfig) -> str:
    """What was named, or of a sweep that in the folder of this run."""
    if not config.output:
        raise StemnetError("output= names nothing. Give a file that ends in .h5, or a folder.")
    if HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN:
        return str(Path(HydraConfig.get().runtime.output_dir) / Path(config.output).name)
    return str(config.output)


def _already(config: DictConfig, settings: Mapping[str, Any]) -> int:
    """How many images are there to go on with; 0 if it is to begin anew."""
    path = Path(config.output)
    there = occupied(path) if _folder(config) else path.exists()
    if not there or config.overwrite:
        return 0
    if not config["continue"]:
        raise StemnetError(
            f"{path} exists already. Give another output=, or overwrite=true to replace it, or continue=true to go on "
            "with it."
        )
    if _folder(config):
        return _count_in(path, settings)
    dataset = read_dataset(path)
    _same(dataset.settings, settings, path)
    return len(dataset)


def _count_in(path: Path, settings: Mapping[str, Any]) -> int:
    try:
        former = json.loads((path / "settings.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise StemnetError(f"{path} holds no dataset to go on with; give another output=.") from problem
    _same(former, settings, path)
    count = 0
    while (path / f"{count:06d}.truth.csv").is_file():
        count += 1
    return count


def _same(former: Mapping[str, Any], settings: Mapping[str, Any], path: Path) -> None:
    differ = [key for key in settings if former.get(key) != settings[key]]
    if differ:
        raise StemnetError(
            f"{path} was made with {differ[0]}={former.get(differ[0])}, and {settings[differ[0]]} is asked for now; "
            "go on with the same settings, or give another output=."
        )


@contextmanager
def _asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Let an interruption, by a user or a scheduler, wait until a batch is written; a second one does not wait."""
    asked: list[int] = []

    def note(number: int, frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    former = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
