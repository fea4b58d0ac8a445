"""Probabilities against the share that is right."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from stemnet.report import style


def reliability_figure(said: np.ndarray, seen: np.ndarray, count: np.ndarray, *, title: str = "") -> Figure:
    """Draw the share right of classes of probability, with its binomial error, and how many columns each has.

    Parameters
    ----------
    said, seen : ndarray, shape (B,)
        Mean probability, and share right.
    count : ndarray of int, shape (B,)

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = style.new_figure(style.SINGLE, 2.7, title)
    axes = figure.subplots()
    # of Laplace's estimate, which is never certain
    share = (seen * count + 1) / (count + 2)
    error = np.sqrt(share * (1 - share) / (count + 3))
    axes.plot([0, 1], [0, 1], "-", color="black", linewidth=style.LINE)
    axes.errorbar(said, seen, error, fmt="o", color=style.BLUE, markersize=3, capsize=2, linewidth=style.LINE)
    low = min(0.4, float(np.min(said, initial=1.0)), float(np.min(seen, initial=1.0))) - 0.05
    for x, number in zip(said, count, strict=True):
        axes.text(x, low + 0.01, str(number), fontsize=style.SMALL, ha="center", va="bottom")
    axes.set(xlim=(low, 1.05), ylim=(low, 1.05))
    style.small_type(axes, "probability (below the points: columns)", "share named rightly")
    return figure
