"""Composition along its gradient."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from stemnet.report import style

Profile = tuple[np.ndarray, np.ndarray, np.ndarray]


def profile_figure(
    measured: Profile, planted: Profile | None, label: str, *, sampling: float | None = None, title: str = ""
) -> Figure:
    """Draw means with their standard errors against the place along the gradient.

    Parameters
    ----------
    measured, planted : tuple of ndarray, shape (P,)
        Place [px], mean and standard error; of `planted` the last is not drawn.
    label : str
        Of the mean.
    sampling : float, optional
        [A/px]
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = style.new_figure(style.SINGLE, 2.5, title)
    axes = figure.subplots()
    scale, unit = (1.0, "px") if sampling is None else (0.1 * sampling, "nm")
    if planted is not None:
        axes.plot(
            scale * planted[0],
            planted[1],
            "-",
            color="black",
            linewidth=style.LINE,
            label="planted, same columns",
        )
    axes.errorbar(
        scale * measured[0], measured[1], measured[2], fmt="o", color=style.BLUE, markersize=3, capsize=2,
        linewidth=style.LINE, label="measured",
    )  # fmt: skip
    axes.legend(fontsize=style.SMALL, frameon=False, loc="best")
    style.small_type(axes, f"along the gradient [{unit}]", label)
    return figure
