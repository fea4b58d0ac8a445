"""Windows of several sizes: contrast against resolution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stemnet.report import panels, style
from stemnet.report.sliding_fft import draw_map, log_scale


def window_sweep_figure(
    image: np.ndarray,
    rows: Sequence[Mapping[str, float]],
    maps: Sequence[np.ndarray],
    places: Sequence[np.ndarray],
    *,
    sampling: float | None = None,
    chosen: int | None = None,
    title: str = "",
) -> Figure:
    """Draw what a larger window gains in contrast and loses in resolution, with the maps themselves.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    rows : sequence of mapping
        Of `stemnet.analysis.window_sweep.window_sweep`; names that begin with
        ``ari_`` are drawn as agreement with a truth.
    maps : sequence of ndarray, shape (rows, columns)
        Scores of the first component, for every size.
    places : sequence of ndarray, shape (rows, columns, 2)
        Middles of the windows [px].
    sampling : float, optional
        [A/px]
    chosen : int, optional
        Size that the study uses [px].
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    count = len(rows)
    shape = float(np.clip(image.shape[0] / image.shape[1], 0.4, 2))
    low = style.DOUBLE / max(count, 4) * max(1.0, shape)
    figure = style.new_figure(style.DOUBLE, 2.1 + low + 0.7, title)
    upper, lower = figure.subfigures(2, 1, squeeze=False, height_ratios=[2.1, low + 0.35]).flat
    scale, unit = (1.0, "px") if sampling is None else (sampling, "Å")
    size = scale * np.array([row["size_px"] for row in rows])
    reach = scale * np.array([row["resolution_px"] for row in rows])
    contrast = np.array([row["contrast"] for row in rows])
    agreements = sorted(key for key in rows[0] if key.startswith("ari_"))
    axes = upper.subplots(1, 3)
    _trade_off(axes[0], reach, contrast, [row["size_px"] for row in rows], chosen)
    style.small_type(axes[0], f"resolution [{unit}]", "contrast", "trade-off")
    axes[1].plot(
        size, [row["signal"] for row in rows], "o-", color=style.BLUE, markersize=3, linewidth=style.LINE
    )
    axes[1].yaxis.get_major_locator().set_params(integer=True)
    axes[1].set_ylim(bottom=0)
    style.small_type(axes[1], f"side of a window [{unit}]", "components above the noise", "components")
    names = agreements or ["signal_share"]
    for i, key in enumerate(names):
        label = key.removeprefix("ari_").replace("_", " ")
        color = style.PALETTE[(4 + i) % len(style.PALETTE)]
        axes[2].plot(
            size,
            [row[key] for row in rows],
            "o-",
            color=color,
            markersize=3,
            linewidth=style.LINE,
            label=label,
        )
    axes[2].set_ylim(min(-0.05, *(row[key] for row in rows for key in names)), 1.05)
    words = (
        ("adjusted Rand index", "against the truth")
        if agreements
        else ("share of the variance", "share of the signal")
    )
    style.small_type(axes[2], f"side of a window [{unit}]", *words)
    if agreements:
        axes[2].legend(fontsize=style.SMALL, frameon=False)
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    below = lower.subplots(1, max(count, 4), squeeze=False)[0]
    for axis, row, scores, yx in zip(below, rows, maps, places, strict=False):
        cells = "" if np.isnan(row["cells"]) else f", {row['cells']:.1f} periods"
        draw_map(axis, scores, yx, image.shape, f"{row['size_px']:g} px{cells}")
        panels.scale_bar(axis, sampling)
    for axis in below[count:]:
        axis.remove()
    return figure


def _trade_off(
    axes: Axes, reach: np.ndarray, contrast: np.ndarray, sizes: Sequence[float], chosen: int | None
) -> None:
    """Contrast against resolution; the label of a point stands where the line does not go."""
    axes.axhline(1, color=style.ACCENT, linestyle="--", linewidth=1.5 * style.LINE)
    axes.plot(reach, contrast, "o-", color=style.BLUE, markersize=3, linewidth=style.LINE)
    level = np.log(np.concatenate([contrast[:1], contrast, contrast[-1:]]))
    left, right = level[:-2] - level[1:-1], level[2:] - level[1:-1]
    for x, y, size, before, after in zip(reach, contrast, sizes, left, right, strict=True):
        if before > 0 >= after or before < 0 < after:
            offset, side, height = (4, 0), "left", "bottom" if before > 0 else "top"
        else:
            offset, side, height = (
                ((0, 4), "center", "bottom") if before + after <= 0 else ((0, -4), "center", "top")
            )
        axes.annotate(
            f"{size:g} px", (x, y), offset, textcoords="offset points", fontsize=style.SMALL, ha=side, va=height,
            fontweight="bold" if size == chosen else "normal",
        )  # fmt: skip
    log_scale(axes, 0.6 * min(1.0, float(contrast.min())), 1.8 * max(1.0, float(contrast.max())))
    axes.margins(x=0.15)
    # below the line where contrast is far above it, as with the largest windows
    axes.annotate(
        "noise level", (1, 1), (-2, -8), xycoords=("axes fraction", "data"), textcoords="offset points",
        fontsize=style.SMALL, color=style.ACCENT, ha="right",
    )  # fmt: skip
