"""Components of sliding-window spectra: the scree with its noise floor, spectra, and maps of scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from stemnet.analysis.noise_floor import NoiseFloor
from stemnet.report import panels, style

ACROSS = 4  # components in a row of the figure


def sliding_figure(
    image: np.ndarray,
    mean: np.ndarray,
    spectra: Sequence[np.ndarray],
    maps: np.ndarray,
    centers: np.ndarray,
    *,
    highest: float,
    floor: NoiseFloor | None = None,
    share: np.ndarray | None = None,
    labels: np.ndarray | None = None,
    sampling: float | None = None,
    title: str = "",
) -> Figure:
    """Draw components beside their maps, under the image, the mean spectrum, the scree and the clusters.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    mean : ndarray, shape (m, m)
        Mean spectrum, the zero frequency in the middle.
    spectra : sequence of ndarray, shape (m, m)
        Of every component.
    maps : ndarray, shape (k, rows, columns)
        Scores of the windows; NaN where one is masked.
    centers : ndarray, shape (rows, columns, 2)
        Of the windows [px].
    highest : float
        Frequency at the rim of a spectrum [cycles/px].
    floor : NoiseFloor, optional
        Of principal components.
    share : ndarray, shape (k,), optional
        Of factors without a floor, of the whole.
    labels : ndarray of int, shape (rows, columns), optional
        Clusters of the windows; -1 has none.
    sampling : float, optional
        [A/px]
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = -(-len(maps) // ACROSS)
    shape = float(np.clip(image.shape[0] / image.shape[1], 0.4, 2))
    tall, low = style.DOUBLE / 4 * max(1.0, shape), style.DOUBLE / 8 * max(1.0, shape) + 0.17
    figure = style.new_figure(style.DOUBLE, tall + rows * low + 0.75, title)
    # apart, since the numbers at the scree's axis would move all maps below it
    upper, lower = figure.subfigures(2, 1, squeeze=False, height_ratios=[tall + 0.5, rows * low]).flat
    top = upper.subplots(1, 4)
    below = lower.subplots(rows, 2 * ACROSS, squeeze=False)
    panels.show_image(top[0], image, sampling, "image")
    draw_spectrum(top[1], mean, f"mean spectrum (±{_limit(highest, sampling)})")
    if floor is not None:
        scree(top[2], floor, len(maps))
    elif share is not None:
        _shares(top[2], share)
    if labels is None:
        top[3].remove()
    else:
        draw_labels(top[3], labels, centers, image.shape, "clusters of windows")
        panels.scale_bar(top[3], sampling)
    signal = len(maps) if floor is None else floor.n_signal
    for i, (spectrum, scores) in enumerate(zip(spectra, maps, strict=True)):
        row, column = i // ACROSS, 2 * (i % ACROSS)
        left, right = below[row, column : column + 2]
        draw_spectrum(left, spectrum, f"spectrum {i + 1}")
        draw_map(right, scores, centers, image.shape, f"score {i + 1}")
        if column == 0:
            panels.scale_bar(right, sampling)
        for axes in (left, right):
            axes.title.set_color("black" if i < signal else "#8c8c8c")
    for axes in below.ravel()[2 * len(maps) :]:
        axes.remove()
    return figure


def scree(axes: Axes, floor: NoiseFloor, shown: int) -> None:
    """Eigenvalues of the first components against those of noise, with the level that ends the signal."""
    number = np.arange(1, min(shown, len(floor.eigenvalues)) + 1)
    values = floor.eigenvalues[: len(number)]
    signal = values > floor.level
    axes.bar(number, floor.floor[: len(number)], color=style.MUTED, width=0.8, label="homogeneous twin")
    axes.plot(number, values, "-", color="black", linewidth=style.LINE)
    axes.plot(number[signal], values[signal], "o", color=style.BLUE, markersize=3, label="signal")
    axes.plot(
        number[~signal], values[~signal], "o", markerfacecolor="white", markeredgecolor="black",
        markeredgewidth=style.LINE, markersize=3, label="noise",
    )  # fmt: skip
    axes.axhline(
        floor.level, color=style.ACCENT, linewidth=1.5 * style.LINE, linestyle="--", label="noise level"
    )
    least = max(float(min(values.min(), floor.floor[: len(number)].min())), 1e-6 * float(values[0]))
    log_scale(axes, 0.6 * least, 2.5 * max(float(values[0]), floor.level))
    axes.set_box_aspect(1)
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    style.small_type(axes, "component", "eigenvalue", f"{floor.n_signal} above the noise")
    axes.legend(
        fontsize=style.SMALL - 1, frameon=False, loc="upper right", labelspacing=0.2, handlelength=1.2
    )
    axes.spines[["top", "right"]].set_visible(False)


def log_scale(axes: Axes, low: float, high: float) -> None:
    """Make the y axis logarithmic between two values, with plain numbers at its ticks."""
    axes.set(yscale="log", ylim=(low, high))
    steps = (1, 2, 5) if high < 100 * low else (1,)
    axes.yaxis.set_major_locator(LogLocator(subs=steps))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="minor", width=style.LINE, length=1.2)


def _shares(axes: Axes, share: np.ndarray) -> None:
    axes.bar(np.arange(1, len(share) + 1), 100 * share, color=style.BLUE, width=0.8)
    axes.set(box_aspect=1)
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    style.small_type(axes, "factor", "share of the spectra [%]", "factors")
    axes.spines[["top", "right"]].set_visible(False)


def draw_spectrum(axes: Axes, spectrum: np.ndarray, title: str = "") -> None:
    """Draw numbers on the plane of frequencies (m, m); those with both signs around zero."""
    known = spectrum[np.isfinite(spectrum)]
    if known.min(initial=0.0) < 0:
        colors, norm = style.DIVERGING, Normalize(-(high := float(np.abs(known).max())), high)
    else:
        colors, norm = style.SEQUENTIAL, Normalize(0, max(float(known.max(initial=0.0)), 1e-12))
    axes.imshow(spectrum, cmap=colors, norm=norm, interpolation="nearest")
    axes.set(xticks=[], yticks=[], facecolor=style.GROUND, anchor="N")
    style.small_type(axes, title=title)


def draw_map(
    axes: Axes, values: np.ndarray, centers: np.ndarray, shape: tuple[int, int], title: str = ""
) -> None:
    """Draw values of windows (rows, columns) where they belong in an image of `shape`."""
    known = values[np.isfinite(values)]
    if known.size and known.min() < 0:
        high = max(float(np.percentile(np.abs(known), 98)), 1e-12)
        colors, norm = style.DIVERGING, Normalize(-high, high)
    else:
        low, high = np.percentile(known, (2, 98)) if known.size else (0.0, 1.0)
        colors, norm = style.SEQUENTIAL, Normalize(low, max(high, low + 1e-12))
    axes.imshow(values, cmap=colors, norm=norm, extent=_extent(centers), interpolation="nearest")
    panels.field_of_view(axes, shape, title)


def draw_labels(
    axes: Axes, labels: np.ndarray, centers: np.ndarray, shape: tuple[int, int], title: str = ""
) -> None:
    """Draw labels of windows (rows, columns) where they belong, and say how many carry each."""
    count = int(labels.max(initial=-1)) + 1
    colors = ListedColormap([style.MUTED, *(style.label_color(label, count) for label in range(count))])
    axes.imshow(
        labels,
        cmap=colors,
        norm=Normalize(-1.5, count - 0.5),
        extent=_extent(centers),
        interpolation="nearest",
    )
    panels.field_of_view(axes, shape, title)
    panels.count_legend(axes, labels.ravel())


def _extent(centers: np.ndarray) -> tuple[float, float, float, float]:
    """Edges of the outer windows' own places: half a step beyond their middles [px]."""
    step = [
        (centers[-1, -1, axis] - centers[0, 0, axis]) / max(centers.shape[axis] - 1, 1) or 1.0
        for axis in (0, 1)
    ]
    (top, left), (bottom, right) = centers[0, 0], centers[-1, -1]
    return left - step[1] / 2, right + step[1] / 2, bottom + step[0] / 2, top - step[0] / 2


def _limit(highest: float, sampling: float | None) -> str:
    return f"{highest:.2f} / px" if sampling is None else f"{10 * highest / sampling:.1f} / nm"
