"""Images with known columns, or known to hold none, for `detection.py`.

Every case is an image, what there is to find, and how a result is scored.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import ndimage
from skimage.feature import peak_local_max

from stemnet import resources, storage
from stemnet.columns import Columns
from stemnet.detection.matching import match
from stemnet.detection.segmenter import Detection
from stemnet.doors.judging import judge
from stemnet.reading import read_micrograph
from stemnet.simulation.crystal import dichalcogenide, perovskite
from stemnet.simulation.growth import grow
from stemnet.simulation.microscope import Microscope
from stemnet.simulation.simulator import simulate

Scores = dict[str, float | None]
WEAK_NOISE = 5.0
"""Weak columns of a matched-filter signal-to-noise above this must be found."""


@dataclass(frozen=True)
class Case:
    """One image.

    Parameters
    ----------
    name : str
    image : ndarray, shape (H, W)
    score : callable
        Of a `Detection`, returns named numbers.
    bound : float or None
        Root mean square Cramer-Rao bound per axis [px].
    peers : callable or None
        Of the image, returns what others find, as text.
    """

    name: str
    image: np.ndarray
    score: Callable[[Detection], Scores]
    bound: float | None = None
    peers: Callable[[np.ndarray], dict[str, str]] | None = None
    notes: dict[str, str] = field(default_factory=dict)


def own() -> Iterator[Case]:
    """The frozen simulated examples."""
    for path in sorted(resources.simulated_data().glob("*.tif")):
        micrograph = read_micrograph(path)
        truth = storage.read_columns_csv(path.with_name(f"{path.stem}.truth.csv"), shape=micrograph.shape)

        def score(found: Detection, truth: Columns = truth) -> Scores:
            s = judge(found.columns, truth, found.width if np.isfinite(found.width) else 3.0).scores
            return {"F1": s["f1"], "P": s["precision"], "R": s["recall"], "rmse": s["rmse_px"]}

        yield Case(path.stem, micrograph.image, score)


COMMON = (
    *(f"{a}_512_d{dose}" for a in ("perov", "mos2", "si110") for dose in (30, 100, 300, 1000, 10000, 100000)),
    *(f"{a}_512_{kind}" for a in ("perov", "mos2", "si110") for kind in ("hard_d1000", "blur_d10000")),
)


def common(bench: Path) -> Iterator[Case]:
    """The benchmark that peers were run on, told the true spacing and width."""
    sys.path.insert(0, str(bench))
    import common as rules
    import gen

    table = json.loads((bench / "results" / "crlb.json").read_text())
    bounds = {row["case"]: row["crlb_all"] for row in table}
    recorded = _recorded(bench / "results")
    for name, arguments in gen.cases(False):
        if name not in COMMON:
            continue
        image, truth, meta = gen.make(**arguments)

        def score(found: Detection, truth: dict = truth, meta: dict = meta) -> Scores:
            yx = found.columns.yx
            result = rules.score(yx[:, 1], yx[:, 0], truth, meta)
            return {**result, **_calibration(found.columns, truth, meta["nn_px"])}

        def peers(
            image: np.ndarray, truth: dict = truth, meta: dict = meta, name: str = name
        ) -> dict[str, str]:
            smooth = ndimage.gaussian_filter(image, meta["sigma_px"])
            peaks = peak_local_max(smooth, min_distance=int(0.45 * meta["nn_px"]), exclude_border=False)
            told = rules.score(peaks[:, 1], peaks[:, 0], truth, meta)
            here = f"{told['F1']:.3f}/{told['rmse'] or float('nan'):.3f}"
            return {"local maxima (here, told)": here} | recorded.get(name, {})

        yield Case(name, image, score, bounds.get(name), peers)


def _recorded(results: Path) -> dict[str, dict[str, str]]:
    """F1 / RMSE of the best recorded peers per case."""
    table: dict[str, dict[str, str]] = {}
    for file in results.glob("*_dose.json"):
        for row in json.loads(file.read_text())["rows"]:
            if row.get("rmse") and row["tool"] in ("trackpy locate", "atomai Segmentor.predict (CoM)"):
                short = f"{row['tool'].split()[0]} (recorded)"
                table.setdefault(row["case"], {})[short] = f"{row['F1']:.3f}/{row['rmse']:.3f}"
    return table


def _calibration(columns: Columns, truth: dict, spacing: float) -> Scores:
    """Share of true errors inside one and two standard errors."""
    true = np.stack([truth["y"], truth["x"]], 1)
    pairs = match(columns.yx, true, 0.3 * spacing).pairs
    if not len(pairs):
        return {}
    error = columns.yx[pairs[:, 0]] - true[pairs[:, 1]]
    sigma = np.stack([columns["sigma_y"], columns["sigma_x"]], 1)[pairs[:, 0]]
    ratio = np.abs(error / sigma)[np.isfinite(sigma)]
    return {"in_1": float((ratio < 1).mean()), "in_2": float((ratio < 2).mean())}


def weak() -> Iterator[Case]:
    """Weak columns beside bright ones; recall counts those whose signal-to-noise is above 5.

    Oxygen in SrTiO3 has 0.07 of a strontium column's light, two S in WS2 have
    0.15 of a W's and in MoS2 0.38 of an Mo's; from doses at which these just
    show to clean ones.
    """
    cells = {
        "SrTiO3 with O": perovskite(),
        "WS2": dichalcogenide(metal="W", a=3.15, name="WS2"),
        "MoS2": dichalcogenide(),
    }
    for name, cell in cells.items():
        for dose in (1e5, 1e6, 1e7):
            sampling, shape = 0.12, (384, 384)
            specimen = grow(cell, (shape[0] * sampling, shape[1] * sampling), orientation=0.3)
            microscope = Microscope(sampling=sampling, dose=dose, background=0.1)
            simulated = simulate(specimen, microscope, shape, seed=11)
            truth = simulated.columns
            faint = truth["intensity"] < 0.4 * truth["intensity"].max()

            def score(found: Detection, truth: Columns = truth, faint: np.ndarray = faint) -> Scores:
                width = float(truth["width"][0])
                result = match(found.columns.yx, truth.yx, 1.2 * width, shape=truth.shape, border=2 * width)
                inner = ((truth.yx > 2 * width) & (truth.yx < np.array(truth.shape) - 1 - 2 * width)).all(1)
                asked = inner & faint & (truth["signal_to_noise"] > WEAK_NOISE)
                hit = np.isin(np.flatnonzero(asked), result.pairs[:, 1])
                recall = float(hit.mean()) if asked.any() else None
                return {
                    "F1": None,
                    "P": result.precision,
                    "R": recall,
                    "rmse": result.rmse,
                    "asked": asked.sum(),
                }

            yield Case(f"weak: {name}, {dose:.0e} e/A2", simulated.micrograph.image, score)


def nothing() -> Iterator[Case]:
    """Images that hold no column: what is found is false."""
    rng = np.random.default_rng(5)
    shape = (384, 384)
    textures = {
        "vacuum, 0.1 counts": rng.poisson(0.1, shape),
        "noise, 4 counts": rng.poisson(4, shape),
        "noise, 200 counts": rng.poisson(200, shape),
        "noise magnified 4 times": ndimage.zoom(rng.normal(10, 1, (96, 96)), 4, order=3),
        "carbon, grain of 2 px": 60 + 9 * _grain(rng, shape, 2.0),
        "carbon, grain of 5 px": 60 + 9 * _grain(rng, shape, 5.0),
        "gradient": rng.poisson(np.linspace(5, 80, shape[0])[:, None] + np.zeros(shape)),
        "lattice fringes": rng.poisson(30 + 12 * np.cos(np.arange(shape[1]) / 2.1) + np.zeros(shape)),
    }
    for name, image in textures.items():

        def score(found: Detection) -> Scores:
            return {"false": len(found.columns), "low": float(not found.confident)}

        counted = rng.poisson(np.clip(image, 0, None)) if "carbon" in name else image
        yield Case(f"nothing: {name}", np.asarray(counted, dtype=np.float32), score)


def _grain(rng: np.random.Generator, shape: tuple[int, int], length: float) -> np.ndarray:
    """Smooth random texture of unit deviation."""
    texture = ndimage.gaussian_filter(rng.normal(0, 1, shape), length)
    return texture / texture.std()


def labelled(folder: Path) -> Iterator[Case]:
    """Single Pt atoms on carbon, labelled by hand."""
    for path in sorted(folder.glob("*.tif")):
        number = path.stem.split("_")[3]
        # Columns: row number (without a heading), X, Y [px].
        labels = np.loadtxt(next(folder.glob(f"*_{number}_Results.csv")), delimiter=",", skiprows=1, ndmin=2)
        truth = labels[:, [-1, -2]]

        def score(found: Detection, truth: np.ndarray = truth) -> Scores:
            matched = len(match(found.columns.yx, truth, 5.0).pairs)
            return {
                "P": matched / max(len(found.columns), 1),
                "R": matched / len(truth),
                "F1": 2 * matched / max(len(found.columns) + len(truth), 1),
                "rmse": None,
            }

        yield Case(f"Pt on carbon {number} (hand labels)", read_micrograph(path).image, score)


def foreign(folder: Path) -> Iterator[Case]:
    """Images simulated by others; their truth also lists what lies off the image or cannot be seen.

    Columns off the image are left out, and so is what lies in a region that
    their authors marked as disordered and gave no columns for.
    """
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            multislice = "coordinates" in file
            truth = file["coordinates"] / 0.15 if multislice else file["columns"]
            image = file["images"][0] if multislice else file["image"]
            blind = None if multislice else ndimage.binary_dilation(file["disorder_mask"], iterations=3)
        inside = ((truth >= 1) & (truth <= np.array(image.shape) - 2)).all(axis=1)

        def score(
            found: Detection, truth: np.ndarray = truth[inside], blind: np.ndarray | None = blind
        ) -> Scores:
            yx = found.columns.yx
            if blind is not None:
                row, col = np.rint(yx).astype(int).T
                yx = yx[~blind[row.clip(0, blind.shape[0] - 1), col.clip(0, blind.shape[1] - 1)]]
                row, col = np.rint(truth).astype(int).T
                truth = truth[~blind[row, col]]
            result = match(yx, truth, 3.0, shape=found.columns.shape, border=3.0)
            return {"F1": result.f1, "P": result.precision, "R": result.recall, "rmse": result.rmse}

        yield Case(path.stem.replace("simulation_", "").replace("data_sample_", ""), image, score)
