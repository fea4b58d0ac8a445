"""The distribution behind noisy rows: a Gaussian, with the error of every row taken out.

Extreme deconvolution (J. Bovy, D. W. Hogg and S. T. Roweis, Ann. Appl. Stat. 5,
1657, 2011) of one component: expectation and maximization of mean and
covariance where every row has an error covariance of its own. What the fit
expects a row to be without its error is the best linear estimate of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ROUNDS = 200
CLOSE = 1e-4  # change of the covariance, as a share of its largest element, that ends the rounds
FLOOR = 1e-6  # of the largest eigenvalue: where a fit may start from
ROWS = 4000  # that a distribution is fitted to


@dataclass(frozen=True)
class Deconvolved:
    """A Gaussian that rows were drawn from before their errors were added.

    Parameters
    ----------
    mean : ndarray, shape (D,)
    covariance : ndarray, shape (D, D)
    """

    mean: np.ndarray
    covariance: np.ndarray

    def expected(self, rows: np.ndarray, errors: np.ndarray) -> np.ndarray:
        """What rows (n, D) with error covariances (n, D, D) are most likely without their errors, (n, D)."""
        return self.mean + _gained(rows - self.mean, _gains(self.covariance, errors))


def deconvolved(rows: np.ndarray, errors: np.ndarray, start: Deconvolved | None = None) -> Deconvolved:
    """Mean and covariance of rows without their errors.

    Parameters
    ----------
    rows : ndarray, shape (n, D)
        Of more than some thousand, evenly taken ones.
    errors : ndarray, shape (n, D, D)
        Covariance of the error of each row.
    start : Deconvolved, optional
        To begin with; by default the covariance of the rows less the mean error.

    Returns
    -------
    Deconvolved
    """
    step = -(-len(rows) // ROWS)
    rows, errors = rows[::step], errors[::step]
    if start is None:
        value, direction = np.linalg.eigh(np.cov(rows.T) - errors.mean(axis=0))
        value = np.maximum(value, FLOOR * max(float(value.max()), 1e-300))
        start = Deconvolved(rows.mean(axis=0), (direction * value) @ direction.T)
    mean, covariance = start.mean, start.covariance
    for _ in range(ROUNDS):
        gain = _gains(covariance, errors)
        expected = mean + _gained(rows - mean, gain)
        left = covariance - covariance @ gain.mean(axis=0)
        mean = expected.mean(axis=0)
        off = expected - mean
        found = off.T @ off / len(rows) + (left + left.T) / 2
        done = np.abs(found - covariance).max() <= CLOSE * np.abs(found).max()
        covariance = found
        if done:
            break
    return Deconvolved(mean, covariance)


def _gains(covariance, errors):
    """(V + S_i)^-1 V of every row, (n, D, D)."""
    return np.linalg.solve(covariance + errors, np.broadcast_to(covariance, errors.shape))


def _gained(off, gain):
    return np.einsum("nij,ni->nj", gain, off)
