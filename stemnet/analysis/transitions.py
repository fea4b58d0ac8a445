"""How often columns jump, appear and disappear, and how long they stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import beta

from stemnet.analysis.stays import APPEARED, VANISHED, WENT, Stays
from stemnet.errors import StemnetError

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Rate:
    """How often something happens to one column.

    Parameters
    ----------
    events : int
    chances : int
        Steps from frame to frame in which it might have happened.
    value : float
        Rate [1/frame]; NaN where there was no chance.
    low, high : float
        Interval of 95 % confidence [1/frame].
    """

    events: int
    chances: int
    value: float
    low: float
    high: float


def rate_of(events: int, chances: int) -> Rate:
    """Rate of what happened in a number of steps, at most once in each.

    A constant rate r makes something happen in a share 1 - exp(-r) of all
    steps; the interval is that of C. J. Clopper and E. S. Pearson, Biometrika
    26, 404, 1934.

    Raises
    ------
    StemnetError
        If there are more events than steps.
    """
    if not 0 <= events <= max(chances, 0):
        raise StemnetError(
            f"{events} events in {chances} steps were given; in each step something happens once at most."
        )
    if chances < 1:
        return Rate(events, chances, np.nan, np.nan, np.nan)
    tail = (1 - CONFIDENCE) / 2
    low = float(beta.ppf(tail, events, chances - events + 1)) if events else 0.0
    high = float(beta.ppf(1 - tail, events + 1, chances - events)) if events < chances else 1.0
    shares = np.array([events / chances, low, high])
    with np.errstate(divide="ignore"):
        value, low, high = (-np.log1p(-shares)).tolist()
    return Rate(events, chances, value, low, high)


def rates(stays: Stays, kind: np.ndarray) -> dict[tuple[int, str], Rate]:
    """Rates by kind of column and event, of columns that cannot have jumped out of sight.

    Parameters
    ----------
    stays : Stays
    kind : ndarray of int, shape (S,)
        Of the column of each stay.

    Returns
    -------
    dict of (kind, event) to Rate
        Event ``jump``, ``disappears`` or ``appears``; the last per column that is there.

    Raises
    ------
    StemnetError
        If there is not one kind a stay.
    """
    kind = np.asarray(kind)
    if kind.shape != (len(stays),):
        raise StemnetError(f"{kind.size} kinds were given for {len(stays)} stays; give one a stay.")
    found = {}
    for one in np.unique(kind):
        mine = kind == one
        chances = int(stays.chances[mine].sum())
        for event, how in ((WENT, stays.ends), (VANISHED, stays.ends), (APPEARED, stays.begins)):
            far = mine & (how == event)
            if event == WENT:
                far &= stays.far
            count = int(far.sum())
            found[int(one), event] = rate_of(count, chances if event == WENT else chances + count)
    return found


def survival(stays: Stays, mine: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Share of columns that are still in their place after a time.

    E. L. Kaplan and P. Meier, J. Am. Stat. Assoc. 53, 457, 1958: of a stay that ends
    otherwise than with a jump nothing is known beyond the step to its last frame.

    Parameters
    ----------
    stays : Stays
    mine : ndarray of bool, shape (S,)
        Which of them count.

    Returns
    -------
    time : ndarray, shape (D,)
        From 0 [frames].
    share : ndarray, shape (D,)
    error : ndarray, shape (D,)
        Standard error (M. Greenwood, Rep. Public Health Med. Subj. 33, 1, 1926).
    """
    ended = (stays.ends == WENT)[mine]
    length = (stays.last - stays.first)[mine] + ended
    times = np.unique(length[ended])
    at_risk = np.array([(length >= t).sum() for t in times], dtype=float)
    deaths = np.array([(ended & (length == t)).sum() for t in times], dtype=float)
    share = np.cumprod(1 - deaths / np.maximum(at_risk, 1))
    sums = np.cumsum(deaths / np.maximum(at_risk * (at_risk - deaths), 1))
    end = [float(length.max())] if len(length) else []
    last = share[-1:] if len(share) else np.ones(1)
    error = share * np.sqrt(sums)
    tail = error[-1:] if len(error) else np.zeros(1)
    return (
        np.r_[0.0, times, end],
        np.r_[1.0, share, last[: len(end)]],
        np.r_[0.0, error, tail[: len(end)]],
    )
