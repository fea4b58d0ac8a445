"""Every study against what was planted: ``python benchmarks/studies.py [--study NAME ...] [--seeds 2] [--json FILE]``.

Each study (``configs/study/``) runs on the bundled examples that it takes by
default, and on fresh draws of the same worlds; columns are detected by the
weights that come with stemnet, nothing is told. Prints every number that has
a truth or an aim, with the input it belongs to, and which aims are reached.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from strain_cases import cases
from tqdm import tqdm

from stemnet import resources
from stemnet.detection.matching import partners
from stemnet.detection.segmenter import find_columns
from stemnet.doors.refitting import with_halo
from stemnet.errors import StemnetError
from stemnet.models import checkpoint
from stemnet.runtime import prepare_process
from stemnet.simulation.examples import load_example
from stemnet.simulation.simulator import Simulation
from stemnet.studies import Findings, Measured, Truth

CASES_OF = "tilt_and_strain"
"""The study that has cases besides its examples."""
FRESH = 1000
"""Seeds from here on are those of fresh draws; the bundled examples have small ones."""


def main() -> int:
    """Run what was asked for; 1 if an aim was missed."""
    prepare_process()
    torch.set_num_threads(1)
    names = sorted(path.stem for path in (resources.configs() / "study").glob("*.yaml"))
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--study", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names)
    )
    parser.add_argument("--seeds", type=int, default=1, help="fresh draws of every world")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there as well")
    asked = parser.parse_args()
    rows: list[dict[str, object]] = []
    for name in asked.study:
        for seed in [None, *range(FRESH, FRESH + asked.seeds)]:
            rows += study_rows(name, seed)
    aims = [row["reached"] for row in rows if row["reached"]]
    print(f"\n{aims.count('yes')} of {len(aims)} aims are reached.")
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1))
    return 0 if aims.count("no") == 0 else 1


def study_rows(name: str, seed: int | None) -> list[dict[str, object]]:
    """Run one study on its bundled examples (seed None) or on fresh draws, print and return its rows."""
    config = OmegaConf.load(resources.configs() / "study" / f"{name}.yaml")
    draw = "bundled" if seed is None else f"seed {seed}"
    halo = bool(config.get("halo", False))
    inputs = [
        measured(str(one), seed, halo) for one in tqdm(config.examples, desc=f"{name}, {draw}", leave=False)
    ]
    function: Callable[..., Findings] = instantiate(config.method)
    rows = _rows(name, draw, inputs, function)
    for what, images, told in cases(seed) if name == CASES_OF else ():
        rows += _rows(
            name,
            f"{draw}, {what}",
            [_seen(one, image, halo) for one, image in images],
            partial(function, **told),
        )
    return rows


def _rows(
    name: str, draw: str, inputs: list[Measured], function: Callable[..., Findings]
) -> list[dict[str, object]]:
    """Run a study, print and return its rows."""
    began = time.process_time()
    try:
        found = function(inputs, seed=0)
    except StemnetError as problem:
        print(f"\n### {name}, {draw}\n\n{problem}")
        return [{"study": name, "draw": draw, "quantity": str(problem), "reached": "no"}]
    seconds = time.process_time() - began
    rows = [{"study": name, "draw": draw, **number.row()} for number in found.numbers]
    told = [row for row in rows if row["truth"] is not None or row["aim"]]
    print(f"\n### {name}, {draw} ({seconds:.1f} CPU s after the columns)\n\n{found.summary}\n")
    print(
        "| input | quantity | value | sigma | truth | unit | aim | reached |\n|---|---|---|---|---|---|---|---|"
    )
    for row in told:
        cells = (
            row[key] for key in ("input", "quantity", "value", "sigma", "truth", "unit", "aim", "reached")
        )
        print("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return rows


@cache
def measured(name: str, seed: int | None, halo: bool = False) -> Measured:
    """A bundled example, or a fresh draw of its world, with the columns that are found in it."""
    simulation = load_example(name) if seed is None else drawn(name, seed)
    return _seen(name, simulation, halo)


def _seen(name: str, simulation: Simulation, halo: bool) -> Measured:
    """A simulated image with the columns that are found in it."""
    found = find_columns(simulation.micrograph, weights())
    found = with_halo(simulation.micrograph, found) if halo else found
    true = simulation.columns
    partner = partners(found.columns, true, found.width if np.isfinite(found.width) else 3.0)
    truth = Truth(true, partner, simulation.fields, simulation.field_step, simulation.vacancies)
    notes = (*found.reasons, *found.notes)
    return Measured(name, simulation.micrograph, found.columns, truth, found.confident, notes)


def drawn(name: str, seed: int) -> Simulation:
    """A fresh draw of the world of a bundled example."""
    manifest = json.loads((resources.simulated_data() / "manifest.json").read_text(encoding="utf-8"))
    world = next(
        entry["world"] for entry in (*manifest["examples"], *manifest["movies"]) if entry["name"] == name
    )
    module, _, function = world.rpartition(".")
    make = getattr(importlib.import_module(module), function)
    return make(np.random.default_rng([seed, 0])).simulation(seed, name)


@cache
def weights() -> checkpoint.Checkpoint:
    """The weights that come with stemnet."""
    return checkpoint.load(resources.weights())


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
