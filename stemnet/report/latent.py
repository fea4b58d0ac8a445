"""The latent space of an autoencoder: where columns lie in it, where on the image, and what it decodes to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
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
    left, right = figure.subfigures(1, 2, width_ratios=[2.05, 1])
    valid = np.isfinite(latent).all(axis=1)

    manifold = left.subplots()
    if valid.any():
        _draw_manifold(manifold, latent[valid], decode, as_vectors(mean), grid)
    axes = right.subplots(1 + shown, 1)
    _scatter(axes[0], latent, np.where(valid, labels, -1))
    for i in range(shown):
        panels.field_of_view(axes[1 + i], shape, sampling, f"latent {i + 1}")
        panels.score_map(axes[1 + i], yx, np.where(valid, latent[:, i], np.nan), shape)
    return figure


def _scatter(axes: Axes, latent: np.ndarray, labels: np.ndarray) -> None:
    first, second = latent[:, 0], latent[:, 1] if latent.shape[1] > 1 else np.zeros(len(latent))
    known = np.isfinite(first) & np.isfinite(second)
    size = float(np.clip(2000 / max(known.sum(), 1), 0.3, 5))
    axes.scatter(
        first[known], second[known], s=size, c=panels.colors_of(labels)[known], linewidths=0, rasterized=True
    )
    axes.set_box_aspect(1)
    style.small_type(axes, "latent 1", "latent 2")


def _draw_manifold(
    axes: Axes, latent: np.ndarray, decode: Callable[[np.ndarray], np.ndarray], mean: np.ndarray, grid: int
) -> None:
    ticks = np.linspace(*np.percentile(latent[:, :2], (2, 98), axis=0), grid)
    rows, cols = np.meshgrid(np.arange(grid), np.arange(grid), indexing="ij")
    rows, cols = rows.ravel(), cols.ravel()
    if ticks.shape[1] == 1:
        rows, cols = np.zeros(grid, dtype=int), np.arange(grid)
    points = np.tile(np.median(latent, axis=0), (len(cols), 1))
    points[:, 0] = ticks[cols, 0]
    if ticks.shape[1] > 1:
        points[:, 1] = ticks[rows, 1]

    shifts = as_vectors(np.asarray(decode(points))) - mean
    factor = magnification(shifts, mean)
    # A neighborhood fills 0.62 of a cell; the second coordinate grows upward, y within a cell downward.
    size = 0.31 / max(np.abs(mean).max(initial=0.0), 1e-9)
    upright = size * np.array([-1.0, 1.0])
    centers = np.stack([rows, cols], axis=1)[:, None, :]
    at = (centers + upright * mean).reshape(-1, 2)
    axes.plot(cols, rows, "+", color="black", markersize=3, markeredgewidth=0.5)
    axes.plot(at[:, 1], at[:, 0], "o", color="#a0a0a0", markersize=1.6, markeredgewidth=0)
    draw_arrows(axes, at, (factor * upright * shifts).reshape(-1, 2))
    axes.set(xlim=(-0.5, grid - 0.5), ylim=(-0.5, rows.max() + 0.5), aspect="equal")
    axes.set_xticks(range(grid), [f"{value:.2g}" for value in ticks[:, 0]])
    style.small_type(
        axes, "latent 1", "latent 2", f"decoded neighborhoods, deviation from the mean × {factor:g}"
    )
    if ticks.shape[1] > 1:
        axes.set_yticks(range(grid), [f"{value:.2g}" for value in ticks[:, 1]])
    else:
        axes.set(yticks=[], ylabel="")
    axes.hlines(np.arange(rows.max()) + 0.5, -0.5, grid - 0.5, color="#e4e4e4", linewidth=0.4, zorder=0)
    axes.vlines(np.arange(grid - 1) + 0.5, -0.5, rows.max() + 0.5, color="#e4e4e4", linewidth=0.4, zorder=0)
