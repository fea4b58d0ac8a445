"""Refinement against the Cramer-Rao bound and simple peers: ``python benchmarks/refinement.py [--json FILE]``.

Every method starts from the same positions, 0.3 px (one standard deviation
per axis) off the truth. The joint fit and the local centroid get all columns;
the fit of one Gaussian per column (scipy) a sample, since it is slow. Rates
are columns per second of process time on one thread, error bars included
where a method gives any.

Three tables: positions against the bound; what a lattice prior would falsify
(columns beside vacancies pulled into them, polar shifts made smaller; the fit
has no such prior), with the intensities and ellipticities of the same images;
and the rate on one large image.

With ``--shared FOLDER`` (default ../shared) the images and the bounds are
those of the shared benchmark; without that folder, lattices rendered here.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import least_squares

from stemnet.detection.column_model import render_columns
from stemnet.detection.precision import cramer_rao
from stemnet.detection.refinement import refine

START_ERROR = 0.3
SAMPLE = 150


@dataclass(frozen=True)
class Case:
    """One image with its true columns; `bound` is the RMS Cramer-Rao bound per axis [px], NaN if unknown."""

    name: str
    image: np.ndarray
    yx: np.ndarray
    width: float
    spacing: float
    bound: float


def shared_cases(folder: Path) -> Iterator[Case]:
    spec = importlib.util.spec_from_file_location("bench_images", folder / "bench" / "gen.py")
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    table = json.loads((folder / "bench" / "results" / "crlb.json").read_text())
    bounds = {row["case"]: row["crlb_all"] for row in table}
    for name, recipe in bench.cases():
        dose = recipe["dose"]
        if recipe["n"] != 512 or not (100 <= dose < math.inf):
            continue
        image, truth, meta = bench.make(**recipe)
        yx = np.stack([truth["y"], truth["x"]], 1)
        bound = bounds.get(name, math.nan)
        yield Case(name, image, yx, meta["sigma_px"], meta["nn_px"], bound)


def own_cases() -> Iterator[Case]:
    shape, width = (384, 384), 3.0
    for name, spacing in (("square_6.1_sigma", 18.3), ("square_4.0_sigma", 12.0), ("square_3.0_sigma", 9.0)):
        for peak in (3, 30, 300):
            rng = np.random.default_rng(peak)
            axis = np.arange(spacing / 2, shape[0], spacing)
            yx = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
            yx = yx + rng.uniform(-0.5, 0.5, yx.shape)
            height = np.full(len(yx), float(peak))
            level = 0.15 * peak
            image = rng.poisson(level + render_columns(shape, yx, height, width)).astype(np.float32)
            inner = np.flatnonzero(judged(yx, shape, spacing))[:: max(1, len(yx) // 60)]
            limit = cramer_rao(shape, yx, height, width, background=level, widths="common", rows=inner)
            yield Case(f"{name}_peak{peak}", image, yx, width, spacing, float(np.sqrt(np.mean(limit**2))))


def judged(yx: np.ndarray, shape: tuple[int, ...], spacing: float) -> np.ndarray:
    """Columns further than 0.6 spacings from the edge."""
    return ((yx >= 0.6 * spacing) & (yx <= np.array(shape) - 1 - 0.6 * spacing)).all(1)


def windows(image: np.ndarray, yx: np.ndarray, half: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels around each position, (N, K, K), with their rows and columns; the edge is repeated."""
    offset = np.arange(-half, half + 1)
    row, col = np.rint(yx[:, :1]).astype(int) + offset, np.rint(yx[:, 1:]).astype(int) + offset
    inside = image[
        np.clip(row, 0, image.shape[0] - 1)[:, :, None], np.clip(col, 0, image.shape[1] - 1)[:, None, :]
    ]
    return inside, row, col


def centroid(case: Case, start: np.ndarray) -> np.ndarray:
    """Center of mass above the window's own dark level, twice."""
    half, yx = max(2, round(0.5 * case.spacing)), start
    for _ in range(2):
        light, row, col = windows(case.image, yx, half)
        light = light - np.percentile(light, 10, axis=(1, 2), keepdims=True)
        light = np.clip(light, 0, None)
        total = light.sum((1, 2)) + 1e-12
        yx = np.stack([(light.sum(2) * row).sum(1) / total, (light.sum(1) * col).sum(1) / total], 1)
    return yx


def one_by_one(case: Case, start: np.ndarray) -> np.ndarray:
    """A Gaussian with its own background per column, least squares, neighbors ignored."""
    half = max(3, round(0.5 * case.spacing))
    light, row, col = windows(case.image, start, half)
    found = np.empty_like(start)
    for k, (pixels, y, x) in enumerate(zip(light, row, col, strict=True)):

        def residual(p, pixels=pixels, y=y, x=x):
            r2 = (y - p[0])[:, None] ** 2 + (x - p[1])[None, :] ** 2
            return (p[2] * np.exp(-r2 / (2 * p[3] ** 2)) + p[4] - pixels).ravel()

        low, high = pixels.min(), pixels.max()
        found[k] = least_squares(residual, [*start[k], high - low, case.width, low], method="lm").x[:2]
    return found


def timed(method, *arguments):
    begin = time.process_time()
    result = method(*arguments)
    return result, time.process_time() - begin


def measure(case: Case) -> dict[str, object]:
    start = case.yx + np.random.default_rng(0).normal(0, START_ERROR, case.yx.shape)
    inner = judged(case.yx, case.image.shape, case.spacing)
    fit, seconds = timed(refine, case.image, start, case.width)
    error = (fit.yx - case.yx)[inner]
    pull = (error / np.stack([fit.sigma_y, fit.sigma_x], 1)[inner])[fit.ok[inner]]

    def rmse(positions, rows):
        return float(np.sqrt(np.mean((positions - case.yx[rows]) ** 2)))

    rows = np.flatnonzero(inner)
    sample = rows[np.random.default_rng(1).permutation(len(rows))[:SAMPLE]]
    center, center_seconds = timed(centroid, case, start)
    single, single_seconds = timed(one_by_one, case, start[sample])
    return {
        "case": case.name,
        "columns": len(case.yx),
        "bound": case.bound,
        "rmse": rmse(fit.yx[rows], rows),
        "ratio": rmse(fit.yx[rows], rows) / case.bound,
        "fitted": float(fit.ok[inner].mean()),
        "inside_1_sigma": float(np.mean(np.abs(pull) < 1)),
        "inside_2_sigma": float(np.mean(np.abs(pull) < 2)),
        "bias_y": float(error[:, 0].mean()),
        "bias_x": float(error[:, 1].mean()),
        "columns_per_second": len(case.yx) / seconds,
        "iterations": fit.iterations,
        "single_rmse": rmse(single, sample),
        "single_columns_per_second": len(sample) / max(single_seconds, 1e-9),
        "centroid_rmse": rmse(center[rows], rows),
        "centroid_columns_per_second": len(start) / max(center_seconds, 1e-9),
    }


def perovskite(shape: tuple[int, int], peak: float, shift: float, vacant: float, seed: int):
    """Counts of a square lattice with a fainter column in each cell's center.

    The centers are shifted along y by `shift` [px], down in one half of the
    image and up in the other; a share `vacant` of them is missing. Returns
    image, positions, heights, widths, planted shift of each column along y
    [px], and for each column the direction to the nearest vacancy if that is
    a neighbor, else NaN, (N, 2).
    """
    rng = np.random.default_rng(seed)
    cell, width = 26.0, 3.0
    axis = np.arange(-0.5, shape[0] / cell + 1) * cell
    corners = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2) + rng.uniform(0, cell, 2)
    centers = corners + cell / 2
    gone = rng.uniform(size=len(centers)) < vacant
    moved = np.where(centers[:, 1] < shape[1] / 2, shift, -shift)
    yx = np.concatenate([corners, centers[~gone] + np.stack([moved, 0 * moved], 1)[~gone]])
    height = np.repeat([1.0, 0.45], [len(corners), (~gone).sum()]) * peak
    sigma = np.repeat([width, 0.93 * width], [len(corners), (~gone).sum()])
    planted = np.concatenate([np.zeros(len(corners)), moved[~gone]])
    away = centers[gone] - yx[:, None] if gone.any() else np.full((len(yx), 1, 2), np.inf)
    nearest = away[np.arange(len(yx)), np.linalg.norm(away, axis=2).argmin(1)]
    distance = np.linalg.norm(nearest, axis=1, keepdims=True)
    toward = np.where(distance < 0.8 * cell, nearest, np.nan) / np.where(distance < 0.8 * cell, distance, 1.0)
    level = 0.15 * peak
    image = rng.poisson(level + render_columns(shape, yx, height, sigma)).astype(np.float32)
    inside = judged(yx, shape, cell)
    return image, yx, height, sigma, planted, toward, inside


def biases(peak: float, shift: float, vacant: float) -> dict[str, object]:
    """What is pulled, of the fit and of one Gaussian per column, over three images."""
    rows = []
    for seed in range(3):
        shape = (400, 400)
        image, yx, height, sigma, planted, toward, inside = perovskite(shape, peak, shift, vacant, seed)
        start = yx + np.random.default_rng(seed).normal(0, START_ERROR, yx.shape)
        fit = refine(image, start, 3.0)
        single = one_by_one(Case("", image, yx, 3.0, 18.4, math.nan), start)
        volume = 2 * np.pi * height * sigma**2
        found = [
            *(fit.yx - yx).T,
            *(single - yx).T,
            planted,
            *toward.T,
            fit.sigma_y,
            fit.sigma_x,
            fit.intensity / volume,
            (fit.intensity - volume) / fit.intensity_sigma,
            fit.ellipticity_1 / fit.ellipticity_sigma,
            fit.cross_section / volume,
        ]
        rows.append(np.stack(found, 1)[inside & fit.ok])
    table = np.concatenate(rows)
    error, single, planted, toward, sigma, rest = np.split(table, [2, 4, 5, 7, 9], 1)
    beside = np.isfinite(toward[:, 0])
    polar = planted[:, 0] != 0

    def pull(positions):
        return float((positions[beside] * toward[beside]).sum(1).mean()) if beside.any() else math.nan

    def scale(positions):
        moved = planted[polar, 0]
        return (
            float((moved * (moved + positions[polar, 0])).sum() / (moved**2).sum())
            if polar.any()
            else math.nan
        )

    def uncertain(which):
        return float(sigma[which].mean() / np.sqrt(which.sum())) if which.any() else math.nan

    return {
        "scene": f"peak {peak:g}, polar {shift:g} px, {vacant:.0%} vacant",
        "columns": len(table),
        "pull": pull(error),
        "pull_sigma": uncertain(beside),
        "single_pull": pull(single),
        "polar": scale(error),
        "polar_sigma": uncertain(polar) / abs(shift) if shift else math.nan,
        "single_polar": scale(single),
        "intensity": float(rest[:, 0].mean()),
        "intensity_pull": float(rest[:, 1].std()),
        "ellipticity_pull": float(rest[:, 2].std()),
        "cross_section": float(rest[:, 3].mean()),
    }


def large_case(folder: Path) -> Case:
    """Some 12000 columns in 2048 x 2048 pixels."""
    if (folder / "bench" / "gen.py").exists():
        spec = importlib.util.spec_from_file_location("bench_images", folder / "bench" / "gen.py")
        bench = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(bench)
        image, truth, meta = bench.make("perov", 2048, 10000, seed=3)
        yx = np.stack([truth["y"], truth["x"]], 1)
        return Case("perov_2048_d10000", image, yx, meta["sigma_px"], meta["nn_px"], math.nan)
    image, yx, *_ = perovskite((2048, 2048), 100.0, 0.0, 0.0, 0)
    inside = ((yx >= 0) & (yx <= 2047)).all(1)
    return Case("perovskite_2048", image, yx[inside], 3.0, 18.4, math.nan)


def print_biases(table: list[dict[str, object]]) -> None:
    print(
        "\npull into a vacancy [px] and recovered share of a planted polar shift, with standard errors; intensity and\n"
        "cross-section over the truth, spread of intensity and ellipticity in their standard errors (1 is honest)"
    )
    print(
        f"{'scene':34s}{'pull':>9s}{'+-':>8s}{'scipy':>9s} |{'polar':>8s}{'+-':>7s}{'scipy':>8s} |"
        f"{'volume':>8s}{'spread':>7s}{'cell':>8s} |{'ellipt.':>8s}"
    )
    for row in table:
        print(
            f"{row['scene']:34s}{row['pull']:9.4f}{row['pull_sigma']:8.4f}{row['single_pull']:9.4f} |"
            f"{row['polar']:8.3f}{row['polar_sigma']:7.3f}{row['single_polar']:8.3f} |{row['intensity']:8.4f}"
            f"{row['intensity_pull']:7.2f}{row['cross_section']:8.4f} |{row['ellipticity_pull']:8.2f}"
        )


def print_rate(row: dict[str, object], rough: float) -> None:
    print(
        f"\n{row['case']}, {row['columns']} columns, columns per second of process time:\n"
        f"joint fit with ellipticities and cells {row['columns_per_second']:.0f}, rough {rough:.0f} "
        f"(rmse {row['rmse']:.4f} px); scipy one by one, without errors, {row['single_columns_per_second']:.0f} "
        f"({row['single_rmse']:.4f} px)"
    )


def rate_of_rough_fits(case: Case) -> float:
    start = case.yx + np.random.default_rng(0).normal(0, START_ERROR, case.yx.shape)
    _, seconds = timed(lambda: refine(case.image, start, case.width, rough=True))
    return len(start) / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the table there too")
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared")
    parser.add_argument("--only", default="", help="cases whose name holds this")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    there = (arguments.shared / "bench" / "gen.py").exists()
    print(f"images: {'the shared benchmark' if there else 'rendered here'}; RMSE and bound per axis [px]")
    print(
        f"{'case':24s}{'columns':>8s}{'bound':>8s} |{'joint':>8s}{'ratio':>7s}{'in 1s':>7s}{'in 2s':>7s}"
        f"{'col/s':>7s} |{'scipy':>8s}{'ratio':>7s}{'col/s':>7s} |{'centroid':>9s}{'ratio':>7s}{'col/s':>7s}"
    )
    table = []
    for case in shared_cases(arguments.shared) if there else own_cases():
        if arguments.only not in case.name:
            continue
        row = measure(case)
        table.append(row)
        bound = row["bound"]
        print(
            f"{row['case']:24s}{row['columns']:8d}{bound:8.4f} |{row['rmse']:8.4f}{row['ratio']:7.3f}"
            f"{row['inside_1_sigma']:7.3f}{row['inside_2_sigma']:7.3f}{row['columns_per_second']:7.0f} |"
            f"{row['single_rmse']:8.4f}{row['single_rmse'] / bound:7.2f}{row['single_columns_per_second']:7.0f} |"
            f"{row['centroid_rmse']:9.4f}{row['centroid_rmse'] / bound:7.2f}"
            f"{row['centroid_columns_per_second']:7.0f}",
            flush=True,
        )
    scenes = [(30.0, 0.0, 0.05), (300.0, 0.0, 0.05), (30.0, 0.5, 0.0), (300.0, 0.5, 0.0), (300.0, 0.5, 0.05)]
    pulled = [biases(*scene) for scene in scenes]
    print_biases(pulled)
    large = large_case(arguments.shared)
    rate, rough = measure(large), rate_of_rough_fits(large)
    print_rate(rate, rough)
    if arguments.json:
        whole = {"positions": table, "biases": pulled, "rate": {**rate, "columns_per_second_rough": rough}}
        arguments.json.write_text(json.dumps(whole, indent=1))


if __name__ == "__main__":
    main()
