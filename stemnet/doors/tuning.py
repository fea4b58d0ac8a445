"""Going on from weights that there are, on a crystal of the user's."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from stemnet import resources
from stemnet.doors.values import axis_of
from stemnet.errors import StemnetError
from stemnet.models.checkpoint import NETWORKS, Checkpoint, load
from stemnet.simulation.library import crystal
from stemnet.simulation.priors import Mixture, SpecimenPrior, only
from stemnet.simulation.simulator import Simulator
from stemnet.training.validation import HeldOut

SHIPPED = "shipped"
FROM_THE_CARD = ("model", "normalization", "working_width")
FORGOTTEN = 0.01
"""A loss of F1 from which forgetting is said; less is the noise of a hundred examples."""


@dataclass(frozen=True)
class Subject:
    """What is trained on, with what it is judged by.

    Parameters
    ----------
    simulator : Simulator
    held_out : tuple of HeldOut
        Of the crystal, and of everything else; empty where no crystal was named.
    crystal : str or None
        Its name with the axis.
    """

    simulator: Simulator
    held_out: tuple[HeldOut, ...] = ()
    crystal: str | None = None


def initial_weights(config: DictConfig, typed: Sequence[str]) -> Checkpoint | None:
    """The weights to start from; network, normalization and working width of the config become theirs.

    Parameters
    ----------
    config : DictConfig
        Is changed.
    typed : sequence of str
        Settings as they were typed: of these one may disagree with the weights.

    Raises
    ------
    StemnetError
        If there are no such weights, or a typed setting is not theirs.
    """
    if config.initial is None:
        return None
    path = resources.weights() if config.initial == SHIPPED else Path(config.initial)
    initial = load(path, "initial")
    card = initial.card
    theirs: dict[str, Any] = {
        "model": dict(card.network),
        "normalization": {**_plain(config.normalization), **card.normalization},
        "working_width": card.working_width,
    }
    for name in FROM_THE_CARD:
        asked = _plain(config[name])
        given = any(re.match(rf"[+~]*{name}(?:[.@=]|$)", word) for word in typed)
        if given and _whole(asked) != _whole(theirs[name]):
            raise StemnetError(
                f"{name} is {_shown(asked)} in the settings and {_shown(theirs[name])} in the weights of "
                f"initial={config.initial}; leave {name} out, or start from other weights."
            )
        config[name] = theirs[name]
    return initial


def subject(config: DictConfig, simulator: Simulator, examples: int) -> Subject:
    """What to train on: the simulator as it is, or one crystal and a share of that.

    Raises
    ------
    StemnetError
        If the crystal or its axis is none.
    """
    if config.crystal is None:
        if config.axis is not None:
            raise StemnetError(
                f"axis={config.axis} was given without a crystal; give crystal=, or leave it out."
            )
        return Subject(simulator)
    grown = crystal(str(config.crystal), axis_of(config.axis))
    wide = cast(SpecimenPrior, simulator.specimen)
    one = only(wide, grown)
    return Subject(
        replace(simulator, specimen=Mixture(one, wide, float(config.remember))),
        (
            HeldOut("crystal", replace(simulator, specimen=one), examples),
            HeldOut("everything", simulator, examples),
        ),
        grown.name,
    )


def comparison(scores: Mapping[str, float], crystal_name: str) -> str:
    """Scores before and after as a table, and in words whether it helped and whether anything was forgotten."""
    lines = [f"{'':32s}{'F1 before':>11s}{'after':>9s}{'RMSE before':>14s}{'after [px]':>12s}"]
    for name, words in (("crystal", crystal_name), ("everything", "everything else")):
        lines.append(
            f"{words:32s}{scores[f'{name}_f1_before']:>11.3f}{scores[f'{name}_f1_after']:>9.3f}"
            f"{scores[f'{name}_rmse_before']:>14.3f}{scores[f'{name}_rmse_after']:>12.3f}"
        )
    gained = scores["crystal_f1_after"] - scores["crystal_f1_before"]
    lost = scores["everything_f1_before"] - scores["everything_f1_after"]
    if gained <= 0:
        lines.append(f"{crystal_name} is found no better than before: keep the initial weights.")
    if lost > FORGOTTEN:
        lines.append(
            f"Something was forgotten: F1 on everything else fell by {lost:.3f}. Use these weights for "
            f"{crystal_name} alone, or train again with a larger remember= or a lower learning_rate=."
        )
    else:
        lines.append(f"Nothing was forgotten: F1 on everything else fell by no more than {FORGOTTEN}.")
    return "\n".join(lines)


def _plain(value: Any) -> Any:
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def _whole(value: Any) -> Any:
    """A network's arguments with those that were left to the signature."""
    if not isinstance(value, dict) or value.get("_target_") not in NETWORKS:
        return (
            {key: part for key, part in value.items() if key != "_target_"}
            if isinstance(value, dict)
            else value
        )
    signature = inspect.signature(NETWORKS[value["_target_"]])
    filled = {name: parameter.default for name, parameter in signature.parameters.items()}
    return {**filled, **value}


def _shown(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    return "{" + ", ".join(f"{key}: {part}" for key, part in value.items() if key != "_target_") + "}"
