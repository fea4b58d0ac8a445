"""Order of an alloy: numbers of unlike neighbors beside those of a random alloy, and short-range order."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from stemnet.descriptors.short_range_order import ShortRangeOrder
from stemnet.descriptors.unlike_neighbors import BinomialComparison
from stemnet.report import style


def order_figure(
    comparisons: Mapping[str, BinomialComparison],
    orders: Mapping[str, ShortRangeOrder],
    *,
    title: str = "",
) -> Figure:
    """Draw histograms of unlike neighbors, image by image, and Warren-Cowley parameters of all.

    Parameters
    ----------
    comparisons : mapping of str to BinomialComparison
        By image; error bars are Poisson's.
    orders : mapping of str to ShortRangeOrder
        By image; error bars are one standard error, gray bars those of a random alloy.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    across = max(min(len(comparisons), 4), 1)
    down = -(-len(comparisons) // across)
    figure = style.new_figure(style.DOUBLE, 1.9 * (down + 1) + 0.3, title, row_gap=0.06)
    grid = figure.add_gridspec(down + 1, across)
    for place, (name, one) in enumerate(comparisons.items()):
        axes = figure.add_subplot(grid[place // across, place % across])
        number = np.arange(len(one.observed))
        axes.bar(number, one.observed, color=style.BLUE, alpha=0.6, width=0.8, label="observed")
        axes.errorbar(
            number, one.observed, np.sqrt(one.observed), fmt="none", ecolor=style.BLUE,
            elinewidth=style.LINE,
        )  # fmt: skip
        axes.plot(
            number,
            one.expected,
            "o-",
            color=style.ACCENT,
            markersize=2.5,
            linewidth=style.LINE,
            label="random",
        )
        axes.set_xticks(number)
        axes.set_ylim(0, 1.15 * max(one.observed.max(), one.expected.max(), 1))
        p = "" if np.isnan(one.p_value) else f" (p = {one.p_value:.2g})"
        style.small_type(axes, "unlike neighbors", "columns" if place % across == 0 else "", name + p)
        axes.spines[["top", "right"]].set_visible(False)
        if place == 0:
            axes.legend(fontsize=style.SMALL, frameon=False, borderpad=0.1, handlelength=1.2)
    _alpha(figure.add_subplot(grid[down, :]), orders)
    return figure


def _alpha(axes, orders: Mapping[str, ShortRangeOrder]) -> None:
    shells = max((len(order.alpha) for order in orders.values()), default=0)
    wide = 0.8 / max(len(orders), 1)
    axes.axhline(0, color="black", linewidth=style.LINE, zorder=1)
    for place, (name, order) in enumerate(orders.items()):
        color = style.label_color(place, len(orders))
        x = np.arange(len(order.alpha)) - 0.4 + wide * (place + 0.5)
        axes.bar(
            x, 2 * order.random_sigma, 0.8 * wide, bottom=-order.random_sigma, color=style.GROUND, zorder=0
        )
        axes.errorbar(
            x, order.alpha, order.sigma, fmt="o", color=color, markersize=3.5, elinewidth=1.5 * style.LINE,
            capsize=1.5, label=name,
        )  # fmt: skip
    axes.set_xticks(range(shells), [f"shell {shell + 1}" for shell in range(shells)])
    style.small_type(axes, "", "Warren-Cowley parameter")
    axes.spines[["top", "right"]].set_visible(False)
    if orders:
        axes.legend(
            fontsize=style.SMALL, frameon=False, ncols=min(len(orders), 4), loc="lower right",
            bbox_to_anchor=(1.0, 1.0), borderpad=0.0, handletextpad=0.2, columnspacing=1.0,
        )  # fmt: skip
