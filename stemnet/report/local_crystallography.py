"""Polar shifts, their domains, and shear, on the image."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stemnet.report import panels, style
from stemnet.report.polarization import color_wheel, draw_vectors

BINS = 12  # of the profile of the shear
FEWEST = 4  # columns of a bin


def shifts_figure(
    image: np.ndarray,
    yx: np.ndarray,
    vectors: np.ndarray,
    domain: np.ndarray,
    shear: tuple[np.ndarray, np.ndarray] | None,
    *,
    unit: str,
    sampling: float | None = None,
    title: str = "",
) -> Figure:
    """Draw shifts, domains, and shear as a map and as a profile.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    yx : ndarray, shape (n, 2)
        Shifted columns [px].
    vectors : ndarray, shape (n, 2)
        (y, x) [unit].
    domain : ndarray of int, shape (n,)
    shear : tuple of ndarray, shape (N, 2) and (N,), or None
        Places [px] and shear angles [deg]; NaN where unknown.
    unit : str
        Of the shifts.
    sampling : float, optional
        [A/px]
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    down = 1 if shear is None else 2
    panel = style.DOUBLE / 2
    tall = panel * float(np.clip(image.shape[0] / image.shape[1], 0.3, 2))
    figure = style.new_figure(style.DOUBLE, 0.93 * down * tall + 0.55 + (0.5 if down > 1 else 0.0), title)
    axes = figure.subplots(down, 2, squeeze=False)
    panels.show_image(axes[0, 0], image, sampling, "shifts off the middle of the neighbors")
    if len(yx):
        draw_vectors(axes[0, 0], yx, vectors, panels.typical_spacing(yx, image.shape), unit)
        color_wheel(axes[0, 0], "direction")
    panels.field_of_view(axes[0, 1], image.shape, "domains")
    panels.label_map(axes[0, 1], yx, domain, image.shape, legend=False)
    panels.count_legend(axes[0, 1], domain, "domain")
    if shear is not None:
        places, angle = shear
        mine = np.isfinite(angle)
        panels.field_of_view(axes[1, 0], image.shape, "shear")
        panels.score_map(axes[1, 0], places[mine], angle[mine], image.shape, "shear angle [°]")
        axes[1, 0].set_anchor("N")
        _profile(axes[1, 1], places[mine], angle[mine], sampling)
    return figure


def _profile(axes: Axes, yx: np.ndarray, angle: np.ndarray, sampling: float | None) -> None:
    """Mean shear along the direction in which it changes most, with standard errors, and the line through it."""
    axes.set(box_aspect=0.8, anchor="N")
    scale, unit = (1.0, "px") if sampling is None else (sampling / 10, "nm")
    words = f"along the steepest direction [{unit}]"
    style.small_type(axes, words, "shear angle [°]", "profile of the shear")
    axes.spines[["top", "right"]].set_visible(False)
    if len(yx) < 6:
        return
    away = yx - yx.mean(axis=0)
    slope = np.linalg.lstsq(np.column_stack([away, np.ones(len(yx))]), angle, rcond=None)[0]
    steepness = float(np.hypot(*slope[:2]))
    way = slope[:2] / steepness if steepness > 0 else np.array([0.0, 1.0])
    along = away @ way
    edges = np.linspace(along.min(), along.max() + 1e-9, BINS + 1)
    place = np.digitize(along, edges) - 1
    bins = [np.flatnonzero(place == i) for i in range(BINS)]
    bins = [rows for rows in bins if len(rows) >= FEWEST]
    axes.plot(scale * along, angle, ".", color=style.MUTED, markersize=2, markeredgewidth=0, rasterized=True)
    axes.plot(
        scale * edges[[0, -1]], slope[2] + steepness * edges[[0, -1]], color="black", linewidth=style.LINE
    )
    axes.errorbar(
        [scale * along[rows].mean() for rows in bins],
        [angle[rows].mean() for rows in bins],
        [angle[rows].std(ddof=1) / np.sqrt(len(rows)) for rows in bins],
        fmt="o", color=style.ACCENT, markersize=3.5, elinewidth=1.5 * style.LINE, capsize=1.5,
    )  # fmt: skip
    direction = np.degrees(np.arctan2(*way))
    axes.text(
        0.02, 0.98, f"direction {direction:.0f}° from +x towards +y", transform=axes.transAxes,
        fontsize=style.SMALL, va="top", ha="left",
    )  # fmt: skip
