"""What a model of patches decodes: over a grid of its latent, along each latent, and where the rows lie."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from stemnet.report import panels, style

GRID, STEPS = 7, 7
WIDE = 2.0  # from the middle, in standard deviations, to either end of a traversal


def manifold_figure(
    latent: np.ndarray,
    decode: Callable[[np.ndarray], np.ndarray],
    *,
    labels: np.ndarray | None = None,
    sampling: float | None = None,
    title: str = "",
) -> Figure:
    """Draw decoded patches over the first two latents, traversals of every latent, and the scatter.

    Parameters
    ----------
    latent : ndarray, shape (N, d)
        Of valid rows.
    decode : callable
        From latents (M, d) to patches (M, H, W).
    labels : ndarray of int, shape (N,), optional
        Clusters that color the scatter.
    sampling : float, optional
        [A/px], for the scale bar.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    d = latent.shape[1]
    figure = style.new_figure(style.DOUBLE, 4.2, title)
    axes = figure.subplot_mosaic([["grid", "scatter"], ["grid", "along"]], width_ratios=[1.9, 1])
    middle, spread = np.median(latent, axis=0), latent.std(axis=0)
    low, high = np.percentile(latent[:, : min(d, 2)], (2, 98), axis=0)
    ticks = np.linspace(low, high, GRID)
    points = np.tile(middle, (GRID * (GRID if d > 1 else 1), 1))
    rows, cols = np.divmod(np.arange(len(points)), GRID)
    points[:, 0] = ticks[cols, 0]
    if d > 1:
        # the second latent grows upward
        points[:, 1] = ticks[GRID - 1 - rows, 1]
    patches = decode(points)
    shade = np.percentile(patches, (0.5, 99.5))
    axes["grid"].imshow(_mosaic(patches, GRID), cmap=style.INTENSITY, vmin=shade[0], vmax=shade[1])
    axes["grid"].set(xticks=[], yticks=[])
    style.small_type(axes["grid"], "latent 1", "latent 2" if d > 1 else "", "decoded patches")
    panels.scale_bar(axes["grid"], sampling)
    along = np.concatenate(
        [
            middle + np.linspace(-WIDE, WIDE, STEPS)[:, None] * spread[number] * np.eye(d)[number]
            for number in range(d)
        ]
    )
    axes["along"].imshow(_mosaic(decode(along), STEPS), cmap=style.INTENSITY, vmin=shade[0], vmax=shade[1])
    axes["along"].set(xticks=[], yticks=[])
    style.small_type(
        axes["along"], f"from -{WIDE:g} to +{WIDE:g} standard deviations", "latent", "traversals"
    )
    _scatter(axes["scatter"], latent, labels)
    return figure


def _mosaic(patches: np.ndarray, across: int) -> np.ndarray:
    """Patches (M, H, W) side by side, row after row, with a line between."""
    count, tall, wide = patches.shape
    framed = np.full((count, tall + 1, wide + 1), np.nan)
    framed[:, :tall, :wide] = patches
    grid = framed.reshape(-(-count // across), across, tall + 1, wide + 1)
    return grid.swapaxes(1, 2).reshape(-1, across * (wide + 1))[:-1, :-1]


def _scatter(axes, latent: np.ndarray, labels: np.ndarray | None) -> None:
    if latent.shape[1] == 1:
        axes.hist(latent[:, 0], bins=40, color=style.BLUE)
        style.small_type(axes, "latent 1", "columns")
        return
    colors = style.BLUE if labels is None else panels.colors_of(labels)
    size = float(np.clip(2000 / max(len(latent), 1), 0.3, 5))
    axes.scatter(latent[:, 0], latent[:, 1], s=size, c=colors, linewidths=0, rasterized=True)
    style.small_type(axes, "latent 1", "latent 2", "columns")
