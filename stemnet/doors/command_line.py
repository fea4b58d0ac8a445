"""The doors: what the scripts beside the package, ``-m stemnet.simulation`` and the installed commands run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from stemnet import __version__, resources
from stemnet.doors.overrides import checked, spelled
from stemnet.errors import StemnetError
from stemnet.runtime import prepare_process

if TYPE_CHECKING:
    from omegaconf import DictConfig


def train() -> None:
    """Train a network on simulated lattices; see ``--help``."""
    _enter("train", _train)


def predict() -> None:
    """Find and describe the columns of micrographs; see ``--help``."""
    _enter("predict", _predict)


def simulate() -> None:
    """Simulate a dataset; see ``--help``."""
    _enter("simulate", _simulate)


def gather() -> None:
    """Gather the runs of a sweep; see ``--help``."""
    _enter("gather", _gather)


def search() -> None:
    """Search for the settings that give the best number; see ``--help``."""
    _enter("search", _search)


BARE = {"predict": "input", "gather": "folder"}
"""Setting that words without a key belong to."""


def _enter(config_name: str, job: Callable[[DictConfig], object]) -> None:
    """Spell the command line for Hydra, check it, and run the job with one-sentence errors."""
    if "--version" in sys.argv[1:]:
        print(f"stemnet {__version__}")
        return
    prepare_process()
    import hydra

    try:
        arguments = spelled(sys.argv[1:], bare=BARE.get(config_name))
        checked(config_name, arguments)
    except StemnetError as problem:
        _stop(problem)
    sys.argv[1:] = arguments

    def guarded(config: DictConfig) -> object:
        try:
            return job(config)
        except StemnetError as problem:
            _stop(problem)
        except Exception as problem:
            if os.environ.get("HYDRA_FULL_ERROR"):
                raise
            _stop(StemnetError(_unforeseen(problem)))

    hydra.main(version_base="1.3", config_path=str(resources.configs()), config_name=config_name)(guarded)()


def _stop(problem: StemnetError) -> NoReturn:
    print(f"stemnet: {problem}", file=sys.stderr)
    sys.exit(1)


def _unforeseen(problem: Exception) -> str:
    """One sentence for what no check foresaw: settings that a constructor refuses, a full disk."""
    cause = problem.__cause__ or problem
    words = " ".join(str(cause).split("full_key")[0].split())
    return (
        f"This could not be done with these settings ({type(cause).__name__}: {words}). "
        "See --help for the settings, or set HYDRA_FULL_ERROR=1 to see where it happened."
    )


def _train(config: DictConfig) -> float:
    """Run one training; returns the F1, which a sweeper can optimize."""
    from stemnet.doors.training import train_from

    return train_from(config)


def _predict(config: DictConfig) -> None:
    from stemnet.doors.predicting import predict_from

    predict_from(config)


def _simulate(config: DictConfig) -> None:
    from stemnet.doors.simulating import simulate_from

    simulate_from(config)


def _gather(config: DictConfig) -> None:
    from stemnet.doors.gathering import gather_from

    gather_from(config)


def _search(config: DictConfig) -> None:
    from stemnet.doors.searching import search_from

    search_from(config)
