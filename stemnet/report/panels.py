"""Panels that show an image, or values and labels of its columns, on the same axes.

Rows run downward as in the image: x is the pixel column, y the pixel row.
"""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import EllipseCollection
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D
from mpl_toolkits.axes_grid1.anchored_artists import AnchoredSizeBar
from scipy.spatial import cKDTree

from stemnet.report import style

TOUCHING = 0.97  # diameter of the disks of a map [spacings]: overlap would favor those drawn last
LEGEND_LINE = 0.135  # height of a line of a legend [inch]
LARGEST = 2048  # longer sides are averaged down for display [px]


def typical_spacing(yx: np.ndarray, shape: tuple[int, int]) -> float:
    """Median distance to the nearest neighbor [px]; a twentieth of the image if there is none."""
    if len(yx) > 1:
        distance = cKDTree(yx).query(yx, k=2)[0][:, 1]
        if np.any(distance > 0):
            return float(np.median(distance[distance > 0]))
    return max(shape) / 20


def shrink(image: np.ndarray, largest: int = LARGEST) -> tuple[np.ndarray, int]:
    """Average blocks of an image until no side is longer than `largest`.

    Returns
    -------
    ndarray
        The smaller image; blocks that reach over the edge average what is there.
    int
        Side of a block [px].
    """
    factor = -(-max(image.shape) // largest)
    if factor == 1:
        return image, 1
    sums, counts = np.nan_to_num(image, nan=0.0), np.isfinite(image).astype(np.float32)
    for axis in (0, 1):
        starts = np.arange(0, image.shape[axis], factor)
        sums, counts = (np.add.reduceat(part, starts, axis=axis) for part in (sums, counts))
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan), factor


def field_of_view(axes: Axes, shape: tuple[int, int], title: str = "") -> None:
    """Set limits to the image's own, rows downward, without ticks."""
    height, width = shape
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), aspect="equal", xticks=[], yticks=[])
    axes.set(anchor="N", facecolor=style.GROUND)
    style.small_type(axes, title=title)


def scale_bar(axes: Axes, sampling: float | None) -> None:
    """Draw a bar of a round length, at most a quarter of the width; in px if the sampling is unknown."""
    width = abs(np.subtract(*axes.get_xlim()))
    length = style.round_number(0.25 * width * (sampling or 1.0))
    if sampling is None:
        text = f"{length:g} px"
    else:
        text = f"{length / 10:g} nm" if length >= 10 else f"{length:g} Å"
    bar = AnchoredSizeBar(
        axes.transData,
        length / (sampling or 1.0),
        text,
        "lower left",
        pad=0.25,
        borderpad=0.2,
        sep=1.5,
        color="white",
        size_vertical=0.008 * width,
        fontproperties={"size": style.SMALL},
    )
    bar.patch.set(facecolor="black", edgecolor="none", alpha=0.6)
    bar.set_zorder(10)
    axes.add_artist(bar)


def show_image(axes: Axes, image: np.ndarray, sampling: float | None, title: str = "") -> None:
    """Draw an image between its 0.5 and 99.5 percentiles, with a scale bar."""
    small, factor = shrink(np.asarray(image))
    finite = small[np.isfinite(small)]
    low, high = np.percentile(finite, (0.5, 99.5)) if finite.size else (0.0, 1.0)
    _draw(
        axes,
        small,
        factor,
        style.INTENSITY,
        Normalize(low, max(high, low + 1e-9 * max(abs(low), 1.0))),
    )
    field_of_view(axes, image.shape, title)
    scale_bar(axes, sampling)


def show_probability(axes: Axes, probability: np.ndarray, sampling: float | None, title: str = "") -> None:
    """Draw a probability map, black at 0 and white at 1, with a scale bar."""
    small, factor = shrink(np.asarray(probability, dtype=np.float32))
    _draw(axes, small, factor, style.INTENSITY, Normalize(0, 1))
    field_of_view(axes, probability.shape, title)
    scale_bar(axes, sampling)


def _draw(axes, small, factor, colors, norm):
    height, width = small.shape
    extent = (-0.5, width * factor - 0.5, height * factor - 0.5, -0.5)
    axes.imshow(small, cmap=colors, norm=norm, extent=extent)


def disks(axes: Axes, yx: np.ndarray, diameter: float, **look: object) -> EllipseCollection:
    """Draw disks of a diameter in pixels of the image, whatever the size of the panel."""
    size = np.full(len(yx), diameter)
    drawn = EllipseCollection(
        size, size, np.zeros(len(yx)), units="x", offsets=yx[:, ::-1], offset_transform=axes.transData, **look
    )
    drawn.set_rasterized(True)
    drawn.set_in_layout(False)
    axes.add_collection(drawn, autolim=False)
    return drawn


def score_map(
    axes: Axes, yx: np.ndarray, scores: np.ndarray, shape: tuple[int, int], label: str = ""
) -> None:
    """Color columns by a value, shape (N,); NaN is gray.

    Signed values run from -a to a, with a the 98th percentile of their size;
    values without sign from their 2nd to their 98th percentile.
    """
    valid = np.isfinite(scores)
    known = scores[valid]
    if not known.size:
        low, high = -1.0, 1.0
    elif known.min() < 0:
        high = max(float(np.percentile(np.abs(known), 98)), 1e-12)
        low = -high
    else:
        low, high = np.percentile(known, (2, 98))
    colors = style.DIVERGING if low < 0 else style.SEQUENTIAL
    spacing = typical_spacing(yx[valid], shape)
    disks(axes, yx[~valid], 0.45 * spacing, facecolors=style.MUTED, linewidths=0)
    drawn = disks(axes, yx[valid], TOUCHING * spacing, linewidths=0, cmap=colors, norm=Normalize(low, high))
    drawn.set_array(known)
    color_bar(axes, drawn, label)


def label_map(
    axes: Axes, yx: np.ndarray, labels: np.ndarray, shape: tuple[int, int], legend: bool = True
) -> None:
    """Color columns by label, shape (N,); -1 is gray. The legend counts them."""
    valid = labels >= 0
    spacing = typical_spacing(yx[valid], shape)
    disks(axes, yx[~valid], 0.45 * spacing, facecolors=style.MUTED, linewidths=0)
    disks(axes, yx[valid], TOUCHING * spacing, facecolors=colors_of(labels[valid]), linewidths=0)
    if legend:
        count_legend(axes, labels)


def colors_of(labels: np.ndarray) -> np.ndarray:
    """RGBA per label, shape (N, 4); -1 is gray."""
    count = int(labels.max(initial=-1)) + 1
    table = [style.label_color(label, count) for label in range(count)] + [style.MUTED]
    return matplotlib.colors.to_rgba_array(table)[labels]


def count_legend(axes: Axes, labels: np.ndarray, name: str = "", unknown: str = "not valid") -> None:
    """Say below the axes which color is which label and how many columns carry it."""
    present, counts = np.unique(labels, return_counts=True)
    order = np.argsort(np.where(present < 0, present.max(initial=0) + 1, present))
    handles = [
        Line2D(
            [], [], marker="o", linestyle="", markersize=4, markeredgewidth=0, color=tuple(color), label=text
        )
        for color, text in (
            (
                colors_of(np.array([present[i], labels.max()]))[0],
                f"{f'{name} {present[i]}'.strip() if present[i] >= 0 else unknown} ({counts[i]})",
            )
            for i in order
        )
    ]
    if handles:
        legend_below(axes, handles, 2)


def legend_below(axes: Axes, handles: list[Line2D], columns: int) -> None:
    """Put a legend under the axes, where it hides no data."""
    axes.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        ncols=columns,
        fontsize=style.SMALL,
        frameon=False,
        handletextpad=0.1,
        columnspacing=0.8,
        borderpad=0.2,
        labelspacing=0.3,
    )


def color_bar(axes: Axes, drawn: ScalarMappable, label: str = "") -> None:
    """Put a color bar under the axes."""
    bar = axes.figure.colorbar(drawn, ax=axes, location="bottom", shrink=0.8, aspect=22, pad=0.02)
    bar.ax.tick_params(labelsize=style.SMALL, width=style.LINE, length=2, pad=1.5)
    bar.ax.locator_params(nbins=5)
    bar.outline.set_linewidth(style.LINE)
    if label:
        bar.set_label(label, fontsize=style.SMALL, labelpad=1)


def crop_limits(yx: np.ndarray, shape: tuple[int, int], across: float) -> tuple[int, int, int]:
    """Choose a square in the image, about `across` spacings wide, around the middle of the columns.

    Returns
    -------
    tuple of int
        First row, first column and side [px].
    """
    side = int(np.clip(round(across * typical_spacing(yx, shape)), min(16, *shape), min(shape)))
    middle = np.median(yx, axis=0) if len(yx) else np.array(shape) / 2
    row, column = np.clip(np.round(middle - side / 2), 0, np.array(shape) - side).astype(int)
    return int(row), int(column), side
