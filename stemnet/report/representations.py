"""All methods on one sheet: latents in real space, clusters, and angles with a color wheel."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from stemnet.report import panels, style
from stemnet.report.polarization import CYCLIC, color_wheel


def representations_figure(
    image: np.ndarray,
    yx: np.ndarray,
    latents: Mapping[str, np.ndarray],
    labels: Mapping[str, np.ndarray],
    turns: Mapping[str, np.ndarray],
    *,
    sampling: float | None = None,
    title: str = "",
) -> Figure:
    """Draw a row of maps for each method: two latents, the clusters, and the angle where one is known.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    yx : ndarray, shape (N, 2)
        [px]
    latents : mapping of str to ndarray, shape (N, d)
        NaN in rows that are not valid.
    labels : mapping of str to ndarray of int, shape (N,)
        -1 in rows that are not valid.
    turns : mapping of str to ndarray, shape (N,)
        Angles within the symmetry of what is decoded, as parts of a whole turn [rad].
    sampling : float, optional
        [A/px]
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    side = style.DOUBLE / 4
    tall = side * float(np.clip(image.shape[0] / image.shape[1], 0.3, 2))
    figure = style.new_figure(style.DOUBLE, len(latents) * (tall + 0.55) + 0.3, title, row_gap=0.04)
    axes = figure.subplots(len(latents), 4, squeeze=False)
    for row, (method, latent) in zip(axes, latents.items(), strict=True):
        for number in range(2):
            panels.field_of_view(row[number], image.shape, f"{method}, latent {number + 1}")
            if number < latent.shape[1]:
                panels.score_map(row[number], yx, latent[:, number], image.shape)
        panels.field_of_view(row[2], image.shape, f"{method}, clusters of the latent")
        known = labels[method] >= 0
        spacing = panels.typical_spacing(yx[known], image.shape)
        colors = panels.colors_of(labels[method])[known]
        panels.disks(row[2], yx[known], panels.TOUCHING * spacing, facecolors=colors, linewidths=0)
        row[2].set_anchor("S")  # as color bars do to the maps beside it
        if method in turns:
            _angle_map(row[3], yx, turns[method], image.shape, spacing)
        else:
            panels.show_image(row[3], image, sampling, "image")
            row[3].set_anchor("S")
    panels.scale_bar(axes[0, 0], sampling)
    return figure


def _angle_map(axes, yx: np.ndarray, turn: np.ndarray, shape: tuple[int, int], spacing: float) -> None:
    known = np.isfinite(turn)
    panels.field_of_view(axes, shape, "angle within its symmetry")
    axes.set_anchor("S")
    colors = CYCLIC((turn[known] + np.pi) / (2 * np.pi))
    panels.disks(axes, yx[known], panels.TOUCHING * spacing, facecolors=colors, linewidths=0)
    # where the color bars of its neighbors have made room
    color_wheel(axes, "one turn of the symmetry").set_in_layout(False)
