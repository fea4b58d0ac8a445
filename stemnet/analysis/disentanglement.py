"""Whether each planted variable has a latent of its own: scores of disentanglement, for continuous truth."""

from __future__ import annotations

import numpy as np
from sklearn.feature_selection import mutual_info_regression


def information_gap(latent: np.ndarray, variables: np.ndarray, random_state: int = 0) -> float:
    """Mutual information gap, for variables that are continuous.

    The gap of Chen et al. (NeurIPS 2018) is that between the two latents that
    know most of a variable, over the variable's entropy, which has no meaning
    where values are continuous. Here an information I counts as the share
    1 - exp(-2 I) of the variance that it would explain of a Gaussian (Linfoot,
    Information and Control 1, 85, 1957).

    Parameters
    ----------
    latent : ndarray, shape (n, d)
    variables : ndarray, shape (n, m)
    random_state : int

    Returns
    -------
    float
        Mean over the variables, 0 to 1; with one latent, its share. NaN without
        variables or with few rows.
    """
    if not variables.shape[1] or len(latent) < 10:
        return float("nan")
    nats = [mutual_info_regression(latent, values, random_state=random_state) for values in variables.T]
    return _gap(1 - np.exp(-2 * np.array(nats)))


def separated_predictability(latent: np.ndarray, variables: np.ndarray) -> float:
    """Separated attribute predictability: by how much one latent is more correlated with a variable than any other.

    The gap between the two best squared correlations of a latent with it:
    Kumar, Sattigeri and Balakrishnan, ICLR 2018; continuous variables.

    Parameters
    ----------
    latent : ndarray, shape (n, d)
    variables : ndarray, shape (n, m)

    Returns
    -------
    float
        Mean over the variables, 0 to 1; NaN without any.
    """
    if not variables.shape[1] or len(latent) < 3:
        return float("nan")
    parts = [values - values.mean(axis=0) for values in (latent, variables)]
    units = [part / np.where((norm := np.linalg.norm(part, axis=0)) > 0, norm, 1.0) for part in parts]
    return _gap((units[1].T @ units[0]) ** 2)


def _gap(shares: np.ndarray) -> float:
    """Mean over variables (m, d) of the best share less the second."""
    ordered = np.sort(np.hstack([np.zeros((len(shares), 1)), shares]), axis=1)
    return float((ordered[:, -1] - ordered[:, -2]).mean())
