"""Reading of HDF5 files: HyperSpy, Berkeley and Prismatic EMD, NSID, stemnet results, and plain ones."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from stemnet.reading.fields import conditions_from_fields
from stemnet.reading.microscope import read_with_rosettasciio
from stemnet.reading.signals import Axis, Signal


def read_hdf5(path: str) -> list[Signal]:
    """Return every array of an HDF5 file that could be an image, calibrated by the layout it is found in.

    Layouts: HyperSpy (``Experiments/*/data``), EMD (groups with
    ``emd_group_type``; Prismatic and py4DSTEM write these too), NSID and
    netCDF (dimension scales), and plain arrays with attributes, of which
    stemnet's own results are one case. Velox's layout is left to RosettaSciIO.
    """
    import h5py

    with h5py.File(path, "r") as file:
        velox = "Version" in file and "Data" in file
        datasets = [] if velox else _datasets(file)
        laid_out = [s for s in (_hyperspy(path, d) or _emd(path, d) for d in datasets) if s]
        signals = laid_out or [_plain(path, dataset) for dataset in datasets]
    return read_with_rosettasciio(path, plugin="emd") if velox else signals


def _datasets(file) -> list[Any]:
    """Return the datasets of a file that are neither empty nor the coordinates of another."""
    import h5py

    found: list[Any] = []

    def visit(_: str, member) -> None:  # a visit follows no links, so none can break or turn in a circle
        if isinstance(member, h5py.Dataset) and member.shape and not member.is_scale:
            found.append(member)

    file.visititems(visit)
    return found


def _signal(path: str, dataset, axes: tuple[Axis, ...], attributes, name: str | None = None) -> Signal:
    fields: dict[str, object] = {}
    for attrs in attributes:
        fields.update(_plain_attributes(attrs))
    return Signal(
        name=name or dataset.name.strip("/"),
        shape=tuple(dataset.shape),
        dtype=dataset.dtype,
        load=partial(_load, path, dataset.name),
        axes=axes,
        fields=fields,
        metadata=conditions_from_fields(fields),
    )


def _load(path: str, name: str) -> np.ndarray:
    import h5py

    with h5py.File(path, "r") as file:
        return file[name][()]


def _plain_attributes(attrs) -> dict[str, object]:
    """Return the attributes that can be read; exotic types are passed over."""
    known: dict[str, object] = {}
    for key in attrs:
        try:
            known[key] = attrs[key]
        except (OSError, TypeError, ValueError):
            continue
    return known


def _hyperspy(path: str, dataset) -> Signal | None:
    """``Experiments/<name>/data`` with one ``axis-<i>`` group per array axis."""
    group = dataset.parent
    parts = dataset.name.strip("/").split("/")
    if len(parts) != 3 or parts[0] != "Experiments" or parts[2] != "data":
        return None
    axes = []
    for i in range(dataset.ndim):
        attrs = group[f"axis-{i}"].attrs if f"axis-{i}" in group else {}
        axes.append(
            Axis(_number(attrs.get("scale")), _text(attrs.get("units")), bool(attrs.get("navigate", False)))
        )
    instrument = group.get("metadata/Acquisition_instrument/TEM")
    return _signal(path, dataset, tuple(axes), [instrument.attrs] if instrument else [], name=parts[1])


def _emd(path: str, dataset) -> Signal | None:
    """A group marked ``emd_group_type`` holds one array and a vector ``dim<i>`` per axis of it."""
    group = dataset.parent
    if "emd_group_type" not in group.attrs or re.fullmatch(r"dim\d+", dataset.name.rsplit("/", 1)[-1]):
        return None
    numbers = sorted(int(key[3:]) for key in group if re.fullmatch(r"dim\d+", key))
    vectors = [group[f"dim{number}"] for number in numbers][: dataset.ndim]
    axes = tuple(_vector_axis(vector) for vector in vectors)
    signal = _signal(path, dataset, axes, [dataset.attrs], name=group.name.strip("/"))
    # EMD 1.0 counts from dim0, and its writers mean rows by x.
    return _rows_first(signal, vectors) if 0 not in numbers else signal


def _plain(path: str, dataset) -> Signal:
    """Return any other dataset, calibrated by dimension scales or by attributes that name a pixel size."""
    vectors = [dim[0] for dim in dataset.dims if len(dim)]
    axes = tuple(_vector_axis(vector) for vector in vectors)
    found = [dataset.file.attrs, dataset.parent.attrs, dataset.attrs]
    if len(axes) != dataset.ndim:
        return _signal(path, dataset, (), found)
    return _rows_first(_signal(path, dataset, axes, found), vectors)


def _rows_first(signal: Signal, vectors: list[Any]) -> Signal:
    """Return the signal with its axes reversed where the file names x before y, as (x, y, frames) does."""
    names = [_text(v.attrs.get("name")) or v.name.rsplit("/", 1)[-1] for v in vectors]
    spatial = [name.lower()[-1] for name in names if re.fullmatch(r"(r_?)?[xy]", name.lower())]
    if spatial != ["x", "y"] or len(vectors) != len(signal.shape):
        return signal
    return replace(
        signal, shape=signal.shape[::-1], axes=signal.axes[::-1], load=lambda: np.transpose(signal.load())
    )


def _vector_axis(vector) -> Axis:
    """Return the calibration of an axis given by the coordinates of its pixels."""
    start = (
        np.asarray(vector[:2], dtype=float) if vector.shape and vector.dtype.kind in "fiu" else np.zeros(0)
    )
    unit = _text(vector.attrs.get("units", vector.attrs.get("unit")))
    return Axis(float(abs(start[1] - start[0])) if len(start) == 2 else None, unit)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float | np.number) else None


def _text(value: object) -> str:
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size == 1 else ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else ""
