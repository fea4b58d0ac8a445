"""Figures of a contest: scores with their intervals, and what methods see where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from stemnet.analysis.resampling import Interval
from stemnet.analysis.verdict import FOUND, equals_of_the_best
from stemnet.report import style

HEIGHT = 1.75
"""Of a panel of scores [inch]."""


@dataclass(frozen=True)
class Panel:
    """A world's scores.

    Parameters
    ----------
    title : str
        What is to be found.
    unit : str
        What the score is called.
    scores : mapping of str to Interval
        Of each method.
    """

    title: str
    unit: str
    scores: Mapping[str, Interval]


@dataclass(frozen=True)
class Seen:
    """A world as it is, and as two methods have it, on the same places.

    Parameters
    ----------
    title : str
    shape : tuple of int
        Rows and columns of the grid of neighborhoods.
    maps : mapping of str to ndarray, shape (N,)
        By name, the planted values first; whole numbers are classes.
    spacing_A : float
        Of the neighborhoods [A].
    unit : str
        Of numbers.
    """

    title: str
    shape: tuple[int, int]
    maps: Mapping[str, np.ndarray]
    spacing_A: float
    unit: str = ""


def contest_figure(panels: Sequence[Panel], across: int = 3, title: str = "") -> Figure:
    """Draw a dot and its interval for every method of every world.

    Those that are equal to the best within error are filled; the dashed line is
    where something counts as found.

    Parameters
    ----------
    panels : sequence of Panel
    across : int
        Panels a row.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    down = -(-len(panels) // across)
    figure = style.new_figure(style.DOUBLE, HEIGHT * down + (0.2 if title else 0.0), title)
    axes = figure.subplots(down, across, squeeze=False)
    for place, (axis, panel) in enumerate(zip(axes.flat, panels, strict=False)):
        _scores(axis, panel, named=place % across == 0)
    for axis in axes.flat[len(panels) :]:
        axis.remove()
    return figure


def seen_figure(worlds: Sequence[Seen], title: str = "") -> Figure:
    """Draw each world in a column: planted, and what two methods make of it.

    Parameters
    ----------
    worlds : sequence of Seen
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    down = max(len(world.maps) for world in worlds)
    cell = style.DOUBLE / len(worlds)
    figure = style.new_figure(style.DOUBLE, down * (cell + 0.2) + 0.5, title)
    axes = figure.subplots(down + 1, len(worlds), squeeze=False, height_ratios=[1.0] * down + [0.06])
    for column, world in zip(axes.T, worlds, strict=True):
        first, planted = next(iter(world.maps.items()))
        images = [
            _map(axis, world, values, planted, name)
            for axis, (name, values) in zip(column, world.maps.items(), strict=False)
        ]
        column[0].set_title(f"{world.title}\n{first}", fontsize=style.SMALL + 0.5, pad=3)
        _bar(column[0], world)
        if planted.dtype.kind != "f":
            column[-1].remove()
            continue
        bar = figure.colorbar(images[0], cax=column[-1], orientation="horizontal")
        bar.ax.tick_params(labelsize=style.SMALL, width=style.LINE, length=2, pad=1)
        bar.ax.locator_params(nbins=3)
        bar.set_label(world.unit, fontsize=style.SMALL, labelpad=1)
        bar.outline.set_linewidth(style.LINE)
    return figure


def _scores(axis: Axes, panel: Panel, named: bool) -> None:
    winners = equals_of_the_best(panel.scores)
    names = list(panel.scores)
    axis.axvline(FOUND, color=style.MUTED, linestyle="--", linewidth=style.LINE, zorder=0)
    for row, (name, one) in enumerate(panel.scores.items()):
        if np.isnan(one.value):
            continue
        won = name in winners
        color = style.BLUE if won else style.MUTED
        axis.plot([one.low, one.high], [row, row], color=color, linewidth=2 * style.LINE)
        axis.plot(one.value, row, "o", color=color, markersize=4, markerfacecolor=color if won else "white")
    axis.set_yticks(range(len(names)), names if named else [""] * len(names))
    axis.set_ylim(len(names) - 0.5, -0.5)
    low = min((one.low for one in panel.scores.values() if np.isfinite(one.low)), default=0.0)
    axis.set_xlim(max(min(-0.05, low - 0.03), -0.6), 1.05)
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="y", color=style.GROUND, linewidth=style.LINE)
    axis.set_axisbelow(True)
    style.small_type(axis, panel.unit, title=panel.title)


def _map(axis: Axes, world: Seen, values: np.ndarray, planted: np.ndarray, name: str) -> AxesImage:
    grid = values.reshape(world.shape)
    if planted.dtype.kind == "f":
        low, high = np.quantile(planted, [0.02, 0.98])
        shown = axis.imshow(grid, cmap=style.SEQUENTIAL, vmin=low, vmax=high, interpolation="nearest")
    else:
        count = int(max(planted.max(), values.max())) + 1
        colors = [style.MUTED if count == 2 and c == 0 else style.label_color(c, count) for c in range(count)]
        shown = axis.imshow(
            grid, cmap=ListedColormap(colors), vmin=-0.5, vmax=count - 0.5, interpolation="nearest"
        )
    axis.set_xticks([])
    axis.set_yticks([])
    axis.set_title(name, fontsize=style.SMALL + 0.5, pad=3)
    for side in axis.spines.values():
        side.set_linewidth(style.LINE)
    return shown


def _bar(axis: Axes, world: Seen) -> None:
    """Scale bar of about a third of the width."""
    length = style.round_number(world.shape[1] * world.spacing_A / 3)
    cells, height = length / world.spacing_A, world.shape[0]
    right, bottom = world.shape[1] - 2, 0.93 * height
    axis.plot([right - cells, right], [bottom, bottom], color="white", linewidth=4, solid_capstyle="butt")
    axis.plot([right - cells, right], [bottom, bottom], color="black", linewidth=2, solid_capstyle="butt")
    words = f"{length / 10:g} nm" if length >= 10 else f"{length:g} Å"
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85}
    axis.text(
        right - cells / 2,
        bottom - 0.05 * height,
        words,
        fontsize=style.SMALL,
        ha="center",
        va="bottom",
        bbox=box,
    )
