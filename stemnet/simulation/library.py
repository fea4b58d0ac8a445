"""Crystals by name: the library of structure files, and the user's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from stemnet.errors import StemnetError
from stemnet.simulation.crystal import Crystal
from stemnet.simulation.projection import project
from stemnet.simulation.structure import Structure, read_structure
from stemnet.simulation.zone_axis import Axis

FOLDER = Path(__file__).parent / "crystals"
"""One CIF a crystal, with its source; adding a crystal is adding a file."""


def crystal_names() -> tuple[str, ...]:
    """Names of the crystals in the library, in alphabetical order."""
    return tuple(sorted((path.stem for path in FOLDER.glob("*.cif")), key=str.lower))


def structure(name: str) -> Structure:
    """A crystal structure of the library, or of a file.

    Parameters
    ----------
    name : str
        One of `crystal_names`, or the path of a CIF or another file that
        `read_structure` reads.

    Returns
    -------
    Structure

    Raises
    ------
    StemnetError
        If there is neither such a crystal nor such a file, or it is no structure.
    """
    name = str(name)
    if name in crystal_names():
        return _read(FOLDER / f"{name}.cif", None)
    path = Path(name)
    if not path.is_file():
        raise StemnetError(
            f"'{name}' is neither a crystal of the library nor a file; choose one of {', '.join(crystal_names())}, "
            "or give the path of a CIF."
        )
    return _read(path.resolve(), path.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _read(path: Path, changed: int | None) -> Structure:
    return read_structure(path)


def crystal(
    name: str,
    axis: Axis | None = None,
    *,
    up: Axis | None = None,
    merge: float = 0.35,
    sheet: bool | None = None,
) -> Crystal:
    """A crystal of the library, or of a file, along a zone axis.

    In a config: ``{_target_: stemnet.simulation.library.crystal, name: SrTiO3,
    axis: "110"}``.

    Parameters
    ----------
    name : str
        One of `crystal_names`, or the path of a CIF.
    axis : str or sequence of int, optional
        Zone axis [uvw], or [uvtw] for hexagonal cells. If it is not given, the
        one that the file states in ``_stemnet_default_zone_axis``, or [001].
    up, merge
        As in `project`.
    sheet : bool, optional
        Whether it is a single layer, seen along c and without a period; as the
        file states in ``_stemnet_sheet`` if it is not given.

    Returns
    -------
    Crystal

    Raises
    ------
    StemnetError
        If there is no such crystal, or it has no columns along this axis.
    """
    found = structure(name)
    if axis is None:
        axis = found.zone_axis or "001"
    return _projected(found, _hashable(axis), None if up is None else _hashable(up), float(merge), sheet)


def _hashable(axis: Axis) -> Any:
    return axis if isinstance(axis, str) or not isinstance(axis, Iterable) else tuple(axis)


@lru_cache(maxsize=256)
def _projected(found: Structure, axis: Axis, up: Axis | None, merge: float, sheet: bool | None) -> Crystal:
    if sheet is not None and sheet != found.sheet:
        found = replace(found, sheet=sheet)
    return project(found, axis, merge=merge, up=up)
