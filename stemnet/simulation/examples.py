"""The frozen simulated examples, read with their truth."""

from __future__ import annotations

import json
from dataclasses import replace

from stemnet import resources
from stemnet.errors import StemnetError
from stemnet.reading import read_micrograph
from stemnet.simulation.simulator import Simulation
from stemnet.storage import read_columns_csv


def example_names() -> tuple[str, ...]:
    """Names of the frozen examples, in the order of their manifest."""
    return tuple(_manifest())


def load_example(name: str) -> Simulation:
    """Read a frozen example.

    Parameters
    ----------
    name : str
        One of `example_names`.

    Returns
    -------
    Simulation
        The micrograph with its dose [e-/A^2], voltage [kV] and semi-angle
        [mrad], and the true columns with every planted field; columns of low
        ``signal_to_noise`` are there too.

    Raises
    ------
    StemnetError
        If there is no such example.
    """
    entries = _manifest()
    if name not in entries:
        raise StemnetError(f"'{name}' is not a simulated example; choose one of {', '.join(entries)}.")
    folder, microscope = resources.simulated_data(), entries[name]["microscope"]
    micrograph = read_micrograph(folder / f"{name}.tif")
    conditions = {"dose": microscope["dose"]}
    conditions |= {key: microscope["probe"][key] for key in ("voltage", "semi_angle")}
    columns = read_columns_csv(folder / f"{name}.truth.csv", micrograph.shape, micrograph.sampling)
    return Simulation(replace(micrograph, metadata={**micrograph.metadata, **conditions}), columns)


def _manifest() -> dict[str, dict]:
    path = resources.simulated_data() / "manifest.json"
    if not path.is_file():
        raise StemnetError(f"There is no {path}; install stemnet again, or run simulated_data/recipe.py.")
    return {entry["name"]: entry for entry in json.loads(path.read_text(encoding="utf-8"))["examples"]}
