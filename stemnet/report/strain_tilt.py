"""Octahedra turned about the beam, and the shift that doubles the cell."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from stemnet.report import panels, style


def tilt_figure(
    image: np.ndarray,
    yx: np.ndarray,
    tilt: np.ndarray | None,
    shift: np.ndarray | None,
    *,
    unit: str,
    clear: bool = True,
    sampling: float | None = None,
    title: str = "",
) -> Figure:
    """Draw the image, the angle, the angle without its alternating sign, and the shift, as far as they are known.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    yx : ndarray, shape (N, 2)
        [px]
    tilt : ndarray, shape (N, 2), optional
        Angle and amplitude [deg]; NaN where unknown.
    shift : ndarray, shape (N,), optional
        Along the main axis [unit]; NaN where unknown.
    unit : str
        Of the shift.
    clear : bool
        Whether the shift stands above what noise and the scan leave.
    sampling : float, optional
        [A/px]
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    drawn = [
        (name, values, label)
        for name, values, label in (
            ("tilt about the beam", None if tilt is None else tilt[:, 0], "tilt [deg]"),
            ("amplitude of the tilt", None if tilt is None else tilt[:, 1], "tilt amplitude [deg]"),
            ("doubling of the cell" if clear else "no clear doubling of the cell", shift, f"shift [{unit}]"),
        )
        if values is not None and np.isfinite(values).any()
    ]
    across = 1 + len(drawn)
    side = style.DOUBLE / max(across, 3)
    tall = side * float(np.clip(image.shape[0] / image.shape[1], 0.3, 2))
    figure = style.new_figure(side * across, tall + 0.8, title)
    axes = figure.subplots(1, across, squeeze=False)[0]
    panels.show_image(axes[0], image, sampling, "image")
    panels.color_bar(axes[0], axes[0].images[0], "intensity [units of the image]")
    for axis, (name, values, label) in zip(axes[1:], drawn, strict=True):
        panels.field_of_view(axis, image.shape, name)
        known = np.isfinite(values)
        panels.score_map(axis, yx[known], values[known], image.shape, label)
    return figure
