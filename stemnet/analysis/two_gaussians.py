"""One Gaussian or two: expectation and maximization of many samples of numbers at once."""

from __future__ import annotations

import numpy as np

LEAST_VARIANCE = 1e-3  # of the sample's: narrower than this is no population but a few equal values
ROUNDS = 300
CLOSE = 1e-5  # gain of the mean log-likelihood that ends the rounds


def two_gaussians(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Fit a mixture of two Gaussians to every sample, from three starts, of which the likeliest is kept.

    A. P. Dempster, N. M. Laird and D. B. Rubin, J. R. Stat. Soc. B 39, 1 (1977).

    Parameters
    ----------
    samples : ndarray, shape (B, n)
        Each with some spread; in any order.

    Returns
    -------
    gain : ndarray, shape (B,)
        Twice the log-likelihood that the second Gaussian gains.
    means, sigmas, weights : ndarray, shape (B, 2)
        The lower mean first.
    """
    x = np.sort(np.asarray(samples, dtype=np.float64), axis=1)
    batch, n = x.shape
    center, spread = x.mean(axis=1, keepdims=True), x.std(axis=1, keepdims=True)
    x = (x - center) / spread
    half, quarter = max(n // 2, 1), max(n // 4, 1)
    low, middle, high = x[:, :quarter].mean(axis=1), np.median(x, axis=1), x[:, -quarter:].mean(axis=1)
    halves = np.stack([x[:, :half].mean(axis=1), x[:, half:].mean(axis=1)], axis=1)
    starts = np.stack([halves, np.stack([low, middle], axis=1), np.stack([middle, high], axis=1)])
    found = [_fitted(x, start) for start in starts]
    best = np.argmax([one[0] for one in found], axis=0)
    likelihood, means, variance, weights = (
        np.stack([one[part] for one in found])[best, np.arange(batch)] for part in range(4)
    )
    order = np.argsort(means, axis=1)
    means, variance, weights = (np.take_along_axis(one, order, axis=1) for one in (means, variance, weights))
    gain = 2 * n * likelihood + n * (np.log(2 * np.pi) + 1)
    return gain, means * spread + center, np.sqrt(variance) * spread, weights


def _fitted(x, means):
    """Mean log-likelihood (B,), means, variances and weights (B, 2) of samples (B, n) of variance 1."""
    near = np.abs(x[:, None] - means[:, :, None])
    share = (near == near.min(axis=1, keepdims=True)).astype(float)
    share /= share.sum(axis=1, keepdims=True)
    likelihood = np.full(len(x), -np.inf)
    parts = np.zeros((3, len(x), 2))
    going = np.arange(len(x))
    for _ in range(ROUNDS):
        here, before = x[going, None], likelihood[going]
        amount = share.sum(axis=2) + 1e-12
        means = (share * here).sum(axis=2) / amount
        off = (here - means[:, :, None]) ** 2
        variance = (share * off).sum(axis=2) / amount + LEAST_VARIANCE
        weights = amount / amount.sum(axis=1, keepdims=True)
        log = np.log(weights / np.sqrt(2 * np.pi * variance))[:, :, None] - off / (2 * variance[:, :, None])
        odds = np.exp(-np.abs(log[:, 0] - log[:, 1]))
        total = np.maximum(log[:, 0], log[:, 1]) + np.log1p(odds)
        parts[:, going] = means, variance, weights
        likelihood[going] = total.mean(axis=1)
        more = likelihood[going] - before >= CLOSE
        if not more.any():
            break
        share, going = np.exp(log[more] - total[more, None]), going[more]
    return likelihood, *parts
