"""What repeats: candidates that have others where the lattice around them says that there should be.

A faint column at the lowest dose looks like a bump of the noise, but a bump
has nothing a lattice vector further on, where a column has its like. The
vectors are the peaks of the histogram of differences between candidates (the
Patterson function of crystallography: A. L. Patterson, Physical Review 46,
372, 1934), and each candidate trusts those that bear out its neighbors: grains
have each their own, and a support has none.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import maximum_filter
from scipy.spatial import cKDTree

from stemnet.detection.smoothing import gaussian_mean

REACH = 20.0
"""Vectors are at most so long [widths]."""
SHORTEST = 2.0
"""Vectors are longer than this [widths]."""
CELL = 0.5
"""Side of a cell of the histogram and of the map [widths]."""
TOLERANCE = 1.0
"""Standard deviation of the distance at which an echo is one [widths]: strain, and positions at the lowest dose."""
VOTERS = 4000
"""Candidates whose differences are counted."""
VECTORS, WEAKEST = 48, 0.25
"""Vectors that are followed, and the share of the best one's support that each has."""
LIKE = 0.35
"""Difference of log heights at which candidates hardly are of one kind."""


def echoes(
    yx: np.ndarray,
    score: np.ndarray,
    height: np.ndarray,
    strength: np.ndarray,
    around: np.ndarray,
    width: float,
    shape: tuple[int, ...],
) -> np.ndarray:
    """How well each candidate repeats as its neighbors do.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        [px]
    score : ndarray, shape (N,)
        Probability of being a column, as far as it is known.
    height : ndarray, shape (N,)
        Logarithm of the height.
    strength : ndarray, shape (N,)
        Logarithm of 1 + the significance.
    around : ndarray of int, shape (N, K)
        Nearest candidates of each.
    width : float
        Sigma of a column [px].
    shape : tuple of int
        Of the image.

    Returns
    -------
    ndarray, shape (N, 3)
        Mean score, and mean strength, of what lies where the candidate would
        repeat; and the mean score of what lies where its neighbors would: 0
        without a lattice, near 1 in a perfect one.
    """
    none = np.zeros((len(yx), 3))
    if len(yx) < 3 or not (score > 0).any():
        return none
    vectors = lattice_vectors(yx, score, height, width)
    if not len(vectors):
        return none
    size = tuple(int(np.ceil(length / (CELL * width))) + 1 for length in shape)
    cells = yx / (CELL * width)
    places = np.rint(cells).astype(int).clip(0, np.array(size) - 1)
    maps = []
    for value in (score, strength):
        sharp = np.zeros(size)
        np.maximum.at(sharp, tuple(places.T), value)
        # Columns stand apart: each is one bump of its own value.
        maps.append(gaussian_mean(sharp, TOLERANCE / CELL) * 2 * np.pi * (TOLERANCE / CELL) ** 2)
    support, weight = np.zeros(len(yx)), np.zeros(len(yx))
    strong, local = np.zeros(len(yx)), np.zeros(len(yx))
    trusted = score[around]
    total = np.maximum(trusted.sum(axis=1), 1e-9)
    for vector in vectors / (CELL * width):
        there = np.rint(cells + vector).astype(int)
        inside = np.all((there >= 0) & (there < size), axis=1)
        row, col = there.clip(0, np.array(size) - 1).T
        found, significant = (np.where(inside, seen[row, col], 0.0) for seen in maps)
        share = (trusted * found[around]).sum(axis=1) / total
        vote = np.where(inside, share**2, 0.0)
        support += vote * np.minimum(found, 1.0)
        strong += vote * significant
        local += vote * share
        weight += vote
    return np.column_stack([support, strong, local]) / np.maximum(weight, 1e-12)[:, None]


def lattice_vectors(yx: np.ndarray, score: np.ndarray, height: np.ndarray, width: float) -> np.ndarray:
    """Vectors by which candidates repeat, the best first.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        [px]
    score, height : ndarray, shape (N,)
        As for `echoes`.
    width : float
        Sigma of a column [px].

    Returns
    -------
    ndarray, shape (V, 2)
        [px]; with each vector its opposite. None where nothing repeats.
    """
    voters = np.arange(len(yx))[:: -(-len(yx) // VOTERS)]
    near = cKDTree(yx[voters]).sparse_distance_matrix(cKDTree(yx), REACH * width, output_type="ndarray")
    first, second = voters[near["i"]], near["j"]
    alike = np.exp(-0.5 * ((height[first] - height[second]) / LIKE) ** 2)
    reach = int(np.ceil(REACH / CELL)) + 1
    cell = np.rint((yx[second] - yx[first]) / (CELL * width)).astype(int) + reach
    side = 2 * reach + 1
    counted = np.bincount(
        cell[:, 0] * side + cell[:, 1], score[first] * score[second] * alike, side * side
    ).reshape(side, side)
    counted = gaussian_mean(counted + counted[::-1, ::-1], TOLERANCE / CELL)
    length = np.hypot(*np.indices((side, side)) - reach) * CELL
    peak = (counted == maximum_filter(counted, 5)) & (length > SHORTEST) & (length < REACH) & (counted > 0)
    places = np.argwhere(peak)
    if not len(places):
        return np.zeros((0, 2))
    value = counted[peak]
    best = np.argsort(-value, kind="stable")[:VECTORS]
    best = best[value[best] > WEAKEST * value.max()]
    return (places[best] - reach) * CELL * width
