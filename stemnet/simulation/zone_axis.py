"""Zone axes: directions of a lattice in three or four indices, as microscopists write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import gcd

import numpy as np

from stemnet.errors import StemnetError

Axis = str | Iterable[int]


def zone_axis(axis: Axis, cell: np.ndarray) -> tuple[int, int, int]:
    """The coprime indices [uvw] of a direction u a + v b + w c.

    Parameters
    ----------
    axis : str or sequence of int
        ``"110"``, ``"1-10"``, ``"[1 -1 0]"``, ``"1,-1,0"``, (1, -1, 0); on
        hexagonal cells four indices too, ``"11-20"`` or (1, 1, -2, 0): the
        direction [uvtw] = u a1 + v a2 + t a3 + w c with t = -(u + v) is
        [2u+v, 2v+u, w] in three (Weber's indices).
    cell : ndarray, shape (3, 3)
        Rows are a, b and c [A].

    Returns
    -------
    tuple of int

    Raises
    ------
    StemnetError
        If these are not three or four whole numbers, all are zero, or four of
        them are no direction of this cell.
    """
    indices = _indices(axis)
    if len(indices) == 4:
        indices = _three_of(indices, axis, cell)
    divisor = gcd(*indices)
    if divisor == 0:
        raise StemnetError(f"The zone axis {_shown(axis)} is zero; give a direction such as '001' or '1-10'.")
    u, v, w = (n // divisor for n in indices)
    return u, v, w


def written(axis: Axis) -> str:
    """The indices as they were given, in square brackets: ``"[11-20]"``; apart where one has two digits."""
    indices = _indices(axis)
    return f"[{(' ' if max(map(abs, indices)) > 9 else '').join(map(str, indices))}]"


def _indices(axis: Axis) -> list[int]:
    if isinstance(axis, bool | int | float | np.number):
        raise StemnetError(
            f"The zone axis {axis} is a number; write its indices in quotes, as '001' or '1-10', or as a list."
        )
    if isinstance(axis, str):
        text = axis.strip().strip("[]<>()").strip()
        if re.search(r"[\s,]", text):
            parts: list[object] = list(re.split(r"[\s,]+", text))
        else:
            parts = list(re.findall(r"[+-]?\d", text))
            if "".join(str(part) for part in parts) != text:
                parts = [text]
    else:
        parts = list(axis)
    try:
        indices = [int(str(part)) if isinstance(part, str) else _whole(part) for part in parts]
    except (TypeError, ValueError):
        indices = []
    if len(indices) not in (3, 4):
        raise StemnetError(
            f"The zone axis {_shown(axis)} was not understood; give three whole numbers, as '110', '1-10' or "
            "[1, -1, 0], or four for a hexagonal cell, as '11-20'."
        )
    return indices


def _whole(number: object) -> int:
    if float(number) != int(number):  # type: ignore[arg-type, call-overload]
        raise ValueError(number)
    return int(number)  # type: ignore[call-overload, no-any-return]


def _three_of(four: list[int], axis: Axis, cell: np.ndarray) -> list[int]:
    u, v, t, w = four
    if u + v + t != 0:
        raise StemnetError(
            f"In the zone axis {_shown(axis)} of four indices [uvtw] the first three must add up to zero, and "
            f"{u} {v:+d} {t:+d} is {u + v + t}; write t = -(u + v), as in '11-20'."
        )
    a, b, c = np.linalg.norm(cell, axis=1)
    angles = cell @ cell.T / np.outer((a, b, c), (a, b, c))
    if abs(a - b) > 2e-3 * a or np.abs(angles[[0, 0, 1], [1, 2, 2]] - [-0.5, 0, 0]).max() > 2e-3:
        raise StemnetError(
            f"The zone axis {_shown(axis)} has four indices, which need a hexagonal cell (a = b, 90, 90 and 120 "
            "degrees); this cell is another one, so give three."
        )
    return [2 * u + v, 2 * v + u, w]


def _shown(axis: Axis) -> str:
    return f"'{axis}'" if isinstance(axis, str) else str(list(axis))
