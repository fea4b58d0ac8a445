"""How far columns of one species scatter about their level, beyond the errors that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize_scalar

# of the brightest level: what a dark column is scattered and shifted by in units of a bright one
GROUND = 0.1
BOUNDS = (1e-4, 0.5)  # of either scatter, as a share of a level or of the brightest one
CLOSE = 0.05  # of the logarithm of a scatter
MORE = 0.2  # of the logarithm of a variance: how much more one sublattice may scatter than another


@dataclass(frozen=True)
class Scatter:
    """Of all levels of a sublattice.

    Parameters
    ----------
    relative : float
        That grows with the level, as a share of it: thickness, channeling.
    floor : float
        That all levels have, bright and dark: errors that are larger than they say, light of neighbors
        [units of the intensity].
    limits : (float, float)
        What other sublattices say of either; more of it has a price, so that a rare
        species is not taken for scatter.
    """

    relative: float
    floor: float = 0.0
    limits: tuple[float, float] = (np.inf, np.inf)

    def variance(self, level: np.ndarray) -> np.ndarray:
        """Of levels (K,), shape (K,)."""
        return _grown(level, self.relative) + self.floor**2 + 1e-300

    @property
    def penalty(self) -> float:
        """Log of how much less likely so much scatter is than what the limits say."""
        return 0.5 * sum(
            _price(value, limit)
            for value, limit in zip((self.relative, self.floor), self.limits, strict=True)
        )

    def likeliest(self, x: np.ndarray, sigma: np.ndarray, level: np.ndarray, share: np.ndarray) -> Scatter:
        """The scatter that columns are likelier with, one part after the other.

        Parameters
        ----------
        x, sigma : ndarray, shape (n,)
            Intensity and its standard error.
        level : ndarray, shape (K,)
        share : ndarray, shape (n, K)
            Which column belongs to which level.

        Returns
        -------
        Scatter
        """
        square, known = (x[:, None] - level) ** 2, sigma[:, None] ** 2 + 1e-300
        brightest = float(np.abs(level).max(initial=0.0)) + 1e-300

        def best(variance, unit, limit):
            def cost(log):
                value = unit * np.exp(log)
                total = variance(value) + known
                return float((share * (np.log(total) + square / total)).sum()) + _price(value, limit)

            found = minimize_scalar(cost, bounds=np.log(BOUNDS), method="bounded", options={"xatol": CLOSE})
            return unit * float(np.exp(found.x))

        relative = best(lambda width: _grown(level, width) + self.floor**2, 1.0, self.limits[0])
        floor = best(lambda floor: _grown(level, relative) + floor**2, brightest, self.limits[1])
        return replace(self, relative=relative, floor=floor)


def least_scatter(
    parts: Sequence[tuple[np.ndarray, np.ndarray]],
    levels: Sequence[np.ndarray],
    variances: Sequence[np.ndarray],
) -> tuple[float, float]:
    """Limits of `Scatter`: relative and absolute, of the sublattice that scatters least.

    What is in doubt for want of columns is not held against the others.

    Parameters
    ----------
    parts : sequence of (ndarray, ndarray), shape (n,) each
        Intensity and its standard error, by sublattice.
    levels, variances : sequence of ndarray, shape (K,)
        Of the levels found in each, beyond the errors.

    Returns
    -------
    relative, floor : float
    """
    relative, floor = np.inf, np.inf
    for (x, sigma), level, variance in zip(parts, levels, variances, strict=True):
        most = variance.min() + np.sqrt(2 / len(x)) * (np.median(sigma) ** 2 + variance.min())
        floor = min(floor, float(np.sqrt(most)))
        relative = min(relative, float(np.sqrt(most) / (np.abs(level).max(initial=0.0) + 1e-300)))
    return relative, floor


def _grown(level: np.ndarray, relative: float) -> np.ndarray:
    return relative**2 * (level**2 + (GROUND * np.abs(level).max(initial=0.0)) ** 2)


def _price(value: float, limit: float) -> float:
    """Minus twice the log of how much less likely a scatter is that exceeds its limit.

    Its tails are those of Student's t with two degrees of freedom: columns that know better overrule the limit.
    """
    return 3 * np.log1p((2 * np.log(value / limit) / MORE) ** 2 / 2) if value > limit > 0 else 0.0
