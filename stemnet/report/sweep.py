"""A sweep: every number against the setting that varied most, a color for each method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stemnet.report import style

Row = Mapping[str, object]
UNITS = {"rmse": "px"}
ACROSS = 3  # panels in a row
FACETS = 4  # combinations of the other settings that get panels of their own; more are written line by line
APART = 0.06  # between the methods at one place of the axis, in places


def sweep_figure(
    means: Sequence[Row], factors: Sequence[str], numbers: Sequence[str], *, title: str = ""
) -> Figure:
    """Draw means with their spread.

    Parameters
    ----------
    means : sequence of mapping
        Rows with ``method``, perhaps ``input``, the factors as text, and each
        number with its spread as ``<name>_sd``, NaN where there is none.
    factors : sequence of str
        Settings that vary.
    numbers : sequence of str
        Which to draw, in an order of rows or of panels.
    title : str
        Words above the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The setting with most values is the axis, a number where all its values
        are numbers; combinations of the others are panels beside each other, or
        all combinations are lines one under the other, if they are many.
        Errors are drawn of the methods whose unit most have: those of angles
        do not compare with those of vectors.
    """
    inputs = {str(row.get("input", "")) for row in means}
    keys = [*factors, *(["input"] if len(inputs) > 1 else [])]
    along = max(keys, key=lambda key: len({row[key] for row in means}), default="method")
    others = [key for key in keys if key != along]
    facets = list(dict.fromkeys(_named(row, others) for row in means))
    methods = list(dict.fromkeys(str(row["method"]) for row in means))
    if len(facets) > FACETS:
        return _lines(means, keys, numbers, methods, title)
    across = len(facets) if len(facets) > 1 else min(len(numbers), ACROSS)
    down = len(numbers) if len(facets) > 1 else -(-len(numbers) // ACROSS)
    panel = style.DOUBLE / max(across, 3)
    height = down * (0.85 * panel + 0.1) + 0.3 + (0.2 if title else 0.0)
    figure = style.new_figure(max(panel * across, style.SINGLE), height, title)
    axes = figure.subplots(down, across, squeeze=False).ravel()
    wanted = [(number, facet) for number in numbers for facet in facets]
    for axis, (number, facet) in zip(axes, wanted, strict=False):
        rows, unit = _of_one_unit([row for row in means if _named(row, others) == facet], number)
        _draw(axis, rows, along, number, methods)
        style.small_type(axis, along, number + unit, facet)
    for axis in axes[len(wanted) :]:
        axis.remove()
    if along != "method" and len(methods) > 1:
        _legend(figure, axes[len(wanted) - 1], methods)
    return figure


def _lines(
    means: Sequence[Row], keys: Sequence[str], numbers: Sequence[str], methods: Sequence[str], title: str
) -> Figure:
    """Every combination of settings as a line, the numbers as panels beside and below each other."""
    combinations = list(dict.fromkeys(tuple(_short(str(row[key])) for key in keys) for row in means))
    names = [key.rpartition(".")[2] for key in keys]
    across, down = min(len(numbers), ACROSS), -(-len(numbers) // ACROSS)
    height = down * (0.13 * len(combinations) + 0.4) + 0.5
    figure = style.new_figure(style.DOUBLE, height, title)
    grid = figure.subplots(down, across, squeeze=False, sharey=True)
    for axes, number in zip(grid.ravel(), numbers, strict=False):
        rows, unit = _of_one_unit(means, number)
        for i, method in enumerate(methods):
            own = [row for row in rows if row["method"] == method]
            at = [combinations.index(tuple(_short(str(row[key])) for key in keys)) for row in own]
            mean, spread = _mean_and_spread(own, number)
            axes.errorbar(
                mean, at, xerr=spread, fmt="o", color=style.label_color(i, len(methods)), markersize=2.5,
                linewidth=style.LINE, capsize=1.5, label=method,
            )  # fmt: skip
        axes.set(ylim=(len(combinations) - 0.5, -0.5), yticks=range(len(combinations)))
        axes.set_yticklabels([", ".join(values) for values in combinations])
        axes.grid(axis="y", color=style.GROUND, linewidth=style.LINE)
        axes.set_axisbelow(True)
        style.small_type(axes, number + unit)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel(", ".join(names), fontsize=style.NORMAL)
    for axes in grid.ravel()[len(numbers) :]:
        axes.remove()
    _legend(figure, grid[0, 0], methods)
    return figure


def _legend(figure: Figure, axes: Axes, methods: Sequence[str]) -> None:
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside lower center", ncols=min(len(methods), 6),
        fontsize=style.SMALL, frameon=False,
    )  # fmt: skip


def _mean_and_spread(rows: Sequence[Row], number: str) -> tuple[np.ndarray, np.ndarray]:
    mean = np.array([_float(row.get(number)) for row in rows])
    return mean, np.nan_to_num(np.array([_float(row.get(f"{number}_sd")) for row in rows]))


def _short(text: str) -> str:
    """A value in few digits."""
    number = _as_number(text)
    return text if np.isnan(number) else f"{number:.3g}"


def _of_one_unit(rows: Sequence[Row], number: str) -> tuple[Sequence[Row], str]:
    """Rows whose errors are of the unit that most have, and the unit for the label; of other numbers all."""
    if number in UNITS:
        return rows, f" [{UNITS[number]}]"
    units = [str(row.get("unit", "")) for row in rows]
    if not number.startswith("error") or not any(units):
        return rows, ""
    unit = max(dict.fromkeys(units), key=units.count)
    return [row for row in rows if str(row.get("unit", "")) == unit], f" [{unit.replace('A', 'Å')}]"


def _draw(axes: Axes, rows: Sequence[Row], along: str, number: str, methods: Sequence[str]) -> None:
    values = list(dict.fromkeys(str(row[along]) for row in rows))
    numeric = [_as_number(value) for value in values]
    by_number = along != "method" and not np.isnan(numeric).any() and len(values) > 1
    places = dict(zip(values, numeric if by_number else range(len(values)), strict=True))
    positive = by_number and min(numeric) > 0 and max(numeric) > 20 * min(numeric)
    step = 0.0 if positive else APART * (np.ptp(numeric) / (len(values) - 1) if by_number else 1.0)
    for i, method in enumerate(methods):
        own = sorted(
            (row for row in rows if row["method"] == method), key=lambda row: places[str(row[along])]
        )
        at = np.array([places[str(row[along])] for row in own]) + step * (i - (len(methods) - 1) / 2) * (
            along != "method"
        )
        mean, spread = _mean_and_spread(own, number)
        axes.errorbar(
            at, mean, spread, fmt="o-" if by_number else "o", color=style.label_color(i, len(methods)),
            markersize=3, linewidth=style.LINE, capsize=1.5, label=method,
        )  # fmt: skip
    if positive:
        axes.set_xscale("log")
    if not by_number:
        long = max(map(len, values)) * len(values) > 24
        axes.set_xticks(
            range(len(values)), values, rotation=45 if long else 0, ha="right" if long else "center"
        )
        axes.set_xlim(-0.5, len(values) - 0.5)
    elif len(values) <= 6:
        axes.set_xticks(numeric, values)
        axes.minorticks_off()
    axes.spines[["top", "right"]].set_visible(False)


def _named(row: Row, keys: Sequence[str]) -> str:
    return ", ".join(f"{key} {row[key]}" for key in keys)


def _as_number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
