"""Levels of intensity: a mixture of Gaussians whose columns have errors of their own.

The standard error of a column is added to the width of its level, so that the
mixture describes the columns and not their noise (J. Bovy, D. W. Hogg and
S. T. Roweis, Ann. Appl. Stat. 5, 1657, 2011). Where levels are expected, the
found ones are held to them and let go by a few percent, and a species counts as
there by the evidence of all columns (D. J. C. MacKay, Neural Comput. 4, 415, 1992).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp, xlogy

from stemnet.analysis.intensity import ENOUGH, FEWEST, MARGIN, MOST
from stemnet.analysis.level_scatter import GROUND, Scatter

DEPARTURE = 0.06  # of a level from the expected one, as a share: channeling, tails of the neighbors
APART = 2.0  # Ashman's D of two levels that nobody named
RARE = 0.5  # of the Dirichlet prior of the weights: Jeffreys', for which rare species are nothing unusual
NAMED = 10.0  # odds that a species is there, before anything is seen, of one that was named
ROUNDS = 60


@dataclass(frozen=True)
class Levels:
    """The species of one sublattice.

    Parameters
    ----------
    names : tuple of str, length K
        Brightest first; ``level 0``, ``level 1``, ... where none were given.
    level : ndarray, shape (K,)
        Intensity of each, gain divided out [that of the columns].
    expected : ndarray, shape (K,)
        The same by Z^n; NaN where the species are not known.
    weight : ndarray, shape (K,)
        Share of the columns.
    scatter : Scatter
        Of a species beyond the errors.
    criterion : float
        Minus twice the log of how likely the columns are: the Bayesian information
        criterion, or where levels are expected the evidence by Laplace's method.
    """

    names: tuple[str, ...]
    level: np.ndarray
    expected: np.ndarray
    weight: np.ndarray
    scatter: Scatter
    criterion: float

    @property
    def variance(self) -> np.ndarray:
        """Of every level beyond the errors, shape (K,)."""
        return self.scatter.variance(self.level)


def nameless_levels(x: np.ndarray, sigma: np.ndarray) -> Levels:
    """As many levels as the Bayesian information criterion asks for.

    Parameters
    ----------
    x, sigma : ndarray, shape (n,)
        Intensity and its standard error.

    Returns
    -------
    Levels
        The brightest first.
    """
    best = _levels(x, sigma, np.array([np.average(x, weights=1 / (sigma**2 + x.var() + 1e-300))]))
    last = best
    for count in range(2, MOST + 3 if len(x) >= ENOUGH else 2):
        tails = np.sort(x)
        added = [tails[:FEWEST].mean(), tails[-FEWEST:].mean(), *(last.level[1:] + last.level[:-1]) / 2]
        added += [*last.level * 1.2, *last.level * 0.8]
        starts = [np.append(last.level, one) for one in added]
        starts.append(np.quantile(x, (np.arange(count) + 0.5) / count))
        starts.sort(key=lambda start: -_glimpse(x, sigma, start, last.scatter))
        last = min((_levels(x, sigma, start) for start in starts[:2]), key=lambda found: found.criterion)
        apart = -np.diff(last.level) / np.sqrt(
            (last.variance[1:] + last.variance[:-1]) / 2 + np.median(sigma) ** 2
        )
        if (
            last.criterion < best.criterion - MARGIN
            and apart.min() > APART
            and last.weight.min() * len(x) >= FEWEST
        ):
            best = last
        elif count > len(best.level) + 1:  # two in vain
            break
    return best


def expected_levels(
    x: np.ndarray,
    sigma: np.ndarray,
    names: tuple[str, ...],
    expected: np.ndarray,
    limits: tuple[float, float] = (np.inf, np.inf),
) -> list[Levels]:
    """Mixtures of all the names and of fewer and fewer.

    Parameters
    ----------
    x, sigma : ndarray, shape (n,)
        Intensity and its standard error.
    names : tuple of str, length K
    expected : ndarray, shape (K,)
        Their levels.
    limits : (float, float)
        Of the scatter, as in `Scatter`.

    Returns
    -------
    list of Levels
        The one with the most evidence first.
    """

    def fit(weight):
        level, scatter, weight, likelihood = fitted_mixture(
            x, sigma, expected, Scatter(0.05, 0.0, limits), weight, expected=expected
        )
        lost = _occam(x, sigma, level, scatter, weight, expected)
        return Levels(names, level, expected, weight, scatter, -2 * (likelihood + lost))

    models = [fit(np.full(len(names), 1 / len(names)))]
    last = models[0]
    while (last.weight > 0).sum() > 1:
        fewer = []
        for k in np.flatnonzero(last.weight > 0):
            left = np.where(
                np.arange(len(names)) == k, 0.0, np.maximum(last.weight, (last.weight > 0) / len(x))
            )
            fewer.append(fit(left / left.sum()))
        models += fewer
        last = min(fewer, key=lambda model: model.criterion)
    return sorted(models, key=lambda model: model.criterion)


def averaged_probability(x: np.ndarray, sigma: np.ndarray, models: list[Levels]) -> np.ndarray:
    """Probability of every species, of all models by how likely their criterion calls them.

    One model alone would be too sure that a species it does without is nowhere
    (J. A. Hoeting et al., Stat. Sci. 14, 382, 1999).

    Parameters
    ----------
    x, sigma : ndarray, shape (n,)
        Intensity and its standard error.
    models : list of Levels
        Of the same K species.

    Returns
    -------
    ndarray, shape (n, K)
    """
    criterion = np.array([model.criterion for model in models])
    belief = np.exp(-0.5 * (criterion - criterion.min()))
    shares = [np.exp(_responsibility(x, sigma, one.level, one.scatter, one.weight)[0]) for one in models]
    return np.tensordot(belief / belief.sum(), shares, axes=1)


def fitted_mixture(
    x: np.ndarray,
    sigma: np.ndarray,
    level: np.ndarray,
    scatter: Scatter,
    weight: np.ndarray,
    *,
    expected: np.ndarray | None = None,
    rounds: int = ROUNDS,
    free_scatter: bool = True,
) -> tuple[np.ndarray, Scatter, np.ndarray, float]:
    """Expectation and conditional maximization of levels, scatter and weights.

    Parameters
    ----------
    x, sigma : ndarray, shape (n,)
        Intensity and its standard error.
    level, scatter, weight
        To start from, as in `Levels`; a weight of 0 stays.
    expected : ndarray, shape (K,), optional
        Levels that the found ones are held to by `DEPARTURE`.
    rounds : int
    free_scatter : bool
        Whether the scatter is found too.

    Returns
    -------
    level, scatter, weight
        The likeliest.
    likelihood : float
        Its log, of `expected` too.
    """
    last = -np.inf
    hold = np.zeros(len(level)) if expected is None else _hold(expected)
    for _ in range(rounds):
        log, likelihood = _responsibility(x, sigma, level, scatter, weight)
        likelihood -= scatter.penalty
        if expected is not None:
            likelihood -= 0.5 * float((hold * (level - expected) ** 2)[weight > 0].sum())
        if likelihood - last < 1e-4:
            break
        last, share = likelihood, np.exp(log)
        weight = np.where(weight > 0, share.mean(axis=0), 0.0)
        per = share / (scatter.variance(level) + sigma[:, None] ** 2)
        level = (
            (per * x[:, None]).sum(axis=0) + (0.0 if expected is None else hold * expected)
        ) / np.maximum(per.sum(axis=0) + hold, 1e-300)
        if free_scatter:
            scatter = scatter.likeliest(x, sigma, level, share)
    return level, scatter, weight, likelihood


def _hold(expected):
    """Inverse variance with which levels are held to the expected ones, (K,)."""
    return 1 / (DEPARTURE**2 * (expected**2 + (GROUND * np.abs(expected).max()) ** 2))


def _occam(x, sigma, level, scatter, weight, expected):
    """Log of what the evidence of a model is less than the likelihood of its best levels and weights.

    Of the weights, all of which are as likely before, exactly; of the levels, how
    much narrower the columns leave them than they were expected, by Laplace's method.
    """
    there = weight > 0
    share = np.exp(_responsibility(x, sigma, level, scatter, weight)[0])
    count = share.sum(axis=0)[there]
    alike, few = len(count) * gammaln(RARE), len(count) * RARE
    weights = gammaln(few) - alike + gammaln(count + RARE).sum() - gammaln(len(x) + few)
    weights -= xlogy(count, count / len(x)).sum()
    weights += len(count) * np.log(NAMED)
    known = (share / (scatter.variance(level) + sigma[:, None] ** 2)).sum(axis=0)[there]
    return weights - 0.5 * np.log1p(known / _hold(expected)[there]).sum()


def _responsibility(x, sigma, level, scatter, weight):
    """Log of who is responsible for whom (n, K), and the log-likelihood of all columns."""
    total = scatter.variance(level) + sigma[:, None] ** 2
    with np.errstate(divide="ignore"):
        log = np.log(weight) - 0.5 * (np.log(2 * np.pi * total) + (x[:, None] - level) ** 2 / total)
    norm = logsumexp(log, axis=1)
    return log - norm[:, None], float(norm.sum())


def _glimpse(x, sigma, start, scatter):
    """Log-likelihood that a start comes to in a few rounds."""
    weight = np.full(len(start), 1 / len(start))
    return fitted_mixture(x, sigma, start, scatter, weight, rounds=5, free_scatter=False)[3]


def _levels(x, sigma, start):
    count = len(start)
    level, scatter, weight, likelihood = fitted_mixture(
        x, sigma, start, Scatter(0.1), np.full(count, 1 / count)
    )
    order = np.argsort(-level)
    names = tuple(f"level {k}" for k in range(count))
    bic = 2 * count * np.log(len(x)) - 2 * likelihood
    return Levels(names, level[order], np.full(count, np.nan), weight[order], scatter, bic)
