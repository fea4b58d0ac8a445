"""Reading of microscope vendors' files through RosettaSciIO, an optional package."""

from __future__ import annotations

import importlib
from functools import partial
from pathlib import Path

import numpy as np

from stemnet.errors import StemnetError
from stemnet.reading.fields import conditions_from_fields
from stemnet.reading.signals import Axis, Signal

# Options that keep a plugin from loading spectra, or from looking for other files.
_OPTIONS: dict[str, dict[str, object]] = {"emd": {"select_type": "images"}, "mrc": {"metadata_file": None}}


def read_with_rosettasciio(path: str, *, plugin: str) -> list[Signal]:
    """Return the signals of a file that RosettaSciIO's `plugin` reads.

    Raises
    ------
    StemnetError
        If RosettaSciIO is not installed.
    """
    try:
        module = importlib.import_module(f"rsciio.{plugin}")
    except ModuleNotFoundError as error:
        missing = error.name or "rsciio"
        missing, install = ("RosettaSciIO", "") if missing.startswith("rsciio") else (missing, f" {missing}")
        raise StemnetError(
            f"{Path(path).name} is in a microscope's own format, which needs {missing}, and that is not "
            f'installed. Run: pip install "stemnet[formats]"{install}'
        ) from error
    # Lazily: a 4D-STEM set or spectrum image beside the image stays on disk.
    loaded = module.file_reader(path, lazy=True, **_OPTIONS.get(plugin, {}))
    if plugin == "tia" and not loaded:
        raise StemnetError(
            f"{Path(path).name} holds no image itself: TIA writes images into .ser files beside it "
            "(name_1.ser, ...). Copy them to the same folder, or pass one of them."
        )
    return [_signal(each, i) for i, each in enumerate(loaded)]


def _signal(loaded: dict, index: int) -> Signal:
    data = loaded["data"]
    axes = sorted(loaded.get("axes", []), key=lambda axis: axis.get("index_in_array", 0))
    metadata = loaded.get("metadata", {})
    instrument = metadata.get("Acquisition_instrument", {}).get("TEM", {})
    return Signal(
        name=str(metadata.get("General", {}).get("title") or f"signal {index}"),
        shape=tuple(int(n) for n in data.shape),
        dtype=np.dtype(data.dtype),
        load=partial(np.asarray, data),
        axes=tuple(_axis(axis) for axis in axes) if len(axes) == data.ndim else (),
        metadata=conditions_from_fields(instrument),
    )


def _axis(axis: dict) -> Axis:
    scale = axis.get("scale")
    unit = axis.get("units")
    return Axis(
        scale=float(scale) if isinstance(scale, int | float | np.number) else None,
        unit=unit if isinstance(unit, str) else "",
        navigate=bool(axis.get("navigate", False)),
    )
