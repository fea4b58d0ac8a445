"""Freeze the worlds: ``python simulated_data/recipe.py``; ``--check`` what is there; or ``--large FOLDER``.

Every example is one of the worlds of ``stemnet.simulation.worlds``, drawn from
a fixed seed. README.md says what is planted in each.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import scipy
import tifffile
import torch

import stemnet
from stemnet.columns import Columns
from stemnet.simulation.microscope import Microscope
from stemnet.simulation.rendering import render
from stemnet.simulation.worlds import (
    alloys,
    boundaries,
    ferroelectrics,
    movies,
    oxides,
    particles,
    perovskites,
    sheets,
)
from stemnet.simulation.worlds.meanings import MEANINGS
from stemnet.simulation.worlds.world import SHAPE, World
from stemnet.storage import write_metrics, write_rows

HERE = Path(__file__).resolve().parent
STEP = 8
"""Planted fields are mapped at every eighth pixel."""


@dataclass(frozen=True)
class Example:
    """A world and its seed; counts are stored as whole numbers, a detector's signal is not."""

    make: Callable[..., World]
    seed: int
    counts: bool = True

    @property
    def name(self) -> str:
        """Of the world and of its files."""
        return self.make.__name__

    def world(self, shape: tuple[int, int] = SHAPE) -> World:
        """Draw it, at any size."""
        return self.make(np.random.default_rng([self.seed, 0]), shape=shape)


EXAMPLES = (
    Example(ferroelectrics.pbtio3_domains, 1),
    Example(ferroelectrics.pbtio3_polar, 2),
    Example(perovskites.srtio3_mistilt, 3),
    Example(ferroelectrics.bifeo3_closure, 4),
    Example(alloys.remos2_05, 5),
    Example(alloys.remos2_55, 6),
    Example(alloys.remos2_78, 7),
    Example(alloys.remos2_95, 8),
    Example(oxides.mvteo_m2, 9),
    Example(sheets.wsse_janus, 10),
    Example(sheets.mos2_defects, 11),
    Example(sheets.graphene_low_dose, 12),
    Example(perovskites.srtio3_tilt_strain, 13),
    Example(perovskites.srtio3_tilt_strain_abf, 13),
    Example(boundaries.grain_boundary, 14),
    Example(boundaries.dislocations, 15),
    Example(boundaries.si110_dumbbells, 16),
    Example(particles.au_nanoparticle, 17),
    Example(particles.sparse_on_carbon, 18, counts=False),
)


@dataclass(frozen=True)
class Film:
    """A movie and its seed."""

    make: Callable[..., movies.Film]
    seed: int

    @property
    def name(self) -> str:
        """Of the movie and of its files."""
        return self.make.__name__


FILMS = (Film(movies.pt_on_mos2, 19),)


def rows_of(columns: Columns) -> list[dict[str, object]]:
    """One row per column; lengths in pixels say so, positions are given to 1e-4 px, values to six digits."""
    renamed = {f"displacement_{axis}": f"displacement_{axis}_px" for axis in "yx"}
    table: dict[str, list] = {"y_px": np.round(columns.yx[:, 0], 4).tolist()}
    table["x_px"] = np.round(columns.yx[:, 1], 4).tolist()
    for name, values in columns.fields.items():
        if name == "width":  # one number for all, kept in the manifest
            continue
        short = [float(f"{v:.5g}") for v in values] if values.dtype.kind == "f" else values.tolist()
        table[renamed.get(name, name)] = short
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


def freeze(example: Example, folder: Path, shape: tuple[int, int] = SHAPE) -> dict[str, object]:
    """Write one example into a folder; returns its entry in the manifest."""
    name, world = example.name, example.world(shape)
    scene = world.scene(example.seed)
    image = render([scene])[0].numpy()
    columns, missing, fields = scene.columns(), scene.vacancies(), scene.field_maps(STEP)
    files = [folder / f"{name}.tif", folder / f"{name}.truth.csv"]
    write_image(files[0], image, scene.sampling, example.counts)
    write_rows(files[1], rows_of(columns))
    if len(missing):
        files.append(folder / f"{name}.vacancies.csv")
        write_rows(files[-1], rows_of(missing))
    if fields:
        files.append(folder / f"{name}.fields.npz")
        np.savez_compressed(files[-1], **{key: values.astype(np.float16) for key, values in fields.items()})
    return {
        "name": name,
        "world": f"{example.make.__module__}.{example.make.__name__}",
        "about": world.about,
        "seed": example.seed,
        "shape": shape,
        "unit": "electrons" if example.counts else "electrons, with read noise and afterglow",
        "columns": len(columns),
        "vacancies": len(missing),
        "column_width_px": round(float(np.hypot(scene.width, scene.lowpass)), 4),
        "microscope": described(world.microscope),
        "planted": told({*world.specimen.planted, *fields}, set(fields)),
        "field_step": STEP,
        "sha256": hashes(files),
    }


def freeze_film(film: Film, folder: Path) -> dict[str, object]:
    """Write one movie into a folder; returns its entry in the manifest."""
    world = film.make(np.random.default_rng([film.seed, 0]))
    movie, made = world.movie, world.simulation(film.seed, film.name)
    files = [folder / f"{film.name}.tif", folder / f"{film.name}.truth.csv"]
    write_image(files[0], made.micrograph.image, movie.microscope.sampling)
    write_rows(files[1], rows_of(made.columns))
    planted = {*made.columns.fields} & {*MEANINGS}
    return {
        "name": film.name,
        "world": f"{film.make.__module__}.{film.make.__name__}",
        "about": world.about,
        "seed": film.seed,
        "shape": movie.shape,
        "frames": movie.frames,
        "frame_time": movie.seconds,
        "unit": "electrons",
        "columns": len(made.columns),
        "column_width_px": round(float(made.columns["width"][0]), 4),
        "microscope": described(movie.microscope),
        "planted": told(planted, set()),
        "field_step": 1,
        "sha256": hashes(files),
    }


def write_image(path: Path, image: np.ndarray, sampling: float, counts: bool = True) -> None:
    """Write an image or a stack with its pixel size [A]; counts as whole numbers."""
    tifffile.imwrite(
        path,
        np.rint(image).astype(np.uint16) if counts else image,
        photometric="minisblack",
        compression="zlib",
        predictor=2 if counts else None,
        resolution=(1e8 / sampling,) * 2,
        resolutionunit="CENTIMETER",
        metadata=None,
        software=False,
    )


def told(planted: set[str], fields: set[str]) -> dict[str, dict[str, object]]:
    """Units and meanings of what was planted."""
    return {
        key: {"unit": MEANINGS[key][0], "meaning": MEANINGS[key][1], "field": key in fields}
        for key in sorted(planted)
    }


def hashes(files: list[Path]) -> dict[str, str]:
    """SHA-256 of files, by name."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def described(microscope: Microscope) -> dict[str, object]:
    """A microscope as plain values, its artefacts by the names of their classes."""
    artefacts = [{"artefact": type(one).__name__, **asdict(one)} for one in microscope.artefacts]
    return {**asdict(microscope), "artefacts": artefacts}


def make(folder: Path, shape: tuple[int, int] = SHAPE, examples: tuple[Example, ...] = EXAMPLES) -> None:
    """Write every example and the manifest into a folder."""
    from tqdm import tqdm

    entries = [freeze(example, folder, shape) for example in tqdm(examples, disable=None, unit="world")]
    versions = {module.__name__: module.__version__ for module in (stemnet, np, scipy, torch, tifffile)}
    films = [freeze_film(film, folder) for film in FILMS] if shape == SHAPE else []
    write_metrics(folder / "manifest.json", {"versions": versions, "examples": entries, "movies": films})


def main() -> int:
    """Write the examples here or, larger, elsewhere; or check them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="make them anew elsewhere and compare")
    parser.add_argument("--large", metavar="FOLDER", type=Path, help="write the same worlds there, larger")
    parser.add_argument("--size", type=int, default=2048, help="rows and columns of the large ones [px]")
    asked = parser.parse_args()
    if asked.large:
        asked.large.mkdir(parents=True, exist_ok=True)
        make(asked.large, (asked.size, asked.size))
        return 0
    if asked.check:
        from comparing import compare

        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder))
            complaints = compare(HERE, Path(folder), [one.name for one in (*EXAMPLES, *FILMS)])
        print("\n".join(complaints) or "The examples are what the recipe makes.")
        return 1 if complaints else 0
    make(HERE)
    from preview import draw

    draw(HERE, HERE / "preview.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
