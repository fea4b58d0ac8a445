"""Examples in their order, batch by batch, made here or by other processes: the same, bit for bit."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from multiprocessing import get_context
from typing import Protocol

from stemnet.errors import StemnetError
from stemnet.simulation.dataset_file import Contents, DatasetFile
from stemnet.simulation.rendering import render
from stemnet.simulation.sources import Example


class Source(Protocol):
    """What makes examples: `Stills`, `Movies`."""

    def example(self, index: int) -> Example: ...  # noqa: D102


def batches(source: Source, start: int, count: int, size: int, workers: int = 0) -> Iterator[list[Example]]:
    """Examples from `start` to `count`, in lists of `size` or fewer.

    Not more than two batches are in memory, however many there are.

    Parameters
    ----------
    source : Source
    start, count : int
    size : int
    workers : int
        Processes that make them; 0 makes them here.

    Yields
    ------
    list of Example

    Raises
    ------
    StemnetError
        If an example cannot be made; it says which.
    """
    runs = [range(first, min(first + size, count)) for first in range(start, count, size)]
    if not workers or not runs:
        for run in runs:
            yield [_made(source, index) for index in run]
        return
    # Neighboring indices go to one process: frames of a movie share what was drawn for it.
    share = max(1, -(-size // workers))
    with get_context().Pool(workers, _begin, (source,)) as pool:
        coming = pool.map_async(_work, runs[0], share)
        for run in runs[1:]:
            ready = coming.get()
            coming = pool.map_async(_work, run, share)
            yield ready
        yield coming.get()


def write_dataset(
    path: str | os.PathLike,
    source: Source,
    count: int,
    contents: Contents | None = None,
    *,
    batch: int = 8,
    workers: int = 0,
) -> None:
    """Write a dataset file; `stemnet.simulation.dataset` says what is in it.

    Parameters
    ----------
    path : path-like
        A file that is there already is replaced.
    source : Source
        `Stills` or `Movies`.
    count : int
        Images.
    contents : Contents, optional
    batch : int
        Images that are made together.
    workers : int
        Processes that make specimens; 0 makes them here.

    Raises
    ------
    StemnetError
        If an example cannot be made, or the file not be written.
    """
    file = DatasetFile(path, contents or Contents(), {"source": repr(source)})
    try:
        for examples in batches(source, 0, count, batch, workers):
            file.append(render([example.scene for example in examples]).numpy(), examples)
    finally:
        file.close()


_source: Source | None = None


def _begin(source: Source) -> None:
    """Keep what makes the examples; an interruption is for the process that writes."""
    global _source
    _source = source
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _work(index: int) -> Example:
    assert _source is not None, "set when a process begins"
    return _made(_source, index)


def _made(source: Source, index: int) -> Example:
    try:
        return source.example(index)
    except StemnetError as problem:
        raise StemnetError(f"Image {index} could not be made. {problem}") from problem
