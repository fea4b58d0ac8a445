"""A movie and its registration: means before and after, the drift, the sway of the rows, what changes."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from stemnet.report import panels, style

MOST_CHANGE = 1.5  # logarithm of the largest ratio that has a color of its own


def registration_figure(
    frame: np.ndarray,
    plain: np.ndarray,
    registered: np.ndarray,
    change: np.ndarray,
    positions: np.ndarray,
    rows: np.ndarray | None,
    *,
    sampling: float | None = None,
    seconds: float | None = None,
    title: str = "",
) -> Figure:
    """Draw what registration did.

    Parameters
    ----------
    frame, plain : ndarray, shape (H, W)
        One frame, and the mean of all as they are.
    registered, change : ndarray, shape (H', W')
        Mean after registration, and how much more than usual frames differ.
    positions : ndarray, shape (T, 2)
        Drift [px].
    rows : ndarray, shape (T, H, 2), or None
        Offsets of rows [px].
    sampling : float, optional
        [A/px]
    seconds : float, optional
        From one frame to the next [s].
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = style.new_figure(style.DOUBLE, 5.6, title, row_gap=0.06)
    axes = figure.subplots(2, 3)
    panels.show_image(axes[0, 0], frame, sampling, "first frame")
    panels.show_image(axes[0, 1], plain, sampling, f"mean of {len(positions)} frames as they are")
    panels.show_image(axes[0, 2], registered, sampling, "mean after registration")
    draw_drift(axes[1, 0], positions, sampling, seconds)
    draw_rows(axes[1, 1], rows, sampling)
    panels.field_of_view(axes[1, 2], change.shape, "where the specimen changes")
    drawn = axes[1, 2].imshow(
        np.log10(np.maximum(change, 1e-3)),
        cmap=style.SEQUENTIAL,
        norm=Normalize(0, MOST_CHANGE),
        interpolation="nearest",
    )
    panels.scale_bar(axes[1, 2], sampling)
    panels.color_bar(axes[1, 2], drawn, "log₁₀(variance between frames / usual)")
    return figure


def draw_drift(axes: Axes, positions: np.ndarray, sampling: float | None, seconds: float | None) -> None:
    """Draw the drift along y and x against time."""
    scale, unit = length_unit(sampling)
    time = np.arange(len(positions)) * (seconds or 1.0)
    for axis, (name, color) in enumerate((("down (y)", style.BLUE), ("right (x)", style.ACCENT))):
        axes.plot(time, positions[:, axis] * scale, color=color, linewidth=2 * style.LINE, label=name)
    style.small_type(axes, time_label(seconds), f"drift [{unit}]", "drift of the specimen")
    axes.axhline(0, color=style.MUTED, linewidth=style.LINE, zorder=0)
    axes.legend(fontsize=style.SMALL, frameon=False)


def draw_rows(axes: Axes, rows: np.ndarray | None, sampling: float | None) -> None:
    """Draw the offsets of rows along x, frame by frame."""
    title = "sway of the rows, along x"
    if rows is None:
        style.small_type(axes, title=title)
        axes.text(
            0.5, 0.5, "none beyond the noise", ha="center", va="center", fontsize=style.NORMAL,
            transform=axes.transAxes,
        )  # fmt: skip
        axes.set(xticks=[], yticks=[])
        return
    scale, unit = length_unit(sampling)
    values = rows[:, :, 1].T * scale
    most = max(float(np.percentile(np.abs(values), 99)), 1e-9)
    drawn = axes.imshow(
        values, cmap=style.DIVERGING, norm=Normalize(-most, most), aspect="auto", interpolation="nearest"
    )
    style.small_type(axes, "frame", "row [px]", title)
    panels.color_bar(axes, drawn, f"offset [{unit}]")


def length_unit(sampling: float | None) -> tuple[float, str]:
    """Factor from pixels, and the unit that it leads to."""
    return (1.0, "px") if sampling is None else (sampling, "Å")


def time_label(seconds: float | None) -> str:
    """Label of an axis of time."""
    return "frame" if seconds is None else "time [s]"
