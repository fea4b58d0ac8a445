"""Modes of distortion of a series of images: arrows on the neighbors, and where each image has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from stemnet.report import panels, style
from stemnet.report.neighborhoods import draw_arrows, draw_neighborhood, magnification

MOST = 5  # images that are drawn: as many rows fit on a page


@dataclass(frozen=True)
class ScoreMap:
    """One image of the series.

    Parameters
    ----------
    name : str
    image : ndarray, shape (H, W)
    yx : ndarray, shape (N, 2)
        [px]
    scores : ndarray, shape (N, m)
        NaN where unknown.
    sampling : float or None
        [A/px]
    """

    name: str
    image: np.ndarray
    yx: np.ndarray
    scores: np.ndarray
    sampling: float | None = None


def modes_figure(
    mean: np.ndarray,
    shapes: np.ndarray,
    explained_variance: np.ndarray,
    explained_variance_ratio: np.ndarray,
    images: Sequence[ScoreMap],
    *,
    unit: str = "Å",
    score_unit: str = "pm",
    title: str = "",
) -> Figure:
    """Draw the modes, and below, image by image, the scores in one scale.

    Parameters
    ----------
    mean : ndarray, shape (k, 2)
        Mean neighbor vectors [unit].
    shapes : ndarray, shape (m, k, 2)
        Of length 1.
    explained_variance : ndarray, shape (m,)
        [unit^2]; arrows are of one standard deviation, enlarged.
    explained_variance_ratio : ndarray, shape (m,)
    images : sequence of ScoreMap
        The first five are drawn.
    unit, score_unit : str
        Of the neighbor vectors, and of the scores of the maps.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    images, count = images[:MOST], len(shapes)
    panel = style.DOUBLE / (count + 1)
    tall = [panel * float(np.clip(one.image.shape[0] / one.image.shape[1], 0.3, 2)) for one in images]
    figure = style.new_figure(style.DOUBLE, panel + sum(tall) + 1.0, title, row_gap=0.04)
    axes = figure.subplots(len(images) + 1, count + 1, squeeze=False, height_ratios=[panel + 0.1, *tall])
    _scree(axes[0, 0], explained_variance_ratio)
    moves = shapes * np.sqrt(explained_variance)[:, None, None]
    for mode, axis in enumerate(axes[0, 1:]):
        factor = magnification(moves[mode], mean)
        draw_neighborhood(axis, mean, f"mode {mode + 1} (1 σ × {factor:g})", unit)
        draw_arrows(axis, mean, factor * moves[mode])
    known = np.concatenate([one.scores[np.isfinite(one.scores).all(axis=1)] for one in images])
    high = float(np.percentile(np.abs(known), 98)) if known.size else 1.0
    for place, (row, one) in enumerate(zip(axes[1:], images, strict=True)):
        panels.show_image(row[0], one.image, one.sampling, one.name)
        drawn = [_map(axis, one, mode, Normalize(-high, high)) for mode, axis in enumerate(row[1:])]
        if place == 0:
            for mode, axis in enumerate(row[1:]):
                style.small_type(axis, title=f"score {mode + 1}")
    bar = figure.colorbar(
        drawn[-1], ax=list(axes[-1, 1:]), location="bottom", shrink=0.5, aspect=40, pad=0.03
    )
    bar.ax.tick_params(labelsize=style.SMALL, width=style.LINE, length=2, pad=1.5)
    bar.outline.set_linewidth(style.LINE)
    bar.set_label(f"score [{score_unit}]", fontsize=style.SMALL, labelpad=1)
    axes[-1, 0].set_anchor("N")
    return figure


def _scree(axes: Axes, ratio: np.ndarray) -> None:
    percent, number = 100 * np.asarray(ratio), np.arange(1, len(ratio) + 1)
    axes.bar(number, percent, color=style.BLUE, width=0.75)
    axes.plot(number, np.cumsum(percent), "o-", color="black", markersize=2, linewidth=style.LINE)
    axes.annotate(
        "cumulative", (number[-1], percent.sum()), (2, 5), textcoords="offset points",
        fontsize=style.SMALL, ha="right", va="bottom",
    )  # fmt: skip
    axes.set(ylim=(0, 115), box_aspect=1, anchor="N")
    axes.set_xticks(number)
    style.small_type(axes, "mode", "share of the variance [%]")
    axes.spines[["top", "right"]].set_visible(False)


def _map(axes: Axes, one: ScoreMap, mode: int, norm: Normalize) -> EllipseCollection:
    panels.field_of_view(axes, one.image.shape)
    known = np.isfinite(one.scores[:, mode])
    spacing = panels.typical_spacing(one.yx[known], one.image.shape)
    drawn = panels.disks(
        axes, one.yx[known], panels.TOUCHING * spacing, linewidths=0, cmap=style.DIVERGING, norm=norm
    )
    drawn.set_array(one.scores[known, mode])
    return drawn
