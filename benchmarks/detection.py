"""Detection on images with known columns: F1 and error over the Cramer-Rao bound, beside peers.

    python benchmarks/detection.py                      own simulated examples
    python benchmarks/detection.py --shared FOLDER      also the common benchmark, labelled and foreign images
    python benchmarks/detection.py --cases perov,blur   only cases with these words
    python benchmarks/detection.py --json FILE

stemnet is told nothing: no spacing, width or scale. On the common benchmark,
scikit-image's local maxima run in the same process, told the true width and
spacing; figures of other peers are the ones recorded beside that benchmark,
which were told the same.
"""

from __future__ import annotations

from stemnet.runtime import prepare_process

prepare_process()

import argparse  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
from scipy import ndimage  # noqa: E402
from skimage.feature import peak_local_max  # noqa: E402

from stemnet import resources, storage  # noqa: E402
from stemnet.detection.segmenter import find_columns  # noqa: E402
from stemnet.doors.judging import judge  # noqa: E402
from stemnet.micrograph import Micrograph  # noqa: E402
from stemnet.models.checkpoint import load  # noqa: E402
from stemnet.reading import read_micrograph  # noqa: E402

WORDS = (
    *(
        f"{lattice}_512_d{dose}"
        for lattice in ("perov", "mos2", "si110")
        for dose in (30, 100, 300, 1000, 10000, 100000)
    ),
    *(
        f"{lattice}_512_{kind}"
        for lattice in ("perov", "mos2", "si110")
        for kind in ("hard_d1000", "blur_d10000")
    ),
)


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--shared", type=Path, help="folder with bench/ and data/")
    options.add_argument("--checkpoint", type=Path, default=resources.weights())
    options.add_argument(
        "--cases", default="", help="words, separated by commas; only cases with one of them"
    )
    options.add_argument("--json", type=Path, help="write the rows here")
    given = options.parse_args()
    torch.set_num_threads(1)
    checkpoint = load(given.checkpoint)
    words = [word for word in given.cases.split(",") if word]
    rows: list[dict] = []
    print(f"{'case':34s} {'F1':>6s} {'P':>6s} {'R':>6s} {'RMSE px':>8s} {'/CRLB':>6s} {'bias y':>7s} {'bias x':>7s} "
          f"{'in 1s':>6s} {'in 2s':>6s} {'width':>6s} {'found':>6s} {'CPU s':>6s}  peers")  # fmt: skip
    for case, image, score, bound, peers in _cases(given.shared):
        if words and not any(word in case for word in words):
            continue
        start = time.process_time()
        found = find_columns(Micrograph(image, name=case), checkpoint)
        seconds = time.process_time() - start
        row = {
            "case": case,
            "cpu_s": seconds,
            "width_px": found.width,
            "found": len(found.columns),
            **score(found),
        }
        row["over_bound"] = row["rmse"] / bound if bound and row["rmse"] is not None else None
        row["peers"] = peers(image) if peers else {}
        rows.append(row)
        print(_line(row), flush=True)
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1, default=float))


def _line(row: dict) -> str:
    def number(name: str, width: int, digits: int) -> str:
        value = row.get(name)
        return f"{value:{width}.{digits}f}" if isinstance(value, int | float) else " " * (width - 1) + "-"

    peers = ", ".join(f"{name} {text}" for name, text in row["peers"].items())
    return (
        f"{row['case'][:34]:34s} {number('F1', 6, 3)} {number('P', 6, 3)} {number('R', 6, 3)} {number('rmse', 8, 4)} "
        f"{number('over_bound', 6, 2)} {number('bias_y', 7, 3)} {number('bias_x', 7, 3)} {number('in_1', 6, 2)} "
        f"{number('in_2', 6, 2)} {number('width_px', 6, 2)} {row['found']:6d} {number('cpu_s', 6, 1)}  {peers}"
    )


def _cases(shared: Path | None):
    """Yield (case, image, score(found), bound or None, peers(image) or None)."""
    for path in sorted(resources.simulated_data().glob("*.tif")):
        yield _own(path)
    if shared:
        yield from _common(shared / "bench")
        yield from _labelled(shared / "data" / "labelled" / "pt_single_atoms_on_carbon")
        yield from _foreign(shared / "data" / "simulated_by_others")


def _own(path: Path):
    micrograph = read_micrograph(path)
    truth = storage.read_columns_csv(path.with_name(f"{path.stem}.truth.csv"), shape=micrograph.shape)

    def score(found):
        s = judge(found.columns, truth, found.width if np.isfinite(found.width) else 3.0).scores
        return {"F1": s["f1"], "P": s["precision"], "R": s["recall"], "rmse": s["rmse_px"]}

    return path.stem, micrograph.image, score, None, None


def _common(bench: Path):
    sys.path.insert(0, str(bench))
    import common
    import gen

    bounds = {
        row["case"]: row["crlb_all"] for row in json.loads((bench / "results" / "crlb.json").read_text())
    }
    recorded = _recorded(bench / "results")
    for case, arguments in gen.cases(False):
        if case not in WORDS:
            continue
        image, truth, meta = gen.make(**arguments)

        def score(found, truth=truth, meta=meta):
            yx = found.columns.yx
            result = common.score(yx[:, 1], yx[:, 0], truth, meta)
            return {**result, **_calibration(found.columns, truth, meta["nn_px"])}

        def peers(image, truth=truth, meta=meta, case=case):
            smooth = ndimage.gaussian_filter(image, meta["sigma_px"])
            peaks = peak_local_max(smooth, min_distance=int(0.45 * meta["nn_px"]), exclude_border=False)
            told = common.score(peaks[:, 1], peaks[:, 0], truth, meta)
            here = {"local maxima (here, told)": f"{told['F1']:.3f}/{told['rmse'] or float('nan'):.3f}"}
            return here | recorded.get(case, {})

        yield case, image, score, bounds.get(case), peers


def _recorded(results: Path) -> dict[str, dict[str, str]]:
    """F1 / RMSE of the best recorded peers per case."""
    table: dict[str, dict[str, str]] = {}
    for file in results.glob("*_dose.json"):
        for row in json.loads(file.read_text())["rows"]:
            if row.get("rmse") and row["tool"] in ("trackpy locate", "atomai Segmentor.predict (CoM)"):
                short = f"{row['tool'].split()[0]} (recorded)"
                table.setdefault(row["case"], {})[short] = f"{row['F1']:.3f}/{row['rmse']:.3f}"
    return table


def _calibration(columns, truth, spacing: float) -> dict[str, float]:
    """Share of true errors inside one and two standard errors."""
    from stemnet.detection.matching import match

    pairs = match(columns.yx, np.stack([truth["y"], truth["x"]], 1), 0.3 * spacing).pairs
    if not len(pairs):
        return {}
    error = columns.yx[pairs[:, 0]] - np.stack([truth["y"], truth["x"]], 1)[pairs[:, 1]]
    sigma = np.stack([columns["sigma_y"], columns["sigma_x"]], 1)[pairs[:, 0]]
    ratio = np.abs(error / sigma)[np.isfinite(sigma)]
    return {"in_1": float((ratio < 1).mean()), "in_2": float((ratio < 2).mean())}


def _labelled(folder: Path):
    from stemnet.detection.matching import match

    for path in sorted(folder.glob("*.tif")):
        number = path.stem.split("_")[3]
        # Columns: row number (without a heading), X, Y [px].
        labels = np.loadtxt(next(folder.glob(f"*_{number}_Results.csv")), delimiter=",", skiprows=1, ndmin=2)
        truth = labels[:, [-1, -2]]

        def score(found, truth=truth):
            matched = len(match(found.columns.yx, truth, 5.0).pairs)
            return {
                "P": matched / max(len(found.columns), 1),
                "R": matched / len(truth),
                "F1": 2 * matched / max(len(found.columns) + len(truth), 1),
                "rmse": None,
            }

        yield f"Pt on carbon {number} (hand labels)", read_micrograph(path).image, score, None, None


def _foreign(folder: Path):
    from stemnet.detection.matching import match

    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            multislice = "coordinates" in file
            truth = file["coordinates"] / 0.15 if multislice else file["columns"]
            image = file["images"][0] if multislice else file["image"]

        def score(found, truth=truth):
            result = match(found.columns.yx, truth, 3.0)
            return {"P": result.precision, "R": result.recall, "F1": result.f1, "rmse": result.rmse}

        yield path.stem.replace("simulation_", "").replace("data_sample_", ""), image, score, None, None


if __name__ == "__main__":
    main()
