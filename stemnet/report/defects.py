"""Defects on their image, each kind with a mark of its own, beside how unusual every neighborhood is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from stemnet.report import panels, style

MARKS = ("o", "^", "v", "D", "s", "X", "P")
COLORS = (
    style.PALETTE[1],
    style.PALETTE[0],
    style.PALETTE[2],
    style.PALETTE[6],
    style.PALETTE[3],
    style.PALETTE[5],
    style.PALETTE[4],
)
LARGEST = 10.0  # standard errors at which colors end
ARROW = 2.5  # length of a Burgers vector in the picture [its own length]


def defect_figure(
    image: np.ndarray,
    kinds: Mapping[str, np.ndarray],
    yx: np.ndarray,
    unusual: np.ndarray,
    intensity: np.ndarray | None = None,
    *,
    burgers: tuple[np.ndarray, np.ndarray] | None = None,
    sampling: float | None = None,
    title: str = "",
) -> Figure:
    """Draw where defects are.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    kinds : mapping of str to ndarray, shape (M, 2)
        Places of the defects of every kind [px].
    yx : ndarray, shape (N, 2)
        Columns that were judged [px].
    unusual : ndarray, shape (N,)
        How far a neighborhood is off the usual one [standard errors].
    intensity : ndarray, shape (N,), optional
        How far an intensity is off its level, signed [standard deviations].
    burgers : tuple of ndarray, optional
        Places (D, 2) and Burgers vectors (D, 2) [px].
    sampling : float, optional
        [A/px]
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    count = 2 + (intensity is not None)
    side = style.DOUBLE / count
    tall = side * float(np.clip(image.shape[0] / image.shape[1], 0.3, 2))
    present = {name: (i, places) for i, (name, places) in enumerate(kinds.items()) if len(places)}
    legend = panels.LEGEND_LINE * max(len(present), 3)
    figure = style.new_figure(style.DOUBLE, tall + 0.35 + legend, title)
    axes = figure.subplots(1, count)
    panels.show_image(axes[0], image, sampling, "defects")
    handles = []
    for name, (i, places) in present.items():
        _mark(axes[0], places, i)
        handles.append(
            Line2D([], [], linestyle="", marker=MARKS[i], markersize=4, markerfacecolor="none",
                   markeredgecolor=COLORS[i], markeredgewidth=1, label=f"{name} ({len(places)})")
        )  # fmt: skip
    if burgers is not None and len(burgers[0]):
        _arrows(axes[0], *burgers)
    if handles:
        panels.legend_below(axes[0], handles, 1)
    _map(axes[1], yx, unusual, image.shape, "misfit of the neighbors", False)
    if intensity is not None:
        _map(axes[2], yx, intensity, image.shape, "intensity off its level", True)
    return figure


def _mark(axes: Axes, places: np.ndarray, i: int) -> None:
    look: dict[str, Any] = {"linestyle": "", "marker": MARKS[i], "markerfacecolor": "none"}
    axes.plot(places[:, 1], places[:, 0], markersize=5, markeredgecolor="black", markeredgewidth=1.6, **look)
    axes.plot(
        places[:, 1], places[:, 0], markersize=5, markeredgecolor=COLORS[i], markeredgewidth=0.8, **look
    )


def _arrows(axes: Axes, places: np.ndarray, vectors: np.ndarray) -> None:
    for (y, x), (dy, dx) in zip(places, vectors * ARROW, strict=True):
        arrow = {"arrowstyle": "-|>", "color": "white", "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", (x + dx, y + dy), (x, y), arrowprops=arrow)


def _map(
    axes: Axes, yx: np.ndarray, values: np.ndarray, shape: tuple[int, int], title: str, signed: bool
) -> None:
    """Columns by standard errors, up to where colors end whatever the image."""
    panels.field_of_view(axes, shape, title)
    known = np.isfinite(values)
    spacing = panels.typical_spacing(yx, shape)
    panels.disks(axes, yx[~known], 0.45 * spacing, facecolors=style.MUTED, linewidths=0)
    drawn = panels.disks(
        axes,
        yx[known],
        panels.TOUCHING * spacing,
        linewidths=0,
        cmap=style.DIVERGING if signed else style.SEQUENTIAL,
        norm=Normalize(-LARGEST if signed else 0, LARGEST),
    )
    drawn.set_array(values[known])
    panels.color_bar(axes, drawn, "standard errors" + ("" if signed else " (10 and more: yellow)"))
    axes.set_anchor("N")
