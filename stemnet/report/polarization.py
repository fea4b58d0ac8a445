"""Displacement vectors on their image: arrows, directions by a color wheel, divergence and curl."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from stemnet.report import panels, style

CYCLIC = LinearSegmentedColormap.from_list(
    "directions", [style.BLUE, *style.PALETTE[3::-3], style.PALETTE[2], style.BLUE]
)
"""Blue to the left, then pink, orange (right), green: told apart by all eyes."""
WHEEL = 0.1  # diameter of the wheel of directions [widths of its map]
LONGEST = 1.2  # of the arrows at the 95th percentile [spacings]


def polarization_figure(
    image: np.ndarray,
    yx: np.ndarray,
    vectors: np.ndarray,
    *,
    unit: str,
    sampling: float | None = None,
    walls: Sequence[np.ndarray] = (),
    vortices: tuple[np.ndarray, np.ndarray] | None = None,
    divergence: np.ndarray | None = None,
    curl: np.ndarray | None = None,
    title: str = "",
) -> Figure:
    """Draw a vector per cell in four ways.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    yx : ndarray, shape (N, 2)
        [px]
    vectors : ndarray, shape (N, 2)
        (y, x) [unit]; NaN where there is none.
    unit : str
        Of the vectors.
    sampling : float, optional
        [A/px]
    walls : sequence of ndarray, shape (2, 2)
        Straight walls, each by its two ends (y, x) [px].
    vortices : tuple of ndarray, optional
        Places (V, 2) [px] and windings (V,).
    divergence, curl : ndarray, shape (N,), optional
        Of the vectors over the places, both in the same unit.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    side = style.DOUBLE / 2
    tall = side * float(np.clip(image.shape[0] / image.shape[1], 0.3, 2))
    figure = style.new_figure(style.DOUBLE, 2 * tall + 1.2, title, row_gap=0.05)
    axes = figure.subplots(2, 2)
    known = np.isfinite(vectors).all(axis=1)
    angle = np.arctan2(vectors[:, 0], vectors[:, 1])
    spacing = panels.typical_spacing(yx[known], image.shape)
    panels.show_image(axes[0, 0], image, sampling, "displacements")
    draw_vectors(axes[0, 0], yx[known], vectors[known], spacing, unit)
    panels.field_of_view(axes[0, 1], image.shape, "direction, and length as opacity")
    length = np.hypot(*vectors[known].T)
    most = max(float(np.percentile(length, 95)) if known.any() else 1.0, 1e-12)
    strong = np.clip(length / most, 0.05, 1)
    colors = CYCLIC((angle[known] + np.pi) / (2 * np.pi))
    colors[:, 3] = strong
    panels.disks(axes[0, 1], yx[known], panels.TOUCHING * spacing, facecolors=colors, linewidths=0)
    color_wheel(axes[0, 1], f"rim: {most:.2g} {unit} and more")
    slope = "%" if sampling is None else "pm/Å"  # a hundredth of either on one of distance
    for axis, values, name in ((axes[1, 0], divergence, "divergence"), (axes[1, 1], curl, "curl")):
        panels.field_of_view(axis, image.shape, name)
        shown = np.full(len(yx), np.nan) if values is None else 100 * values
        panels.score_map(axis, yx[known], shown[known], image.shape, f"{name} [{slope}]")
    for axis in axes.flat:
        _mark(axis, walls, vortices, image.shape)
    return figure


def draw_vectors(axes: Axes, yx: np.ndarray, vectors: np.ndarray, spacing: float, unit: str) -> None:
    """Draw vectors (N, 2) in one scale, colored by direction, with a key."""
    if not len(yx):
        return
    typical = max(float(np.percentile(np.hypot(*vectors.T), 95)), 1e-12)
    angle = np.arctan2(vectors[:, 0], vectors[:, 1])
    arrows = axes.quiver(
        yx[:, 1],
        yx[:, 0],
        vectors[:, 1],
        vectors[:, 0],
        (angle + np.pi) / (2 * np.pi),
        cmap=CYCLIC,
        clim=(0, 1),
        angles="xy",
        scale_units="xy",
        scale=typical / (LONGEST * spacing),
        pivot="mid",
        width=0.004,
    )
    key = style.round_number(1.4 * typical, (1, 2, 3, 5))  # about as long as the longest
    axes.quiverkey(
        arrows,
        0.85,
        -0.05,
        key,
        f"{key:g} {unit}",
        labelpos="E",
        fontproperties={"size": style.SMALL},
        color="black",
    )


def color_wheel(axes: Axes, words: str = "") -> Axes:
    """Put a wheel of directions under a map, with words beside it; right is +x, down is +y."""
    wide, tall = (abs(float(np.subtract(*limits()))) for limits in (axes.get_xlim, axes.get_ylim))
    size = WHEEL * wide / tall
    inset = axes.inset_axes((0.0, -size - 0.02, WHEEL, size))
    y, x = np.mgrid[-1:1:101j, -1:1:101j]
    colors = CYCLIC((np.arctan2(y, x) + np.pi) / (2 * np.pi))
    radius = np.hypot(y, x)
    colors[..., 3] = (radius <= 1) * np.clip(radius, 0, 1)
    inset.add_patch(Circle((0, 0), 1, facecolor="white", edgecolor="black", linewidth=style.LINE))
    inset.imshow(colors, extent=(-1, 1, 1, -1), zorder=3)
    inset.set(xlim=(-1.1, 1.1), ylim=(1.1, -1.1), aspect="equal")
    inset.axis("off")
    inset.text(1.3, 0, words, fontsize=style.SMALL, ha="left", va="center")
    return inset


def _mark(
    axes: Axes,
    walls: Sequence[np.ndarray],
    vortices: tuple[np.ndarray, np.ndarray] | None,
    shape: tuple[int, int],
) -> None:
    for ends in walls:
        axes.plot(ends[:, 1], ends[:, 0], "-", color="white", linewidth=3 * style.LINE)
        axes.plot(ends[:, 1], ends[:, 0], "--", color="black", linewidth=2 * style.LINE)
    if vortices is not None:
        for (y, x), winding in zip(*vortices, strict=True):
            axes.plot(
                x, y, "o" if winding > 0 else "X", markersize=5, markerfacecolor=style.PALETTE[6],
                markeredgecolor="black", markeredgewidth=style.LINE,
            )  # fmt: skip
    axes.set(xlim=(-0.5, shape[1] - 0.5), ylim=(shape[0] - 0.5, -0.5))
