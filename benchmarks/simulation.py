"""Simulated images per CPU-second: ``python benchmarks/simulation.py [--json FILE] [--shared FOLDER]``.

All renderers draw the same columns (SrTiO3 [001] at 0.15 A/px) to counts, in
turn, round after round in one run, so that a machine whose speed drifts is the
same for all: stemnet plain and with every artefact on, the usual renderer (one
Gaussian window a column in numpy) and a bilinear splat convolved by FFT in
torch, both with the library's Poisson numbers. stemnet's whole chain for
training (random specimen and microscope drawn, every artefact on, counts)
stands beside. With ``--shared FOLDER``, ``expected`` of ``FOLDER/bench/gen.py``
is a renderer too. abTEM is measured where it is installed (a few probe
positions, scaled up); else its recorded figure is given, and said to be so.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from stemnet.runtime import prepare_process

prepare_process()

import numpy as np  # noqa: E402
import torch  # noqa: E402

from stemnet.simulation.artefacts.afterglow import Afterglow  # noqa: E402
from stemnet.simulation.artefacts.contamination import Contamination  # noqa: E402
from stemnet.simulation.artefacts.drift import Drift, Wander  # noqa: E402
from stemnet.simulation.artefacts.filtering import Filtering  # noqa: E402
from stemnet.simulation.artefacts.flicker import Flicker  # noqa: E402
from stemnet.simulation.artefacts.flyback import Flyback  # noqa: E402
from stemnet.simulation.artefacts.hum import Hum  # noqa: E402
from stemnet.simulation.artefacts.jitter import LineJitter  # noqa: E402
from stemnet.simulation.artefacts.readout import Digits, Gain, ReadNoise, Saturation  # noqa: E402
from stemnet.simulation.artefacts.support import Support  # noqa: E402
from stemnet.simulation.crystal import dichalcogenide, perovskite, zinc_blende  # noqa: E402
from stemnet.simulation.growth import grow  # noqa: E402
from stemnet.simulation.microscope import Microscope  # noqa: E402
from stemnet.simulation.priors import MicroscopePrior, SpecimenPrior  # noqa: E402
from stemnet.simulation.probe import Probe  # noqa: E402
from stemnet.simulation.rendering import render  # noqa: E402
from stemnet.simulation.scene import Scene, stage  # noqa: E402
from stemnet.simulation.simulator import Simulator  # noqa: E402

SIZES = (256, 512)
SAMPLING = 0.15
ABTEM_RECORDED = {"SrTiO3, 2 nm, PRISM": (57.0, 398.0), "MoS2, PRISM": (23.0, 97.0)}
"""CPU-seconds of a 256 px image by abTEM 1.0.11 on two cores, at two interpolations, scaled from 64 x 64 probes."""
EVERYTHING = (
    Contamination(0.1), Support(0.05, 1.0), LineJitter(0.05, 0.5), Drift(0.5, -0.3), Wander(0.1), Flyback(0.3, 0.05),
    Hum(0.05, 0.1), Flicker(0.02), Afterglow(0.1), ReadNoise(1.0), Gain(2.0, 10.0), Filtering(0.7, 0.5),
    Saturation(2.5), Digits(16),
)  # fmt: skip


def plain_scenes(size: int, batch: int, artefacts: tuple = ()) -> list[Scene]:
    """SrTiO3 [001], turned a little more in every scene: the columns that every renderer draws."""
    microscope = Microscope(Probe(200, 25, source_size=0.9), SAMPLING, dose=1e5, artefacts=artefacts)
    specimens = [
        grow(perovskite(), (size * SAMPLING,) * 2, orientation=0.1 * i, margin=4.0, thickness=20.0)
        for i in range(batch)
    ]
    return [
        stage(specimen, microscope, (size, size), np.random.default_rng(i))
        for i, specimen in enumerate(specimens)
    ]


def gaussian_windows(scenes: list[Scene]) -> np.ndarray:
    """One Gaussian a column, evaluated within six sigma, added in a Python loop; numpy's Poisson numbers."""
    rng, images = np.random.default_rng(0), []
    for scene in scenes:
        height, width = scene.shape
        image, s = np.full(scene.shape, scene.knots.mean()), scene.width
        reach = int(np.ceil(6 * s))
        for (y, x), peak in zip(scene.yx, scene.electrons / (2 * np.pi * s**2), strict=True):
            top, bottom = max(0, round(y) - reach), min(height, round(y) + reach + 1)
            left, right = max(0, round(x) - reach), min(width, round(x) + reach + 1)
            if top < bottom and left < right:
                rows = np.exp(-((np.arange(top, bottom) - y) ** 2) / (2 * s * s))
                cols = np.exp(-((np.arange(left, right) - x) ** 2) / (2 * s * s))
                image[top:bottom, left:right] += peak * rows[:, None] * cols
        images.append(rng.poisson(image))
    return np.stack(images)


def fft_splat(scenes: list[Scene]) -> torch.Tensor:
    """Columns spread over four pixels each, convolved with a Gaussian by FFT; torch's Poisson numbers."""
    size = scenes[0].shape[0]
    canvas = torch.zeros(len(scenes), size * size)
    for image, scene in zip(canvas, scenes, strict=True):
        inside = np.all((scene.yx > 0) & (scene.yx < size - 1), axis=1)
        yx = torch.as_tensor(scene.yx[inside], dtype=torch.float32)
        light = torch.as_tensor(scene.electrons[inside], dtype=torch.float32)
        corner = yx.floor().long()
        part = yx - corner
        for down in (0, 1):
            for right in (0, 1):
                weight = (part[:, 0] if down else 1 - part[:, 0]) * (part[:, 1] if right else 1 - part[:, 1])
                image.index_add_(0, (corner[:, 0] + down) * size + corner[:, 1] + right, light * weight)
    k2 = torch.fft.fftfreq(size)[:, None] ** 2 + torch.fft.rfftfreq(size)[None] ** 2
    probe = torch.exp(-2 * (np.pi * scenes[0].width) ** 2 * k2)
    images = torch.fft.irfft2(torch.fft.rfft2(canvas.view(-1, size, size)) * probe, s=(size, size))
    return torch.poisson(images.clamp_min(0) + float(scenes[0].knots.mean()))


def shared_renderer(folder: Path) -> Callable[[list[Scene]], object]:
    """``expected`` of a folder's ``bench/gen.py``, with numpy's Poisson numbers."""
    spec = importlib.util.spec_from_file_location("shared_gen", folder / "bench" / "gen.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def draw(scenes: list[Scene]) -> list[np.ndarray]:
        rng, images = np.random.default_rng(0), []
        for scene in scenes:
            sigma = np.full(len(scene.yx), scene.width)
            peaks, (y, x) = scene.electrons / (2 * np.pi * sigma**2), scene.yx.T
            mean = module.expected(scene.shape[0], x, y, peaks, sigma, bg=float(scene.knots.mean()))
            images.append(rng.poisson(mean))
        return images

    return draw


def rounds(works: dict[str, Callable[[], object]], least: float, count: int) -> dict[str, list[float]]:
    """Calls per CPU-second of every work, round after round."""
    speeds: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(count):
        for name, work in works.items():
            calls, start = 0, time.process_time()
            while time.process_time() - start < least:
                work()
                calls += 1
            speeds[name].append(calls / (time.process_time() - start))
    return speeds


def measure(size: int, batch: int, least: float, count: int, shared: Path | None) -> list[dict[str, object]]:
    """Rows of the table for one image size."""
    plain, all_on = plain_scenes(size, batch), plain_scenes(size, batch, EVERYTHING)
    prior = SpecimenPrior(
        (perovskite(), dichalcogenide(), zinc_blende()), {"crystal": 0.6, "lattice": 0.25, "disordered": 0.15}
    )
    simulator = Simulator(prior, MicroscopePrior(rough=1.0), (size, size), seed=1)
    turn = iter(range(10**9))

    def chain() -> torch.Tensor:
        epoch = next(turn) % 4
        return simulator.images([simulator.scene(0, epoch, index) for index in range(batch)])

    works: dict[str, Callable[[], object]] = {
        "stemnet, plain": lambda: render(plain),
        "stemnet, every artefact on": lambda: render(all_on),
        "numpy, one Gaussian window a column": lambda: gaussian_windows(plain),
        "torch, splat and FFT": lambda: fft_splat(plain),
    }
    if shared:
        draw = shared_renderer(shared)
        works["gen.py, Gaussian windows"] = lambda: draw(plain)
    works["stemnet, random scene drawn and rendered, every artefact"] = chain
    speeds = rounds(works, least, count)
    ours = np.array(speeds["stemnet, every artefact on"])
    return [
        {
            "what": name,
            "size_px": size,
            "images_per_cpu_s": batch * float(np.median(values)),
            "every_artefact_on_is_faster_by": float(np.median(ours / np.array(values))),
            "columns": round(np.mean([len(scene.yx) for scene in plain])),
        }
        for name, values in speeds.items()
    ]


def by_abtem(probes: int = 12) -> float:
    """CPU-seconds of a 256 px image of SrTiO3, 2 nm, by abTEM's multislice, scaled up from a few probe positions."""
    import abtem
    from ase import Atoms

    a = 3.905
    places = [(0, 0, 0), (0.5, 0.5, 0.5), (0.5, 0.5, 0), (0.5, 0, 0.5), (0, 0.5, 0.5)]
    atoms = Atoms("SrTiO3", scaled_positions=places, cell=[a] * 3, pbc=True) * (3, 3, 5)
    start = time.process_time()
    potential = abtem.Potential(atoms, sampling=0.05, slice_thickness=2, projection="infinite")
    scan = abtem.GridScan(start=(0, 0), end=(a, a), gpts=(probes, probes))
    wave = abtem.Probe(energy=200e3, semiangle_cutoff=25)
    wave.scan(potential, scan=scan, detectors=abtem.AnnularDetector(inner=70, outer=150)).compute(
        progress_bar=False
    )
    return (time.process_time() - start) * 256**2 / probes**2


def peak_memory(size: int) -> dict[str, float]:
    """CPU-seconds and growth of the peak memory [MB] of one large image with every artefact on."""
    scene = plain_scenes(size, 1, tuple(replace(a) for a in EVERYTHING))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    render(scene)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return {"size_px": size, "cpu_s": time.process_time() - start, "peak_memory_grows_mb": grown}


def on_gpu(size: int, batch: int, calls: int = 20) -> float:
    """Images per second on a GPU, scenes drawn before."""
    scenes = plain_scenes(size, batch, EVERYTHING)
    render(scenes, "cuda")
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(calls):
        render(scenes, "cuda")
    torch.cuda.synchronize()
    return batch * calls / (time.perf_counter() - start)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the rows here too")
    parser.add_argument("--shared", type=Path, help="folder that holds bench/gen.py")
    parser.add_argument("--seconds", type=float, default=1.0, help="CPU-seconds of each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for size in SIZES:
        rows += measure(size, options.batch, options.seconds, options.rounds, options.shared)
    print(f"{'':58s}{'size':>6s}{'images per CPU-s':>18s}{'every artefact / this':>24s}")
    for row in rows:
        print(
            f"{row['what']:58s}{row['size_px']:>6d}{row['images_per_cpu_s']:>18.1f}"
            f"{row['every_artefact_on_is_faster_by']:>24.2f}"
        )
    large = peak_memory(4096)
    print(
        f"4096 px, every artefact: {large['cpu_s']:.1f} CPU-s, peak memory +{large['peak_memory_grows_mb']:.0f} MB"
    )
    if importlib.util.find_spec("abtem"):
        print(
            f"abTEM multislice, SrTiO3 2 nm: {by_abtem():.0f} CPU-s an image of 256 px (measured now, scaled up)"
        )
    else:
        for what, (fast, slow) in ABTEM_RECORDED.items():
            print(f"abTEM, {what}: {fast:.0f} to {slow:.0f} CPU-s an image of 256 px (recorded, not run now)")
    if torch.cuda.is_available():
        print(f"GPU, every artefact, 256 px: {on_gpu(256, 64):.0f} images per second")
    if options.json:
        options.json.write_text(json.dumps({"rows": rows, "large": large}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
