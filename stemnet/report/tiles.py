"""Kinds of tile and of patch: where they are, and what they look like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from stemnet.descriptors.table import Descriptors
from stemnet.descriptors.windows import Windows
from stemnet.report import panels, style
from stemnet.report.sliding_fft import draw_labels, draw_spectrum

SHOWN = 4  # kinds whose mean is drawn, the largest first
WORDS = {
    "mean": "mean", "deviation": "deviation", "skewness": "skewness", "kurtosis": "kurtosis", "gradient": "gradient",
    "length": "bond\nlength", "length_spread": "spread of\nlengths", "order_cos": "bond order\ncos",
    "order_sin": "bond order\nsin", "intensity": "intensity", "columns": "columns",
}  # fmt: skip


def tiles_figure(
    image: np.ndarray,
    labeled: Mapping[str, tuple[np.ndarray, Descriptors]],
    windows: Windows,
    *,
    sampling: float | None = None,
    title: str = "",
) -> Figure:
    """Draw the kinds of tile, a row for each description.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    labeled : mapping of str to (ndarray of int, Descriptors)
        Labels of the tiles, shape (rows, columns), -1 where there is none, and
        what was described; under "spectra" the numbers of `windows`.
    windows : Windows
        The tiles.
    sampling : float, optional
        [A/px]
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    shape = float(np.clip(image.shape[0] / image.shape[1], 0.5, 2))
    tall = [style.DOUBLE / (2 + SHOWN if kind == "spectra" else 1 + SHOWN) * shape + 0.55 for kind in labeled]
    figure = style.new_figure(style.DOUBLE, sum(tall) + 0.25, title)
    for part, (kind, (labels, table)) in zip(_stacked(figure, tall), labeled.items(), strict=True):
        centers = table.yx.reshape(*labels.shape, 2)
        if kind == "spectra":
            picture, place, *means = part.subplots(1, 2 + SHOWN)
            panels.show_image(picture, image, sampling, "image")
            _mean_spectra(means, labels.ravel(), table, windows, sampling)
        else:
            place, profile = part.subplots(1, 2, width_ratios=[1, SHOWN])
            _profiles(profile, labels.ravel(), table)
        draw_labels(place, labels, centers, image.shape, f"by {kind}")
        panels.scale_bar(place, sampling)
    return figure


def patches_figure(
    image: np.ndarray,
    sets: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]],
    *,
    sampling: float | None = None,
    title: str = "",
) -> Figure:
    """Draw columns by the kind of patch around them, and the mean patch of every kind.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    sets : mapping of str to tuple
        Positions (N, 2) [px], labels (N,), and mean patches (k, size, size).
    sampling : float, optional
        [A/px]
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    side = style.DOUBLE / 5
    tall = 2 * side * float(np.clip(image.shape[0] / image.shape[1], 0.5, 2)) + 0.75
    figure = style.new_figure(style.DOUBLE, len(sets) * tall + 0.25, title)
    for part, (whose, (yx, labels, means)) in zip(
        _stacked(figure, [tall] * len(sets)), sets.items(), strict=True
    ):
        grid = part.add_gridspec(2, 5)
        place = part.add_subplot(grid[:, :2])
        panels.field_of_view(place, image.shape, f"patches around {whose}")
        panels.label_map(place, yx, labels, image.shape)
        panels.scale_bar(place, sampling)
        low, high = float(means.min()), float(means.max())
        for i, mean in enumerate(means[:6]):
            axes = part.add_subplot(grid[i // 3, 2 + i % 3])
            axes.imshow(mean, cmap=style.INTENSITY, vmin=low, vmax=high)
            axes.set(xticks=[], yticks=[], anchor="N")
            style.small_type(axes, title=f"mean of kind {i}")
            _frame(axes, i, len(means))
            if i == 0:
                panels.scale_bar(axes, sampling)
    return figure


def _stacked(figure: Figure, heights: Sequence[float]) -> list[SubFigure]:
    return list(figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights).flat)


def _frame(axes: Axes, label: int, count: int) -> None:
    """A frame in the color of a kind."""
    for spine in axes.spines.values():
        spine.set(color=style.label_color(label, count), linewidth=3 * style.LINE)


def _mean_spectra(
    axes: Sequence[Axes], labels: np.ndarray, table: Descriptors, windows: Windows, sampling: float | None
) -> None:
    count = int(labels.max(initial=-1)) + 1
    reach = windows.orders / windows.size
    limit = f"±{reach:.2f} / px" if sampling is None else f"±{10 * reach / sampling:.1f} / nm"
    for label, axis in enumerate(axes):
        if label >= count:
            axis.remove()
            continue
        mean = windows.plane(table.values[labels == label].mean(axis=0))
        draw_spectrum(axis, mean, f"kind {label} ({limit})" if label == 0 else f"kind {label}")
        _frame(axis, label, count)


def _profiles(axes: Axes, labels: np.ndarray, table: Descriptors) -> None:
    """Mean and standard deviation of every number within every kind, over the spread of all."""
    rows = table.complete
    middle, spread = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-300)
    count = int(labels.max(initial=-1)) + 1
    place = np.arange(len(table.names))
    for label in range(count):
        some = (table.values[labels == label] - middle) / spread
        shift = 0.5 * (label - (count - 1) / 2) / max(count, 2)
        axes.errorbar(
            place + shift, some.mean(axis=0), some.std(axis=0), fmt="o", markersize=3.5, linewidth=1.5 * style.LINE,
            color=style.label_color(label, count),
        )  # fmt: skip
    axes.axhline(0, color=style.MUTED, linewidth=style.LINE, zorder=0)
    axes.set(xlim=(-0.6, len(place) - 0.4))
    words = [WORDS.get(name.rsplit("_", 1)[0], name.rsplit("_", 1)[0]) for name in table.names]
    axes.set_xticks(place, words)
    style.small_type(axes, ylabel="mean over spread of all")
    axes.spines[["top", "right"]].set_visible(False)
