"""The list of inputs a user gives: files, folders and globs; and a name for the result of each."""

from __future__ import annotations

import glob
import os
from collections.abc import Sequence
from pathlib import Path

from stemnet.reading.formats import READERS


def expand_inputs(patterns: Sequence[str]) -> list[str]:
    """Return the files that a list of files, folders and globs names.

    A file that exists under exactly the given name wins over its meaning as a
    glob. What names nothing is kept, so that reading it gives the error and
    the rest of a batch goes on.

    Parameters
    ----------
    patterns : sequence of str
        Files; folders (every readable file in them, sorted); globs (``**``
        goes through folders), of which the readable files count.

    Returns
    -------
    list of str
        In the order given, each file once.
    """
    files: dict[str, str] = {}
    for pattern in patterns:
        for file in _expand(os.fspath(pattern)):
            files.setdefault(os.path.abspath(file) if file else "", file)
    return list(files.values())


def _expand(pattern: str) -> list[str]:
    path = pattern
    if not os.path.lexists(path) and path.startswith("~"):
        path = os.path.expanduser(path)
    if os.path.isdir(path):
        found = [os.path.join(path, name) for name in os.listdir(path) if not name.startswith(".")]
    elif os.path.lexists(path):
        return [path]
    else:
        found = glob.glob(path, recursive=True)
    found = sorted(file for file in found if os.path.isfile(file))
    readable = [file for file in found if Path(file).suffix.lower() in READERS]
    return readable or ([] if os.path.isdir(path) else found) or [pattern]


def unique_stems(paths: Sequence[str]) -> list[str]:
    """Return a folder name for the result of each input: its stem, made distinct where inputs share one.

    The first keeps its stem; the next gets its suffix (``a_png``), then a
    number (``a_png_2``). Names that differ only in case count as equal, since
    some file systems see them so.
    """
    stems = [Path(path).stem or "input" for path in paths]
    reserved = {stem.casefold() for stem in stems}
    taken: set[str] = set()
    names = []
    for path, stem in zip(paths, stems, strict=True):
        name = stem
        if name.casefold() in taken:
            suffix = Path(path).suffix.lower().replace(".", "_")
            base = name = stem + suffix
            number = 2
            while name.casefold() in taken | reserved:
                name, number = f"{base}_{number}", number + 1
        taken.add(name.casefold())
        names.append(name)
    return names
