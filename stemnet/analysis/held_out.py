"""What methods make of rows that they were not fitted on, and how far two fits agree."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import adjusted_rand_score

from stemnet.analysis.latent_agreement import canonical_correlation

RESAMPLINGS = 10
"""Half-samples behind the stability of a clustering; an embedding is refitted on two halves."""


def rebuilt(model: BaseEstimator, rows: np.ndarray) -> np.ndarray:
    """Rows (N, ...) as a fitted embedding has them, in the shape they came in.

    An embedding that keeps how a row lies beside its latent puts it back into
    that pose (``reconstruct``); others decode their latent.
    """
    again = (
        model.reconstruct(rows)
        if hasattr(model, "reconstruct")
        else model.inverse_transform(model.transform(rows))
    )
    return np.asarray(again).reshape(np.shape(rows))


def rms(rest: np.ndarray) -> float:
    """Root mean square over all numbers of an array."""
    return float(np.sqrt(np.mean(np.square(rest))))


def cluster_means(rows: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Mean row (count, D) of each label 0 to count - 1; of one that has no rows, that of all."""
    groups = [rows[labels == c] for c in range(count)]
    return np.array([group.mean(axis=0) if len(group) else rows.mean(axis=0) for group in groups])


def halved_embedding(model: BaseEstimator, rows: np.ndarray) -> tuple[float, float]:
    """Fit copies of an embedding on both halves of rows (n, D) in random order.

    Returns
    -------
    error : float
        Root mean square of the rows that a copy has not seen, minus what it
        makes of them, in their unit.
    agreement : float
        Mean canonical correlation of the two latents of all rows.
    """
    half = len(rows) // 2
    first, second = (clone(model).fit(part) for part in (rows[:half], rows[half:]))
    rest = rows[half:] - rebuilt(first, rows[half:]), rows[:half] - rebuilt(second, rows[:half])
    error = float(np.sqrt(np.mean([rms(part) ** 2 for part in rest])))
    return error, canonical_correlation(first.transform(rows), second.transform(rows))


def halved_clustering(
    model: BaseEstimator, rows: np.ndarray, labels: np.ndarray, clusters: int, random_state: int
) -> tuple[float, np.ndarray]:
    """Fit copies of a clustering on halves of rows (n, D), drawn anew each time.

    Returns
    -------
    error : float
        Root mean square of the rows of the other half, minus the mean of their cluster.
    agreement : ndarray, shape (RESAMPLINGS,)
        Adjusted Rand index of each copy with the labels (n,) of the whole.
    """
    rng = np.random.default_rng(random_state)
    half = len(rows) // 2
    errors, agreements = [], []
    for _ in range(RESAMPLINGS):
        order = rng.permutation(len(rows))
        found = clone(model).fit(rows[order[:half]]).predict(rows)
        agreements.append(adjusted_rand_score(labels, found))
        means = cluster_means(rows[order[:half]], found[order[:half]], clusters)
        errors.append(rms(rows[order[half:]] - means[found[order[half:]]]) ** 2)
    return float(np.sqrt(np.mean(errors))), np.array(agreements)
