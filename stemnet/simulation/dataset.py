"""Datasets: many simulated images with their truth, in one HDF5 file that explains itself.

Layout (N images of H x W pixels; M columns in all of them)::

    /                        attributes: format = "stemnet dataset", format_version, conventions
    /images                  (N, H, W) float32 or uint16; electrons, or what gain and zero say
    /parameters/<name>       (N,) one value per image: sampling, dose, voltage, ..., the microscope as JSON
    /columns/offset          (N + 1,) rows offset[i]:offset[i + 1] of the tables below belong to image i
    /columns/yx              (M, 2) float64, position (row, column), pixel centers at integers; unit px
    /columns/<field>         (M,), one value per column; attribute unit where there is one
    /vacancies/...           the same for whole columns that are missing
    /fields/<name>           (N, h, w) float32: value (i, j) belongs to pixel (i step, j step); attribute step
    /masks                   (N, H, W), as in `masks.mask_of`; attributes kind, radius
    /settings                JSON text: what was asked for
    /provenance              JSON text: versions

A quantity that an image does not have is NaN there, -1 for integers, "" for
text. The file is valid after every batch: a run that is interrupted leaves the
images so far, and how many these are is the length of /images. A process that
is killed outright while it writes may leave a file that HDF5 cannot open.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stemnet.columns import Columns, concatenate
from stemnet.errors import StemnetError
from stemnet.micrograph import Micrograph
from stemnet.simulation.dataset_file import FORMAT, FORMAT_VERSION
from stemnet.simulation.simulator import Simulation


@dataclass(frozen=True)
class Dataset:
    """A dataset file, read image by image: `dataset[i]` is a `Simulation`.

    Parameters
    ----------
    path : Path
    count : int
        Images.
    settings : mapping
        What was asked for when it was made.
    """

    path: Path
    count: int
    settings: Mapping[str, Any]

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Simulation]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: int) -> Simulation:
        """Image `index` with its columns, vacancies, planted fields and conditions."""
        import h5py

        number = index + self.count if index < 0 else index
        if not 0 <= number < self.count:
            raise IndexError(f"Image {index} of a dataset of {self.count}.")
        with h5py.File(self.path) as file:
            conditions = _parameters(file, number)
            image = file["images"][number].astype(np.float32)
            if "gain" in conditions:
                image = image * np.float32(conditions["gain"]) + np.float32(conditions["zero"])
            shape, sampling = image.shape, conditions["sampling"]
            maps = {name: data[number] for name, data in file.get("fields", {}).items()}
            maps = {name: values for name, values in maps.items() if not np.isnan(values).all()}
            steps = [int(data.attrs["step"]) for data in file.get("fields", {}).values()]
            return Simulation(
                Micrograph(image, sampling, f"{self.path.stem} {number}", str(self.path), conditions),
                _columns(file, "columns", number, shape, sampling),
                _columns(file, "vacancies", number, shape, sampling),
                maps,
                steps[0] if steps else 1,
            )

    def mask(self, index: int) -> np.ndarray:
        """The mask of image `index`, (H, W).

        Raises
        ------
        StemnetError
            If the file holds none.
        """
        import h5py

        with h5py.File(self.path) as file:
            if "masks" not in file:
                raise StemnetError(
                    f"{self.path} holds no masks; make it with masks=column, sublattice or soft."
                )
            return file["masks"][index]

    def movie(self, number: int = 0) -> Simulation:
        """All frames of a movie as one stack, with the columns of all.

        Raises
        ------
        StemnetError
            If there is no such movie.
        """
        import h5py

        with h5py.File(self.path) as file:
            movies = file["parameters/movie"][()] if "parameters/movie" in file else np.zeros(0)
        rows = np.flatnonzero(movies == number)
        if not len(rows):
            raise StemnetError(f"{self.path} has no movie {number}; make movies with frames=<frames of one>.")
        parts = [self[int(row)] for row in rows]
        first = parts[0].micrograph
        stack = np.stack([part.micrograph.image for part in parts])
        micrograph = Micrograph(stack, first.sampling, self.path.stem, first.source, first.metadata)
        return Simulation(micrograph, concatenate([part.columns for part in parts]))


def read_dataset(path: str | os.PathLike) -> Dataset:
    """Open a dataset for reading.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    Dataset

    Raises
    ------
    StemnetError
        If the file is missing, is no dataset, or comes from a later format.
    """
    import h5py

    if not os.path.isfile(path):
        raise StemnetError(f"There is no file {path}; pass the path of a dataset made by stemnet-simulate.")
    try:
        with h5py.File(path) as file:
            if file.attrs.get("format") != FORMAT:
                raise StemnetError(
                    f"{path} is HDF5 but no stemnet dataset; pass one made by stemnet-simulate."
                )
            if file.attrs["format_version"] > FORMAT_VERSION:
                raise StemnetError(
                    f"{path} has format version {file.attrs['format_version']}, this stemnet reads up to "
                    f"{FORMAT_VERSION}. Install a newer stemnet."
                )
            return Dataset(Path(path), len(file["columns/offset"]) - 1, json.loads(file["settings"][()]))
    except (OSError, KeyError) as problem:
        raise StemnetError(
            f"{path} cannot be read as a dataset ({problem}); pass a file made by stemnet-simulate."
        ) from problem


def _parameters(file: Any, number: int) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, data in file["parameters"].items():
        value = data[number]
        values[name] = value.decode() if isinstance(value, bytes) else value.item()
    return values


def _columns(file: Any, table: str, number: int, shape: tuple[int, ...], sampling: float) -> Columns:
    start, end = (int(row) for row in file[f"{table}/offset"][number : number + 2])
    arrays = {}
    for name, data in file[table].items():
        if name != "offset":
            text = data.dtype.kind == "O"
            arrays[name] = np.array(data.asstr()[start:end], dtype=np.str_) if text else data[start:end]
    yx = arrays.pop("yx", np.zeros((0, 2)))
    return Columns(yx, (shape[0], shape[1]), sampling, arrays)
