"""The whole road for one input: file to result folder."""

from __future__ import annotations

import datetime
import hashlib
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

import stemnet
from stemnet import storage
from stemnet.analysis import SideBySide, side_by_side, write_comparison
from stemnet.analysis.described import holds_vectors
from stemnet.columns import Columns
from stemnet.descriptors.table import Descriptors
from stemnet.detection.segmenter import Detection, Settings, find_columns
from stemnet.doors.calibrating import calibration_of, implausible
from stemnet.doors.judging import Judgment, judge
from stemnet.doors.metrics import metrics_of, scale_of
from stemnet.doors.pictures import draw
from stemnet.doors.pooling import own_rows
from stemnet.doors.selecting import selection_of
from stemnet.micrograph import Micrograph
from stemnet.models.checkpoint import Checkpoint
from stemnet.reading import read_micrograph


@dataclass(frozen=True)
class Job:
    """What every input of a run is treated with.

    Parameters
    ----------
    checkpoint : Checkpoint
    settings : Settings
    sampling : float or None
        [A/px], to overrule the file.
    signal : int, str or None
    describe, embedders, clusterers
        As `stemnet.analysis.side_by_side` takes them.
    clusters : int or None
    seed : int
    device : str
    model_selection : bool
        Whether components and clusters are counted.
    figures : bool
    overrides : tuple of str
        What was typed, for the record.
    config : mapping
        Resolved, for the record.
    """

    checkpoint: Checkpoint
    settings: Settings
    sampling: float | None
    signal: int | str | None
    describe: Callable
    embedders: Mapping
    clusterers: Mapping
    clusters: int | None
    seed: int
    device: str
    model_selection: bool
    figures: bool
    overrides: tuple[str, ...]
    config: Mapping[str, object]


def process(
    path: Path, folder: Path, job: Job, truth: Path | None, progress: Callable[[str, int, int], None]
) -> dict[str, object]:
    """Take one input from its file to its result folder.

    Parameters
    ----------
    path : Path
    folder : Path
        Result folder, made if absent.
    job : Job
    truth : Path or None
        CSV of true columns, used for scores only.
    progress : callable
        Called with (stage, steps done, steps in all).

    Returns
    -------
    dict
        The input's row of ``summary.csv``.

    Raises
    ------
    StemnetError
        If the file cannot be used.
    """
    clock = _Clock()
    micrograph = read_micrograph(path, sampling=job.sampling, signal=job.signal)
    origin = "user" if job.sampling else "file" if micrograph.sampling else "unknown"
    clock.lap("read")
    found = find_columns(micrograph, job.checkpoint, job.settings, device=job.device, progress=progress)
    clock.lap("columns")
    progress("neighbors and methods", 0, 1)
    judgment = _judged(found, truth)
    analysis = side_by_side(
        _apart(found.columns),
        clusters=job.clusters,
        describe=job.describe,
        embedders=job.embedders,
        clusterers=job.clusterers,
        own_rows=own_rows(job.embedders, found.columns, micrograph.frames),
        truth=judgment.planted if judgment else None,
        random_state=job.seed,
    )
    selection, doubt = selection_of(analysis, job.seed) if job.model_selection else (None, ())
    analysis = _together(analysis, found.columns)
    clock.lap("analysis")
    progress("results", 0, 1)
    calibration = calibration_of(micrograph, found, analysis, origin)
    doubts = (
        [calibration.sentence] if calibration and calibration.sentence else implausible(micrograph, found)
    )
    warnings = [*micrograph.notes, *found.reasons, *found.notes, *doubts, *analysis.notes, *doubt]
    metrics = metrics_of(path, micrograph, origin, found, analysis, calibration, judgment, warnings)
    metrics["overrides"] = list(job.overrides)
    metrics["scale"] = scale_of(found, job.settings)
    metrics["model_selection"] = selection.record() if selection else None
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder, path, micrograph, found, analysis, job)
    clock.lap("results")
    pictures = draw(folder, micrograph, found, analysis, selection) if job.figures else []
    clock.lap("figures")
    metrics["seconds"] = clock.laps
    storage.write_metrics(folder / "metrics.json", metrics)
    if job.figures:
        from stemnet.report.page import write_page

        files = ["columns.csv", "columns.xyz", "result.h5", "comparison.csv", "metrics.json"]
        write_page(
            folder / "index.html",
            title=micrograph.name,
            figures=pictures,
            metrics=metrics,
            tables={"Comparison of methods": analysis.rows},
            warnings=warnings,
            files=files,
        )
    return {
        "input": str(path),
        "status": "ok" if found.confident else "low confidence",
        "columns": len(found.columns),
        "sampling_A_per_px": micrograph.sampling,
        "sampling_from": origin,
        "seconds": round(sum(clock.laps.values()), 2),
        "message": " ".join([*found.reasons, *found.notes, *doubts]),
    }


class _Clock:
    """Wall seconds per stage."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self.last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round(now - self.last, 3)
        self.last = now


def _judged(found: Detection, truth: Path | None) -> Judgment | None:
    if truth is None:
        return None
    true = storage.read_columns_csv(truth, shape=found.columns.shape)
    radius = found.width if np.isfinite(found.width) else 3.0
    return judge(found.columns, true, radius)


def _apart(columns: Columns) -> Columns:
    """Frames laid beside each other, so far that no column has neighbors in another frame."""
    if not len(columns) or columns["frame"].max() == 0:
        return columns
    step = 3 * columns.shape[1]
    shifted = columns.yx + np.stack([np.zeros(len(columns)), columns["frame"] * step], 1)
    last = int(columns["frame"].max())
    return replace(columns, yx=shifted, shape=(columns.shape[0], columns.shape[1] + last * step))


def _together(analysis: SideBySide, columns: Columns) -> SideBySide:
    """The analysis with every row back at its place in its frame."""
    if len(columns) == 0 or columns["frame"].max() == 0:
        return analysis
    return replace(
        analysis,
        columns=columns.with_fields(**analysis.columns.fields),
        vectors=replace(analysis.vectors, yx=columns.yx),
        angles=replace(analysis.angles, yx=columns.yx),
        described=replace(analysis.described, yx=columns.yx),
    )


def _write(
    folder: Path, path: Path, micrograph: Micrograph, found: Detection, analysis: SideBySide, job: Job
) -> None:
    columns = analysis.columns
    extra = {c.method: c.labels for c in analysis.clusterings}
    for embedding in analysis.embeddings:
        for number in range(embedding.latent.shape[1]):
            extra[f"{embedding.method}_{number}"] = embedding.latent[:, number]
    storage.write_columns_csv(folder / "columns.csv", columns, extra)
    storage.write_columns_xyz(folder / "columns.xyz", columns, micrograph.name, extra)
    write_comparison(folder / "comparison.csv", analysis.rows)
    probability = found.probability if micrograph.image.ndim == 3 else found.probability[0]
    storage.write_result(
        folder / "result.h5",
        micrograph,
        columns,
        probability=probability,
        descriptors=_tables(analysis),
        embeddings={e.method: e.latent for e in analysis.embeddings},
        clusterings={c.method: c.labels for c in analysis.clusterings},
        provenance={
            "input": str(path),
            "input_sha256": _digest(path),
            "weights_sha256": job.checkpoint.sha256,
            "config": job.config,
            "seed": job.seed,
            "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "versions": {
                "stemnet": stemnet.__version__,
                "torch": torch.__version__,
                "numpy": np.__version__,
                "python": platform.python_version(),
            },
        },
    )


def _tables(analysis: SideBySide) -> dict[str, Descriptors]:
    """Neighbor vectors and angles, and what else the columns were described by."""
    tables = {"neighbor_vectors": analysis.vectors, "bond_angles": analysis.angles}
    return tables if holds_vectors(analysis.described) else tables | {"described": analysis.described}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
