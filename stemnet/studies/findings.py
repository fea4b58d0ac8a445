"""What a study ends in: numbers with their truth, tables, pictures, and sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

NAN = float("nan")


@dataclass(frozen=True)
class Number:
    """One result in numbers.

    Parameters
    ----------
    input : str
        Name of the input it belongs to; "all" for a series.
    quantity : str
        In words, without the unit.
    value : float
    unit : str
    sigma : float
        Standard error; NaN if unknown.
    truth : float
        What was planted; NaN if unknown.
    least, most : float
        Between which the value should lie, where there is an aim: NaN for none.
    """

    input: str
    quantity: str
    value: float
    unit: str = ""
    sigma: float = NAN
    truth: float = NAN
    least: float = NAN
    most: float = NAN

    @property
    def holds(self) -> bool | None:
        """Whether the aim is reached; None where there is none."""
        if np.isnan(self.least) and np.isnan(self.most):
            return None
        return not (self.value < self.least or self.value > self.most or np.isnan(self.value))

    def row(self) -> dict[str, object]:
        """One row of a table, with empty cells as None."""
        aims = {"at least": self.least, "at most": self.most}
        aim = " and ".join(f"{words} {value:g}" for words, value in aims.items() if not np.isnan(value))
        numbers = {"value": self.value, "sigma": self.sigma, "truth": self.truth}
        known = {name: None if np.isnan(value) else float(value) for name, value in numbers.items()}
        held = {True: "yes", False: "no", None: None}[self.holds]
        return {
            "input": self.input,
            "quantity": self.quantity,
            **known,
            "unit": self.unit,
            "aim": aim or None,
            "reached": held,
        }


@dataclass(frozen=True)
class Table:
    """Rows for a CSV file, which keeps its row numbers.

    Parameters
    ----------
    name : str
        Of the file, without its ending.
    values : mapping of str to ndarray, shape (N,)
        Columns of the table, with the unit after the last underscore of the name.
    """

    name: str
    values: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Picture:
    """A figure that is drawn when it is wanted.

    Parameters
    ----------
    name : str
        Of the file, without its ending.
    caption : str
    draw : callable
        Returns the `matplotlib.figure.Figure`.
    """

    name: str
    caption: str
    draw: Callable[[], Any]


@dataclass(frozen=True)
class Findings:
    """All that a study found.

    Parameters
    ----------
    summary : str
        One or two sentences that the numbers support.
    numbers : tuple of Number
    tables : tuple of Table
    pictures : tuple of Picture
    notes : tuple of str
        What could not be computed and why, and what the user should know.
    """

    summary: str
    numbers: tuple[Number, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    notes: tuple[str, ...] = ()


def joined(parts: list[Findings], summary: str | None = None) -> Findings:
    """Findings of several inputs as those of one study."""
    return Findings(
        summary if summary is not None else " ".join(part.summary for part in parts),
        tuple(number for part in parts for number in part.numbers),
        tuple(table for part in parts for table in part.tables),
        tuple(picture for part in parts for picture in part.pictures),
        tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )
