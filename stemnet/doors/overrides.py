"""From what a user types to what Hydra understands.

Hydra's override grammar gives commas, parentheses, spaces and equals signs a
meaning, which file names do not know of. Names of files are quoted here, and a
misspelt key is answered with the nearest one that exists.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from stemnet import resources
from stemnet.errors import StemnetError

FILE_KEYS = ("input", "output", "checkpoint", "resume", "truth")
"""Keys whose value is a file or folder name, taken literally."""


OTHER_CONFIGS = {"--config-dir", "-cd", "--config-name", "-cn", "--config-path", "-cp", "--package", "-p"}
"""Flags of people who bring their own configs; Hydra alone knows what these hold."""


def spelled(arguments: Sequence[str], bare: str | None) -> list[str]:
    """Rewrite a command line so that Hydra reads file names literally.

    Parameters
    ----------
    arguments : sequence of str
        As typed, without the program's name.
    bare : str or None
        Key that arguments without a key belong to; None if there is none.

    Returns
    -------
    list of str

    Raises
    ------
    StemnetError
        If a bare argument is given where none is understood.
    """
    result: list[str] = []
    files: list[str] = []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if argument.startswith("-"):
            result.append(argument)
        elif Path(argument).exists() and bare is not None and not (equals and key in FILE_KEYS):
            files.append(argument)
        elif equals and re.fullmatch(r"[+~]{0,2}[\w./@:-]+", key):
            result.append(f"{key}={_value(value)}" if key in FILE_KEYS else argument)
        elif bare is not None:
            files.append(argument)
        elif "/" in argument or argument.startswith("~"):
            result.append(argument)
        else:
            raise StemnetError(
                f"'{argument}' is not a setting; settings are written key=value. See --help for the keys."
            )
    if files:
        result.append(f"{bare}=[{','.join(_quoted(name) for name in files)}]")
    return result


def _value(value: str) -> str:
    """A file name, or a bracketed list of them."""
    if value.startswith("[") and value.endswith("]") and not Path(value).exists():
        names = [name.strip().strip("'\"") for name in value[1:-1].split(",")]
        return f"[{','.join(_quoted(name) for name in names if name)}]"
    if value in ("", "null"):
        return "null"
    return _quoted(value.strip("'") if value.startswith("'") and value.endswith("'") else value)


def _quoted(name: str) -> str:
    """Quote for Hydra's grammar and for OmegaConf's interpolation."""
    escaped = re.sub(r"(\\*)'", lambda match: match[1] * 2 + r"\'", name)
    if escaped.endswith("\\"):
        escaped += "\\" * (len(escaped) - len(escaped.rstrip("\\")))
    return "'" + escaped.replace("${", r"\${") + "'"


def checked(config_name: str, arguments: Sequence[str]) -> None:
    """Compose the config once to answer mistakes in words.

    Raises
    ------
    StemnetError
        If a key or a group's choice does not exist, or an override cannot be read.
    """
    if any(argument in ("--help", "-h", "--hydra-help", "--version") for argument in arguments):
        return
    from hydra import compose, initialize_config_dir
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    typed = [argument for argument in arguments if not argument.startswith("-")]
    if OTHER_CONFIGS & set(arguments):
        return
    try:
        parsed = OverridesParser.create().parse_overrides(typed)
        # Dict-valued overrides such as model={base: 8} are Hydra's own; sweeps are checked run by run.
        single = [
            override.input_line
            for override in parsed
            if not override.is_sweep_override() and not override.key_or_group.startswith("hydra")
        ]
        for override in parsed:
            # Hydra passes over an optional group's unknown choice in silence.
            if override.key_or_group == "experiment" and not override.is_sweep_override():
                _known_choice("experiment", str(override.value()))
        with initialize_config_dir(str(resources.configs()), version_base="1.3"):
            compose(config_name, overrides=single)
    except (HydraException, OmegaConfBaseException) as problem:
        raise StemnetError(_explained(config_name, str(problem), typed)) from None


def _known_choice(group: str, name: str) -> None:
    have = sorted(path.stem for path in (resources.configs() / group).glob("*.yaml"))
    if name not in (*have, "null"):
        raise StemnetError(f"There is no {group} called '{name}'. Choose one of: {', '.join(have)}.")


def _explained(config_name: str, problem: str, typed: Sequence[str]) -> str:
    """One sentence on what is wrong with the command line."""
    from hydra import compose, initialize_config_dir

    unknown = re.search(r"(?:Could not override|Key) '([^']+)'", problem)
    choice = re.search(r"Could not find '([^']+)'", problem)
    if choice:
        group, _, name = choice[1].rpartition("/")
        have = sorted(path.stem for path in (resources.configs() / group).glob("*.yaml"))
        return f"There is no {group or 'config'} called '{name}'. Choose one of: {', '.join(have)}."
    if unknown:
        with initialize_config_dir(str(resources.configs()), version_base="1.3"):
            known = [str(key) for key in compose(config_name)]
        near = difflib.get_close_matches(unknown[1], known, 1)
        hint = f"Did you mean '{near[0]}'?" if near else f"The settings are: {', '.join(sorted(known))}."
        return f"There is no setting '{unknown[1]}'. {hint}"
    first = problem.strip().splitlines()[0]
    return (
        f"The settings {' '.join(typed)!r} could not be read ({first}). See --help for how they are written."
    )
