"""Clusters: where they are and what their neighborhoods look like."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from stemnet.report import panels, style
from stemnet.report.neighborhoods import (
    as_vectors,
    draw_arrows,
    draw_neighborhood,
    draw_spread,
    magnification,
)


def clusters_figure(
    yx: np.ndarray,
    values: np.ndarray,
    labels: Mapping[str, np.ndarray],
    shape: tuple[int, int],
    *,
    sampling: float | None = None,
    unit: str = "Å",
    title: str = "",
    show: int = 4,
) -> Figure:
    """Draw, for each method, the map of its clusters beside their mean neighborhoods.

    Gray points are the mean neighborhood of all columns; arrows lead to the
    mean of the cluster, where an ellipse shows its spread (one standard
    deviation). Arrow and ellipse are enlarged by the factor in the title.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        Positions of the columns [px].
    values : ndarray, shape (N, 2k)
        Neighbor vectors (r0y, r0x, r1y, r1x, ...), NaN in rows that are not valid.
    labels : mapping of str to ndarray, shape (N,)
        Per method, -1 in rows that are not valid.
    shape : tuple of int
        Rows and columns of the image [px].
    sampling : float, optional
        [A/px].
    unit : str
        Of the neighbor vectors.
    title : str
        Words above the figure.
    show : int
        How many clusters are drawn at most, the largest first.

    Returns
    -------
    matplotlib.figure.Figure
    """
    valid = np.isfinite(values).all(axis=1)
    vectors = as_vectors(values)
    mean = vectors[valid].mean(axis=0) if valid.any() else np.zeros(vectors.shape[1:])
    largest = {name: _largest(found[valid], show) for name, found in labels.items()}
    across = 1 + max((len(chosen) for chosen in largest.values()), default=0)

    panel = style.DOUBLE / max(across, 3)
    most = max((len(np.unique(found)) for found in labels.values()), default=0)
    map_row = panel * shape[0] / shape[1] + panels.LEGEND_LINE * -(-most // 2)
    row = float(np.clip(map_row, panel + 0.15, 2 * panel)) + 0.2
    height = len(labels) * row + (0.25 if title else 0.05)
    figure = style.new_figure(max(panel * across, style.SINGLE), height, title)
    grid = figure.subplots(len(labels), across, squeeze=False)
    for axes, (name, found) in zip(grid, labels.items(), strict=True):
        panels.field_of_view(axes[0], shape, name)
        panels.label_map(axes[0], yx, found, shape)
        panels.scale_bar(axes[0], sampling)
        count = int(found.max(initial=-1)) + 1
        members = {label: vectors[valid & (found == label)] for label in largest[name]}
        shifts = {label: rows.mean(axis=0) - mean for label, rows in members.items()}
        spreads = {label: _covariances(rows) for label, rows in members.items()}
        sizes = [
            np.abs(shifts[label]) + np.sqrt(np.trace(spreads[label], axis1=1, axis2=2))[:, None]
            for label in members
        ]
        factor = magnification(np.array(sizes), mean, 0.5) if sizes else 1.0
        for axis, label in zip(axes[1:], members, strict=False):
            color = style.label_color(label, count)
            draw_neighborhood(axis, mean, f"cluster {label} (× {factor:g})", unit)
            draw_spread(axis, mean + factor * shifts[label], factor**2 * spreads[label], color)
            draw_arrows(axis, mean, factor * shifts[label], "#404040")
        for axis in axes[1 + len(members) :]:
            axis.remove()
    return figure


def _largest(labels: np.ndarray, show: int) -> list[int]:
    """Labels of the `show` largest clusters, in their own order."""
    found, counts = np.unique(labels[labels >= 0], return_counts=True)
    return sorted(found[np.argsort(-counts, kind="stable")[:show]].tolist())


def _covariances(rows: np.ndarray) -> np.ndarray:
    """Covariance of each neighbor over the columns, shape (k, 2, 2)."""
    centered = rows - rows.mean(axis=0)
    return np.einsum("nki,nkj->kij", centered, centered) / len(rows)
