"""Strain from the image against strain from positions, and both against what was planted."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from stemnet.report import style
from stemnet.report.strain import NAMES, ROTATION, STRAIN


def agreement_figure(
    positions: np.ndarray, phase: np.ndarray, *, planted: np.ndarray | None = None, title: str = ""
) -> Figure:
    """Draw a scatter plot per component, with the line on which both are equal.

    Parameters
    ----------
    positions, phase : ndarray, shape (N, 4)
        eps_yy, eps_xx, eps_yx and rotation [rad]; NaN where unknown.
    planted : ndarray, shape (N, 4), optional
        A second row is then drawn, against it.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = 1 if planted is None else 2
    figure = style.new_figure(style.DOUBLE, rows * 1.9 + (0.5 if planted is not None else 0.3), title)
    axes = figure.subplots(rows, 4, squeeze=False)
    for i, name in enumerate(NAMES):
        times, unit = (STRAIN, "%") if i < 3 else (ROTATION, "mrad")
        mine, other = times * positions[:, i], times * phase[:, i]
        shown = [(axes[0, i], mine, {"geometric phase": other})]
        if planted is not None:
            shown.append((axes[1, i], times * planted[:, i], {"positions": mine, "geometric phase": other}))
        for axis, x, against in shown:
            for color, (label, y) in zip((style.BLUE, style.ACCENT), against.items(), strict=False):
                axis.plot(x, y, ".", color=color, markersize=2, markeredgewidth=0, alpha=0.6, label=label)
            both = np.concatenate([x, *against.values()])
            limit = 1.05 * float(np.nanmax(np.abs(both))) if np.isfinite(both).any() else 1.0
            axis.plot([-limit, limit], [-limit, limit], "-", color="black", linewidth=style.LINE)
            axis.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
            axis.locator_params(nbins=4)
            first = axis is axes[0, i]
            style.small_type(
                axis,
                f"{'positions' if first else 'planted'} [{unit}]",
                ("geometric phase" if first else "measured") + f" [{unit}]",
                name if first else "",
            )
    if planted is not None:
        handles, labels = axes[1, 0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside lower center", ncols=2, fontsize=style.SMALL, frameon=False,
            handletextpad=0.1, markerscale=3,
        )  # fmt: skip
    return figure
