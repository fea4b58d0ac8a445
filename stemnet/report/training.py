"""The course of a training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from stemnet.report import style

# Panel: words in the names of its curves, label, logarithmic or not.
PANELS = (
    (("loss",), "loss", True),
    (("f1", "precision", "recall"), "F1, precision, recall", False),
    (("rmse",), "RMSE [px]", True),
    (("elbo",), "held-out bound [nats per row]", False),
)


def training_figure(rows: Sequence[Mapping[str, object]], *, title: str = "") -> Figure:
    """Draw loss, F1 and RMSE, or the bound of an autoencoder, against the epoch.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of a CSV log: ``epoch`` and any names with ``loss``, ``f1``,
        ``precision``, ``recall``, ``rmse`` or ``elbo`` in them. Cells may be text, or empty.
    title : str
        Words above the figure.

    Returns
    -------
    matplotlib.figure.Figure
        One panel per kind of number that the log holds.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    chosen = [
        (label, log, curves)
        for words, label, log in PANELS
        if (
            curves := {
                name: _curve(rows, name) for name in names if any(word in name.lower() for word in words)
            }
        )
    ]
    count = max(len(chosen), 1)
    figure = style.new_figure(style.DOUBLE * count / 3 if count > 1 else style.SINGLE, 2.2, title)
    for axes, (label, log, curves) in zip(np.atleast_1d(figure.subplots(1, count)), chosen, strict=False):
        for i, (name, (epoch, value)) in enumerate(curves.items()):
            axes.plot(
                epoch, value, ".-", color=style.label_color(i % len(style.PALETTE), len(style.PALETTE)),
                linewidth=1, markersize=3, label=name,
            )  # fmt: skip
        if log and all(np.all(value > 0) for _, value in curves.values()):
            axes.set_yscale("log")
        style.small_type(axes, "epoch", label)
        axes.tick_params(which="minor", labelsize=style.SMALL, width=style.LINE, length=1)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(
            fontsize=style.SMALL, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), borderpad=0.1
        )
    return figure


def _curve(rows: Sequence[Mapping[str, object]], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and values of the rows that hold both."""
    pairs = [(_number(row.get("epoch")), _number(row.get(name))) for row in rows]
    table = np.array(pairs, dtype=float).reshape(-1, 2)
    table = table[np.isfinite(table).all(axis=1)]
    return table[:, 0], table[:, 1]


def _number(cell: object) -> float:
    try:
        return float(str(cell))
    except ValueError:
        return np.nan
