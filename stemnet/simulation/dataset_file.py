"""Writing a dataset, batch by batch; `stemnet.simulation.dataset` draws the layout."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

import stemnet
from stemnet.columns import Columns
from stemnet.errors import StemnetError
from stemnet.simulation.masks import mask_of
from stemnet.simulation.sources import Example
from stemnet.storage.tables import UNITS
from stemnet.storage.text import json_text

FORMAT, FORMAT_VERSION = "stemnet dataset", 1
CONVENTIONS = (
    "Arrays are (y, x): y grows downwards, pixel (i, j) has its center at y = i, x = j. Positions and lengths are in "
    "pixels unless a name or the attribute 'unit' says otherwise; angles in radians. Row r of /columns belongs to "
    "image i where offset[i] <= r < offset[i + 1]."
)
PARAMETER_UNITS = {
    "sampling": "A/px",
    "dose": "e-/A^2",
    "voltage": "kV",
    "semi_angle": "mrad",
    "time": "s",
    "gain": "electrons",
    "zero": "electrons",
    **dict.fromkeys(("smearing", "source_size", "defocus", "defocus_spread", "astigmatism", "coma"), "A"),
    **dict.fromkeys(("threefold", "cs", "star", "fourfold", "c5"), "A"),
}
TABLES = ("columns", "vacancies")
ROWS_A_CHUNK, SIDE_OF_CHUNK = 8192, 1024


def parameters_of(example: Example) -> dict[str, Any]:
    """What an image was taken with: the numbers of its microscope and probe, and all of it as JSON text."""
    microscope = example.microscope
    values: dict[str, Any] = dict(example.numbers)
    for part in (microscope, microscope.probe):
        for name in (f.name for f in fields(part)):
            if isinstance(getattr(part, name), int | float):
                values[name] = float(getattr(part, name))
    artefacts = [{"kind": type(a).__name__, **vars(a)} for a in microscope.artefacts]
    values["microscope"] = json_text({**vars(microscope), "artefacts": artefacts})
    return values


@dataclass(frozen=True)
class Contents:
    """What a dataset holds besides images, columns, vacancies and parameters.

    Parameters
    ----------
    dtype : str
        ``float32``, or ``uint16``: whole electrons where all pixels of an image
        are such, else steps of its range (/parameters/gain and zero).
    compression : int
        Of gzip, 0 (none) to 9.
    field_step : int, optional
        Planted fields at every so many pixels; none if it is not given.
    masks : str, optional
        Kind of the masks, as in `mask_of`; none if it is not given.
    mask_radius : float
        In widths of a column.
    """

    dtype: str = "float32"
    compression: int = 1
    field_step: int | None = None
    masks: str | None = None
    mask_radius: float = 1.0


class DatasetFile:
    """A dataset that is being written; see the layout at the top of `stemnet.simulation.dataset`.

    Parameters
    ----------
    path : path-like
    contents : Contents
    settings : mapping
        What was asked for, kept as JSON.
    resume : bool
        Go on with the file at `path`.

    Raises
    ------
    StemnetError
        If the file cannot be written, or is no dataset to go on with.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        contents: Contents,
        settings: Mapping[str, object],
        resume: bool = False,
    ) -> None:
        import h5py

        self.path, self.contents = Path(path), contents
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = h5py.File(self.path, "r+" if resume else "w")
        except OSError as problem:
            raise StemnetError(
                f"{path} cannot be opened for writing ({_reason(problem)}). Give a file in a folder that can be "
                "written to, which no other program has open."
            ) from problem
        if resume:
            if self._file.attrs.get("format") != FORMAT:
                raise StemnetError(f"{path} is no stemnet dataset to go on with; give another output=.")
            self._cut_back()
            return
        self._file.attrs.update(format=FORMAT, format_version=FORMAT_VERSION, conventions=CONVENTIONS)
        self._file["settings"] = json_text(settings, indent=1)
        versions = {"stemnet": stemnet.__version__, "numpy": np.__version__, "h5py": h5py.__version__}
        self._file["provenance"] = json_text({**versions, "python": platform.python_version()}, indent=1)
        for table in TABLES:
            offset = self._file.create_dataset(
                f"{table}/offset", (1,), np.int64, maxshape=(None,), chunks=(4096,)
            )
            offset[0] = 0

    def __len__(self) -> int:
        """Images that are whole."""
        return len(self._file["columns/offset"]) - 1

    def append(self, images: np.ndarray, examples: list[Example]) -> None:
        """Write a batch of images (B, H, W) with their truth."""
        start = len(self)
        parameters = [parameters_of(example) for example in examples]
        if self.contents.dtype == "uint16":
            images, scales = _as_counts(images)
            for values, scale in zip(parameters, scales, strict=True):
                values |= scale
        self._stack("images", images, start, None)
        self._file["images"].attrs["unit"] = "electrons"
        rows = [{name: np.asarray([value]) for name, value in values.items()} for values in parameters]
        self._append("parameters", rows, [1] * len(rows), start, PARAMETER_UNITS)
        columns = [example.scene.columns() for example in examples]
        self._table("vacancies", [example.scene.vacancies() for example in examples])
        if self.contents.field_step:
            self._fields(examples, start)
        if self.contents.masks:
            kind, radius = self.contents.masks, self.contents.mask_radius
            self._stack("masks", np.stack([mask_of(part, kind, radius) for part in columns]), start, None)
            self._file["masks"].attrs.update(kind=kind, radius=radius)
        if "frame" in examples[0].numbers:
            columns = [
                part.with_fields(frame=np.full(len(part), example.numbers["frame"]))
                for part, example in zip(columns, examples, strict=True)
            ]
        # The columns' offsets are what counts: they are the last to be written.
        self._table("columns", columns)
        self._file.flush()

    def close(self) -> None:
        """Leave the file, with the images that are whole."""
        if self._file:
            self._cut_back()
            self._file.close()

    def _cut_back(self) -> None:
        """Forget what had been begun of a batch when the run was cut off."""
        count = len(self)
        for table in TABLES:
            self._file[f"{table}/offset"].resize(count + 1, axis=0)
            total = int(self._file[f"{table}/offset"][count])
            for name, data in self._file[table].items():
                if name != "offset":
                    data.resize(total, axis=0)
        stacks = [self._file[name] for name in ("images", "masks") if name in self._file]
        for group in ("parameters", "fields"):
            stacks += list(self._file.get(group, {}).values())
        for data in stacks:
            data.resize(count, axis=0)

    def _packing(self) -> dict[str, Any]:
        level = self.contents.compression
        return {"compression": "gzip", "compression_opts": level, "shuffle": True} if level else {}

    def _stack(self, name: str, values: np.ndarray, start: int, fill: float | None) -> None:
        """Append (B, h, w) at images from `start` on."""
        if name not in self._file:
            chunk = (1, *(min(side, SIDE_OF_CHUNK) for side in values.shape[1:]))
            self._file.create_dataset(
                name,
                (0, *values.shape[1:]),
                values.dtype,
                maxshape=(None, *values.shape[1:]),
                chunks=chunk,
                fillvalue=fill,
                **self._packing(),
            )
        data = self._file[name]
        if data.shape[1:] != values.shape[1:]:
            raise StemnetError(
                f"Images of {values.shape[1:]} and of {data.shape[1:]} pixels were to go into one dataset; give shape=."
            )
        data.resize(start + len(values), axis=0)
        data[start:] = values

    def _fields(self, examples: list[Example], start: int) -> None:
        step = int(self.contents.field_step or 1)
        maps = [example.scene.field_maps(step) for example in examples]
        shape = tuple(-(-side // step) for side in examples[0].scene.shape)
        nowhere = np.full(shape, np.nan, dtype=np.float32)
        names = set(self._file.get("fields", {})).union(*maps)
        for name in sorted(names):
            self._stack(f"fields/{name}", np.stack([each.get(name, nowhere) for each in maps]), start, np.nan)
            self._file[f"fields/{name}"].attrs["step"] = step

    def _table(self, table: str, parts: list[Columns]) -> None:
        offset = self._file[f"{table}/offset"]
        start, images = int(offset[-1]), len(offset)
        lengths = [len(part) for part in parts]
        rows = [{"yx": part.yx, **part.fields} for part in parts]
        self._append(table, rows, lengths, start, {"yx": "px", **UNITS})
        offset.resize(images + len(parts), axis=0)
        offset[images:] = start + np.cumsum(lengths)

    def _append(
        self,
        group: str,
        parts: list[dict[str, np.ndarray]],
        lengths: list[int],
        start: int,
        units: Mapping[str, str],
    ) -> None:
        """Append rows, part by part; what a part or an earlier image does not have is filled."""
        known = [name for name in self._file.get(group, {}) if name != "offset"]
        for name in dict.fromkeys([*known, *(name for part in parts for name in part)]):
            given = [_plain(part[name]) for part in parts if name in part]
            path = f"{group}/{name}"
            kinds = {values.dtype.kind for values in given}
            if path in self._file:
                kinds.add(self._file[path].dtype.kind)
            kind = "O" if "O" in kinds else "f" if "f" in kinds else "i"
            if path in self._file and self._file[path].dtype.kind != kind:
                self._recast(path, kind)
            shape = given[0].shape[1:] if given else self._file[path].shape[1:]
            filled = [
                _plain(part[name]).astype(_DTYPES[kind])
                if name in part
                else np.full((length, *shape), _FILLS[kind], dtype=_DTYPES[kind])
                for part, length in zip(parts, lengths, strict=True)
            ]
            data = (
                self._file[path] if path in self._file else self._new(path, kind, shape, units.get(name, ""))
            )
            data.resize(start + sum(lengths), axis=0)
            data[start:] = np.concatenate(filled)

    def _new(self, path: str, kind: str, shape: tuple[int, ...], unit: str) -> Any:
        import h5py

        data = self._file.create_dataset(
            path,
            (0, *shape),
            h5py.string_dtype() if kind == "O" else _DTYPES[kind],
            maxshape=(None, *shape),
            chunks=(ROWS_A_CHUNK, *shape),
            fillvalue=None if kind == "O" else _FILLS[kind],
            **self._packing(),
        )
        data.attrs["unit"] = unit
        return data

    def _recast(self, path: str, kind: str) -> None:
        """Make a table of whole numbers one of another kind, where a later image needs it."""
        old = self._file[path]
        self._file.move(path, path + "~")
        new = self._new(path, kind, old.shape[1:], old.attrs["unit"])
        new.resize(len(old), axis=0)
        for start in range(0, len(old), ROWS_A_CHUNK):
            part = old[start : start + ROWS_A_CHUNK]
            new[start : start + len(part)] = part.astype(_DTYPES[kind])
        del self._file[path + "~"]


_DTYPES: dict[str, Any] = {"O": object, "f": np.float64, "i": np.int64}
_FILLS: dict[str, Any] = {"O": "", "f": np.nan, "i": -1}


def _plain(values: np.ndarray) -> np.ndarray:
    """Text, whole numbers or floats, as the file keeps them."""
    values = np.asarray(values)
    if values.dtype.kind in "UO":
        return values.astype(object)
    return values.astype(np.float64 if values.dtype.kind == "f" else np.int64)


def _as_counts(images: np.ndarray) -> tuple[np.ndarray, list[dict[str, float]]]:
    """Images as uint16, and the gain and zero that lead back to electrons."""
    counts, scales = [], []
    for image in images.astype(np.float64):
        whole = image.min() >= 0 and image.max() <= 65535 and np.array_equal(image, np.rint(image))
        zero = 0.0 if whole else float(image.min())
        gain = 1.0 if whole else max(float(np.ptp(image)) / 65535, 1e-30)
        counts.append(np.clip(np.rint((image - zero) / gain), 0, 65535).astype(np.uint16))
        scales.append({"gain": gain, "zero": zero})
    return np.stack(counts), scales


def _reason(problem: OSError) -> str:
    return problem.strerror or " ".join(str(problem).split())
