"""Figures of a contest hold every method, and mark the winners."""

import numpy as np
from matplotlib.colors import to_hex

from stemnet.analysis.resampling import Interval
from stemnet.report import style
from stemnet.report.contest import Panel, Seen, contest_figure, seen_figure


def test_winners_are_filled_and_methods_without_a_number_are_left_out():
    scores = {
        "PCA": Interval(0.95, 0.93, 0.97),
        "VAE": Interval(0.92, 0.9, 0.94),
        "k-means": Interval(0.3, 0.2, 0.4),
        "GMM": Interval(np.nan, np.nan, np.nan),
    }
    figure = contest_figure([Panel("modes", "R2", scores)] * 4)
    assert len(figure.axes) == 4
    axis = figure.axes[0]
    dots = [line for line in axis.lines if line.get_marker() == "o"]
    assert [to_hex(dot.get_markerfacecolor()) for dot in dots] == [style.BLUE, style.BLUE, "#ffffff"]
    assert [text.get_text() for text in axis.get_yticklabels()] == list(scores)
    assert axis.get_xlabel() == "R2"
    figure.draw_without_rendering()


def test_maps_of_numbers_get_a_scale_and_those_of_classes_none():
    rng = np.random.default_rng(0)
    numbers = {"planted: strain": rng.normal(size=36), "PCA": rng.normal(size=36)}
    classes = {"planted: phase": np.arange(36) % 3, "GMM": np.arange(36) % 2}
    figure = seen_figure([Seen("a", (6, 6), numbers, 4.0, "strain"), Seen("b", (6, 6), classes, 4.0)])
    assert len(figure.axes) == 5
    assert figure.axes[0].get_title() == "a\nplanted: strain"
    assert any("Å" in text.get_text() or "nm" in text.get_text() for text in figure.axes[0].texts)
    figure.draw_without_rendering()
