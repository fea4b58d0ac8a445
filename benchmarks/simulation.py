"""Simulated images per CPU-second: ``python benchmarks/simulation.py [--json FILE] [--shared FOLDER]``.

Beside stemnet's whole chain (random specimen and microscope, every artefact
on, counts), in the same run: its expected image of a plain perovskite, and the
usual renderer, one Gaussian window a column in numpy, of the same columns.
With ``--shared FOLDER``, ``expected`` of ``FOLDER/bench/gen.py`` too.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from collections.abc import Callable
from pathlib import Path

from stemnet.runtime import prepare_process

prepare_process()

import numpy as np  # noqa: E402
import torch  # noqa: E402

from stemnet.simulation.crystal import dichalcogenide, perovskite, zinc_blende  # noqa: E402
from stemnet.simulation.priors import MicroscopePrior, SpecimenPrior  # noqa: E402
from stemnet.simulation.probe import Probe  # noqa: E402
from stemnet.simulation.rendering import expected  # noqa: E402
from stemnet.simulation.scene import Microscope, Scene, stage  # noqa: E402
from stemnet.simulation.simulator import Simulator  # noqa: E402
from stemnet.simulation.specimen import grow  # noqa: E402

SIZES = (256, 512)
SAMPLING = 0.15


def per_cpu_second(make: Callable[[int], object], least: float) -> float:
    """Calls of `make` per CPU-second: the best of three rounds of at least `least` CPU-seconds."""
    make(0)
    best = 0.0
    for round_ in range(3):
        calls, start = 0, time.process_time()
        while time.process_time() - start < least:
            make(1000 * round_ + calls)
            calls += 1
        best = max(best, calls / (time.process_time() - start))
    return best


def plain_scene(size: int) -> Scene:
    """SrTiO3 [001] at 0.15 A/px: the columns that every renderer below draws."""
    specimen = grow(perovskite(), (size * SAMPLING,) * 2, orientation=0.1, margin=4.0)
    microscope = Microscope(Probe(200, 25, source_size=0.9), SAMPLING, dose=1e5, background=0.0)
    return stage(specimen, microscope, (size, size), np.random.default_rng(0))


def gaussian_windows(scene: Scene) -> np.ndarray:
    """One Gaussian a column, evaluated within six sigma, added in a Python loop."""
    height, width = scene.shape
    image, s = np.zeros(scene.shape), scene.width
    reach = int(np.ceil(6 * s))
    for (y, x), peak in zip(scene.yx, scene.electrons / (2 * np.pi * s**2), strict=True):
        top, bottom = max(0, round(y) - reach), min(height, round(y) + reach + 1)
        left, right = max(0, round(x) - reach), min(width, round(x) + reach + 1)
        if top < bottom and left < right:
            rows = np.exp(-((np.arange(top, bottom) - y) ** 2) / (2 * s * s))
            cols = np.exp(-((np.arange(left, right) - x) ** 2) / (2 * s * s))
            image[top:bottom, left:right] += peak * rows[:, None] * cols
    return image


def shared_renderer(folder: Path) -> Callable[[Scene], np.ndarray]:
    """``expected`` of a folder's ``bench/gen.py``."""
    spec = importlib.util.spec_from_file_location("shared_gen", folder / "bench" / "gen.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def draw(scene: Scene) -> np.ndarray:
        sigma = np.full(len(scene.yx), scene.width)
        peaks = scene.electrons / (2 * np.pi * sigma**2)
        return module.expected(scene.shape[0], scene.yx[:, 1], scene.yx[:, 0], peaks, sigma, bg=0.0)

    return draw


def measure(size: int, batch: int, least: float, shared: Path | None) -> list[dict[str, object]]:
    """Rows of the table for one image size."""
    specimens = SpecimenPrior(
        (perovskite(), dichalcogenide(), zinc_blende()), {"crystal": 0.6, "lattice": 0.25, "disordered": 0.15}
    )
    simulator = Simulator(specimens, MicroscopePrior(rough=1.0), (size, size), seed=1)

    def scenes(call: int) -> list[Scene]:
        return [simulator.scene(0, call % 4, index) for index in range(batch)]

    drawn = [scenes(call) for call in range(4)]
    plain = plain_scene(size)
    many, few = round(np.mean([len(scene.yx) for group in drawn for scene in group])), len(plain.yx)
    works: list[tuple[str, int, int, Callable[[int], object]]] = [
        (
            "stemnet, random scene to counts, every artefact",
            batch,
            many,
            lambda n: simulator.images(scenes(n)),
        ),
        ("  of which rendering and noise", batch, many, lambda n: simulator.images(drawn[n % 4])),
        ("stemnet, expected image of SrTiO3", 1, few, lambda n: expected([plain])),
        ("numpy, one Gaussian window a column", 1, few, lambda n: gaussian_windows(plain)),
    ]
    if shared:
        draw = shared_renderer(shared)
        works.append(("gen.py expected", 1, few, lambda n: draw(plain)))
    return [
        {
            "what": what,
            "size_px": size,
            "columns": columns,
            "images_per_cpu_s": images * per_cpu_second(work, least),
        }
        for what, images, columns, work in works
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the rows here too")
    parser.add_argument("--shared", type=Path, help="folder that holds bench/gen.py")
    parser.add_argument("--seconds", type=float, default=1.0, help="CPU-seconds of each of three rounds")
    parser.add_argument("--batch", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = [row for size in SIZES for row in measure(size, options.batch, options.seconds, options.shared)]
    print(f"{'':50s}{'size [px]':>10s}{'columns':>10s}{'images per CPU-s':>20s}")
    for row in rows:
        print(f"{row['what']:50s}{row['size_px']:>10d}{row['columns']:>10d}{row['images_per_cpu_s']:>20.1f}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
