"""The runs of a sweep, read from the folders that they left."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from omegaconf import OmegaConf

from stemnet import storage
from stemnet.errors import StemnetError
from stemnet.models import weights_file

FREE = ("input", "output", "threads", "device", "figures", "quiet", "workers", "resume")
"""Settings in which the runs of a sweep may differ without being told apart by it."""

Row = dict[str, object]


@dataclass(frozen=True)
class Run:
    """What one run left.

    Parameters
    ----------
    name : str
        Its folder, relative to that of the sweep.
    kind : str
        ``predict`` or ``train``.
    overrides : mapping of str to str
        Settings that were typed or swept.
    rows : tuple of dict
        Of predicting one for each input and method: ``input``, ``method``, and
        the numbers of ``comparison.csv``. Of training one, of scores.
    """

    name: str
    kind: str
    overrides: Mapping[str, str]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Sweep:
    """The runs that can be compared, and what is left out.

    Parameters
    ----------
    runs : tuple of Run
    varied : tuple of str
        Settings in which they differ.
    left_out : tuple of str
        A sentence for each run or input that has no results, and why.
    """

    runs: tuple[Run, ...]
    varied: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def kind(self) -> str:
        """``predict`` or ``train``."""
        return self.runs[0].kind


def read_sweep(folder: Path, watched: Iterable[Path] | None = None) -> Sweep:
    """Read all runs below a folder.

    Parameters
    ----------
    folder : Path
    watched : iterable of Path, optional
        The candidates of `run_folders`, in a progress bar.

    Returns
    -------
    Sweep

    Raises
    ------
    StemnetError
        If there is no finished run, or the runs are not of one sweep.
    """
    if not folder.is_dir():
        raise StemnetError(
            f"There is no folder {folder}. Give the folder of a sweep, output= or hydra.sweep.dir= of its -m."
        )
    runs: list[Run] = []
    left_out: list[str] = []
    for path in watched if watched is not None else run_folders(folder):
        name = path.relative_to(folder).as_posix()
        run, gaps = read_run(path, name)
        runs += [run] if run else []
        left_out += gaps
    left_out += _never_begun(folder)
    if not runs:
        why = f" ({' '.join(left_out)})" if left_out else ""
        raise StemnetError(
            f"{folder} holds no finished run{why}. Give the folder of a sweep of predict.py -m or train.py -m."
        )
    _of_one_sweep(folder, runs)
    names = [key for key in runs[0].overrides if key not in FREE]
    varied = tuple(key for key in names if len({run.overrides[key] for run in runs}) > 1)
    inputs = {str(row.get("input", "")) for run in runs for row in run.rows}
    for run in runs:
        missing = inputs - {str(row.get("input", "")) for row in run.rows}
        # an input that failed has said so already
        missing = {one for one in missing if not any(one in sentence for sentence in left_out)}
        left_out += [f"Run {run.name} has no results of {', '.join(sorted(missing))}."] if missing else []
    return Sweep(tuple(runs), varied, tuple(left_out))


def read_run(path: Path, name: str) -> tuple[Run | None, list[str]]:
    """What one run left in its folder, None if nothing that can be compared; and what is missing, in sentences."""
    return _trained(path, name) if (path / "config" / "overrides.yaml").is_file() else _predicted(path, name)


def run_folders(folder: Path) -> list[Path]:
    """Folders below one that a run made, finished or not, in the order of their numbers."""
    found = {path.parent.parent for path in folder.rglob("config/overrides.yaml")}
    found |= {path.parent.parent for path in folder.rglob("metrics.json")}
    found |= {path.parent for path in folder.rglob("summary.csv")}
    # a run that was cut off before its first input left an empty folder
    found |= {path for path in folder.iterdir() if path.is_dir() and re.fullmatch(r"\d+", path.name)}
    nested = {path for path in found if any(other in found for other in path.parents if other != folder)}
    within = found - nested
    return sorted(within - {folder} if len(within) > 1 else within, key=_natural)


def _natural(path: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", path.as_posix())]


def _predicted(path: Path, name: str) -> tuple[Run | None, list[str]]:
    rows: list[Row] = []
    left_out: list[str] = []
    overrides: Mapping[str, str] | None = None
    summary = path / "summary.csv"
    for one in storage.read_rows(summary) if summary.is_file() else []:
        if one["status"] == "failed":
            left_out.append(f"Run {name} failed on {one['input']}: {one['message']}")
    for result in sorted(item for item in path.iterdir() if item.is_dir()):
        if not (result / "metrics.json").is_file():
            left_out.append(f"Run {name} did not finish {result.name}.")
            continue
        metrics = json.loads((result / "metrics.json").read_text(encoding="utf-8"))
        if "study" in metrics:
            left_out.append(
                f"Run {name} is the study {metrics['study']}; numbers of studies are not gathered."
            )
        elif "overrides" not in metrics or not (result / "comparison.csv").is_file():
            left_out.append(
                f"Run {name}: {result.name} does not say with which settings it was made, or compares none."
            )
        else:
            overrides = _settings(metrics["overrides"])
            table = storage.read_rows(result / "comparison.csv")
            rows += [
                {"input": result.name, **{key: _number(cell) for key, cell in row.items()}} for row in table
            ]
            left_out += [] if table else [f"Run {name}: {result.name} has too few columns for any method."]
    if overrides is None and not left_out:
        left_out.append(f"Run {name} did not finish: it left no results.")
    return (
        Run(name, "predict", overrides, tuple(rows)) if overrides is not None and rows else None
    ), left_out


def _trained(path: Path, name: str) -> tuple[Run | None, list[str]]:
    typed = [str(one) for one in OmegaConf.load(path / "config" / "overrides.yaml")]
    weights = path / "weights.safetensors"
    if not weights.is_file():
        return None, [f"Run {name} ({' '.join(typed)}) was not trained to its end."]
    advice = "Train it again, or take its folder out of the sweep."
    header, _ = weights_file.read(weights, advice, advice)
    # an autoencoder keeps its card apart from what it needs
    method, card = ("autoencoder", header["card"]) if "card" in header else ("network", header)
    return Run(name, "train", _settings(typed), ({"method": method, **card["scores"]},)), []


def _settings(typed: Sequence[str]) -> dict[str, str]:
    """Settings by name, without signs and quotes; those of Hydra itself left out."""
    pairs = (one.lstrip("+~").partition("=") for one in typed)
    return {key: value.strip("'\"") for key, _, value in pairs if not key.startswith("hydra")}


def _number(cell: str) -> object:
    try:
        return float(cell) if cell else math.nan
    except ValueError:
        return cell


def _never_begun(folder: Path) -> list[str]:
    """Runs that the sweep would have made."""
    plan = folder / "multirun.yaml"
    if not plan.is_file():
        return []
    from hydra.core.override_parser.overrides_parser import OverridesParser

    typed = [str(one) for one in OmegaConf.load(plan).hydra.overrides.task]
    parsed = OverridesParser.create().parse_overrides(typed)
    count = math.prod(len(list(one.sweep_string_iterator())) for one in parsed if one.is_sweep_override())
    missing = [str(number) for number in range(count) if not (folder / str(number)).is_dir()]
    return [f"Of {count} runs these never began: {', '.join(missing)}."] if missing else []


def _of_one_sweep(folder: Path, runs: Sequence[Run]) -> None:
    kinds = {run.kind for run in runs}
    if len(kinds) > 1:
        raise StemnetError(
            f"{folder} holds runs of predict.py and of train.py, which have no numbers in common. Gather their folders "
            "one by one."
        )
    groups: dict[tuple[str, ...], list[str]] = {}
    for run in runs:
        groups.setdefault(tuple(sorted(set(run.overrides) - set(FREE))), []).append(run.name)
    if len(groups) > 1:
        said = "; ".join(
            f"{', '.join(names)} set {', '.join(keys) or 'nothing'}" for keys, names in groups.items()
        )
        raise StemnetError(
            f"{folder} holds runs of several sweeps: {said}. Gather folders of one sweep, or run all with the same "
            "settings named."
        )
