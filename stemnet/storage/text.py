"""JSON for numbers that come from numpy."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping

import numpy as np

from stemnet.storage.whole_file import whole_file


def json_text(value: object, indent: int | None = None) -> str:
    """Spell a value as strict JSON.

    Parameters
    ----------
    value : object
        Mappings, sequences, arrays, numpy scalars, dataclasses, paths and the
        plain JSON types, nested as deep as one likes.
    indent : int, optional
        As in `json.dumps`.

    Returns
    -------
    str
        NaN and the infinities, for which JSON has no word, are ``null``;
        anything unknown is its own ``str``.
    """
    return json.dumps(_plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def write_metrics(path: str | os.PathLike, metrics: Mapping[str, object]) -> None:
    """Write a mapping as an indented JSON file; NaN becomes null."""
    with whole_file(path) as part:
        part.write_text(json_text(metrics, indent=2) + "\n", encoding="utf-8")


def _plain(value: object) -> object:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    return str(value)
