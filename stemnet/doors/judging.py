"""Scores against a truth that came with the input; the prediction never sees it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from stemnet.columns import Columns
from stemnet.detection.matching import match

VISIBLE = 5.0
"""True columns of a lower signal-to-noise are neither missed nor, when found, false."""


@dataclass(frozen=True)
class Judgment:
    """Columns held against the truth.

    Parameters
    ----------
    scores : dict
        F1, precision, recall and RMSE per axis [px] over the visible columns
        that are not cut by the rim of the image.
    planted : dict of str to ndarray, shape (N,)
        Planted values on the rows of the found columns: NaN or -1 where a
        column has no true partner.
    """

    scores: dict[str, float]
    planted: dict[str, np.ndarray] = field(default_factory=dict)


def judge(found: Columns, truth: Columns, radius: float) -> Judgment:
    """Match found columns to true ones.

    Parameters
    ----------
    found, truth : Columns
        In pixels of the same image.
    radius : float
        Largest distance of a match [px].

    Returns
    -------
    Judgment
    """
    visible = np.ones(len(truth), dtype=bool)
    if "signal_to_noise" in truth:
        visible = np.asarray(truth["signal_to_noise"], dtype=float) >= VISIBLE
    pairs = match(found.yx, truth.yx, radius).pairs
    # A column on the rim may be listed by one side and lie just outside the frame for the other.
    judged = visible & _away_from_rim(truth, radius)
    needed = pairs[judged[pairs[:, 1]]]
    alone = np.ones(len(found), dtype=bool)
    alone[pairs[:, 0]] = False
    hit, missed = len(needed), int(judged.sum()) - len(needed)
    false = int((alone & _away_from_rim(found, radius)).sum())
    apart = found.yx[needed[:, 0]] - truth.yx[needed[:, 1]]
    scores = {
        "f1": 2 * hit / max(2 * hit + false + missed, 1),
        "precision": hit / max(hit + false, 1),
        "recall": hit / max(hit + missed, 1),
        "rmse_px": float(np.sqrt(np.mean(apart**2))) if hit else float("nan"),
        "true_columns": int(judged.sum()),
    }
    planted = {}
    for name, values in truth.fields.items():
        if values.dtype.kind in "iu" and name != "frame":
            planted[name] = np.full(len(found), -1)
        elif values.dtype.kind == "f" and name not in ("signal_to_noise", "score", "intensity", "width"):
            planted[name] = np.full(len(found), np.nan)
        else:
            continue
        planted[name][pairs[:, 0]] = values[pairs[:, 1]]
        # A value that is the same for every column cannot be recovered, well or badly.
        known = planted[name][pairs[:, 0]]
        if len(np.unique(known[np.isfinite(known.astype(float))])) < 2:
            del planted[name]
    return Judgment(scores, planted)


def _away_from_rim(columns: Columns, distance: float) -> np.ndarray:
    low, high = distance - 0.5, np.array(columns.shape) - 0.5 - distance
    return np.all((columns.yx >= low) & (columns.yx <= high), axis=1)
