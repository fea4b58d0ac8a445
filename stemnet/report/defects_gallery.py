"""A gallery of defects: the image around each, with its kind and score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from stemnet.report import panels, style

ACROSS, FEWEST = 8, 4  # patches in a row, at most and at least
HALF = 2.6  # spacings from the middle of a patch to its side


def gallery_figure(
    image: np.ndarray,
    places: np.ndarray,
    labels: Sequence[str],
    scores: Sequence[str],
    colors: Sequence[str],
    *,
    spacing: float,
    sampling: float | None = None,
    title: str = "",
) -> Figure:
    """Draw patches of the image around defects, all in one scale of gray.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    places : ndarray, shape (M, 2)
        [px]
    labels, scores : sequence of str, length M
        What stands above a patch, in two lines.
    colors : sequence of str, length M
        Of the marks around the middles.
    spacing : float
        Of the columns [px]; patches are some five of them wide.
    sampling : float, optional
        [A/px]
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    across = int(np.clip(len(places), FEWEST, ACROSS))
    rows = max(-(-len(places) // across), 1)
    side = style.DOUBLE / ACROSS
    figure = style.new_figure(across * side, rows * (side + 0.2) + 0.25, title)
    grid = figure.subplots(rows, across, squeeze=False)
    finite = image[np.isfinite(image)]
    low, high = np.percentile(finite, (0.5, 99.7)) if finite.size else (0.0, 1.0)
    norm = Normalize(low, max(high, low + 1e-9 * max(abs(low), 1.0)))
    half = max(round(HALF * spacing), 4)
    padded = np.pad(np.asarray(image, dtype=float), half, constant_values=np.nan)
    for axes in grid.flat[len(places) :]:
        axes.axis("off")
    for number, (axes, place) in enumerate(zip(grid.flat, places, strict=False)):
        row, column = np.round(place).astype(int)
        patch = padded[row : row + 2 * half + 1, column : column + 2 * half + 1]
        axes.imshow(
            patch, cmap=style.INTENSITY, norm=norm, extent=(-half - 0.5, half + 0.5, half + 0.5, -half - 0.5)
        )
        axes.set(xticks=[], yticks=[], facecolor=style.GROUND)
        middle = np.array([place - np.round(place)])
        panels.disks(
            axes, middle, 1.1 * spacing, facecolors="none", edgecolors=colors[number], linewidths=0.8
        )
        axes.set_title(
            f"{labels[number]}\n{scores[number]}", fontsize=style.SMALL - 1, pad=2, linespacing=1.1
        )
        for spine in axes.spines.values():
            spine.set_linewidth(style.LINE)
        if number == 0:
            panels.scale_bar(axes, sampling)
    return figure
