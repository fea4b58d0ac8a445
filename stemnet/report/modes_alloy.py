"""One image of an alloy: its species, what surrounds every column, and how much it is distorted."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from stemnet.report import panels, style


def alloy_figure(
    image: np.ndarray,
    yx: np.ndarray,
    species: np.ndarray,
    local: np.ndarray,
    distortion: np.ndarray | None,
    *,
    counted: str,
    unit: str,
    sampling: float | None = None,
    title: str = "",
) -> Figure:
    """Draw image, species, local composition and distortion side by side.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    yx : ndarray, shape (N, 2)
        Columns of the alloyed sublattice [px].
    species : ndarray of str, shape (N,)
    local : ndarray, shape (N,)
        Share of the counted species among the neighbors; NaN where unknown.
    distortion : ndarray, shape (N,), or None
        [unit]; NaN where unknown.
    counted : str
        Species that is counted.
    unit : str
    sampling : float, optional
        [A/px]
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    across = 3 if distortion is None else 4
    panel = style.DOUBLE / across
    tall = panel * float(np.clip(image.shape[0] / image.shape[1], 0.3, 2))
    figure = style.new_figure(style.DOUBLE, tall + 0.65, title)
    axes = figure.subplots(1, across)
    panels.show_image(axes[0], image, sampling, "image")
    panels.field_of_view(axes[1], image.shape, "species")
    names = [counted, *sorted(set(species.tolist()) - {counted, ""})]
    spacing = panels.typical_spacing(yx, image.shape)
    handles = []
    for number, name in enumerate(names):
        color = style.label_color(number, len(names))
        mine = species == name
        panels.disks(axes[1], yx[mine], panels.TOUCHING * spacing, facecolors=color, linewidths=0)
        text = f"{name} ({mine.sum()})"
        handles.append(Line2D([], [], marker="o", linestyle="", markersize=4, color=color, label=text))
    panels.legend_below(axes[1], handles, 2)
    panels.field_of_view(axes[2], image.shape, "local composition")
    panels.score_map(axes[2], yx, local, image.shape, f"{counted} among the neighbors")
    if distortion is not None:
        panels.field_of_view(axes[3], image.shape, "distortion")
        panels.score_map(axes[3], yx, distortion, image.shape, f"length over all modes [{unit}]")
    for axis in axes:
        axis.set_anchor("N")  # a color bar sets it to the bottom
    return figure
