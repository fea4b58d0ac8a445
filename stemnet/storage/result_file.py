"""The result file: everything known of one input, in one HDF5 file that explains itself.

Layout (N columns; H, W rows and columns of the image; T frames)::

    /                                 attributes: format = "stemnet result", format_version
    /image                 (H, W) or (T, H, W) float32; attribute sampling_A_per_px (absent: unknown)
    /probability           (H, W) or (T, H, W) float16, 0 to 1
    /columns/yx            (N, 2) float64, position (row, column), pixel centers at integers; unit px
    /columns/<field>       (N,), one value per column; attribute unit where there is one
    /columns               attributes: shape [px], sampling_A_per_px (absent: unknown)
    /descriptors/<name>/values   (M, D) float64, NaN in rows that are not valid; attribute unit
    /descriptors/<name>/names    (D,) text, the unit after the last underscore
    /descriptors/<name>/yx       (M, 2) float64, where a row belongs; unit px
    /descriptors/<name>/valid    (M,) bool
    /descriptors/<name>          attribute row: "column", "window", "tile" or "patch"
    /embeddings/<method>/latent  (M, d), NaN in rows that are not valid
    /clusterings/<method>/labels (M,) integer, -1 in rows that are not valid
    /micrograph            JSON text: name, source, metadata, notes
    /provenance            JSON text: hashes of input and checkpoint, config, versions, seed, date

Row i is column i in every table of columns.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from stemnet.columns import Columns
from stemnet.errors import StemnetError
from stemnet.micrograph import Micrograph
from stemnet.storage.tables import UNITS
from stemnet.storage.text import json_text
from stemnet.storage.whole_file import whole_file

FORMAT = "stemnet result"
FORMAT_VERSION = 1
# gzip, for every HDF5 reader has it; level 1, for noise does not shrink further at level 9.
COMPRESSED = {"chunks": True, "compression": "gzip", "compression_opts": 1, "shuffle": True}


@dataclass(frozen=True)
class Result:
    """What a result file holds.

    Parameters
    ----------
    micrograph : Micrograph
        The image and its sampling.
    columns : Columns
        The columns found.
    probability : ndarray or None, shape (H, W) or (T, H, W), float32
        Probability map of the network.
    descriptors : mapping of str to dict
        Per name ``values``, ``names``, ``yx``, ``valid``, ``row``: the
        arguments of `stemnet.descriptors.table.Descriptors`.
    embeddings : mapping of str to ndarray, shape (N, d)
        Latent coordinates per method.
    clusterings : mapping of str to ndarray, shape (N,)
        Labels per method, -1 where not valid.
    provenance : mapping
        How the result came about.
    """

    micrograph: Micrograph
    columns: Columns
    probability: np.ndarray | None = None
    descriptors: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    embeddings: Mapping[str, np.ndarray] = field(default_factory=dict)
    clusterings: Mapping[str, np.ndarray] = field(default_factory=dict)
    provenance: Mapping[str, object] = field(default_factory=dict)


def write_result(
    path: str | os.PathLike,
    micrograph: Micrograph,
    columns: Columns,
    *,
    probability: np.ndarray | None = None,
    descriptors: Mapping[str, Any] | None = None,
    embeddings: Mapping[str, np.ndarray] | None = None,
    clusterings: Mapping[str, np.ndarray] | None = None,
    provenance: Mapping[str, object] | None = None,
) -> None:
    """Write a result file, in the layout drawn at the top of this module.

    Parameters
    ----------
    path : path-like
        File to write; a former one is replaced once the new one is whole.
    micrograph : Micrograph
        The image, with the sampling that was used for it.
    columns : Columns
        N columns.
    probability : ndarray, shape (H, W) or (T, H, W), optional
        Kept as float16.
    descriptors : mapping of str to Descriptors, optional
        Anything with ``values``, ``names``, ``yx``, ``valid`` and ``row``.
    embeddings : mapping of str to ndarray, shape (N, d), optional
        Latent coordinates per method.
    clusterings : mapping of str to ndarray, shape (N,), optional
        Labels per method.
    provenance : mapping, optional
        Kept as JSON.
    """
    import h5py

    with whole_file(path) as part, h5py.File(part, "w") as file:
        file.attrs.update(format=FORMAT, format_version=FORMAT_VERSION)
        image = file.create_dataset("image", data=micrograph.image, **_compressed(micrograph.image))
        image.attrs["unit"] = "as in the source"
        _set_sampling(image, micrograph.sampling)
        if probability is not None:
            half = np.asarray(probability, dtype=np.float16)
            file.create_dataset("probability", data=half, **_compressed(half)).attrs["unit"] = ""

        group = file.create_group("columns")
        group.attrs["shape"] = columns.shape
        _set_sampling(group, columns.sampling)
        _write_array(group, "yx", columns.yx, "px")
        for name, values in columns.fields.items():
            _write_array(group, name, values, UNITS.get(name, ""))

        for name, table in (descriptors or {}).items():
            group = file.create_group(f"descriptors/{name}")
            group.attrs["row"] = table.row
            units = dict.fromkeys(label.rpartition("_")[2] for label in table.names)
            _write_array(group, "values", table.values, ", ".join(units))
            _write_array(group, "names", np.array(table.names, dtype=np.str_), "")
            _write_array(group, "yx", table.yx, "px")
            _write_array(group, "valid", table.valid, "")
        for name, latent in (embeddings or {}).items():
            _write_array(file, f"embeddings/{name}/latent", np.asarray(latent), "")
        for name, labels in (clusterings or {}).items():
            _write_array(file, f"clusterings/{name}/labels", np.asarray(labels), "")

        # As data sets, for an HDF5 attribute ends at 64 KiB.
        about = {key: getattr(micrograph, key) for key in ("name", "source", "metadata", "notes")}
        file["micrograph"] = json_text(about, indent=1)
        file["provenance"] = json_text(provenance or {}, indent=1)


def is_result(path: str | os.PathLike) -> bool:
    """Whether a file is a result file."""
    import h5py

    if not os.path.isfile(path) or not h5py.is_hdf5(path):
        return False
    with h5py.File(path) as file:
        return bool(file.attrs.get("format") == FORMAT)


def read_result(path: str | os.PathLike) -> Result:
    """Read a result file.

    Raises
    ------
    StemnetError
        If the file is missing, is no result file, or comes from a later format.
    """
    import h5py

    if not os.path.isfile(path):
        raise StemnetError(f"There is no file {path}; pass the path of a result.h5.")
    try:
        with h5py.File(path) as file:
            if file.attrs.get("format") != FORMAT:
                raise StemnetError(
                    f"{path} is HDF5 but no stemnet result; pass a result.h5 written by stemnet."
                )
            if file.attrs["format_version"] > FORMAT_VERSION:
                raise StemnetError(
                    f"{path} has format version {file.attrs['format_version']}, this stemnet reads up to "
                    f"{FORMAT_VERSION}. Install a newer stemnet."
                )
            return _read(file)
    except (OSError, KeyError) as error:
        raise StemnetError(
            f"{path} cannot be read as a result file ({error}); pass a whole result.h5 written by stemnet."
        ) from error


def _read(file: Any) -> Result:
    about = json.loads(file["micrograph"][()])
    arrays = {name: _read_array(file["columns"][name]) for name in file["columns"]}
    columns = Columns(
        arrays.pop("yx"), tuple(file["columns"].attrs["shape"]), _sampling(file["columns"]), arrays
    )
    descriptors = {
        name: {
            "values": _read_array(group["values"]),
            "names": tuple(_read_array(group["names"]).tolist()),
            "yx": _read_array(group["yx"]),
            "valid": _read_array(group["valid"]),
            "row": str(group.attrs["row"]),
        }
        for name, group in file.get("descriptors", {}).items()
    }
    return Result(
        Micrograph(file["image"][()], _sampling(file["image"]), **about),
        columns,
        file["probability"][()].astype(np.float32) if "probability" in file else None,
        descriptors,
        {name: _read_array(group["latent"]) for name, group in file.get("embeddings", {}).items()},
        {name: _read_array(group["labels"]) for name, group in file.get("clusterings", {}).items()},
        json.loads(file["provenance"][()]),
    )


def _set_sampling(node: Any, sampling: float | None) -> None:
    if sampling is not None:
        node.attrs["sampling_A_per_px"] = float(sampling)


def _sampling(node: Any) -> float | None:
    return float(node.attrs["sampling_A_per_px"]) if "sampling_A_per_px" in node.attrs else None


def _compressed(array: np.ndarray) -> dict[str, Any]:
    return COMPRESSED if array.size else {}


def _write_array(group: Any, name: str, values: np.ndarray, unit: str) -> None:
    if values.dtype.kind in "UO":
        import h5py

        values = values.astype(object).astype(h5py.string_dtype())
    group.create_dataset(name, data=values).attrs["unit"] = unit


def _read_array(dataset: Any) -> np.ndarray:
    return dataset[()] if dataset.dtype.kind != "O" else np.array(dataset.asstr()[()], dtype=np.str_)
