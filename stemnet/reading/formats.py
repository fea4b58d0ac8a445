"""The readable formats, and which of them a file is."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from stemnet.errors import StemnetError
from stemnet.reading import arrays, hdf5, raster, tiff
from stemnet.reading.microscope import read_with_rosettasciio
from stemnet.reading.signals import Signal

Reader = Callable[[str], list[Signal]]


def _vendor(plugin: str) -> Reader:
    return partial(read_with_rosettasciio, plugin=plugin)


class Format(NamedTuple):
    """A format: what to call it, the function that lists a file's signals, and how its files start."""

    name: str
    read: Reader
    starts: tuple[bytes, ...] = ()


_TIFF = Format("TIFF", tiff.read_tiff, (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"))
_JPEG = Format("JPEG", raster.read_picture, (b"\xff\xd8\xff",))
_HDF5 = Format("HDF5", hdf5.read_hdf5, (b"\x89HDF\r\n\x1a\n",))
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")

# A new format is one function and one line.
READERS: dict[str, Format] = {
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".png": Format("PNG", raster.read_picture, (b"\x89PNG\r\n\x1a\n",)),
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".bmp": Format("BMP", raster.read_picture, (b"BM",)),
    ".npy": Format("NumPy", arrays.read_npy, (b"\x93NUMPY",)),
    ".npz": Format("NumPy archive", arrays.read_npz, _ZIP),
    ".h5": _HDF5,
    ".hdf5": _HDF5,
    ".hspy": _HDF5._replace(name="HyperSpy HDF5"),
    ".emd": _HDF5._replace(name="EMD"),
    ".dm3": Format("Gatan DM3", _vendor("digitalmicrograph"), (b"\0\0\0\x03",)),
    ".dm4": Format("Gatan DM4", _vendor("digitalmicrograph"), (b"\0\0\0\x04",)),
    ".ser": Format("TIA SER", _vendor("tia"), (b"II\x97\x01",)),
    ".emi": Format("TIA EMI", _vendor("tia")),
    ".mrc": Format("MRC", _vendor("mrc")),
    ".prz": Format("Panta Rhei", _vendor("pantarhei"), _ZIP),
    ".unf": Format("Semper", _vendor("semper")),
    ".rpl": Format("Ripple", _vendor("ripple")),
    ".bcf": Format("Bruker BCF", _vendor("bruker")),
}


def find_format(path: str) -> tuple[Format, list[str]]:
    """Return the format of a file, and a note where its content belies its suffix.

    The first bytes decide where the suffix is unknown or names a format whose
    files start otherwise.

    Raises
    ------
    StemnetError
        If there is no such file, it cannot be opened, is empty, or is of no
        known format.
    """
    head, file = _first_bytes(path), Path(path).name
    named = READERS.get(Path(path).suffix.lower())
    if named and (not named.starts or head.startswith(named.starts)):
        return named, []
    found = next(
        (known for known in READERS.values() if known.starts and head.startswith(known.starts)), None
    )
    if found:
        return found, [f"{file} is read as {found.name}, which its content shows it to be."]
    if named:
        raise StemnetError(
            f"{file} does not start as {named.name} files do: it is damaged or of another kind. "
            "Copy it again, or export the image anew."
        )
    raise StemnetError(
        f"{file} is not of a format known here. Readable: {' '.join(READERS)}. Export it as one of these."
    )


def _first_bytes(path: str) -> bytes:
    """Return the first bytes of a file, or say why there are none."""
    if os.path.isdir(path):
        raise StemnetError(
            f"{path} is a folder without a readable file; a micrograph is needed. "
            f"Readable: {' '.join(READERS)}."
        )
    try:
        if not os.path.isfile(path):
            raise FileNotFoundError
        with open(path, "rb") as handle:
            head = handle.read(16)
    except FileNotFoundError as error:
        raise StemnetError(
            f"{path or 'An empty name'} is not a file. Check the name and the folder."
        ) from error
    except OSError as error:
        raise StemnetError(f"{path} cannot be opened ({error.strerror}). Check its permissions.") from error
    if not head:
        raise StemnetError(
            f"{Path(path).name} is empty (0 bytes); a micrograph is needed. Copy or export it again."
        )
    return head
