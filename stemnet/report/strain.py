"""Strain and rotation, from columns and from the image, in one scale."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from stemnet.report import panels, style

NAMES = (r"$\varepsilon_{yy}$", r"$\varepsilon_{xx}$", r"$\varepsilon_{yx}$", "rotation")
STRAIN, ROTATION = 100.0, 1000.0  # to percent, and to mrad


def strain_figure(
    shape: tuple[int, int],
    yx: np.ndarray,
    positions: np.ndarray,
    phase: np.ndarray | None,
    *,
    planted: np.ndarray | None = None,
    sampling: float | None = None,
    title: str = "",
) -> Figure:
    """Draw four components a row: from positions, from the image, and planted where known.

    Parameters
    ----------
    shape : tuple of int
        Of the image [px].
    yx : ndarray, shape (N, 2)
        [px]
    positions : ndarray, shape (N, 4)
        eps_yy, eps_xx, eps_yx and rotation [rad] of every column; NaN where unknown.
    phase : ndarray, shape (4, H, W), optional
        The same in every pixel.
    planted : ndarray, shape (N, 4), optional
    sampling : float, optional
        [A/px]
    title : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows: list[tuple[str, np.ndarray]] = [("positions", positions)]
    rows += [("geometric phase", phase)] if phase is not None else []
    rows += [("planted", planted)] if planted is not None else []
    side = style.DOUBLE / 4
    tall = side * float(np.clip(shape[0] / shape[1], 0.3, 2))
    figure = style.new_figure(style.DOUBLE, len(rows) * tall + 0.75, title)
    axes = figure.subplots(len(rows), 4, squeeze=False)
    known = [values if values.ndim == 2 else values.reshape(4, -1).T for _, values in rows]
    norms = _norms(np.concatenate([part[np.isfinite(part).all(axis=1)] for part in known]))
    for number, (line, (what, values)) in enumerate(zip(axes, rows, strict=True)):
        for i, axis in enumerate(line):
            panels.field_of_view(axis, shape, "" if number else NAMES[i])
            if values.ndim == 2:
                _columns(axis, yx, values[:, i], norms[i], shape)
            else:
                axis.imshow(
                    values[i], cmap=style.DIVERGING, norm=norms[i],
                    extent=(-0.5, shape[1] - 0.5, shape[0] - 0.5, -0.5), interpolation="nearest",
                )  # fmt: skip
        line[0].set_ylabel(what, fontsize=style.NORMAL, labelpad=2)
        panels.scale_bar(line[0], sampling)
    for group, norm, times, label in (
        (axes[:, :3], norms[0], STRAIN, "strain [%]"),
        (axes[:, 3:], norms[3], ROTATION, "rotation [mrad]"),
    ):
        limit = times * float(norm.vmax or 1.0)
        drawn = ScalarMappable(Normalize(-limit, limit), style.DIVERGING)
        bar = figure.colorbar(
            drawn, ax=group, location="bottom", shrink=0.8, aspect=22 if times > STRAIN else 50, pad=0.02
        )
        bar.ax.tick_params(labelsize=style.SMALL, width=style.LINE, length=2, pad=1.5)
        bar.ax.locator_params(nbins=5)
        bar.outline.set_linewidth(style.LINE)
        bar.set_label(label, fontsize=style.SMALL, labelpad=1)
    return figure


def _norms(known: np.ndarray) -> list[Normalize]:
    """Scales of the components of values (n, 4), around zero: one for the strains, one for the rotation."""
    if not len(known):
        return [Normalize(-1.0, 1.0)] * 4
    size = np.percentile(np.abs(known), 98, axis=0)
    strain, turn = max(float(size[:3].max()), 1e-6), max(float(size[3]), 1e-6)
    return [Normalize(-strain, strain)] * 3 + [Normalize(-turn, turn)]


def _columns(axes: Axes, yx: np.ndarray, values: np.ndarray, norm: Normalize, shape: tuple[int, int]) -> None:
    known = np.isfinite(values)
    spacing = panels.typical_spacing(yx, shape)
    panels.disks(axes, yx[~known], 0.45 * spacing, facecolors=style.MUTED, linewidths=0)
    drawn = panels.disks(
        axes, yx[known], panels.TOUCHING * spacing, linewidths=0, cmap=style.DIVERGING, norm=norm
    )
    drawn.set_array(values[known])
