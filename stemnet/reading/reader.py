"""From a file of any readable format to a Micrograph."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from stemnet.errors import StemnetError
from stemnet.micrograph import Micrograph
from stemnet.reading import arrays, hdf5, raster
from stemnet.reading.calibration import doubts, sampling_from_axes
from stemnet.reading.fields import conditions_from_fields, sampling_from_fields, sidecar
from stemnet.reading.microscope import read_with_rosettasciio
from stemnet.reading.pixels import to_float32, to_grey
from stemnet.reading.selection import select_signal
from stemnet.reading.signals import Signal

Reader = Callable[[str], list[Signal]]


def _vendor(plugin: str) -> Reader:
    return partial(read_with_rosettasciio, plugin=plugin)


# Suffix -> (what to call the format, the function that lists a file's signals).
# A new format is one function and one line.
READERS: dict[str, tuple[str, Reader]] = {
    ".tif": ("TIFF", raster.read_tiff),
    ".tiff": ("TIFF", raster.read_tiff),
    ".png": ("PNG", raster.read_picture),
    ".jpg": ("JPEG", raster.read_picture),
    ".jpeg": ("JPEG", raster.read_picture),
    ".bmp": ("BMP", raster.read_picture),
    ".npy": ("NumPy", arrays.read_npy),
    ".npz": ("NumPy archive", arrays.read_npz),
    ".h5": ("HDF5", hdf5.read_hdf5),
    ".hdf5": ("HDF5", hdf5.read_hdf5),
    ".hspy": ("HyperSpy", hdf5.read_hdf5),
    ".emd": ("EMD", hdf5.read_emd),
    ".dm3": ("Gatan DM3", _vendor("digitalmicrograph")),
    ".dm4": ("Gatan DM4", _vendor("digitalmicrograph")),
    ".ser": ("TIA SER", _vendor("tia")),
    ".emi": ("TIA EMI", _vendor("tia")),
    ".mrc": ("MRC", _vendor("mrc")),
    ".prz": ("Panta Rhei", _vendor("pantarhei")),
    ".unf": ("Semper", _vendor("semper")),
    ".rpl": ("Ripple", _vendor("ripple")),
    ".bcf": ("Bruker BCF", _vendor("bruker")),
}

# First bytes -> suffix, for files without a suffix known above.
_MAGIC = {
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
    b"II+\0": ".tif",
    b"\x89PNG": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"\x93NUMPY": ".npy",
    b"PK\x03\x04": ".npz",
    b"\x89HDF\r\n\x1a\n": ".hdf5",
    b"\0\0\0\x03\0": ".dm3",
    b"\0\0\0\x04\0": ".dm4",
}


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
    kind, reader = _reader(path, file)
    try:
        with _quiet():
            chosen, notes = select_signal(reader(path), file, signal=signal, trust_units=sampling is None)
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
            f"{file} could not be read as {kind}: {_short(error)}. "
            "Check that the file is complete and is what its name says, or export it again, e.g. as TIFF."
        ) from error
    notes += chosen.notes
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
        metadata={"format": kind, **conditions},
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


def _reader(path: str, file: str) -> tuple[str, Reader]:
    """Return the reader for a file, by its suffix, else by its first bytes."""
    listed = " ".join(READERS)
    if os.path.isdir(path):
        raise StemnetError(
            f"{path} is a folder without a readable file; a micrograph is needed. Readable: {listed}."
        )
    try:
        if not os.path.isfile(path):
            raise FileNotFoundError
        with open(path, "rb") as handle:
            head = handle.read(8)
    except FileNotFoundError as error:
        raise StemnetError(
            f"{path or 'An empty name'} is not a file. Check the name and the folder."
        ) from error
    except (OSError, ValueError) as error:
        raise StemnetError(f"{path} cannot be opened: {_short(error)}. Check its permissions.") from error
    if not head:
        raise StemnetError(f"{file} is empty (0 bytes); a micrograph is needed. Copy or export it again.")
    suffix = Path(path).suffix.lower()
    if suffix not in READERS:
        suffix = next((s for magic, s in _MAGIC.items() if head.startswith(magic)), "")
    if suffix not in READERS:
        raise StemnetError(
            f"{file} is not of a format known here. Readable: {listed}. Export it as one of these."
        )
    return READERS[suffix]


def _short(error: BaseException) -> str:
    """Return the first line of an error, without its traceback or a full stop."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    lines = str(error).strip().splitlines()
    text = lines[0] if lines else type(error).__name__
    return (text[:157] + "..." if len(text) > 160 else text).rstrip(". ")


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
