"""From a file of any readable format to a Micrograph."""

from __future__ import annotations

import logging
import os
import re
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from stemnet.errors import StemnetError
from stemnet.micrograph import Micrograph
from stemnet.reading.calibration import doubts, sampling_from_axes
from stemnet.reading.fields import conditions_from_fields, sampling_from_fields, sidecar
from stemnet.reading.formats import find_format
from stemnet.reading.pixels import to_float32, to_grey
from stemnet.reading.selection import select_signal
from stemnet.reading.signals import Signal


def read_micrograph(
    path: str | os.PathLike[str], *, sampling: float | None = None, signal: int | str | None = None
) -> Micrograph:
    """Read the image, or stack of images, of a microscope or picture file.

    Parameters
    ----------
    path : str or path-like
        A file of one of the formats in ``READERS``.
    sampling : float, optional
        Pixel size [A/px] to use in place of the file's.
    signal : int or str, optional
        Number or name of the signal to take from a file that holds several.

    Returns
    -------
    Micrograph
        Shape (H, W), or (T, H, W) for a stack; color turned to grey, infinite
        pixels to NaN. Its sampling is what the file claims [A/px], None where
        the file does not say; its notes tell every choice made.

    Raises
    ------
    StemnetError
        If the file is missing, unreadable, or holds no real image.
    """
    path = os.fspath(path)
    file = Path(path).name or path
    sampling = _checked_sampling(sampling, file)
    form, notes = find_format(path)
    try:
        with _quiet():
            chosen, more = select_signal(form.read(path), file, signal=signal, trust_units=sampling is None)
            image = chosen.load()
    except StemnetError:
        raise
    except MemoryError as error:
        raise StemnetError(
            f"{file} does not fit into memory. Cut or bin the image, or split the stack."
        ) from error
    except Exception as error:
        # Readers of damaged files raise anything; the user needs one sentence.
        raise StemnetError(
            f"{file} could not be read as {form.name}: {_cause(error)}. "
            "Copy the file again, or export the image anew, e.g. as TIFF."
        ) from error
    notes += [*more, *chosen.notes]
    if chosen.color:
        image, more = to_grey(image)
        notes += more
    image, more = to_float32(image, file)
    notes += more
    claimed, conditions, more = _calibration(chosen, path, image.shape[-2:])
    if sampling is None:
        notes += more + doubts(claimed)
    elif claimed is not None and abs(sampling / claimed - 1) > 0.01:
        notes.append(f"The given sampling of {sampling:.4g} A/px is used; the file says {claimed:.4g} A/px.")
    return Micrograph(
        image=image,
        sampling=claimed if sampling is None else sampling,
        name=Path(path).stem,
        source=path,
        metadata={"format": form.name, **conditions},
        notes=tuple(notes),
    )


def _calibration(
    chosen: Signal, path: str, shape: tuple[int, int]
) -> tuple[float | None, dict[str, object], list[str]]:
    """Return sampling [A/px], conditions and notes: from the axes, the values beside the array, a .json."""
    conditions = {**conditions_from_fields(chosen.fields), **chosen.metadata}
    sampling, notes = sampling_from_axes(chosen.image_axes)
    if sampling is None:
        sampling, more = sampling_from_fields(chosen.fields, shape)
        notes += more
    if sampling is None:
        beside, more = sidecar(path)
        notes += more
        sampling, more = sampling_from_fields(beside, shape)
        notes += more
        conditions = {**conditions_from_fields(beside), **conditions}
        if sampling is not None:
            notes.append(
                f"The pixel size of {sampling:.4g} A/px comes from {Path(path).with_suffix('.json').name}."
            )
    if sampling is None:
        notes.append(
            "The file carries no pixel size; lengths are in pixels unless sampling=<A/px> is passed."
        )
        hint = re.search(r"(\d+(?:\.\d+)?) ?pm(?![a-z])", Path(path).stem)
        if hint and float(hint[1]) > 0:
            value = f"{float(hint[1]) / 100:.4g}"
            notes.append(f"Its name mentions {hint[0]}; if that is its pixel size, pass sampling={value}.")
    return sampling, conditions, notes


def _checked_sampling(sampling: float | None, file: str) -> float | None:
    if sampling is None:
        return None
    try:
        value = float(sampling)
    except (TypeError, ValueError):
        value = np.nan
    if not (np.isfinite(value) and value > 0):
        raise StemnetError(
            f"sampling={sampling} was given for {file}; a sampling is a positive number of "
            "angstrom per pixel. Pass e.g. sampling=0.1."
        )
    return value


def _cause(error: Exception) -> str:
    """Return the cause of a failed reading in a few words."""
    text = next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(". ")
    early = ("mmap length", "truncated", "incomplete", "failed to read", "buffer")
    if isinstance(error, EOFError | struct.error) or any(word in text for word in early):
        return "it ends too early"
    text = text if len(text) <= 120 else text[:117] + "..."
    if isinstance(error, LookupError | TypeError | AttributeError | ArithmeticError):
        return f"its content makes no sense to the reader ({type(error).__name__}: {text})"
    return text


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the warnings and log lines of third-party readers from the user."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
