"""The numbers of ``metrics.json``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stemnet.analysis import Calibration, SideBySide
from stemnet.columns import Columns
from stemnet.detection.segmenter import Detection, Settings
from stemnet.doors.judging import Judgment
from stemnet.micrograph import Micrograph


def metrics_of(
    path: Path,
    micrograph: Micrograph,
    origin: str,
    found: Detection,
    analysis: SideBySide,
    calibration: Calibration | None,
    judgment: Judgment | None,
    warnings: list[str],
) -> dict[str, object]:
    """What is said of an input in numbers, but for its scale and its settings."""
    columns = analysis.columns
    labels = columns["sublattice"] if "sublattice" in columns else np.zeros(0, dtype=int)
    lattice = analysis.lattice
    return {
        "input": str(path),
        "shape": list(micrograph.image.shape),
        "columns": len(columns),
        "columns_with_all_neighbors": int(analysis.vectors.valid.sum()),
        "sublattices": {str(label): int((labels == label).sum()) for label in np.unique(labels)},
        "intensity_classes": analysis.intensities.record(labels),
        "sampling": {"A_per_px": micrograph.sampling, "from": origin},
        "calibration": calibration.record() if calibration else None,
        "inverted": found.dark,
        "confidence": "high" if found.confident else "low",
        "expected_f1": found.expected_f1 if np.isfinite(found.expected_f1) else None,
        "warnings": warnings,
        "median_score": float(np.median(columns["score"])) if len(columns) else None,
        "median_standard_error_px": _median(columns, "sigma_y"),
        "lattice_vectors_px": None if lattice is None else np.asarray(lattice.vectors).tolist(),
        "scores_against_truth": judgment.scores if judgment else None,
    }


def scale_of(found: Detection, settings: Settings) -> dict[str, object]:
    """How large columns are, and how that is known."""
    return {"width_px": found.width, "zoom": found.zoom, "from": _scale_origin(found, settings)}


def _scale_origin(found: Detection, settings: Settings) -> str:
    if settings.width:
        return "user"
    if not np.isfinite(found.width):
        return "none found"
    return "autocorrelation of the image, confirmed by the fit of a part of it"


def _median(columns: Columns, name: str) -> float | None:
    values = columns[name][np.isfinite(columns[name])] if name in columns else []
    return float(np.median(values)) if len(values) else None
