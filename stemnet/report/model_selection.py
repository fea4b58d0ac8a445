"""How many components and clusters there are: the curves that each rule decides by."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from stemnet.analysis.model_selection import ClusterSelection, ComponentSelection
from stemnet.report import style


def model_selection_figure(
    components: ComponentSelection, clusters: ClusterSelection, *, title: str = ""
) -> Figure:
    """Draw eigenvalues with the noise floor, and silhouette, BIC and gap against the number of clusters.

    What each rule chooses is in the accent color.

    Parameters
    ----------
    components : ComponentSelection
    clusters : ClusterSelection
    title : str
        Words above the figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = style.new_figure(style.DOUBLE, 2.0 + (0.2 if title else 0.0), title)
    scree, apart, density, gap = figure.subplots(1, 4)
    _draw_scree(scree, components)
    table = clusters.table
    k = table["clusters"]
    _draw_rule(apart, k, table["silhouette"], clusters.by_silhouette)
    style.small_type(apart, "clusters", "silhouette", "silhouette: largest")
    _draw_rule(density, k, table["bic"] - table["bic"].min(), clusters.by_bic)
    style.small_type(density, "Gaussians", "BIC less its least", "BIC: least")
    _draw_rule(gap, k, table["gap"], clusters.by_gap, table["gap_error"])
    style.small_type(gap, "clusters", "gap of log inertia", "gap: first not exceeded")
    return figure


def _draw_scree(axes: Axes, found: ComponentSelection) -> None:
    table = found.table
    number, values = table["component"], np.maximum(table["eigenvalue"], 1e-3)
    signal = values > found.level
    for which, color, name in ((signal, style.ACCENT, "signal"), (~signal, style.BLUE, "noise")):
        axes.plot(number[which], values[which], "o", color=color, markersize=3, label=name)
    axes.plot(number, table["floor"], "-", color="black", linewidth=style.LINE, label="noise alone")
    axes.axhline(found.level, color="black", linestyle=":", linewidth=style.LINE, label="threshold")
    axes.set(yscale="log", box_aspect=1)
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axes.legend(fontsize=style.SMALL, frameon=False, handlelength=1.2, labelspacing=0.2)
    style.small_type(axes, "component", "variance / noise variance", "components above the noise")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_rule(
    axes: Axes, k: np.ndarray, values: np.ndarray, chosen: int, error: np.ndarray | None = None
) -> None:
    axes.errorbar(
        k, values, error, fmt="o-", color=style.BLUE, markersize=3, linewidth=style.LINE, capsize=1.5
    )
    axes.plot(k[k == chosen], values[k == chosen], "o", color=style.ACCENT, markersize=5, zorder=3)
    axes.set(box_aspect=1, xticks=k)
    axes.spines[["top", "right"]].set_visible(False)
