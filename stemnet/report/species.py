"""Species of the columns on their image, how probable they are, and composition."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from stemnet.report import panels, style

LEAST = 0.1  # of composition that the colors of its map span


def species_figure(
    image: np.ndarray,
    yx: np.ndarray,
    label: np.ndarray,
    names: Sequence[str],
    probability: np.ndarray,
    *,
    local: np.ndarray | None = None,
    local_label: str = "",
    missing: np.ndarray | None = None,
    sampling: float | None = None,
    title: str = "",
) -> Figure:
    """Draw the image, the species, their probability, and the local composition.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    yx : ndarray, shape (N, 2)
        [px]
    label : ndarray of int, shape (N,)
        Species, -1 unknown.
    names : sequence of str
    probability : ndarray, shape (N,)
    local : ndarray, shape (N,), optional
        NaN where unknown.
    local_label : str
    missing : ndarray, shape (M, 2), optional
        Places without a column [px].
    sampling : float, optional
        [A/px]
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    side = style.DOUBLE / 2
    tall = side * float(np.clip(image.shape[0] / image.shape[1], 0.3, 2))
    figure = style.new_figure(style.DOUBLE, 2 * tall + 1.4, title, row_gap=0.1)
    axes = figure.subplots(2, 2)
    panels.show_image(axes[0, 0], image, sampling, "image")
    panels.field_of_view(axes[0, 1], image.shape, "species")
    spacing = panels.typical_spacing(yx, image.shape)
    colors = panels.colors_of(np.append(label, len(names) - 1))[:-1]
    panels.disks(axes[0, 1], yx, panels.TOUCHING * spacing, facecolors=colors, linewidths=0)
    _legend(axes[0, 1], label, names, 0 if missing is None else len(missing))
    panels.field_of_view(axes[1, 0], image.shape, "probability of the species")
    known = np.isfinite(probability)
    drawn = panels.disks(
        axes[1, 0],
        yx[known],
        panels.TOUCHING * spacing,
        linewidths=0,
        cmap=style.SEQUENTIAL,
        norm=Normalize(0.5, 1),
    )
    drawn.set_array(probability[known])
    panels.color_bar(axes[1, 0], drawn, "probability")
    panels.field_of_view(axes[1, 1], image.shape, local_label or "composition")
    if local is None or not np.isfinite(local).any():
        axes[1, 1].text(
            0.5,
            0.5,
            "not measured",
            transform=axes[1, 1].transAxes,
            ha="center",
            va="center",
            fontsize=style.NORMAL,
        )
    else:
        known = np.isfinite(local)
        drawn = panels.disks(
            axes[1, 1],
            yx[known],
            panels.TOUCHING * panels.typical_spacing(yx[known], image.shape),
            linewidths=0,
            cmap=style.SEQUENTIAL,
            norm=_shares(local[known]),
        )
        drawn.set_array(local[known])
        panels.color_bar(axes[1, 1], drawn, local_label)
    if missing is not None and len(missing):
        for axis in (axes[0, 0], axes[0, 1]):
            axis.plot(
                missing[:, 1], missing[:, 0], "X", markersize=5, markerfacecolor="white", markeredgecolor="black",
                markeredgewidth=style.LINE, clip_on=False, zorder=9,
            )  # fmt: skip
    return figure


def _shares(values: np.ndarray) -> Normalize:
    """Colors from the 2nd to the 98th percentile of shares (n,), over a tenth at least, so that noise stays pale."""
    low, high = np.percentile(values, (2, 98))
    middle = float(np.clip((low + high) / 2, LEAST / 2, 1 - LEAST / 2))
    return Normalize(min(low, middle - LEAST / 2), max(high, middle + LEAST / 2))


def _legend(axes: Axes, label: np.ndarray, names: Sequence[str], missing: int) -> None:
    """Say below the axes which color is which species and how many columns are of it."""
    colors = panels.colors_of(np.arange(len(names)))
    handles = [
        Line2D(
            [], [], marker="o", linestyle="", markersize=4, markeredgewidth=0, color=tuple(color),
            label=f"{name} ({int((label == i).sum())})",
        )
        for i, (name, color) in enumerate(zip(names, colors, strict=True))
    ]  # fmt: skip
    handles.append(
        Line2D(
            [], [], marker="X", linestyle="", markersize=5, markerfacecolor="white", markeredgecolor="black",
            markeredgewidth=style.LINE, label=f"missing ({missing})",
        )
    )  # fmt: skip
    panels.legend_below(axes, handles, 4)
