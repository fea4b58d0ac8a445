"""Violins: how scores are distributed in every group, beside their quartiles and error bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.stats import gaussian_kde

from stemnet.report import style

FEWEST = 8  # values that have a shape; fewer are drawn as points
POINTS = 128
FILL = 0.45


@dataclass(frozen=True)
class Violins:
    """One row of panels: the same groups, mode by mode.

    Parameters
    ----------
    groups : sequence of sequence of ndarray, shape (n, m)
        By set, by group: scores of the members.
    names : sequence of str
        Of the groups, under the axis.
    label : str
        Of the axis.
    sets : sequence of str
        Names of the sets, whose halves of a violin stand side by side; one or two.
    """

    groups: Sequence[Sequence[np.ndarray]]
    names: Sequence[str]
    label: str
    sets: Sequence[str] = ("",)


def violins_figure(
    rows: Sequence[Violins], modes: int, *, unit: str, title: str = "", name: str = "score"
) -> Figure:
    """Draw violins of every mode.

    Parameters
    ----------
    rows : sequence of Violins
    modes : int
        Panels of a row.
    unit : str
        Of the scores.
    title : str
    name : str
        Of what is drawn.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = style.new_figure(style.DOUBLE, 2.3 * len(rows) + 0.3, title, row_gap=0.06)
    axes = figure.subplots(len(rows), modes, squeeze=False, sharey=True)
    for number, (row, violins) in enumerate(zip(axes, rows, strict=True)):
        for mode, axis in enumerate(row):
            _panel(axis, violins, mode)
            words = f"mode {mode + 1}" if number == 0 else ""
            style.small_type(axis, violins.label, f"{name} [{unit}]" if mode == 0 else "", words)
            axis.spines[["top", "right"]].set_visible(False)
        if len(violins.sets) > 1:
            handles = [
                Line2D([], [], marker="s", linestyle="", markersize=5, color=style.PALETTE[i], label=text)
                for i, text in enumerate(violins.sets)
            ]
            row[-1].legend(
                handles=handles, fontsize=style.SMALL, frameon=False, loc="lower right", ncols=len(handles),
                bbox_to_anchor=(1.0, 1.0), borderpad=0.0, handletextpad=0.1, columnspacing=0.8,
            )  # fmt: skip
    return figure


def _panel(axes: Axes, violins: Violins, mode: int) -> None:
    halves = (-1, 1) if len(violins.sets) > 1 else (0,)
    axes.axhline(0, color=style.MUTED, linewidth=style.LINE, zorder=0)
    for side, color, groups in zip(halves, style.PALETTE, violins.groups, strict=False):
        color = color if len(halves) > 1 else style.BLUE
        for place, scores in enumerate(groups):
            values = np.asarray(scores)[:, mode]
            values = values[np.isfinite(values)]
            if len(values):
                _violin(axes, place, values, side, color)
    axes.set_xticks(range(len(violins.names)), violins.names)
    axes.set_xlim(-0.6, len(violins.names) - 0.4)


def _violin(axes: Axes, place: float, values: np.ndarray, side: int, color: str) -> None:
    """One violin, or the half of one at a side, with median and quartiles; few values as points."""
    middle = place + 0.12 * side
    if len(values) < FEWEST or np.ptp(values) == 0:
        axes.plot(np.full(len(values), middle), values, ".", color=color, markersize=2.5, markeredgewidth=0)
        return
    grid = np.linspace(values.min(), values.max(), POINTS)
    density = gaussian_kde(values)(grid)
    width = FILL * density / density.max()
    left = place - width if side <= 0 else np.full(POINTS, place)
    right = place + width if side >= 0 else np.full(POINTS, place)
    axes.fill_betweenx(grid, left, right, facecolor=color, alpha=0.45, linewidth=0)
    axes.plot(np.where(side <= 0, left, right), grid, color=color, linewidth=style.LINE)
    if side == 0:
        axes.plot(right, grid, color=color, linewidth=style.LINE)
    low, median, high = np.percentile(values, (25, 50, 75))
    axes.plot([middle] * 2, [low, high], color="black", linewidth=2 * style.LINE, solid_capstyle="butt")
    axes.plot(
        middle, median, "o", markersize=2.6, markerfacecolor="white", markeredgecolor="black",
        markeredgewidth=style.LINE, zorder=4,
    )  # fmt: skip
