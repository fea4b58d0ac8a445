"""Masks of columns, for tools that learn from labeled pixels."""

from __future__ import annotations

import numpy as np

from stemnet.columns import Columns
from stemnet.errors import StemnetError

KINDS = ("column", "sublattice", "soft")


def mask_of(columns: Columns, kind: str, radius: float = 1.0) -> np.ndarray:
    """What each pixel shows.

    Parameters
    ----------
    columns : Columns
        With their ``width`` and, for ``sublattice``, ``sublattice``.
    kind : str
        ``column``: 1 within a radius of a column, 0 elsewhere.
        ``sublattice``: 1 + the number of the sublattice of the nearest column,
        1 where it has none. ``soft``: exp(-r^2 / (2 (radius width)^2)) around
        the nearest column.
    radius : float
        In widths of a column.

    Returns
    -------
    ndarray, shape (H, W)
        uint8, or float32 if soft.

    Raises
    ------
    StemnetError
        If there is no such kind, or the radius is not positive.
    """
    if kind not in KINDS or not radius > 0:
        raise StemnetError(
            f"A mask of the kind '{kind}' and of radius {radius} was asked for; choose {', '.join(KINDS)}, and a "
            "positive radius."
        )
    height, width = columns.shape
    soft = kind == "soft"
    mask = np.zeros(height * width, dtype=np.float32 if soft else np.uint8)
    if not len(columns):
        return mask.reshape(height, width)
    sigma = radius * float(np.max(columns["width"]))
    reach = int(np.ceil(4 * sigma if soft else sigma)) + 1
    window = np.stack(np.meshgrid(*[np.arange(-reach, reach + 1)] * 2, indexing="ij"), -1).reshape(-1, 2)
    label = np.ones(len(columns), dtype=int)
    if kind == "sublattice":
        label = np.clip(1 + np.asarray(columns["sublattice"]), 1, 255)
    # Thousands of columns times their windows, not all at once.
    nearest = np.full(height * width, np.inf)
    for start in range(0, len(columns), 2000):
        some = slice(start, start + 2000)
        pixel = np.rint(columns.yx[some]).astype(int)[:, None] + window
        away = ((pixel - columns.yx[some, None]) ** 2).sum(-1)
        near = (pixel >= 0).all(-1) & (pixel < (height, width)).all(-1)
        near &= True if soft else away <= sigma**2
        place, away = (pixel[..., 0] * width + pixel[..., 1])[near], away[near]
        names = np.broadcast_to(label[some, None], near.shape)[near]
        # The nearest of all is written last and stays.
        order = np.argsort(-away, kind="stable")
        place, away, names = place[order], away[order], names[order]
        better = away < nearest[place]
        nearest[place[better]] = away[better]
        mask[place[better]] = np.exp(-away[better] / (2 * sigma**2)) if soft else names[better]
    return mask.reshape(height, width)
