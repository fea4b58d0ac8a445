"""From what a user types to what Hydra understands.

Hydra's override grammar gives commas, parentheses, spaces and equals signs a
meaning, which file names do not know of. Names of files are quoted here, and a
misspelt key is answered with the nearest one that exists.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from stemnet import resources
from stemnet.errors import StemnetError

FILE_KEYS = (
    "input",
    "output",
    "folder",
    "checkpoint",
    "initial",
    "resume",
    "truth",
    "crystal",
    "embedding.vae.weights",
    "embedding.rvae.weights",
    "hydra.run.dir",
    "hydra.sweep.dir",
)
"""Keys whose value is a file or folder name, taken literally."""


OWN_WAY = {
    "--config-dir",
    "-cd",
    "--config-name",
    "-cn",
    "--config-path",
    "-cp",
    "--package",
    "-p",
    "--cfg",
    "-c",
}
"""Flags that take a value, of people who bring their own configs or look at ours; Hydra answers these itself."""


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
        Settings first, then flags.

    Raises
    ------
    StemnetError
        If a bare argument is given where none is understood, or files are
        given both bare and by the key.
    """
    result: list[str] = []
    flags: list[str] = []
    files: list[str] = []
    before = ""
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if argument.startswith("-") or before in OWN_WAY:
            flags.append(argument)
        elif os.path.exists(argument) and bare is not None and not (equals and key in FILE_KEYS):
            files.append(argument)
        elif equals and re.fullmatch(r"[+~]{0,2}[\w./@:-]+", key):
            # Hydra's own folders may be named by interpolations such as ${now:%Y}.
            literal = key in FILE_KEYS and not (key.startswith("hydra.") and "${" in value)
            result.append(f"{key}={_value(value)}" if literal else argument)
        elif bare is not None:
            files.append(argument)
        elif "/" in argument or argument.startswith("~"):
            result.append(argument)
        else:
            raise StemnetError(
                f"'{argument}' is not a setting; settings are written key=value. See --help for the keys."
            )
        before = argument
    if files and any(argument.startswith(f"{bare}=") for argument in result):
        raise StemnetError(f"Files were given both by {bare}= and without; give all of them one way.")
    if files:
        result.append(f"{bare}=[{','.join(_quoted(name) for name in files)}]")
    # Hydra's parser refuses settings on both sides of a flag.
    return result + flags


def _value(value: str) -> str:
    """What exists is a name as it stands; else a list in brackets, nothing, or a name in quotes or without."""
    if os.path.exists(value):
        return _quoted(value)
    if value.startswith("[") and value.endswith("]"):
        names = re.findall(r"""\s*(?:'([^']*)'|"([^"]*)"|([^,]+))\s*(?:,|$)""", value[1:-1])
        return f"[{','.join(_quoted(one or other or plain.strip()) for one, other, plain in names)}]"
    if value in ("", "null"):
        return "null"
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return _quoted(value[1:-1] if quoted else value)


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
    if any(argument in ("--help", "-h", "--hydra-help") for argument in arguments):
        return
    from hydra import compose, initialize_config_dir
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    typed = [argument for argument in arguments if not argument.startswith("-")]
    if OWN_WAY & set(arguments):
        return
    try:
        parsed = OverridesParser.create().parse_overrides(typed)
        ours = [override for override in parsed if not override.key_or_group.startswith("hydra")]
        swept = [override for override in ours if override.is_sweep_override()]
        if swept and not {"-m", "--multirun"} & set(arguments):
            raise StemnetError(
                f"{swept[0].input_line} holds several values; add -m to run one after the other, or give one."
            )
        for override in ours:
            # Hydra passes over an optional group's unknown choice in silence.
            if override.key_or_group == "experiment":
                values = override.sweep_iterator() if override in swept else [override.value()]
                for value in values:
                    _known_choice("experiment", str(value).strip("'"))
        single = [str(override.input_line) for override in ours if override not in swept]
        each = [
            f"{override.get_key_element()}={value}"
            for override in swept
            if override.is_choice_sweep()
            for value in override.sweep_string_iterator()
        ]
        with initialize_config_dir(str(resources.configs()), version_base="1.3"):
            compose(config_name, overrides=single)
            for one in each:
                compose(config_name, overrides=[*single, one])
    except (HydraException, OmegaConfBaseException) as problem:
        raise StemnetError(_explained(config_name, str(problem), typed)) from None


def _known_choice(group: str, name: str) -> None:
    have = sorted(path.stem for path in (resources.configs() / group).glob("*.yaml"))
    if name not in (*have, "null"):
        raise StemnetError(f"There is no {group} called '{name}'. Choose one of: {', '.join(have)}.")


def _explained(config_name: str, problem: str, typed: Sequence[str]) -> str:
    """One sentence on what is wrong with the command line."""
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    unknown = re.search(r"(?:Could not override|Key) '([^']+)'", problem)
    choice = re.search(r"Could not (?:find|load) '([^']+)'", problem)
    if choice:
        group, _, name = choice[1].rpartition("/")
        have = sorted(path.stem for path in (resources.configs() / group).glob("*.yaml"))
        return f"There is no {group or 'config'} called '{name}'. Choose one of: {', '.join(have)}."
    if unknown and _is_group(unknown[1]):
        return (
            f"'{unknown[1]}' is a choice that these settings do not have: what is chosen besides has no use for it. "
            "Leave it out; --help says which there are."
        )
    if unknown:
        choices = [one for one in typed if re.match(r"\w+=", one) and _is_group(one.partition("=")[0])]
        with initialize_config_dir(str(resources.configs()), version_base="1.3"):
            # of a choice that is swept, the default must do
            config = compose(config_name, overrides=[one for one in choices if not _is_swept(one)])
        keys = keys_of(cast("dict[str, Any]", OmegaConf.to_container(config)))
        group, name = (*unknown[1].split("."), "")[:2]
        if name and _is_group(group, name) and f"{group}.{name}" not in keys:
            return (
                f"'{unknown[1]}' is a setting of {name}, which was not chosen. Choose it by {group}=[{name}]."
            )
        inside = [key for key in keys if key.endswith(f".{unknown[1]}")]
        near = inside or difflib.get_close_matches(unknown[1], keys, 1)
        top = ", ".join(sorted(key for key in keys if "." not in key))
        hint = f"Did you mean '{near[0]}'?" if near else f"The settings are: {top}."
        return f"There is no setting '{unknown[1]}'. {hint}"
    first = problem.strip().splitlines()[0]
    return (
        f"The settings {' '.join(typed)!r} could not be read ({first}). See --help for how they are written."
    )


def _is_group(name: str, choice: str = "*") -> bool:
    return any((resources.configs() / name).glob(f"{choice}.yaml"))


def _is_swept(override: str) -> bool:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    return OverridesParser.create().parse_override(override).is_sweep_override()


def keys_of(settings: Mapping[str, Any], prefix: str = "") -> list[str]:
    """All keys, those below others with a dot."""
    keys = []
    for name, value in settings.items():
        keys.append(f"{prefix}{name}")
        keys += keys_of(value, f"{prefix}{name}.") if isinstance(value, Mapping) else []
    return keys
