"""A neighborhood drawn: the column at the origin, its neighbors as points, deviations as arrows.

Descriptors are (r0y, r0x, r1y, r1x, ...), as for the neighbor vectors.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Ellipse

from stemnet.errors import StemnetError
from stemnet.report import style


def as_vectors(values: np.ndarray) -> np.ndarray:
    """Fold (..., 2k) numbers into (..., k, 2) vectors (y, x).

    Raises
    ------
    StemnetError
        If their number is odd.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.shape[-1] % 2:
        raise StemnetError(
            f"A neighborhood of {values.shape[-1]} numbers cannot be drawn; it needs a y and an x per "
            "neighbor. Pass neighbor vectors (r0y, r0x, r1y, r1x, ...)."
        )
    return values.reshape(*values.shape[:-1], values.shape[-1] // 2, 2)


def magnification(deviations: np.ndarray, mean: np.ndarray, share: float = 0.4) -> float:
    """Round factor that makes the longest deviation about `share` of a bond, at least 1.

    Parameters
    ----------
    deviations : ndarray, shape (..., k, 2)
        Displacements of the neighbors.
    mean : ndarray, shape (k, 2)
        Mean neighbors.
    share : float
        Wanted length, in median bonds.
    """
    longest = np.linalg.norm(deviations, axis=-1).max(initial=0.0)
    bond = np.median(np.linalg.norm(mean, axis=-1))
    if not (np.isfinite(longest) and longest > 0 and bond > 0):
        return 1.0
    return max(style.round_number(share * bond / longest, (1, 1.5, 2, 3, 4, 5, 6, 8)), 1.0)


def draw_neighborhood(
    axes: Axes, mean: np.ndarray, title: str = "", unit: str = "", bar: bool = True
) -> None:
    """Draw mean neighbors, shape (k, 2), around their column, with a bar of a round length below."""
    # Room for arrows of half a bond beyond the outermost neighbor.
    reach = np.abs(mean).max(initial=1e-9) + 0.5 * np.median(np.linalg.norm(mean, axis=-1))
    axes.set(xlim=(-reach, reach), ylim=(reach, -reach), aspect="equal", xticks=[], yticks=[], anchor="N")
    style.small_type(axes, title=title)
    for side in axes.spines.values():
        side.set_color(style.MUTED)
    for y, x in mean:
        axes.plot([0, x], [0, y], color="#dddddd", linewidth=style.LINE, zorder=1)
    axes.plot(mean[:, 1], mean[:, 0], "o", color="#8c8c8c", markersize=3.5, markeredgewidth=0, zorder=2)
    axes.plot(0, 0, "+", color="black", markersize=5, markeredgewidth=0.8, zorder=2)
    if not mean.any():
        return
    # Below the frame, where no arrow reaches.
    length = style.round_number(0.5 * reach)
    below = axes.get_xaxis_transform()
    left = -0.95 * reach
    axes.plot(
        [left, left + length], [-0.06, -0.06], color="black", linewidth=1.2, solid_capstyle="butt",
        transform=below, clip_on=False,
    )  # fmt: skip
    axes.text(
        left + length + 0.08 * reach, -0.06, f"{length:g} {unit}".strip(), fontsize=style.SMALL,
        transform=below, va="center", ha="left",
    )  # fmt: skip


def draw_arrows(
    axes: Axes, at: np.ndarray, by: np.ndarray, color: str = style.ACCENT, width: float = 0.013
) -> None:
    """Draw displacements `by`, shape (k, 2), from points `at`, shape (k, 2); `width` of the shaft [inch]."""
    axes.quiver(
        at[:, 1], at[:, 0], by[:, 1], by[:, 0],
        angles="xy", scale_units="xy", scale=1, units="inches", width=width, color=color, zorder=3,
        headwidth=4, headlength=4.5, headaxislength=4, minlength=0.5,
    )  # fmt: skip


def draw_spread(axes: Axes, centers: np.ndarray, covariances: np.ndarray, color: str) -> None:
    """Draw ellipses of one standard deviation; `centers` (k, 2), `covariances` (k, 2, 2), both in (y, x)."""
    variance, direction = np.linalg.eigh(covariances)
    for center, (small, large), axes_of in zip(
        centers, np.sqrt(np.maximum(variance, 0)), direction, strict=True
    ):
        angle = np.degrees(np.arctan2(axes_of[0, 1], axes_of[1, 1]))
        axes.add_patch(
            Ellipse(
                center[::-1], 2 * large, 2 * small, angle=angle, linewidth=style.LINE,
                edgecolor=color, facecolor=(*to_rgb(color), 0.25), zorder=2.5,
            )
        )  # fmt: skip
