"""Histograms of the intensity with the levels of the species."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from stemnet.analysis.level_mixture import Levels
from stemnet.report import style

BINS = 50
SHOWN = 0.5  # columns of a species that its level is drawn for
FEWEST = 0.3  # columns of a bin at the foot of the plot: a single one is seen


def levels_figure(
    intensity: np.ndarray,
    sigma: np.ndarray,
    sublattice: np.ndarray,
    levels: Mapping[int, Levels],
    names: Sequence[str],
    *,
    title: str = "",
) -> Figure:
    """Draw a histogram per sublattice, the mixture that was fitted, and each species' part of it.

    Parameters
    ----------
    intensity, sigma : ndarray, shape (N,)
        Gain divided out, and its standard error [units of the image x px^2].
    sublattice : ndarray of int, shape (N,)
    levels : mapping of int to Levels
    names : sequence of str
        Of all species, in the order of their colors.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = style.new_figure(style.DOUBLE, 2.0 * len(levels) + 0.35, title)
    axes = figure.subplots(len(levels), 1, squeeze=False)[:, 0]
    power = int(np.floor(np.log10(max(float(np.nanmax(intensity, initial=1.0)), 1.0))))
    scale, unit = (10.0**-power, rf"$10^{{{power}}}$ units") if power > 4 else (1.0, "units")
    for axis, (s, found) in zip(axes, levels.items(), strict=True):
        rows = (sublattice == s) & np.isfinite(intensity)
        x, error = scale * intensity[rows], scale * sigma[rows]
        low, high = np.min(x), np.max(x)
        margin = 0.05 * (high - low) + 1e-9
        edges = np.linspace(low - margin, high + margin, BINS + 1)
        counts, *_ = axis.hist(x, edges, color=style.MUTED, linewidth=0)
        fine = np.linspace(edges[0], edges[-1], 600)
        total = np.zeros(len(fine))
        for name, level, variance, weight in zip(
            found.names, found.level, found.variance, found.weight, strict=True
        ):
            if weight * len(x) < SHOWN:
                continue
            # columns of this level have errors of their own: those nearest to it
            near = np.argsort(np.abs(x - scale * level))[: max(int(weight * len(x)), 5)]
            width = np.sqrt(scale**2 * variance + np.median(error[near]) ** 2)
            part = np.exp(-0.5 * ((fine - scale * level) / width) ** 2) / (width * np.sqrt(2 * np.pi))
            part = part * weight * len(x) * (edges[1] - edges[0])
            total += part
            color = style.label_color(names.index(name), len(names))
            axis.plot(fine, part, "-", color=color, linewidth=2 * style.LINE, label=f"{name} ({weight:.0%})")
        axis.plot(fine, total, "--", color="black", linewidth=style.LINE, label="all")
        axis.set(xlim=(edges[0], edges[-1]), yscale="log", ylim=(FEWEST, 2 * counts.max()))
        axis.legend(fontsize=style.SMALL, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        last = axis is axes[-1]
        style.small_type(
            axis,
            f"intensity, gain divided out [{unit} of the image × px²]" if last else "",
            "columns",
            f"sublattice {s}",
        )
    return figure
