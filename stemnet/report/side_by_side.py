"""One figure to compare methods: image, clusters and latent coordinates on the same axes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from stemnet.report import panels, style

ACROSS = 4  # panels in a row, so that their legends can be read


def side_by_side_figure(
    image: np.ndarray,
    yx: np.ndarray,
    latents: Mapping[str, np.ndarray],
    labels: Mapping[str, np.ndarray],
    *,
    sampling: float | None = None,
    title: str = "",
    components: int = 2,
    unit: str = "",
) -> Figure:
    """Draw the image, the clusters of each method and the latent coordinates of each method side by side.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        One frame.
    yx : ndarray, shape (N, 2)
        Positions of the columns [px].
    latents : mapping of str to ndarray, shape (N, d)
        Per method (``"PCA"``, ``"VAE"``), NaN in rows that are not valid.
    labels : mapping of str to ndarray, shape (N,)
        Per method (``"k-means (vectors)"``), -1 in rows that are not valid.
    sampling : float, optional
        [A/px].
    title : str
        Words above the figure.
    components : int
        How many coordinates of each latent are drawn.
    unit : str
        Of the coordinates.

    Returns
    -------
    matplotlib.figure.Figure
        Image and clusters, then latent coordinates, at most four panels in a row.
    """
    shape = image.shape
    maps = [
        (name if latent.shape[1] == 1 else f"{name} {i + 1}", latent[:, i])
        for name, latent in latents.items()
        for i in range(min(components, latent.shape[1]))
    ]
    across = min(max(1 + len(labels), len(maps)), ACROSS)
    panel = style.DOUBLE / across * float(np.clip(shape[0] / shape[1], 0.3, 2))
    upper, lower = -(-(1 + len(labels)) // across), -(-len(maps) // across)
    most = max((len(np.unique(values)) for values in labels.values()), default=0)
    under = upper * panels.LEGEND_LINE * -(-most // 2) + lower * (0.38 if unit else 0.25)
    height = (upper + lower) * (panel + 0.15) + under + (0.2 if title else 0.0)
    figure = style.new_figure(style.DOUBLE, height, title)
    axes = figure.subplots(upper + lower, across, squeeze=False)
    first, second = axes[:upper].ravel(), axes[upper:].ravel()

    panels.show_image(first[0], image, sampling, "image")
    for axis, (name, values) in zip(first[1:], labels.items(), strict=False):
        panels.field_of_view(axis, shape, name)
        panels.label_map(axis, yx, values, shape)
    for axis, (name, values) in zip(second, maps, strict=False):
        panels.field_of_view(axis, shape, name)
        panels.score_map(axis, yx, values, shape, f"score [{unit}]" if unit else "")
    for axis in (*first[1 + len(labels) :], *second[len(maps) :]):
        axis.remove()
    return figure
