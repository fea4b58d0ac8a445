"""Levels of intensity: a mixture of Gaussians whose columns have errors of their own.

The standard error of a column is added to the width of its level, so that the
mixture describes the columns and not their noise (J. Bovy, D. W. Hogg and
S. T. Roweis, Ann. Appl. Stat. 5, 1657, 2011). Where levels are expected, the
found ones are held to them and let go by a few percent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from stemnet.analysis.intensity import ENOUGH, FEWEST, MARGIN, MOST

DEPARTURE = 0.06  # of a level from the expected one, as a share: channeling, tails of the neighbors
# of the brightest level: what a dark column is scattered and shifted by in units of a bright one
GROUND = 0.1
APART = 2.0  # Ashman's D of two levels that nobody named
WIDTHS = (1e-4, 0.5)  # of a species, as a share of its level
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
    width : float
        Scatter of a species beyond the errors, as a share of its level.
    bic : float
        Of the mixture.
    """

    names: tuple[str, ...]
    level: np.ndarray
    expected: np.ndarray
    weight: np.ndarray
    width: float
    bic: float

    @property
    def variance(self) -> np.ndarray:
        """Of every level beyond the errors, shape (K,)."""
        return _variance(self.level, self.width)


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
        starts.sort(key=lambda start: -_glimpse(x, sigma, start, last.width))
        last = min((_levels(x, sigma, start) for start in starts[:2]), key=lambda found: found.bic)
        apart = -np.diff(last.level) / np.sqrt(
            (last.variance[1:] + last.variance[:-1]) / 2 + np.median(sigma) ** 2
        )
        if last.bic < best.bic - MARGIN and apart.min() > APART and last.weight.min() * len(x) >= FEWEST:
            best = last
        elif count > len(best.level) + 1:  # two in vain
            break
    return best


def expected_levels(
    x: np.ndarray, sigma: np.ndarray, names: tuple[str, ...], expected: np.ndarray
) -> list[Levels]:
    """Mixtures of all the names and of fewer and fewer.

    Parameters
    ----------
    x, sigma : ndarray, shape (n,)
        Intensity and its standard error.
    names : tuple of str, length K
    expected : ndarray, shape (K,)
        Their levels.

    Returns
    -------
    list of Levels
        The one with the lowest information criterion first.
    """

    def fit(weight):
        level, width, weight, likelihood = fitted_mixture(x, sigma, expected, 0.05, weight, expected=expected)
        return Levels(
            names, level, expected, weight, width, 2 * (weight > 0).sum() * np.log(len(x)) - 2 * likelihood
        )

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
        last = min(fewer, key=lambda model: model.bic)
    return sorted(models, key=lambda model: model.bic)


def averaged_probability(x: np.ndarray, sigma: np.ndarray, models: list[Levels]) -> np.ndarray:
    """Probability of every species, of all models by how likely their information criterion calls them.

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
    bic = np.array([model.bic for model in models])
    belief = np.exp(-0.5 * (bic - bic.min()))
    shares = [np.exp(_responsibility(x, sigma, one.level, one.width, one.weight)[0]) for one in models]
    return np.tensordot(belief / belief.sum(), shares, axes=1)


def fitted_mixture(
    x: np.ndarray,
    sigma: np.ndarray,
    level: np.ndarray,
    width: float,
    weight: np.ndarray,
    *,
    expected: np.ndarray | None = None,
    rounds: int = ROUNDS,
    free_width: bool = True,
) -> tuple[np.ndarray, float, np.ndarray, float]:
    """Expectation and conditional maximization of levels, width and weights.

    Parameters
    ----------
    x, sigma : ndarray, shape (n,)
        Intensity and its standard error.
    level, width, weight
        To start from, as in `Levels`; a weight of 0 stays.
    expected : ndarray, shape (K,), optional
        Levels that the found ones are held to by `DEPARTURE`.
    rounds : int
    free_width : bool
        Whether the width is found too.

    Returns
    -------
    level, width, weight
        The likeliest.
    likelihood : float
        Its log, of `expected` too.
    """
    last = -np.inf
    scale = np.abs(x).max() if expected is None else np.abs(expected).max()
    hold = 0.0 if expected is None else 1 / (DEPARTURE**2 * (expected**2 + (GROUND * scale) ** 2))
    for _ in range(rounds):
        log, likelihood = _responsibility(x, sigma, level, width, weight)
        if expected is not None:
            likelihood -= 0.5 * float((hold * (level - expected) ** 2)[weight > 0].sum())
        if likelihood - last < 1e-4:
            break
        last, share = likelihood, np.exp(log)
        weight = np.where(weight > 0, share.mean(axis=0), 0.0)
        per = share / (_variance(level, width) + sigma[:, None] ** 2)
        level = (
            (per * x[:, None]).sum(axis=0) + (0.0 if expected is None else hold * expected)
        ) / np.maximum(per.sum(axis=0) + hold, 1e-300)
        if free_width:
            width = _width(x, sigma, level, share)
    return level, width, weight, likelihood


def _responsibility(x, sigma, level, width, weight):
    """Log of who is responsible for whom (n, K), and the log-likelihood of all columns."""
    total = _variance(level, width) + sigma[:, None] ** 2
    with np.errstate(divide="ignore"):
        log = np.log(weight) - 0.5 * (np.log(2 * np.pi * total) + (x[:, None] - level) ** 2 / total)
    norm = logsumexp(log, axis=1)
    return log - norm[:, None], float(norm.sum())


def _variance(level, width):
    return width**2 * (level**2 + (GROUND * np.abs(level).max(initial=0.0)) ** 2) + 1e-300


def _width(x, sigma, level, share):
    """The common relative width that the columns are likeliest with."""
    square = (x[:, None] - level) ** 2

    def cost(log_width):
        total = _variance(level, np.exp(log_width)) + sigma[:, None] ** 2
        return float((share * (np.log(total) + square / total)).sum())

    bounds = np.log(WIDTHS)
    return float(np.exp(minimize_scalar(cost, bounds=bounds, method="bounded", options={"xatol": 0.05}).x))


def _glimpse(x, sigma, start, width):
    """Log-likelihood that a start comes to in a few rounds."""
    weight = np.full(len(start), 1 / len(start))
    return fitted_mixture(x, sigma, start, width, weight, rounds=5, free_width=False)[3]


def _levels(x, sigma, start):
    count = len(start)
    level, width, weight, likelihood = fitted_mixture(x, sigma, start, 0.1, np.full(count, 1 / count))
    order = np.argsort(-level)
    names = tuple(f"level {k}" for k in range(count))
    bic = 2 * count * np.log(len(x)) - 2 * likelihood
    return Levels(names, level[order], np.full(count, np.nan), weight[order], width, bic)
