"""Reading of NumPy arrays: .npy and .npz."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stemnet.errors import StemnetError
from stemnet.reading.signals import Signal, of_array


def read_npy(path: str) -> list[Signal]:
    """Return the one array of a .npy file."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        if "objects" not in str(error):
            raise
        raise StemnetError(
            f"{Path(path).name} holds pickled Python objects, which could run code when opened; "
            "an array of numbers is needed. Save the image alone with numpy.save."
        ) from error
    return [of_array("array", array)]


def read_npz(path: str) -> list[Signal]:
    """Return the arrays of an .npz file that could be images; its scalars and words as fields."""
    signals: list[Signal] = []
    fields: dict[str, object] = {}
    with np.load(path, allow_pickle=False) as archive:
        for name in archive.files:
            try:
                array = archive[name]
            except ValueError:  # pickled objects are never images
                continue
            if array.size <= 2 and array.dtype.kind in "fiuUS":
                fields[name] = array
            elif array.ndim >= 1 and array.dtype.kind not in "USO":
                signals.append(of_array(name, array, fields=fields))
    return signals
