"""What is embedded and clustered: neighbor vectors, or any other numbers of the columns on a common scale."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.table import Descriptors

FLAT = 1e-9  # of the largest value of a column: what varies less is constant but for rounding


def described_by(
    describe: Callable[..., Descriptors], columns: Columns, lattice: Lattice | None
) -> Descriptors:
    """The table of a function of the columns, which is told the lattice where it asks for one."""
    if "lattice" in inspect.signature(describe).parameters:
        return describe(columns, lattice=lattice)
    return describe(columns)


def holds_vectors(table: Descriptors) -> bool:
    """Whether a table is one of neighbor vectors: components along y and x in turn."""
    axes = [name.split("_")[0][-1] for name in table.names]
    pairs = len(axes) // 2
    return (
        bool(axes)
        and axes == ["y", "x"] * pairs
        and all(name[0] == "r" and name[1].isdigit() for name in table.names)
    )


def standardized(table: Descriptors) -> Descriptors:
    """Every number less its mean, in standard deviations, so that units do not decide what counts.

    Parameters
    ----------
    table : Descriptors

    Returns
    -------
    Descriptors
        Rows that are not valid stay masked; a number that is the same in all rows is 0.
    """
    if not table.valid.any():
        return table
    rows = table.complete
    spread = rows.std(axis=0)
    varies = spread > FLAT * np.abs(rows).max(axis=0)
    values = np.where(varies, (table.values - rows.mean(axis=0)) / np.where(varies, spread, 1.0), 0.0)
    values[~table.valid] = np.nan
    names = tuple(f"{name}_standardized" for name in table.names)
    return Descriptors(values, names, table.yx, table.valid, table.row)
