"""A square lattice of two sublattices with a polar wall down the middle, as image and as neighborhoods."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from stemnet import Columns


@dataclass(frozen=True)
class Example:
    image: np.ndarray
    columns: Columns
    probability: np.ndarray
    values: np.ndarray  # (N, 8): four neighbors (y, x) [A], NaN at the edge
    domain: np.ndarray
    scores: np.ndarray
    components: np.ndarray
    mean: np.ndarray
    ratio: np.ndarray


def two_domains(cells: int, sampling: float | None = 0.15, seed: int = 0, spacing: float = 14.0) -> Example:
    """Columns on `cells` x 1.2 `cells` cells, the centers moved up in the right half, down in the left."""
    rng = np.random.default_rng(seed)
    rows, cols = np.indices((cells, int(1.2 * cells))).reshape(2, -1)
    corner = np.stack([rows, cols], axis=1) * spacing + spacing / 2
    body = corner + spacing / 2
    domain = (cols > 0.6 * cells).astype(int)
    body[:, 0] += np.where(domain == 1, -0.06, 0.06) * spacing
    yx = np.concatenate([corner, body]) + rng.normal(0, 0.02 * spacing, (2 * len(corner), 2))
    domain = np.tile(domain, 2)
    sublattice = np.repeat([0, 1], len(corner))
    shape = (int((cells + 0.5) * spacing) + 1, int((int(1.2 * cells) + 0.5) * spacing) + 1)

    blobs = _blobs(yx, np.where(sublattice == 0, 1.0, 0.55), shape, 0.2 * spacing)
    image = rng.poisson(40 * blobs + 4).astype(np.float32)
    probability = np.clip(_blobs(yx, np.ones(len(yx)), shape, 0.12 * spacing), 0, 1)
    fields = {"sublattice": sublattice, "score": rng.random(len(yx)).astype(np.float32)}
    columns = Columns(yx, shape, sampling, fields)

    values = _neighbors(yx, sublattice, spacing) * (sampling or 1.0)
    valid = np.isfinite(values).all(axis=1)
    mean = values[valid].mean(axis=0)
    _, size, components = np.linalg.svd(values[valid] - mean, full_matrices=False)
    scores = (values - mean) @ components.T
    return Example(
        image, columns, probability, values, domain, scores, components, mean, size**2 / (size**2).sum()
    )


def _neighbors(yx, sublattice, spacing):
    """Vectors from each column to its four nearest of the other sublattice, one per quadrant."""
    values = np.full((len(yx), 4, 2), np.nan)
    for own in (0, 1):
        here, there = np.flatnonzero(sublattice == own), np.flatnonzero(sublattice != own)
        for i, step in enumerate(((-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5))):
            ideal = yx[here] + spacing * np.array(step)
            distance, nearest = cKDTree(yx[there]).query(ideal)
            found = yx[there[nearest]] - yx[here]
            values[here, i] = np.where(distance[:, None] < 0.3 * spacing, found, np.nan)
    values[np.isnan(values).any(axis=(1, 2))] = np.nan
    return values.reshape(len(yx), 8)


def _blobs(yx, height, shape, sigma):
    image = np.zeros(shape)
    reach = int(4 * sigma)
    for (y, x), h in zip(yx, height, strict=True):
        r = np.arange(max(int(y) - reach, 0), min(int(y) + reach + 1, shape[0]))
        c = np.arange(max(int(x) - reach, 0), min(int(x) + reach + 1, shape[1]))
        image[np.ix_(r, c)] += h * np.exp(-(((r - y) ** 2)[:, None] + (c - x) ** 2) / (2 * sigma**2))
    return image
