"""Writers of small files as microscopes and other programs leave them, for the tests of reading."""

import struct
from pathlib import Path

import h5py
import numpy as np

SHARED = Path(__file__).resolve().parents[2].parent / "shared"


def lattice(shape=(40, 48), dtype=np.float32):
    """Return an image whose every row and column differ, so that any flip, swap or cut shows."""
    y, x = np.indices(shape)
    return (100 + 50 * np.sin(y / 3) * np.cos(x / 4) + y + 0.5 * x).astype(dtype)


def write_hyperspy(path, signals, voltage=None):
    """Write HyperSpy's layout; `signals` maps a name to (data, [(scale, unit, navigate), ...])."""
    with h5py.File(path, "w") as file:
        for name, (data, axes) in signals.items():
            group = file.create_group(f"Experiments/{name}")
            group["data"] = data
            for i, (scale, unit, navigate) in enumerate(axes):
                attrs = group.create_group(f"axis-{i}").attrs
                attrs.update(scale=scale, size=data.shape[i], offset=0.0, navigate=navigate)
                if unit is not None:
                    attrs["units"] = unit
            group.create_group("learning_results")["loadings"] = np.ones((64, 64))
            if voltage is not None:
                attrs = group.create_group("metadata/Acquisition_instrument/TEM").attrs
                attrs.update(beam_energy=voltage, convergence_angle=25.0)


def write_emd(path, arrays, first=1):
    """Write Berkeley's EMD layout; `arrays` maps a group to (data, [(step, unit[, name]), ...])."""
    with h5py.File(path, "w") as file:
        file.attrs.update(version_major=0, version_minor=2)
        for name, (data, dims) in arrays.items():
            group = file.create_group(name)
            group.attrs["emd_group_type"] = 1
            group["data"] = data
            for i, (step, unit, *name) in enumerate(dims):
                group[f"dim{i + first}"] = step * np.arange(data.shape[i])
                group[f"dim{i + first}"].attrs["units"] = np.bytes_(unit)
                if name:
                    group[f"dim{i + first}"].attrs["name"] = np.bytes_(name[0])


def write_nsid(path, image, step, unit):
    """Write an NSID main dataset: an array with dimension scales that carry units."""
    with h5py.File(path, "w") as file:
        group = file.create_group("Measurement_000/Channel_000/HAADF")
        data = group.create_dataset("HAADF", data=image)
        data.attrs.update(quantity="intensity", units="counts", data_type="IMAGE", main_data_name="HAADF")
        for i, name in enumerate("yx"):
            group[name] = step * np.arange(image.shape[i])
            group[name].attrs.update(units=unit, quantity="distance", dimension_type="SPATIAL")
            group[name].make_scale(name)
            data.dims[i].attach_scale(group[name])
        group["log"] = "written by hand"


def write_mrc(path, image, pixel=None):
    """Write a minimal MRC file (mode 2, float32), `pixel` [A]."""
    rows, columns = image.shape
    header = np.zeros(256, "<i4")
    header[:4] = columns, rows, 1, 2
    header[7:10] = columns, rows, 1
    sides = (0.0, 0.0, 0.0) if pixel is None else (columns * pixel, rows * pixel, pixel)
    header[10:13] = np.frombuffer(struct.pack("<3f", *sides), "<i4")
    header[16:19] = 1, 2, 3
    header[52] = int.from_bytes(b"MAP ", "little")
    header[53] = int.from_bytes(b"\x44\x44\0\0", "little")
    Path(path).write_bytes(header.tobytes() + image.astype("<f4").tobytes())
