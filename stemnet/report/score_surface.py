"""The distortion over local and global composition: a surface with its uncertainty, and what it was fitted to."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from stemnet.analysis.score_surface import Surface
from stemnet.report import panels, style

LEVELS = 6


def surface_figure(
    surfaces: Mapping[str, Surface], *, unit: str, scale: float = 1.0, species: str = "", title: str = ""
) -> Figure:
    """Draw mean and standard error of every surface; disks are the bins, their area the number of columns.

    Parameters
    ----------
    surfaces : mapping of str to Surface
        By the name of what they are of.
    unit : str
        Of the scores, once multiplied by `scale`.
    scale : float
    species : str
        Whose share the compositions are.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    across = max(len(surfaces), 1)
    figure = style.new_figure(max(style.DOUBLE * across / 4, style.SINGLE), 4.6, title, row_gap=0.05)
    axes = figure.subplots(2, across, squeeze=False, sharex=True, sharey=True)
    for place, (name, surface) in enumerate(surfaces.items()):
        mean = scale * np.array([float(row["mean"]) for row in surface.bins])
        # between images far apart in composition a surface of sizes may swing below nothing
        low = min(mean.min(), scale * surface.mean.min())
        limits = (max(low, 0.0) if mean.min() >= 0 else low, max(mean.max(), scale * surface.mean.max()))
        _draw(axes[0, place], surface, scale * surface.mean, limits, f"mean |score| [{unit}]", mean)
        sigma = scale * np.array([float(row["mean_sigma"]) for row in surface.bins])
        _draw(
            axes[1, place], surface, scale * surface.sigma, (0.0, scale * surface.sigma.max()),
            f"standard error [{unit}]", sigma,
        )  # fmt: skip
        style.small_type(axes[0, place], title=name)
        style.small_type(axes[1, place], f"{species} among the neighbors")
    for axis in axes[:, 0]:
        axis.set_ylabel(f"{species} in the image", fontsize=style.NORMAL, labelpad=2)
    return figure


def _draw(
    axes: Axes,
    surface: Surface,
    values: np.ndarray,
    limits: tuple[float, float],
    label: str,
    bins: np.ndarray,
) -> None:
    x, y = surface.local, surface.global_
    norm = Normalize(*limits)
    step_x, step_y = (x[1] - x[0]) / 2, (y[1] - y[0]) / 2
    drawn = axes.imshow(
        values, origin="lower", aspect="auto", cmap=style.SEQUENTIAL, norm=norm, interpolation="bilinear",
        extent=(x[0] - step_x, x[-1] + step_x, y[0] - step_y, y[-1] + step_y),
    )  # fmt: skip
    if np.ptp(values) > 0:
        levels = MaxNLocator(LEVELS).tick_values(*limits)[1:-1]
        lines = axes.contour(x, y, values, levels, colors="white", linewidths=0.7 * style.LINE)
        axes.clabel(lines, fontsize=style.SMALL - 1.5, fmt="%.3g")
    columns = np.array([float(row["columns"]) for row in surface.bins])
    axes.scatter(
        [float(row["local"]) for row in surface.bins],
        [float(row["global"]) for row in surface.bins],
        s=4 + 60 * columns / columns.max(),
        c=bins,
        cmap=style.SEQUENTIAL,
        norm=norm,
        edgecolors="black",
        linewidths=style.LINE,
        clip_on=False,
        zorder=3,
    )
    panels.color_bar(axes, drawn, label)
