"""Strain against composition."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from stemnet.descriptors.vegard import Vegard
from stemnet.report import style


def vegard_figure(
    composition: np.ndarray, dilatation: np.ndarray, line: Vegard, *, element: str, title: str = ""
) -> Figure:
    """Draw the dilatation of columns (N,) against their local composition (N,), with the fitted line."""
    figure = style.new_figure(style.SINGLE, 2.6, title)
    axes = figure.subplots()
    axes.plot(
        composition, 100 * dilatation, ".", color=style.BLUE, markersize=3, markeredgewidth=0, alpha=0.5
    )
    ends = np.array([np.nanmin(composition), np.nanmax(composition)])
    axes.plot(
        ends, 100 * (line.intercept + line.slope * ends), "-", color=style.ACCENT, linewidth=2 * style.LINE,
        label=f"slope {100 * line.slope:.2f} ± {100 * line.slope_error:.2f} %",
    )  # fmt: skip
    axes.legend(fontsize=style.SMALL, frameon=False, loc="best")
    style.small_type(axes, f"local share of {element}", "dilatation [%]")
    return figure
