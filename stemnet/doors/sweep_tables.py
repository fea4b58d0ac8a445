"""Tables of a sweep: one row per run, and the mean and spread over repetitions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from stemnet.doors.sweep_runs import Row, Sweep
from stemnet.errors import StemnetError

USUAL = {
    "predict": ("error_held_out", "silhouette", "stability", "moran_i"),
    "train": ("f1", "rmse", "elbo", "error_held_out", "error_held_out_pca"),
}
"""Numbers that are printed and drawn where nothing else is asked for; of truths one of each kind besides."""
TRUTHS = ("truth_ari_", "truth_r2_")
LABELS = ("run", "input", "method", "unit")


def rows_of(sweep: Sweep) -> list[Row]:
    """One row per run, input and method: the settings that vary, then all numbers."""
    return [
        {"run": run.name, **{name: run.overrides[name] for name in sweep.varied}, **row}
        for run in sweep.runs
        for row in run.rows
    ]


def numbers_of(sweep: Sweep, wanted: Sequence[str] | None = None) -> list[str]:
    """Names of the numbers to print and draw.

    Raises
    ------
    StemnetError
        If one that is wanted does not exist.
    """
    rows = [row for run in sweep.runs for row in run.rows]
    have = list(
        dict.fromkeys(name for row in rows for name, value in row.items() if isinstance(value, int | float))
    )
    if wanted:
        unknown = [name for name in wanted if name not in have]
        if unknown:
            raise StemnetError(
                f"numbers={unknown[0]} is none that the runs have. Choose of: {', '.join(have)}."
            )
        return list(wanted)
    chosen = [name for name in USUAL[sweep.kind] if name in have]
    for kind in TRUTHS:
        best = {name: _largest(rows, name) for name in have if name.startswith(kind)}
        chosen += [max(best, key=lambda name: best[name])] if best else []
    return chosen


def means_of(sweep: Sweep, over: Sequence[str]) -> list[Row]:
    """Mean and standard deviation of every number over the runs that differ in `over` alone.

    Returns
    -------
    list of dict
        The other settings that vary, ``input``, ``method``, ``runs`` (how
        many), and for each number its mean, and its spread as ``<name>_sd``:
        the standard deviation of one run, n - 1 in the denominator, NaN of a
        single run.
    """
    factors = [name for name in sweep.varied if name not in over]
    keys = [*factors, *LABELS[1:]]
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows_of(sweep):
        groups.setdefault(tuple(str(row.get(key, "")) for key in keys), []).append(row)
    table = []
    for key, rows in groups.items():
        named = {name: value for name, value in zip(keys, key, strict=True) if value or name in factors}
        result: Row = {**named, "runs": len(rows)}
        for name in rows[0]:
            values = [value for row in rows if isinstance(value := row.get(name), int | float)]
            if name not in (*sweep.varied, *LABELS) and len(values) == len(rows):
                result[name] = float(np.mean(values))
                result[f"{name}_sd"] = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
        table.append(result)
    return table


def as_text(table: Sequence[Row], names: Sequence[str]) -> str:
    """Some numbers of `means_of`, as lines with mean and spread."""
    keys = [
        key
        for key in table[0]
        if key not in names and not key.endswith("_sd") and isinstance(table[0][key], str)
    ]
    keys = [
        key for key in keys if key != "unit" and (len({row[key] for row in table}) > 1 or key == "method")
    ]
    lines = [[*keys, "runs", *names]]
    for row in table:
        cells = [str(row[key]) for key in keys] + [str(row["runs"])]
        lines.append(cells + [_spelled(row.get(name), row.get(f"{name}_sd")) for name in names])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _spelled(mean: object, spread: object) -> str:
    if not isinstance(mean, float) or math.isnan(mean):
        return "-"
    if not isinstance(spread, float) or math.isnan(spread):
        return f"{mean:.4g}"
    # what rounding leaves of equal runs is none
    return f"{mean:.4g} ± {spread if spread > 1e-9 * abs(mean) else 0:.1g}"


def _largest(rows: Sequence[Row], name: str) -> float:
    values = [value for row in rows if isinstance(value := row.get(name), float) and not math.isnan(value)]
    return max(values, default=-math.inf)
