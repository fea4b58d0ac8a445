"""From a Hydra config to a study: columns of every input, then one page with figures and numbers."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig
from tqdm import tqdm

from stemnet import storage
from stemnet.columns import Columns
from stemnet.detection.matching import partners
from stemnet.detection.segmenter import Detection, find_columns
from stemnet.doors.one_input import Job
from stemnet.doors.refitting import with_halo
from stemnet.reading import read_micrograph, unique_stems
from stemnet.report.page import write_page
from stemnet.report.style import save
from stemnet.storage.whole_file import whole_file
from stemnet.studies import Findings, Measured, Number, Table, Truth


def study_from(config: DictConfig, job: Job, paths: list[str], output: Path) -> None:
    """Find the columns of every input, study them together, and write the page.

    Raises
    ------
    StemnetError
        If an input cannot be read, or the study can say nothing of any of them.
    """
    name = str(config.study.name)
    folder = output / name
    measured = _measured(paths, job, bool(config.study.get("halo", False)))
    function: Callable[..., Findings] = instantiate(config.study.method)
    findings = function(measured, seed=job.seed)
    folder.mkdir(parents=True, exist_ok=True)
    rows = [number.row() for number in findings.numbers]
    files = ["numbers.csv", "metrics.json"]
    _write_numbers(folder / "numbers.csv", rows)
    for table in findings.tables:
        _write_table(folder / f"{table.name}.csv", table)
        files.append(f"{table.name}.csv")
    for one in measured:
        storage.write_columns_csv(folder / f"{one.name}_columns.csv", one.columns)
        files.append(f"{one.name}_columns.csv")
    warnings = (*findings.notes, *(f"{one.name}: {note}" for one in measured for note in one.notes))
    storage.write_metrics(
        folder / "metrics.json",
        {
            "study": name,
            "inputs": paths,
            "summary": findings.summary,
            "numbers": rows,
            "warnings": list(warnings),
            "weights_sha256": job.checkpoint.sha256,
            "config": job.config,
        },
    )
    pictures = []
    if job.figures:
        for picture in tqdm(findings.pictures, desc="figures", disable=None, leave=False):
            save(picture.draw(), folder / f"{picture.name}.png")
            pictures.append((f"{picture.name}.png", picture.caption))
        write_page(
            folder / "index.html",
            title=f"{name.replace('_', ' ')}",
            summary=findings.summary,
            figures=pictures,
            tables={"Results": rows},
            warnings=warnings,
            files=files,
        )
    _tell(findings, folder)


def _measured(paths: list[str], job: Job, halo: bool) -> list[Measured]:
    """Every input with its columns, read and searched one after the other, with a halo if that is asked for."""
    measured = []
    bar = tqdm(total=len(paths), disable=None, unit="file", leave=False)
    for path, name in zip(paths, unique_stems(paths), strict=True):

        def progress(stage: str, done: int, steps: int, name: str = name) -> None:
            bar.set_description_str(f"{name}: {stage}" + (f" {done}/{steps}" if steps > 1 else ""))

        micrograph = read_micrograph(Path(path), sampling=job.sampling, signal=job.signal)
        found = find_columns(micrograph, job.checkpoint, job.settings, device=job.device, progress=progress)
        if halo and job.settings.refine:
            progress("halo", 0, 1)
            found = with_halo(micrograph, found)
        notes = (*micrograph.notes, *found.reasons, *found.notes)
        truth = _truth(Path(path), found)
        measured.append(
            Measured(name, micrograph, found.columns, truth, found.confident, notes, found.probability)
        )
        bar.update()
    bar.close()
    return measured


def _truth(path: Path, found: Detection) -> Truth | None:
    """What lies beside an input as its truth, matched to the found columns."""
    beside = path.with_name(f"{path.stem}.truth.csv")
    if not beside.is_file():
        return None
    columns = found.columns
    true = storage.read_columns_csv(beside, columns.shape, columns.sampling)
    partner = partners(columns, true, found.width if np.isfinite(found.width) else 3.0)
    fields, vacancies = (
        path.with_name(f"{path.stem}.fields.npz"),
        path.with_name(f"{path.stem}.vacancies.csv"),
    )
    maps: dict[str, np.ndarray] = {}
    if fields.is_file():
        with np.load(fields) as stored:
            maps = {name: stored[name].astype(np.float32) for name in stored.files}
    missing: Columns | None = None
    if vacancies.is_file():
        missing = storage.read_columns_csv(vacancies, columns.shape, columns.sampling)
    step = round(columns.shape[0] / next(iter(maps.values())).shape[0]) if maps else 1
    return Truth(true, partner, maps, step, missing)


def _write_numbers(path: Path, rows: list[dict[str, object]]) -> None:
    with whole_file(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else ["quantity"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write_table(path: Path, table: Table) -> None:
    columns = {name: np.asarray(values) for name, values in table.values.items()}
    with whole_file(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*(map(_cell, values.tolist()) for values in columns.values()), strict=True))


def _cell(value: Any) -> Any:
    return "" if isinstance(value, float) and value != value else value


def _tell(findings: Findings, folder: Path) -> None:
    print(findings.summary)
    for number in findings.numbers:
        print(f"  {_words(number)}")
    for note in findings.notes:
        print(f"Note: {note}")
    print(f"-> {folder / 'index.html'}")


def _words(number: Number) -> str:
    """A number in one line."""
    row = number.row()
    text = f"{number.input}: {number.quantity}: {number.value:.4g}"
    text += f" +- {number.sigma:.2g}" if row["sigma"] is not None else ""
    text += f" {number.unit}" if number.unit else ""
    text += f" (truth {number.truth:.4g})" if row["truth"] is not None else ""
    if row["aim"]:
        text += f" [{row['aim']}: {'reached' if number.holds else 'NOT reached'}]"
    return text
