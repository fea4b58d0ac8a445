"""Tracks of a movie: where columns go, how far they move, how long they stay, how often they jump."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from stemnet.report import panels, style
from stemnet.report.movie import time_label


@dataclass(frozen=True)
class Curve:
    """Values (L,) with errors (L,) against times (L,) [frames]."""

    time: np.ndarray
    value: np.ndarray
    error: np.ndarray


@dataclass(frozen=True)
class RateBar:
    """A rate with its interval [1/frame]."""

    name: str
    kind: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class StayBars:
    """Stays of the columns that jump: rows (S,), first and last frames (S,), and kinds (S,)."""

    row: np.ndarray
    first: np.ndarray
    last: np.ndarray
    kind: np.ndarray


def tracks_figure(
    image: np.ndarray,
    places: np.ndarray,
    kinds: np.ndarray,
    jumps: np.ndarray,
    wobble: np.ndarray,
    bars: StayBars,
    squares: Mapping[int, Curve],
    survival: Mapping[int, Curve],
    rates: Sequence[RateBar],
    *,
    sampling: float | None = None,
    seconds: float | None = None,
    title: str = "",
) -> Figure:
    """Draw tracks in six ways.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        Registered mean.
    places : ndarray, shape (S, 2)
        Of the stays, in the image [px].
    kinds : ndarray of int, shape (S,)
    jumps : ndarray, shape (J, 2, 2)
        From where to where [px].
    wobble : ndarray, shape (S,)
        Root mean square displacement about the place, an axis [px].
    bars : StayBars
    squares : mapping of int to Curve
        By kind, mean square displacements [px^2].
    survival : mapping of int to Curve
        By kind, the share of columns that are still in their place.
    rates : sequence of RateBar
    sampling, seconds, title
        As of `stemnet.report.movie.registration_figure`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = style.new_figure(style.DOUBLE, 5.9, title, row_gap=0.06)
    axes = figure.subplots(2, 3)
    panels.show_image(axes[0, 0], image, sampling, "places of columns, and jumps")
    spacing = panels.typical_spacing(places, image.shape)
    panels.disks(
        axes[0, 0],
        places,
        0.4 * spacing,
        facecolors="none",
        edgecolors=panels.colors_of(kinds),
        linewidths=style.LINE,
    )
    axes[0, 0].add_collection(
        LineCollection([pair[:, ::-1] for pair in jumps], colors="white", linewidths=2 * style.LINE)
    )
    panels.count_legend(axes[0, 0], kinds, "kind", "of no kind")
    panels.field_of_view(axes[0, 1], image.shape, "displacements about places (rms)")
    scale, unit = (1.0, "px") if sampling is None else (100 * sampling, "pm")
    panels.score_map(axes[0, 1], places, wobble * scale, image.shape, f"displacement [{unit}]")
    _draw_bars(axes[0, 2], bars, kinds, seconds)
    _draw_squares(axes[1, 0], squares, kinds, sampling, seconds)
    _draw_survival(axes[1, 1], survival, kinds, seconds)
    _draw_rates(axes[1, 2], rates, kinds, seconds)
    return figure


def _color(kind: int, kinds: np.ndarray) -> tuple[float, ...]:
    return tuple(panels.colors_of(np.array([kind, kinds.max(initial=0)]))[0])


def _name(kind: int) -> str:
    return f"kind {kind}" if kind >= 0 else "of no kind"


def _draw_bars(axes: Axes, bars: StayBars, kinds: np.ndarray, seconds: float | None) -> None:
    """Stays of columns that jump as bars, one row a track."""
    style.small_type(axes, time_label(seconds), "track", "stays between jumps")
    if not len(bars.row):
        _say(axes, "no jumps")
        return
    step = seconds or 1.0
    colors = panels.colors_of(np.r_[bars.kind, kinds.max(initial=0)])[:-1]
    axes.barh(
        bars.row, (bars.last - bars.first + 1) * step, left=bars.first * step, height=0.7, color=colors,
        edgecolor="white", linewidth=style.LINE,
    )  # fmt: skip
    axes.set(ylim=(bars.row.max() + 0.7, -0.7), yticks=[])


def _draw_squares(
    axes: Axes, squares: Mapping[int, Curve], kinds: np.ndarray, sampling: float | None, seconds: float | None
) -> None:
    scale, unit = (1.0, "px²") if sampling is None else (sampling**2, "Å²")
    for kind, curve in squares.items():
        time = curve.time * (seconds or 1.0)
        axes.errorbar(
            time, curve.value * scale, curve.error * scale, fmt="o-", markersize=2, linewidth=style.LINE,
            color=_color(kind, kinds), label=_name(kind),
        )  # fmt: skip
    label = "lag [frames]" if seconds is None else "lag [s]"
    style.small_type(axes, label, f"displacement² [{unit}]", "mean square displacement")
    axes.axhline(0, color=style.MUTED, linewidth=style.LINE, zorder=0)
    if squares:
        axes.legend(fontsize=style.SMALL, frameon=False)


def _draw_survival(
    axes: Axes, survival: Mapping[int, Curve], kinds: np.ndarray, seconds: float | None
) -> None:
    for kind, curve in survival.items():
        time, color = curve.time * (seconds or 1.0), _color(kind, kinds)
        axes.step(time, curve.value, where="post", color=color, linewidth=2 * style.LINE, label=_name(kind))
        low, high = (np.clip(curve.value + sign * curve.error, 0, 1) for sign in (-1, 1))
        axes.fill_between(time, low, high, step="post", color=color, alpha=0.2, linewidth=0)
    label = "dwell time [frames]" if seconds is None else "dwell time [s]"
    style.small_type(axes, label, "share still in its place", "dwell times (Kaplan and Meier)")
    axes.set_ylim(0, 1.05)
    if survival:
        axes.legend(fontsize=style.SMALL, frameon=False, loc="lower left")


def _draw_rates(axes: Axes, rates: Sequence[RateBar], kinds: np.ndarray, seconds: float | None) -> None:
    """Rates with intervals of 95 % confidence; only the upper end where nothing happened."""
    per, unit = seconds or 1.0, "1/frame" if seconds is None else "1/s"
    style.small_type(axes, f"rate of a column [{unit}]", title="events, with 95 % intervals")
    if not rates:
        _say(axes, "no column far from the edge")
        return
    for row, rate in enumerate(rates):
        color = _color(rate.kind, kinds)
        axes.plot([rate.low / per, rate.high / per], [row, row], "-", color=color, linewidth=3 * style.LINE)
        if rate.value > 0:
            axes.plot(rate.value / per, row, "o", color=color, markersize=4)
        else:
            axes.plot(rate.high / per, row, "|", color=color, markersize=6)
    axes.set_yticks(range(len(rates)), [rate.name for rate in rates])
    axes.set_ylim(len(rates) - 0.5, -0.5)
    axes.set_xlim(left=0)


def _say(axes: Axes, text: str) -> None:
    """Say in an empty panel why it is empty."""
    axes.text(0.5, 0.5, text, ha="center", va="center", fontsize=style.NORMAL, transform=axes.transAxes)
    axes.set(xticks=[], yticks=[])
