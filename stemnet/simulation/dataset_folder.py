"""A dataset as a folder of single images, for tools that read nothing else.

Image 12 is ``000012.tif``, with its pixel size; its columns are in
``000012.truth.csv``, its conditions in ``000012.json``, and where there are
such, missing columns in ``000012.vacancies.csv``, planted fields in
``fields/000012.npz`` and its mask in ``masks/000012.tif``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.dataset_file import Contents, parameters_of
from stemnet.simulation.masks import mask_of
from stemnet.simulation.sources import Example
from stemnet.storage import write_columns_csv, write_metrics
from stemnet.storage.whole_file import whole_file


class DatasetFolder:
    """A folder of images that is being written; the same calls as `DatasetFile`.

    Parameters
    ----------
    path : path-like
    contents : Contents
        Pixels that are not whole electrons stay float32.
    settings : mapping
        Kept as ``settings.json``.
    resume : bool
        Go on after the images that are there.

    Raises
    ------
    StemnetError
        If the folder cannot be written to.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        contents: Contents,
        settings: Mapping[str, object],
        resume: bool = False,
    ) -> None:
        self.path, self.contents = Path(path), contents
        if not resume:
            write_metrics(self.path / "settings.json", settings)
            for stale in (*self.path.glob("[0-9]*.truth.csv"), *self.path.glob("[0-9]*.vacancies.csv")):
                stale.unlink()
        self._count = 0
        while (self.path / f"{self._count:06d}.truth.csv").is_file():
            self._count += 1

    def __len__(self) -> int:
        """Images that are whole."""
        return self._count

    def append(self, images: np.ndarray, examples: list[Example]) -> None:
        """Write a batch of images (B, H, W) with their truth."""
        for image, example in zip(images, examples, strict=True):
            self._write(f"{self._count:06d}", image, example)
            self._count += 1

    def close(self) -> None:
        """Nothing is open."""

    def _write(self, stem: str, image: np.ndarray, example: Example) -> None:
        scene, step = example.scene, self.contents.field_step
        columns, vacancies = scene.columns(), scene.vacancies()
        whole = image.min() >= 0 and image.max() <= 65535 and np.array_equal(image, np.rint(image))
        if self.contents.dtype == "uint16" and whole:
            image = image.astype(np.uint16)
        self._tiff(self.path / f"{stem}.tif", image, scene.sampling)
        if self.contents.masks:
            mask = mask_of(columns, self.contents.masks, self.contents.mask_radius)
            self._tiff(self.path / "masks" / f"{stem}.tif", mask, scene.sampling)
        if len(vacancies):
            write_columns_csv(self.path / f"{stem}.vacancies.csv", vacancies)
        maps: dict[str, Any] = scene.field_maps(step) if step else {}
        if maps:
            with whole_file(self.path / "fields" / f"{stem}.npz") as part, part.open("wb") as file:
                np.savez_compressed(file, step=np.array(step), **maps)
        write_metrics(self.path / f"{stem}.json", parameters_of(example))
        if "frame" in example.numbers:
            columns = columns.with_fields(frame=np.full(len(columns), example.numbers["frame"]))
        # The columns come last: an image that has them is whole.
        write_columns_csv(self.path / f"{stem}.truth.csv", columns)

    def _tiff(self, path: Path, image: np.ndarray, sampling: float) -> None:
        import tifffile

        with whole_file(path) as part:
            tifffile.imwrite(
                part,
                image,
                photometric="minisblack",
                compression="zlib" if self.contents.compression else None,
                resolution=(1e8 / sampling,) * 2,
                resolutionunit="CENTIMETER",
                metadata=None,
                software=False,
            )


def occupied(path: Path) -> bool:
    """Whether something lies in a folder already."""
    if path.exists() and not path.is_dir():
        raise StemnetError(f"{path} is a file; give a folder, or a name that ends in .h5.")
    return path.is_dir() and any(path.iterdir())
