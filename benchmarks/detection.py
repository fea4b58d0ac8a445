"""Detection on images with known columns: F1 and error over the Cramer-Rao bound, beside peers.

    python benchmarks/detection.py                      own simulated examples, weak columns, images of nothing
    python benchmarks/detection.py --shared FOLDER      also the common benchmark, labelled and foreign images
    python benchmarks/detection.py --cases perov,blur   only cases with these words
    python benchmarks/detection.py --speed              CPU seconds and peak memory of large images instead
    python benchmarks/detection.py --json FILE

stemnet is told nothing: no spacing, width or scale. On the common benchmark,
scikit-image's local maxima run in the same process, told the true width and
spacing; figures of other peers are the ones recorded beside that benchmark,
which were told the same. The column "promised" is the F1 that the columns' own
probabilities add up to.
"""

from __future__ import annotations

from stemnet.runtime import prepare_process

prepare_process()

import argparse  # noqa: E402
import json  # noqa: E402
import resource  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from pathlib import Path  # noqa: E402

import detection_cases as cases  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

from stemnet import resources  # noqa: E402
from stemnet.detection.segmenter import Settings, find_columns  # noqa: E402
from stemnet.micrograph import Micrograph  # noqa: E402
from stemnet.models.checkpoint import load  # noqa: E402

COLUMNS = (
    ("F1", "F1", 6, 3),
    ("P", "P", 6, 3),
    ("R", "R", 6, 3),
    ("rmse", "RMSE px", 8, 4),
    ("over_bound", "/CRLB", 6, 2),
    ("bias_y", "bias y", 7, 3),
    ("bias_x", "bias x", 7, 3),
    ("in_1", "in 1s", 6, 2),
    ("in_2", "in 2s", 6, 2),
    ("width_px", "width", 6, 2),
    ("promised", "promised", 8, 3),
    ("cpu_s", "CPU s", 6, 1),
)
LARGE = (1024, 2048, 4096)


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--shared", type=Path, help="folder with bench/ and data/")
    options.add_argument("--checkpoint", type=Path, default=resources.weights())
    options.add_argument("--views", type=int, default=1, help="mirrored and turned views: 1, 2, 4 or 8")
    options.add_argument(
        "--cases", default="", help="words, separated by commas; only cases with one of them"
    )
    options.add_argument("--speed", action="store_true", help="large images: seconds and memory")
    options.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options.add_argument("--json", type=Path, help="write the rows here")
    given = options.parse_args()
    torch.set_num_threads(1)
    if given.one:
        print(json.dumps(_large(given.one, given.checkpoint)))
        return
    rows = _costs(given.checkpoint) if given.speed else _accuracies(given)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1, default=float))


def _accuracies(given: argparse.Namespace) -> list[dict]:
    checkpoint, settings = load(given.checkpoint), Settings(views=given.views)
    words = [word for word in given.cases.split(",") if word]
    rows: list[dict] = []
    print(
        f"{'case':34s} " + " ".join(f"{title:>{width}s}" for _, title, width, _ in COLUMNS) + "  found  peers"
    )
    for case in _cases(given.shared):
        if words and not any(word in case.name for word in words):
            continue
        start = time.process_time()
        found = find_columns(Micrograph(case.image, name=case.name), checkpoint, settings)
        row = {
            "case": case.name,
            "cpu_s": time.process_time() - start,
            "width_px": found.width,
            "promised": found.expected_f1,
            "found": len(found.columns),
            "confident": found.confident,
            **case.score(found),
        }
        row["over_bound"] = row["rmse"] / case.bound if case.bound and row["rmse"] is not None else None
        row["peers"] = case.peers(case.image) if case.peers else {}
        rows.append(row)
        print(_line(row), flush=True)
    return rows


def _line(row: dict) -> str:
    def number(name: str, width: int, digits: int) -> str:
        value = row.get(name)
        known = isinstance(value, int | float) and np.isfinite(value)
        return f"{value:{width}.{digits}f}" if known else " " * (width - 1) + "-"

    numbers = " ".join(number(name, width, digits) for name, _, width, digits in COLUMNS)
    low = "" if row["confident"] else " (low confidence)"
    peers = ", ".join(f"{name} {text}" for name, text in row["peers"].items())
    return f"{row['case'][:34]:34s} {numbers} {row['found']:6d}{low}  {peers}"


def _cases(shared: Path | None) -> Iterator[cases.Case]:
    yield from cases.own()
    yield from cases.weak()
    yield from cases.nothing()
    if shared:
        yield from cases.common(shared / "bench")
        yield from cases.labelled(shared / "data" / "labelled" / "pt_single_atoms_on_carbon")
        yield from cases.foreign(shared / "data" / "simulated_by_others")


def _costs(checkpoint: Path) -> list[dict]:
    """Every size in a process of its own, since the peak of memory is the process's."""
    rows = []
    print(
        f"{'pixels':>12s} {'columns':>8s} {'CPU s':>7s} {'of it network':>14s} {'peak MB':>8s} {'before':>7s}"
    )
    for side in LARGE:
        command = [sys.executable, __file__, "--one", str(side), "--checkpoint", str(checkpoint)]
        row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        rows.append(row)
        print(
            f"{side:5d} x {side:4d} {row['found']:8d} {row['cpu_s']:7.2f} {row['network_s']:14.2f} "
            f"{row['peak_mb']:8.0f} {row['before_mb']:7.0f}",
            flush=True,
        )
    return rows


def _large(side: int, weights: Path) -> dict:
    """A perovskite of some 12 000 columns at 2048 pixels, sigma 3 px, 10 000 electrons a bright column."""
    from stemnet.detection.candidates import Finder
    from stemnet.detection.column_model import render_columns

    rng = np.random.default_rng(3)
    step = 3.905 / 0.15
    rows, cols = np.mgrid[-2 : side / step + 2, -2 : side / step + 2] * step
    corner = np.stack([rows.ravel(), cols.ravel()], 1)
    yx = np.concatenate([corner, corner + step / 2]) + rng.uniform(-0.5, 0.5, (2 * len(corner), 2))
    height = np.repeat([1.0, 0.45], len(corner))
    peak = 10000 / (2 * np.pi * 9)
    image = rng.poisson(peak * (0.15 + render_columns((side, side), yx, height, 3.0))).astype(np.float32)
    checkpoint = load(weights)
    find_columns(Micrograph(image[:256, :256]), checkpoint)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.process_time()
    found = find_columns(Micrograph(image), checkpoint)
    seconds = time.process_time() - start
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.process_time()
    Finder(checkpoint)(image, found.width, 0.5)
    return {
        "side": side,
        "found": len(found.columns),
        "cpu_s": seconds,
        "network_s": time.process_time() - start,
        "peak_mb": peak_mb,
        "before_mb": before,
    }


if __name__ == "__main__":
    main()
