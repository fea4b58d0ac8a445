"""Rows of many images in one table: what describes the columns of each, found now or read from results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from stemnet import storage
from stemnet.columns import Columns
from stemnet.descriptors.table import Descriptors
from stemnet.doors.row_maker import RowMaker, Source
from stemnet.errors import StemnetError
from stemnet.micrograph import Micrograph
from stemnet.reading import expand_inputs


@dataclass(frozen=True)
class Pool:
    """Rows of several images.

    Parameters
    ----------
    rows : ndarray, shape (N, D)
        Without gaps.
    source : ndarray of int, shape (N,)
        Number of the image.
    names : tuple of str, length D
    sources : tuple of str
        Names of the images.
    notes : tuple of str
        A sentence per image.
    """

    rows: np.ndarray
    source: np.ndarray
    names: tuple[str, ...]
    sources: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())

    def parted(self, share: float, by: str | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows to train on, and rows that no training sees, as a mask (N,) each.

        Parameters
        ----------
        share : float
            Of the images or rows that are put aside, one at least.
        by : "images", "rows" or None
            None takes images where there are three or more.
        seed : int

        Raises
        ------
        StemnetError
            If there is nothing to put aside, or nothing left.
        """
        by = by or ("images" if len(self.sources) > 2 else "rows")
        unit = self.source if by == "images" else np.arange(len(self.rows))
        count = len(self.sources) if by == "images" else len(self.rows)
        n = max(1, round(share * count))
        if n >= count:
            raise StemnetError(
                f"{n} of {count} {by} were to be put aside for the scores, which leaves none to train on. Give a "
                "smaller test=, test_by=rows, or more images."
            )
        aside = np.isin(unit, np.random.default_rng([seed, 1]).permutation(count)[:n])
        return ~aside, aside


def own_rows(embedders: Mapping[str, Any], columns: Columns, frames: np.ndarray) -> dict[str, Descriptors]:
    """Rows of those embedders that were trained on others than vectors, as their files say they are made.

    Parameters
    ----------
    embedders : mapping of str to transformer
    columns : Columns
        All frames.
    frames : ndarray, shape (T, H, W)
    """
    made = {}
    for name, one in embedders.items():
        if getattr(one, "weights", None):
            maker = RowMaker.of(one.card().rows)
            if maker and len(columns):
                made[name] = maker(columns, frames)
    return made


def listed(given: Sequence[str]) -> list[str]:
    """Files that inputs name: a folder with results of predict.py stands for these, another for its images."""
    files: list[str] = []
    for one in given:
        results = sorted(Path(one).rglob("result.h5")) if Path(one).is_dir() else []
        files += [str(path) for path in results] or expand_inputs([one])
    return list(dict.fromkeys(files))


def sources_of(
    paths: Sequence[str], names: Sequence[str], found: Callable[[Path], tuple[Micrograph, Columns]]
) -> list[Source]:
    """Images with their columns: those of a result as they are in it, others by `found`."""
    sources = []
    for path, name in zip(paths, names, strict=True):
        if storage.is_result(path):
            result = storage.read_result(path)
            sources.append(Source(Path(path).parent.name or name, result.micrograph, result.columns))
        else:
            sources.append(Source(name, *found(Path(path))))
    return sources


def pooled(sources: Sequence[Source], make: RowMaker) -> Pool:
    """Describe the columns of all images, or their windows; rows with gaps are left out, and counted.

    Raises
    ------
    StemnetError
        If there is no row, or the images have rows of different numbers.
    """
    tables, which, notes = [], [], []
    names: tuple[str, ...] = ()
    first = ""
    for number, one in enumerate(sources):
        rows, these = _rows_of(one, make)
        notes.append(f"{one.name}: {len(one.columns)} columns, {len(rows)} rows.")
        if not len(rows):
            continue
        if names and these != names:
            raise StemnetError(
                f"{first} has rows of {_spelled(names)}, and {one.name} of {_spelled(these)}, which cannot be pooled. "
                "Give images of one lattice, a descriptor with a fixed number of neighbors (descriptor.k=), or "
                "sampling=."
            )
        names, first = these, first or one.name
        tables.append(rows)
        which.append(np.full(len(rows), number))
    if not tables:
        raise StemnetError(
            f"None of {len(sources)} images has a complete row ({' '.join(notes)}) Give images with more columns, or "
            "another descriptor=."
        )
    return Pool(
        np.concatenate(tables), np.concatenate(which), names, tuple(one.name for one in sources), tuple(notes)
    )


def _rows_of(source: Source, make: RowMaker) -> tuple[np.ndarray, tuple[str, ...]]:
    """Complete rows of all frames, and the names of their numbers."""
    rows: list[np.ndarray] = []
    names: tuple[str, ...] = ()
    for table in make.tables(source):
        known = table.complete[np.isfinite(table.complete).all(axis=1)]
        if names and table.names != names:
            raise StemnetError(
                f"Frames of {source.name} have rows of {_spelled(names)} and of {_spelled(table.names)}. Give a "
                "descriptor with a fixed number of neighbors (descriptor.k=)."
            )
        if len(known):
            rows, names = [*rows, known], table.names
    return (np.concatenate(rows) if rows else np.zeros((0, 0))), names


def _spelled(names: tuple[str, ...]) -> str:
    return f"{len(names)} numbers ({names[0]}, ...)" if names else "no numbers"
