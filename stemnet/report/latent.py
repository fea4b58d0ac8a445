"""The latent space of an autoencoder: where columns lie in it, where on the image, and what it decodes to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from stemnet.report import panels, style
from stemnet.report.neighborhoods import as_vectors, draw_arrows, magnification


def vae_figure(
    yx: np.ndarray,
    latent: np.ndarray,
    labels: np.ndarray,
    decode: Callable[[np.ndarray], np.ndarray],
    mean: np.ndarray,
    shape: tuple[int, int],
    *,
    sampling: float | None = None,
    unit: str = "Å",
    label_name: str = "",
    title: str = "",
    grid: int = 7,
) -> Figure:
    """Draw the decoded manifold, the latent scatter and the latent maps.

    The manifold decodes a grid over the 2nd to 98th percentile of the first
    two latent coordinates, the others at their median. In each cell gray
    points are the mean neighborhood and arrows the way to the decoded one,
    enlarged by the factor in the title.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        Positions of the columns [px].
    latent : ndarray, shape (N, d)
        NaN in rows that are not valid.
    labels : ndarray, shape (N,)
        Clusters that color the scatter, -1 where not valid.
    decode : callable
        From latent coordinates (M, d) to neighbor vectors (M, 2k).
    mean : ndarray, shape (2k,)
        Mean neighborhood [unit].
    shape : tuple of int
        Rows and columns of the image [px].
    sampling : float, optional
        [A/px].
    unit : str
        Of the neighbor vectors.
    label_name : str
        What the labels are, as the title of the scatter.
    title : str
        Words above the figure.
    grid : int
        Cells of the manifold along a side.

    Returns
    -------
    matplotlib.figure.Figure
    """
    shown = min(latent.shape[1], 2)
    figure = style.new_figure(style.DOUBLE, 4.9, title)
    left, right = np.asarray(figure.subfigures(1, 2, width_ratios=[2.05, 1]), dtype=object)
    valid = np.isfinite(latent).all(axis=1)

    manifold = left.subplots()
    if valid.any():
        _draw_manifold(manifold, latent[valid], decode, as_vectors(mean), grid)
    else:
        manifold.set(xticks=[], yticks=[])
        style.small_type(manifold, title="no valid rows to decode")
    axes = right.subplots(1 + shown, 1)
    _scatter(axes[0], latent, np.where(valid, labels, -1), label_name)
    for i in range(shown):
        panels.field_of_view(axes[1 + i], shape, f"latent {i + 1}")
        panels.score_map(axes[1 + i], yx, np.where(valid, latent[:, i], np.nan), shape)
        panels.scale_bar(axes[1 + i], sampling)
    return figure


def _scatter(axes: Axes, latent: np.ndarray, labels: np.ndarray, title: str) -> None:
    known = np.isfinite(latent).all(axis=1)
    axes.set_box_aspect(1)
    if latent.shape[1] == 1:
        axes.hist(latent[known, 0], bins=40, color=style.BLUE)
        style.small_type(axes, "latent 1", "columns")
        return
    size = float(np.clip(2000 / max(known.sum(), 1), 0.3, 5))
    first, second = latent[known, :2].T
    axes.scatter(first, second, s=size, c=panels.colors_of(labels)[known], linewidths=0, rasterized=True)
    style.small_type(axes, "latent 1", "latent 2", title)


def _draw_manifold(
    axes: Axes, latent: np.ndarray, decode: Callable[[np.ndarray], np.ndarray], mean: np.ndarray, grid: int
) -> None:
    low, high = np.percentile(latent[:, :2], (2, 98), axis=0)
    ticks = np.linspace(low, high, grid)
    height = grid if ticks.shape[1] > 1 else 1
    rows, cols = (index.ravel() for index in np.indices((height, grid)))
    points = np.tile(np.median(latent, axis=0), (len(cols), 1))
    points[:, 0] = ticks[cols, 0]
    if height > 1:
        points[:, 1] = ticks[rows, 1]

    shifts = as_vectors(np.asarray(decode(points))) - mean
    factor = magnification(shifts, mean)
    # A neighborhood fills two thirds of a cell; the second coordinate grows upward, y within a cell downward.
    size = 0.33 / max(np.abs(mean).max(initial=0.0), 1e-9)
    upright = size * np.array([-1.0, 1.0])
    centers = np.stack([rows, cols], axis=1)[:, None, :]
    at = (centers + upright * mean).reshape(-1, 2)
    bonds = np.stack([np.broadcast_to(centers, (len(cols), len(mean), 2)).reshape(-1, 2), at], axis=1)
    axes.add_collection(LineCollection(list(bonds[..., ::-1]), colors="#dddddd", linewidths=0.5, zorder=1))
    axes.plot(cols, rows, "+", color="black", markersize=3, markeredgewidth=0.5)
    axes.plot(at[:, 1], at[:, 0], "o", color="#a0a0a0", markersize=1.6, markeredgewidth=0)
    draw_arrows(axes, at, (factor * upright * shifts).reshape(-1, 2), width=0.008)
    axes.set(xlim=(-0.5, grid - 0.5), ylim=(-0.5, height - 0.5), aspect="equal")
    axes.set_xticks(range(grid), _tick_texts(ticks[:, 0]))
    style.small_type(
        axes, "latent 1", "latent 2", f"decoded neighborhoods, deviation from the mean × {factor:g}"
    )
    if height > 1:
        axes.set_yticks(range(grid), _tick_texts(ticks[:, 1]))
    else:
        axes.set(yticks=[], ylabel="")
    axes.hlines(np.arange(height - 1) + 0.5, -0.5, grid - 0.5, color="#e4e4e4", linewidth=0.4, zorder=0)
    axes.vlines(np.arange(grid - 1) + 0.5, -0.5, height - 0.5, color="#e4e4e4", linewidth=0.4, zorder=0)


def _tick_texts(values: np.ndarray) -> list[str]:
    """Spell evenly spaced numbers with as many decimals as tell them apart."""
    step = max(abs(values[-1] - values[0]) / max(len(values) - 1, 1), 1e-9)
    decimals = int(np.clip(1 - np.floor(np.log10(step)), 0, 6))
    # Adding zero turns -0 into 0.
    return [
        f"{value:.{decimals}f}".replace("-", "\N{MINUS SIGN}") for value in np.round(values, decimals) + 0.0
    ]
