"""From a Hydra config to a search: trials that Optuna proposes, each run in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from tqdm import tqdm

from stemnet import storage
from stemnet.doors.sweep_runs import read_run
from stemnet.errors import StemnetError

FOLDER = {"train": "hydra.run.dir", "predict": "output"}
"""Setting of each door that names a run's folder."""


@dataclass(frozen=True)
class Space:
    """What is searched, and for what.

    Parameters
    ----------
    door : str
        ``train`` or ``predict``.
    number : str
        Of training a score, such as ``f1``; of predicting ``method.number`` of
        ``comparison.csv``, whose mean over the inputs counts.
    direction : str
        ``maximize`` or ``minimize``.
    settings : mapping
        Of every trial.
    vary : mapping
        Per setting a list to choose from, or ``low``, ``high`` and perhaps
        ``log``; between whole numbers, whole numbers.

    Raises
    ------
    StemnetError
        If a value is impossible.
    """

    door: str
    number: str
    direction: str
    settings: Mapping[str, Any]
    vary: Mapping[str, Any]

    def __post_init__(self) -> None:
        if self.door not in FOLDER or self.direction not in ("maximize", "minimize") or not self.vary:
            raise StemnetError(
                f"A search of door={self.door}, direction={self.direction} over {len(self.vary)} settings was asked "
                "for; give door train or predict, direction maximize or minimize, and settings to vary."
            )


def search_from(config: DictConfig) -> None:
    """Run trials until there are as many as asked for; those of an earlier call count.

    Raises
    ------
    StemnetError
        If Optuna is missing, the folder holds another search, or no trial can be run.
    """
    space: Space = instantiate(config.space)
    folder = Path(config.folder)
    study, begun = _study(folder, space, int(config.seed))
    settings = [
        *typed_settings(space.settings),
        *typed_settings(cast("dict[str, Any]", OmegaConf.to_container(config.settings))),
    ]
    done = len(study.get_trials(states=[begun.COMPLETE]))
    for _ in tqdm(range(done, config.trials), initial=done, total=config.trials, disable=None, unit="trial"):
        trial = study.ask()
        typed = [f"{name}={_proposed(trial, name, what)}" for name, what in space.vary.items()]
        value, problem = _run(space, folder, str(trial.number), [*settings, *typed])
        study.tell(trial, value, state=begun.FAIL if value is None else begun.COMPLETE)
        with tqdm.external_write_mode():
            print(
                f"{trial.number}: {' '.join(typed)}: {problem if value is None else f'{space.number} {value:.5g}'}"
            )
        if not study.get_trials(states=[begun.COMPLETE]):
            raise StemnetError(f"The first trial could not be run, so none would: {problem}")
    rows = [
        {"trial": one.number, "state": one.state.name.lower(), **one.params, space.number: one.value}
        for one in study.get_trials()
    ]
    storage.write_rows(folder / "search.csv", rows)
    best = study.best_trial
    said = " ".join(f"{name}={value}" for name, value in best.params.items())
    print(f"Best of {len(rows)}: trial {best.number}, {space.number} {best.value:.5g} with {said}")
    print(f"-> {folder / 'search.csv'}")


def _study(folder: Path, space: Space, seed: int) -> tuple[Any, Any]:
    """The study kept in a folder, or a new one; and Optuna's words for the states of trials."""
    try:
        import optuna
    except ImportError as problem:
        raise StemnetError(
            "A search needs Optuna, which is not installed. Install it by pip install 'stemnet[sweep]', or sweep over "
            "values that you name with -m."
        ) from problem
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=f"sqlite:///{(folder / 'search.db').resolve()}",
        study_name="search",
        direction=space.direction,
        load_if_exists=True,
    )
    now = json.dumps(asdict(space), sort_keys=True)
    if study.user_attrs.setdefault("space", now) != now:
        raise StemnetError(
            f"{folder} holds a search of another space or for another number. Give another folder=, or the same space=."
        )
    study.set_user_attr("space", now)
    states = optuna.trial.TrialState
    for cut_off in study.get_trials(states=[states.RUNNING]):
        study.tell(cut_off.number, state=states.FAIL)
    # a seed that stayed the same would propose the same again after a pause
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.get_trials()))
    return study, states


def _proposed(trial: Any, name: str, what: Any) -> Any:
    if not isinstance(what, Mapping):
        return trial.suggest_categorical(name, list(what))
    low, high, log = what["low"], what["high"], bool(what.get("log", False))
    suggest = trial.suggest_int if isinstance(low, int) and isinstance(high, int) else trial.suggest_float
    return suggest(name, low, high, log=log)


def typed_settings(settings: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Settings as they are typed; those below others with a dot."""
    typed = []
    for name, value in settings.items():
        below = isinstance(value, Mapping)
        typed += typed_settings(value, f"{prefix}{name}.") if below else [f"{prefix}{name}={_spelled(value)}"]
    return typed


def _spelled(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_spelled, value))}]"
    return value if isinstance(value, str) else json.dumps(value)


def _run(space: Space, folder: Path, name: str, settings: Sequence[str]) -> tuple[float | None, str]:
    """The number of one run, or None and why there is none."""
    place, log = folder / name, folder / f"{name}.log"
    code = f"from stemnet.doors.command_line import {space.door}; {space.door}()"
    with log.open("w", encoding="utf-8") as file:
        command = [sys.executable, "-c", code, *settings, f"{FOLDER[space.door]}={place}"]
        subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False)
    run, left_out = read_run(place, name) if place.is_dir() else (None, [])
    method, _, number = space.number.rpartition(".")
    rows = [row for row in run.rows if not method or row["method"] == method] if run else []
    values = [value for row in rows if isinstance(value := row.get(number), float) and np.isfinite(value)]
    if values:
        return float(np.mean(values)), ""
    said = log.read_text(encoding="utf-8").strip().splitlines()
    why = left_out or said[-1:] or ["it said nothing"]
    return None, f"no {space.number} ({' '.join(why)})"
