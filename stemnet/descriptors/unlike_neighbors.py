"""Unlike neighbors of every column, and whether they are those of a random alloy.

Their number is the expected one, of probabilities: columns in doubt weigh as
what they may be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom, chi2

from stemnet.columns import Columns
from stemnet.descriptors.composition import checked
from stemnet.descriptors.shells import Shells
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError

FEWEST = 5.0  # columns expected in a class of the chi-square test (Cochran, Ann. Math. Stat. 23, 315, 1952)


@dataclass(frozen=True)
class BinomialComparison:
    """Numbers of unlike neighbors, beside those of a random alloy.

    Parameters
    ----------
    observed, expected : ndarray, shape (k + 1,)
        Columns with 0 to k unlike neighbors.
    chi_square : float
        Over classes put together until each expects five columns.
    degrees : int
        Of freedom.
    p_value : float
        Of a chi-square as large, from permutations of the species; NaN where the species are one.
    p_value_independent : float
        The same from the chi-square distribution, as if neighboring columns did
        not share neighbors.
    verdict : str
        One sentence.
    """

    observed: np.ndarray
    expected: np.ndarray
    chi_square: float
    degrees: int
    p_value: float
    p_value_independent: float
    verdict: str


def unlike_neighbors(
    columns: Columns, probability: np.ndarray, shells: Shells, *, shell: int = 0
) -> Descriptors:
    """How many neighbors of a column are not of its own kind, the species against all others.

    Parameters
    ----------
    columns : Columns
    probability : ndarray, shape (N,)
        That a column is of the species; NaN where unknown.
    shells : Shells
    shell : int
        The neighbors that count, 0 the nearest.

    Returns
    -------
    Descriptors
        ``unlike_1``, the expected number; ``unlike-sigma_1``, its standard error.
        A row is valid where the column and its full shell are known.
    """
    p = checked(probability, len(columns))
    used = shells.number == shell
    first, second = shells.first[used], shells.second[used]
    known = np.isfinite(p)
    number = np.bincount(first, known[second].astype(float), len(columns))
    filled, doubt = np.where(known, p, 0.0), np.where(known, p * (1 - p), 0.0)
    others = np.bincount(first, filled[second], len(columns))
    spread = np.bincount(first, doubt[second], len(columns))
    expected = filled * (number - others) + (1 - filled) * others
    # the column's own doubt exchanges like and unlike; its neighbors' add up one by one, whichever it is
    sigma = np.sqrt(doubt * (number - 2 * others) ** 2 + spread)
    valid = shells.member & known & (number == shells.size[shell])
    values = np.where(valid[:, None], np.stack([expected, sigma], axis=1), np.nan)
    return Descriptors(values, ("unlike_1", "unlike-sigma_1"), columns.yx, valid)


def compare_with_binomial(
    probability: np.ndarray,
    shells: Shells,
    *,
    shell: int = 0,
    permutations: int = 499,
    random_state: int = 0,
) -> BinomialComparison:
    """Compare the numbers of unlike neighbors with the binomial ones of a random alloy.

    In a random alloy of share c a column of the species has k neighbors of
    which each is unlike with 1 - c, any other column with c.

    Parameters
    ----------
    probability : ndarray, shape (N,)
        That a column is of the species; NaN where unknown. Every column counts as
        what it is likelier to be.
    shells : Shells
    shell : int
    permutations : int
        Of the species over the columns.
    random_state : int

    Returns
    -------
    BinomialComparison

    Raises
    ------
    StemnetError
        If no column has its full shell.
    """
    p = checked(probability, len(shells.member))
    known = np.isfinite(p) & shells.member
    used = shells.number == shell
    first, second, k = shells.first[used], shells.second[used], int(shells.size[shell])
    full = known & (np.bincount(first, known[second].astype(float), len(p)) == k)
    if not full.any():
        raise StemnetError(
            f"No column has all {k} neighbors of shell {shell}; at least one is needed to count unlike ones. "
            "Use a larger field of view or a nearer shell."
        )
    kind = np.where(known, p > 0.5, False)
    share, rows = kind[known].mean(), np.flatnonzero(known)

    def compared(kind):
        unlike = np.bincount(first, (kind[first] != kind[second]).astype(float), len(p))[full].astype(int)
        mine = kind[full].sum()
        expected = mine * binom.pmf(np.arange(k + 1), k, 1 - share)
        expected = expected + (full.sum() - mine) * binom.pmf(np.arange(k + 1), k, share)
        observed = np.bincount(unlike, minlength=k + 1)
        return observed, expected, *_chi_square(observed, expected)

    observed, expected, statistic, degrees = compared(kind)
    if degrees < 1:
        verdict = (
            f"The {full.sum()} columns with a full shell, a share of {share:.3f} of the species, leave no two numbers "
            "of unlike neighbors to compare; use a larger field of view or an alloy of both species."
        )
        return BinomialComparison(observed, expected, statistic, 0, np.nan, np.nan, verdict)
    rng, shuffled, larger = np.random.default_rng(random_state), kind.copy(), 0
    for _ in range(permutations):
        shuffled[rows] = rng.permutation(kind[rows])
        larger += compared(shuffled)[2] >= statistic
    p_value = (1 + larger) / (1 + permutations)
    verdict = (
        f"The numbers of unlike neighbors {'differ' if p_value < 0.05 else 'do not differ'} from those of a "
        f"random alloy of share {share:.3f} (chi-square {statistic:.1f}, {degrees} degrees of freedom, "
        f"p = {p_value:.3f})."
    )
    return BinomialComparison(
        observed, expected, statistic, degrees, p_value, float(chi2.sf(statistic, degrees)), verdict
    )


def _chi_square(observed, expected):
    """Pearson's chi-square and its degrees of freedom, with classes put together from the lowest upwards."""
    groups, seen, wanted = [], 0.0, 0.0
    for one, other in zip(observed, expected, strict=True):
        seen, wanted = seen + one, wanted + other
        if wanted >= FEWEST:
            groups.append([seen, wanted])
            seen = wanted = 0.0
    if groups:
        groups[-1][0] += seen
        groups[-1][1] += wanted
    table = np.array(groups).reshape(-1, 2)
    statistic = float(((table[:, 0] - table[:, 1]) ** 2 / np.maximum(table[:, 1], 1e-300)).sum())
    return statistic, max(len(table) - 1, 0)
