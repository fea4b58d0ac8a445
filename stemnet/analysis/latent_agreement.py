"""Whether two latents of the same rows say the same."""

from __future__ import annotations

import numpy as np


def canonical_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Mean canonical correlation of two latents (n, d) of the same rows: 1 if a linear map joins them."""
    bases = []
    for latent in (a, b):
        u, s, _ = np.linalg.svd(latent - latent.mean(axis=0), full_matrices=False)
        bases.append(u[:, s > 1e-9 * max(s.max(), 1e-300)])
    correlations = np.linalg.svd(bases[0].T @ bases[1], compute_uv=False)
    # a collapsed direction in either latent correlates with nothing
    return float(correlations.sum() / a.shape[1])
