"""Sliding-window spectra per CPU-second, and the memory they take, beside peers.

    python benchmarks/windows.py                the baseline's windows; 2048 x 2048 px, step 4, streamed
    python benchmarks/windows.py --large        4096 x 4096 px, step 4: a million windows
    python benchmarks/windows.py --json FILE

The baseline's windows are 64 px wide, 8 px apart, on 1024 x 1024 px, with half
of the frequencies kept along each axis (zoom 2). An FFT of every window in
scipy runs in turn with stemnet in one process, round after round; the figure of
pycroscopy is a recorded one. Streams run in processes of their own, since the
peak of memory is the process's: spectra alone; 16 components fitted in one pass
and scores in a second; where noise begins among them, by two surrogate images,
which take the memory of any number; and the whole study: 16 non-negative factors
and clusters of all windows too, and the figures.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from stemnet.runtime import prepare_process

prepare_process()

import numpy as np  # noqa: E402
from numpy.lib.stride_tricks import sliding_window_view  # noqa: E402
from scipy import fft  # noqa: E402

from stemnet.analysis.noise_floor import SURROGATES, surrogate_floor  # noqa: E402
from stemnet.analysis.streamed_pca import StreamedPCA  # noqa: E402
from stemnet.columns import Columns  # noqa: E402
from stemnet.descriptors.spectra_stream import SpectraStream  # noqa: E402
from stemnet.descriptors.windows import Windows  # noqa: E402
from stemnet.detection.column_model import render_columns  # noqa: E402
from stemnet.micrograph import Micrograph  # noqa: E402
from stemnet.studies import Measured  # noqa: E402
from stemnet.studies.sliding_fft import study  # noqa: E402

GOAL = 40.0
"""Times the windows per CPU-second of pycroscopy."""
MOST_MB = 2048.0
"""Peak of memory of a stream, the libraries included."""
PYCROSCOPY_RECORDED = (14641, 57.96, 150.8, 919.3)
"""Windows, CPU-seconds, seconds and peak MB of ImageWindowing of pycroscopy 0.63.3 at the baseline's windows."""
ROUNDS = 5


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--large", action="store_true", help="4096 x 4096 px instead of 2048 x 2048")
    options.add_argument("--one", nargs=2, metavar=("SIDE", "WORK"), help=argparse.SUPPRESS)
    options.add_argument("--json", type=Path, help="write the rows here")
    given = options.parse_args()
    if given.one:
        print(json.dumps(_streamed(int(given.one[0]), given.one[1])))
        return
    rows = [*_speeds(), *_costs(4096 if given.large else 2048)]
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1))


def perovskite(side: int) -> np.ndarray:
    """Counts of a perovskite of 26 px spacing, columns of sigma 3 px, 10 000 electrons in a bright one."""
    rng = np.random.default_rng(3)
    step = 3.905 / 0.15
    cells = np.mgrid[-2 : side / step + 2, -2 : side / step + 2] * step
    corner = np.stack([axis.ravel() for axis in cells], 1)
    yx = np.concatenate([corner, corner + step / 2])
    height = np.repeat([1.0, 0.45], len(corner))
    image = render_columns((side, side), yx, height, 3.0)
    return rng.poisson(10000 / (2 * np.pi * 9) * (0.15 + image)).astype(np.float32)


def transforms(image: np.ndarray, windows: Windows) -> int:
    """Magnitudes of an FFT of every window, row by row, half of the frequencies kept: what one would write first."""
    size = windows.size
    weight = np.outer(*[np.hanning(size + 2)[1:-1]] * 2).astype(np.float32)
    view = sliding_window_view(image, (size, size))[:: windows.step, :: windows.step]
    n = 0
    for row in view:
        kept = np.abs(fft.rfft2(row * weight, workers=1)[:, np.r_[-windows.orders : windows.orders + 1]])
        n += len(kept[..., : windows.orders + 1])
    return n


def spectra(image: np.ndarray, windows: Windows) -> int:
    return sum(len(part.rows) for part in SpectraStream(image, windows))


def components(image: np.ndarray, windows: Windows) -> int:
    stream = SpectraStream(image, windows)
    return len(StreamedPCA(16).fit_transform(stream))


def floor(image: np.ndarray, windows: Windows, surrogates: int = SURROGATES) -> int:
    model = StreamedPCA(16).fit(SpectraStream(image, windows))
    surrogate_floor(image, windows, model.eigenvalues_, surrogates=surrogates)
    return model.n_samples_seen_


def whole_study(image: np.ndarray, windows: Windows) -> int:
    nothing = Columns(np.zeros((0, 2)), image.shape, None, {})
    options = {"window": windows.size, "step": windows.step, "surrogates": 2, "sweep": ()}
    found = study([Measured("bench", Micrograph(image, None), nothing)], **options)
    for picture in found.pictures:
        picture.draw().canvas.draw()
    return len(windows.centers(image.shape))


WORKS: dict[str, Callable[[np.ndarray, Windows], int]] = {
    "spectra": spectra,
    "components": components,
    "noise floor": partial(floor, surrogates=2),
    "study": whole_study,
}


def _speeds() -> list[dict]:
    """CPU-seconds at the baseline's windows; the median of rounds in turn, the first left out."""
    image = perovskite(1024)
    windows = Windows(64, 8, highest=0.25)
    ways: dict[str, tuple[Callable, Windows]] = {
        "stemnet": (spectra, windows),
        "stemnet, all frequencies": (spectra, Windows(64, 8)),
        "stemnet, and 16 components": (components, windows),
        "stemnet, and the noise floor": (floor, windows),
        "scipy, an FFT a window": (transforms, windows),
    }
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    count = 0
    for _ in range(ROUNDS + 1):
        for name, (work, plan) in ways.items():
            begun = time.process_time(), time.perf_counter()
            count = work(image, plan)
            seconds[name].append((time.process_time() - begun[0], time.perf_counter() - begun[1]))
    recorded, recorded_wall = (PYCROSCOPY_RECORDED[0] / taken for taken in PYCROSCOPY_RECORDED[1:3])
    print(f"{count} windows of 64 px, 8 px apart, on 1024 x 1024 px")
    print(f"{'':30s} {'windows per CPU s':>18s} {'per s':>9s} {'over pycroscopy, CPU':>21s}")
    rows: list[dict] = []
    for name, taken in seconds.items():
        speed, wall_speed = count / np.median(taken[1:], axis=0)
        rows.append(
            {
                "name": name,
                "windows": count,
                "windows_per_cpu_s": float(speed),
                "windows_per_s": float(wall_speed),
                "over_peer": float(speed) / recorded,
            }
        )
    peer = {"windows_per_cpu_s": recorded, "windows_per_s": recorded_wall, "over_peer": 1.0}
    rows.append({"name": "pycroscopy (recorded)", **peer})
    for row in rows:
        print(
            f"{row['name']:30s} {row['windows_per_cpu_s']:18.0f} {row['windows_per_s']:9.0f} "
            f"{row['over_peer']:21.0f}",
            flush=True,
        )
    reached = "reached" if rows[0]["over_peer"] >= GOAL else "MISSED"
    print(f"goal, {GOAL:.0f} times pycroscopy: {reached}")
    return rows


def _costs(side: int) -> list[dict]:
    titles = f"{'windows':>9s} {'CPU s':>7s} {'peak MB':>8s} {'before':>7s} {'whole MB':>9s}"
    print(f"\n{'streamed, 64 px, 4 px apart':30s} {titles}")
    rows = []
    for work in WORKS:
        command = [sys.executable, __file__, "--one", str(side), work]
        row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        rows.append(row)
        print(
            f"{f'{side} x {side} px, {work}':30s} {row['windows']:9d} {row['cpu_s']:7.1f} {row['peak_mb']:8.0f} "
            f"{row['before_mb']:7.0f} {row['whole_mb']:9.0f}",
            flush=True,
        )
    reached = "reached" if max(row["peak_mb"] for row in rows) <= MOST_MB else "MISSED"
    print(f"goal, {MOST_MB / 1024:g} GB of memory at most: {reached}")
    return rows


def _streamed(side: int, work: str) -> dict:
    """One stream in this process: seconds, the peak of memory, and what the table would take if held whole."""
    image = np.tile(
        perovskite(512), (side // 512,) * 2
    )  # drawing it whole would take more memory than the stream
    windows = Windows(64, 4, highest=0.25)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    begun = time.process_time()
    count = WORKS[work](image, windows)
    return {
        "name": f"{work} of {side} px",
        "windows": count,
        "cpu_s": time.process_time() - begun,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "before_mb": before,
        "whole_mb": count * len(windows.frequencies) * 4 / 2**20,
    }


if __name__ == "__main__":
    main()
