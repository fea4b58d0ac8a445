"""The readable formats, and which of them a file is."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from stemnet.errors import StemnetError
from stemnet.reading import arrays, hdf5, raster, tiff
from stemnet.reading.microscope import read_with_rosettasciio
from stemnet.reading.signals import Signal

Reader = Callable[[str], list[Signal]]


def _vendor(plugin: str) -> Reader:
    return partial(read_with_rosettasciio, plugin=plugin)


# Suffix -> (what to call the format, the function that lists a file's signals).
# A new format is one function and one line.
READERS: dict[str, tuple[str, Reader]] = {
    ".tif": ("TIFF", tiff.read_tiff),
    ".tiff": ("TIFF", tiff.read_tiff),
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


def find_reader(path: str) -> tuple[str, Reader]:
    """Return the name of a file's format and its reader, by suffix, else by the first bytes.

    Raises
    ------
    StemnetError
        If there is no such file, it cannot be opened, is empty, or is of no
        known format.
    """
    file = Path(path).name
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
        raise StemnetError(
            f"{path} cannot be opened: {short_cause(error)}. Check its permissions."
        ) from error
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


def short_cause(error: BaseException) -> str:
    """Return the first line of an error, without its traceback or a full stop."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    lines = str(error).strip().splitlines()
    text = lines[0] if lines else type(error).__name__
    return (text[:157] + "..." if len(text) > 160 else text).rstrip(". ")
