"""The frozen simulated examples, read with their truth."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from stemnet import resources
from stemnet.columns import Columns
from stemnet.errors import StemnetError
from stemnet.reading import read_micrograph
from stemnet.simulation.simulator import Simulation
from stemnet.storage import read_columns_csv


def example_names() -> tuple[str, ...]:
    """Names of the frozen images, in the order of their manifest."""
    return tuple(_manifest(resources.simulated_data(), ("examples",)))


def movie_names() -> tuple[str, ...]:
    """Names of the frozen movies."""
    return tuple(_manifest(resources.simulated_data(), ("movies",)))


def load_example(name: str, folder: Path | None = None) -> Simulation:
    """Read a frozen example.

    Parameters
    ----------
    name : str
        One of `example_names` or `movie_names`.
    folder : Path, optional
        Where ``simulated_data/recipe.py --large`` wrote others; those that
        travel with the package if it is not given.

    Returns
    -------
    Simulation
        The micrograph with its dose [e-/A^2], voltage [kV] and semi-angle
        [mrad], the true columns with every planted value, whole columns that
        are missing, and maps of the planted fields at every ``field_step``-th
        pixel. Of a movie, the columns of all frames, with ``frame``, and
        ``frame_time`` [s] besides the dose of a frame. Columns of low ``signal_to_noise`` are there too.

    Raises
    ------
    StemnetError
        If there is no such example.
    """
    folder = resources.simulated_data() if folder is None else Path(folder)
    entries = _manifest(folder)
    if name not in entries:
        raise StemnetError(f"'{name}' is not a simulated example; choose one of {', '.join(entries)}.")
    entry = entries[name]
    micrograph = read_micrograph(folder / f"{name}.tif")
    conditions = {"dose": entry["microscope"]["dose"]}
    conditions |= {key: entry["microscope"]["probe"][key] for key in ("voltage", "semi_angle")}
    conditions |= {"frame_time": entry["frame_time"]} if "frame_time" in entry else {}
    columns = read_columns_csv(folder / f"{name}.truth.csv", micrograph.shape, micrograph.sampling)
    return Simulation(
        replace(micrograph, metadata={**micrograph.metadata, **conditions}),
        columns,
        _vacancies(folder / f"{name}.vacancies.csv", columns),
        _fields(folder / f"{name}.fields.npz"),
        entry["field_step"],
    )


def _vacancies(path: Path, columns: Columns) -> Columns:
    if path.is_file():
        return read_columns_csv(path, columns.shape, columns.sampling)
    return Columns(np.zeros((0, 2)), columns.shape, columns.sampling)


def _fields(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        return {}
    with np.load(path) as stored:
        return {name: stored[name].astype(np.float32) for name in stored.files}


def _manifest(folder: Path, kinds: tuple[str, ...] = ("examples", "movies")) -> dict[str, dict]:
    path = folder / "manifest.json"
    if not path.is_file():
        raise StemnetError(f"There is no {path}; install stemnet again, or run simulated_data/recipe.py.")
    manifest = json.loads(path.read_text(encoding="utf-8"))
    return {entry["name"]: entry for kind in kinds for entry in manifest.get(kind, ())}
