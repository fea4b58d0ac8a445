"""One look for all figures, set on each artist: matplotlib's global settings stay as they are."""

from __future__ import annotations

import os
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from stemnet.storage.whole_file import whole_file

SINGLE, DOUBLE = 3.5, 7.2  # widths of one and two columns of a journal page [inch]
DPI = 300
SMALL, NORMAL = 6.5, 7.5  # [pt]
LINE = 0.6  # [pt]
DIVERGING, SEQUENTIAL, INTENSITY = "RdBu_r", "viridis", "gray"
MUTED = "#a6a6a6"  # what is not valid
GROUND = "#ececec"  # behind maps, so that the white middle of a diverging scale is seen
ACCENT = "#d55e00"
# Okabe and Ito, Color Universal Design (2008), without black; first those that stand out on gray images too.
PALETTE = ("#e69f00", "#56b4e9", "#009e73", "#cc79a7", "#0072b2", "#d55e00", "#f0e442")
BLUE = PALETTE[4]


def new_figure(width: float, height: float, title: str = "", row_gap: float = 0.03) -> Figure:
    """Make an empty figure [inch] that lays itself out; `row_gap` in shares of a row."""
    layout = ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.04, wspace=0.02, hspace=row_gap)
    figure = Figure(figsize=(width, height), dpi=DPI, layout=layout)
    if title:
        figure.suptitle(title, fontsize=NORMAL + 1, x=0.01, ha="left")
    return figure


def save(figure: Figure, path: str | os.PathLike) -> None:
    """Write a figure at 300 dpi, in the format its name ends with.

    Raises
    ------
    StemnetError
        If the file cannot be written.
    """
    with whole_file(path) as part:
        figure.savefig(part, format=Path(path).suffix.lstrip(".") or "png", dpi=DPI)


def label_color(label: int, count: int) -> str:
    """Color of class `label` out of `count`: named colors while they last, then an even scale."""
    if count <= len(PALETTE):
        return PALETTE[label]
    return to_hex(matplotlib.colormaps[SEQUENTIAL](label / max(count - 1, 1)))


def small_type(axes: Axes, xlabel: str = "", ylabel: str = "", title: str = "") -> None:
    """Label axes in the type of the figures and take the box off plots."""
    axes.tick_params(labelsize=SMALL, width=LINE, length=2, pad=2)
    axes.set_xlabel(xlabel, fontsize=NORMAL, labelpad=2)
    axes.set_ylabel(ylabel, fontsize=NORMAL, labelpad=2)
    if title:
        axes.set_title(title, fontsize=NORMAL, pad=3)
    for side in axes.spines.values():
        side.set_linewidth(LINE)


def round_number(value: float, steps: tuple[float, ...] = (1, 2, 5)) -> float:
    """Round down to one of `steps` times a power of ten."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(max(step for step in steps if step * power <= value * (1 + 1e-9)) * power)
