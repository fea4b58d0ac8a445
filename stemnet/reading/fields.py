"""Pixel size and conditions told by named values: .npz keys, HDF5 attributes, a .json beside the image."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from stemnet.reading.calibration import combine, parse_unit

_SIZE = re.compile(
    r"(?P<what>pixel_?size|px_?size|pixel_?scale|pixel_?spacing|sampling|field_?of_?view|fov)"
    r"(?P<axis>_[xy])?(?:_(?:in_)?(?P<unit>nm|pm|a|ang|angstrom|um))?(?:_?per_?(?:px|pixel))?"
)
_QUANTITY = re.compile(r"\s*([-+]?\d*\.?\d+(?:[eE][-+]?\d+)?)\s*(\S.*)?")
_VOLTAGE = {"voltage", "beam_energy", "accelerating_voltage", "acceleration_voltage", "high_voltage"}
_SEMI_ANGLE = {"semi_angle", "semiangle", "convergence_angle", "convergence_semi_angle", "semi_angle_mrad"}
_DOSE = {"dose_e_per_a2", "dose_e_per_angstrom2"}


def sampling_from_fields(
    fields: Mapping[str, object], shape: tuple[int, int]
) -> tuple[float | None, list[str]]:
    """Return the sampling [A/px] that named values claim, and what to note.

    A value counts only with a unit: in its own words ("0.1 nm"), in its name
    (``pixel_size_nm``) or beside it (``pixel_size_units``).

    Parameters
    ----------
    fields : mapping
        Possibly nested. Known names: pixel_size, sampling, field_of_view and
        their spellings, with _x and _y.
    shape : tuple of int
        Rows and columns of the image, which a field of view is divided by.
    """
    sizes: dict[str, float] = {}
    notes: list[str] = []
    for level in _levels(fields):
        for key, value in level.items():
            match = _SIZE.fullmatch(key)
            if not match:
                continue
            numbers, unit = _quantity(value)
            kind, factor = parse_unit(unit or match["unit"] or _unit_beside(level, key, match["axis"]))
            if not numbers or not all(np.isfinite(n) and n > 0 for n in numbers):
                continue
            if kind != "length":
                notes.append(
                    f"'{key}' = {numbers[0]:.4g} comes without a unit of length; it is not used. "
                    "If it is the pixel size, pass sampling=<A/px>."
                )
                continue
            view = match["what"].startswith("f")
            axes = [match["axis"]] if match["axis"] else (["_y", "_x"] if len(numbers) == 2 else ["_x"])
            for axis, number in zip(axes, numbers, strict=False):
                size = number * factor / (shape[axis == "_x"] if view else 1)
                sizes.setdefault(axis, size)
    sampling, more = combine([sizes[axis] for axis in ("_y", "_x") if axis in sizes])
    return sampling, more if sampling else notes + more


def conditions_from_fields(fields: Mapping[str, object]) -> dict[str, float]:
    """Return voltage [kV], semi-angle [mrad] and dose [e-/A^2] where named values tell them."""
    found: dict[str, float] = {}
    for level in _levels(fields):
        for key, value in level.items():
            numbers, unit = _quantity(value)
            if len(numbers) != 1 or not numbers[0] > 0:
                continue
            if key in _VOLTAGE:
                # No instrument runs below 1 kV or above 3 MV, so the size of the number tells V from kV.
                found.setdefault("voltage", numbers[0] / 1000 if numbers[0] >= 5000 else numbers[0])
            elif key in _SEMI_ANGLE and parse_unit(unit)[0] in ("none", "reciprocal"):
                found.setdefault("semi_angle", numbers[0])
            elif key in _DOSE:
                found.setdefault("dose", numbers[0])
    return found


def sidecar(path: str) -> tuple[dict[str, object], list[str]]:
    """Return the values in the .json beside an image, empty when there is none, and what to note."""
    beside = Path(path).with_suffix(".json")
    if not beside.is_file():
        return {}, []
    try:
        values = json.loads(beside.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}, [f"{beside.name} lies beside the image but is not readable JSON; it is not used."]
    return (values, []) if isinstance(values, dict) else ({}, [])


def _levels(fields: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """Yield each nested mapping with its names in lower case and underscores."""
    yield {re.sub(r"[\s\-]+", "_", str(key).strip().lower()): value for key, value in fields.items()}
    for value in fields.values():
        if isinstance(value, Mapping):
            yield from _levels(value)


def _quantity(value: object) -> tuple[list[float], str]:
    """Return the number or numbers of a value, and the unit in its own words."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        match = _QUANTITY.fullmatch(value)
        return ([float(match[1])], (match[2] or "").strip()) if match else ([], "")
    if isinstance(value, list | tuple):
        plain = len(value) in (1, 2) and all(isinstance(v, int | float) for v in value)
        return ([float(v) for v in value], "") if plain else ([], "")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [float(value)], ""
    return [], ""


def _unit_beside(level: Mapping[str, object], key: str, axis: str | None) -> str:
    """Return the unit that a neighboring name gives for `key`."""
    stem = key.removesuffix(axis) if axis else key
    for name in (f"{key}_unit", f"{key}_units", f"{stem}_unit", f"{stem}_units", "unit", "units"):
        value = level.get(name)
        if isinstance(value, np.ndarray | np.generic):
            value = value.tolist()
        if isinstance(value, str | bytes):
            return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return ""
