"""How sure a number is: intervals over seeds, and over rows drawn again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95
"""Chance that an interval holds the number."""
DRAWS = 200
"""Bootstrap samples."""


@dataclass(frozen=True)
class Interval:
    """A number and where it may lie.

    Parameters
    ----------
    value : float
        NaN if there is none.
    low, high : float
        Ends of the interval; both the value itself where one number was all there was.
    """

    value: float
    low: float
    high: float

    def overlaps(self, other: Interval) -> bool:
        """Whether both can be the same number."""
        return self.low <= other.high and other.low <= self.high

    def __str__(self) -> str:
        if np.isnan(self.value):
            return "-"
        half = max(self.high - self.value, self.value - self.low)
        return f"{self.value:.2f} ± {half:.2f}"


def over_seeds(values: Sequence[float], level: float = LEVEL) -> Interval:
    """Mean of one number a seed, with Student's interval; values that are NaN do not count.

    Parameters
    ----------
    values : sequence of float
        Of independent seeds.
    level : float

    Returns
    -------
    Interval
    """
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    if not len(known):
        return Interval(np.nan, np.nan, np.nan)
    mean = float(known.mean())
    if len(known) == 1:
        return Interval(mean, mean, mean)
    half = float(stats.t.ppf((1 + level) / 2, len(known) - 1) * known.std(ddof=1) / np.sqrt(len(known)))
    return Interval(mean, mean - half, mean + half)


def over_rows(
    statistic: Callable[[np.ndarray], float],
    rows: int,
    random_state: int = 0,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> Interval:
    """Interval of a number over rows drawn again, with replacement (Efron, Annals of Statistics 7, 1, 1979).

    Parameters
    ----------
    statistic : callable
        Called with row numbers (rows,): the number of these.
    rows : int
    random_state : int
    draws : int
    level : float

    Returns
    -------
    Interval
        The value of all rows, between percentiles of the draws. Rows count as
        independent; neighbors that share columns are not quite, so the
        interval is somewhat narrow.
    """
    rng = np.random.default_rng(random_state)
    value = float(statistic(np.arange(rows)))
    drawn = np.array([statistic(rng.integers(rows, size=rows)) for _ in range(draws)], dtype=float)
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return Interval(value, value, value)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    # duplicates can bias the draws to one side of the value
    return Interval(value, float(min(low, value)), float(max(high, value)))
