"""What a study starts from: an image, the columns found in it, and a truth where one is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.ndimage import map_coordinates

from stemnet.columns import Columns
from stemnet.micrograph import Micrograph

FAR = -1e6  # beyond any frame [px]


@dataclass(frozen=True)
class Truth:
    """What was planted in an image; studies read it for scores only.

    Parameters
    ----------
    columns : Columns
        True columns, with every planted value as a field.
    partner : ndarray of int, shape (N,)
        Row of the true column that each found one is; -1 where there is none.
    fields : mapping of str to ndarray, shape (h, w)
        Planted fields at every ``field_step``-th pixel.
    field_step : int
        [px]
    vacancies : Columns or None
        Whole columns that are missing, where they would appear.
    """

    columns: Columns
    partner: np.ndarray
    fields: Mapping[str, np.ndarray] = field(default_factory=dict)
    field_step: int = 8
    vacancies: Columns | None = None

    def of(self, name: str) -> np.ndarray:
        """A planted value on the rows of the found columns, shape (N,).

        NaN, -1 or "" where a column has no true partner.
        """
        values = np.asarray(self.columns[name])
        kind = values.dtype.kind
        blank = values.dtype.type() if kind in "US" else (-1 if kind in "iu" else np.nan)
        known = self.partner >= 0
        result = np.full(len(self.partner), blank, dtype=values.dtype if kind in "USiu" else np.float64)
        result[known] = values[self.partner[known]]
        return result

    @property
    def yx(self) -> np.ndarray:
        """True positions on the rows of the found columns, shape (N, 2) [px]; NaN where there is none."""
        known = self.partner >= 0
        result = np.full((len(self.partner), 2), np.nan)
        result[known] = self.columns.yx[self.partner[known]]
        return result

    def field_at(self, name: str, yx: np.ndarray) -> np.ndarray:
        """A planted field at positions (N, 2) [px], shape (N,)."""
        grid = np.asarray(self.fields[name], dtype=np.float64)
        return map_coordinates(grid, np.asarray(yx).T / self.field_step, order=1, mode="nearest")


@dataclass(frozen=True)
class Measured:
    """One input of a study.

    Parameters
    ----------
    name : str
    micrograph : Micrograph
    columns : Columns
        As they were found, of all frames, with ``frame``.
    truth : Truth or None
    confident : bool
        What the detection thinks of itself.
    notes : tuple of str
        What the detection has to say.
    probability : ndarray, shape (T, H, W), or None
        That a pixel lies on a column's peak, as the network sees it; None where no network was asked.
    """

    name: str
    micrograph: Micrograph
    columns: Columns
    truth: Truth | None = None
    confident: bool = True
    notes: tuple[str, ...] = ()
    probability: np.ndarray | None = None


def at_true_places(measured: Measured, rows: np.ndarray, columns: Columns) -> Columns:
    """Found columns at the places of their true partners, for what errors of positions do to a descriptor.

    Parameters
    ----------
    measured : Measured
    rows : ndarray of int, shape (N,)
        Which of the found columns these are.
    columns : Columns
        N of them, with the fields that the descriptor reads.

    Returns
    -------
    Columns
        A column without a true partner, and every one where no truth is known, lies far outside: it is nobody's
        neighbor.
    """
    truth = measured.truth
    place = np.full((len(rows), 2), np.nan) if truth is None else truth.yx[rows]
    return replace(columns, yx=np.where(np.isfinite(place), place, FAR))
