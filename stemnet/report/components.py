"""Principal components: how much each explains, what moves, and where."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from stemnet.report import panels, style
from stemnet.report.neighborhoods import as_vectors, draw_arrows, draw_neighborhood, magnification


def pca_figure(
    image: np.ndarray,
    yx: np.ndarray,
    scores: np.ndarray,
    components: np.ndarray,
    mean: np.ndarray,
    explained_variance_ratio: np.ndarray,
    *,
    sampling: float | None = None,
    unit: str = "Å",
    title: str = "",
    show: int = 3,
) -> Figure:
    """Draw explained variance, components as arrows on the mean neighborhood, and score maps.

    An arrow is the displacement of a neighbor at a score of one standard
    deviation, enlarged by the factor in the panel's title.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        One frame.
    yx : ndarray, shape (N, 2)
        Positions of the columns [px].
    scores : ndarray, shape (N, d)
        NaN in rows that are not valid.
    components : ndarray, shape (d, 2k)
        Rows are components over (r0y, r0x, r1y, r1x, ...).
    mean : ndarray, shape (2k,)
        Mean neighborhood [unit].
    explained_variance_ratio : ndarray, shape (d,)
        Shares of the variance, 0 to 1.
    sampling : float, optional
        [A/px].
    unit : str
        Of the neighbor vectors.
    title : str
        Words above the figure.
    show : int
        How many components are drawn.

    Returns
    -------
    matplotlib.figure.Figure
    """
    show = min(show, scores.shape[1])
    valid = np.isfinite(scores).all(axis=1)
    deviation = scores[valid].std(axis=0) if valid.any() else np.zeros(scores.shape[1])
    neighbors = as_vectors(mean)
    moves = as_vectors(components[:show] * deviation[:show, None])

    panel = style.DOUBLE / (show + 1)
    tall = panel * float(np.clip(image.shape[0] / image.shape[1], 0.3, 2))
    figure = style.new_figure(style.DOUBLE, panel + tall + 0.75, title, row_gap=0.08)
    axes = figure.subplots(2, show + 1, squeeze=False, height_ratios=[panel, tall + 0.25])

    ratio = 100 * np.asarray(explained_variance_ratio)
    number = np.arange(1, len(ratio) + 1)
    axes[0, 0].bar(number, ratio, color=style.BLUE, width=0.75)
    axes[0, 0].plot(number, np.cumsum(ratio), "o-", color="black", markersize=2, linewidth=style.LINE)
    axes[0, 0].annotate(
        "cumulative", (number[-1], ratio.sum()), (0, -6), textcoords="offset points",
        fontsize=style.SMALL, ha="right", va="top",
    )  # fmt: skip
    axes[0, 0].set(ylim=(0, 105), box_aspect=1)
    axes[0, 0].xaxis.get_major_locator().set_params(integer=True)
    style.small_type(axes[0, 0], "component", "explained variance [%]")
    axes[0, 0].spines[["top", "right"]].set_visible(False)

    panels.show_image(axes[1, 0], image, sampling, "image")
    axes[1, 0].set_anchor("S")  # as a color bar does to the maps beside it
    for i in range(show):
        factor = magnification(moves[i], neighbors)
        draw_neighborhood(axes[0, i + 1], neighbors, f"component {i + 1} (1 σ × {factor:g})", unit)
        draw_arrows(axes[0, i + 1], neighbors, factor * moves[i])
        panels.field_of_view(axes[1, i + 1], image.shape, f"score {i + 1} ({ratio[i]:.1f} %)")
        panels.score_map(axes[1, i + 1], yx, scores[:, i], image.shape, f"score [{unit}]")
    return figure
