"""The columns found, on the image and on the probability map."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from stemnet.columns import Columns
from stemnet.report import panels, style

ACROSS = 20  # width of the enlarged part [spacings]


def columns_figure(
    image: np.ndarray, columns: Columns, probability: np.ndarray | None = None, *, title: str = ""
) -> Figure:
    """Draw the columns of one frame on the image and on its probability map, whole and enlarged.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        One frame.
    columns : Columns
        The columns of this frame; colored by ``sublattice`` where known. Their
        sampling sets the scale bar.
    probability : ndarray, shape (H, W), optional
        Probability map of the network.
    title : str
        Words above the figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    height, width = image.shape
    rows = 1 if probability is None else 2
    panel = 0.49 * style.DOUBLE
    tall = panel * float(np.clip(height / width, 0.3, 1.6))
    figure = style.new_figure(style.DOUBLE, (tall if rows == 1 else tall + panel) + 0.55, title)
    axes = figure.subplots(rows, 2, squeeze=False, height_ratios=[tall, panel][:rows])

    yx = columns.yx
    labels = columns["sublattice"].astype(int) if "sublattice" in columns else np.full(len(columns), -1)
    # Columns of no known sublattice are found columns all the same: one clear color, no gray.
    colors = panels.colors_of(np.zeros_like(labels) if np.all(labels < 0) else labels)
    spacing = panels.typical_spacing(yx, image.shape)
    row, column, side = panels.crop_limits(yx, image.shape, ACROSS)

    whole = axes[0, 0]
    found = {0: "no columns found", 1: "1 column"}.get(len(columns), f"{len(columns)} columns")
    panels.show_image(whole, image, columns.sampling, found)
    panels.disks(whole, yx, 0.3 * spacing, facecolors=colors, linewidths=0)
    _outline(whole, row, column, side)
    if np.any(labels >= 0):
        panels.count_legend(whole, labels, "sublattice", "none")

    enlarged = axes[0, 1] if probability is None else axes[1, 0]
    window = np.s_[row : row + side, column : column + side]
    inside = np.all((yx > (row - 1, column - 1)) & (yx < (row + side, column + side)), axis=1)
    local, color = yx[inside] - (row, column), colors[inside]
    panels.show_image(enlarged, image[window], columns.sampling, "enlarged")
    _marks(enlarged, local, spacing, color)
    if probability is not None:
        panels.show_probability(
            axes[0, 1], probability, columns.sampling, "probability of a column (black 0, white 1)"
        )
        _outline(axes[0, 1], row, column, side)
        panels.show_probability(axes[1, 1], probability[window], columns.sampling, "enlarged")
        _marks(axes[1, 1], local, spacing, color)
    return figure


def _marks(axes: Axes, yx: np.ndarray, spacing: float, colors: np.ndarray) -> None:
    """Circle each column and put a dot on its position, so that both fit and image are seen."""
    panels.disks(axes, yx, 0.62 * spacing, facecolors="none", edgecolors=colors, linewidths=style.LINE)
    panels.disks(axes, yx, 0.15 * spacing, facecolors=colors, linewidths=0)


def _outline(axes: Axes, row: int, column: int, side: int) -> None:
    axes.add_patch(
        Rectangle((column - 0.5, row - 0.5), side, side, fill=False, edgecolor="white", linewidth=1, zorder=9)
    )
