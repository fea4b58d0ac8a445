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
LIKE, ALIKE = 0.35, 0.6
"""Difference of log heights at which candidates hardly are of one kind: those that are seen well, and the faintest."""
OF_NOTE = 1.5
"""Standard errors above nothing from which a candidate is of note."""
FARTHEST = 1.5
"""A candidate further from a place is not there [widths]."""
PLACES = 24
"""Places by which chance is told."""


def echoes(
    yx: np.ndarray,
    score: np.ndarray,
    height: np.ndarray,
    significance: np.ndarray,
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
    significance : ndarray, shape (N,)
        Standard errors above nothing.
    around : ndarray of int, shape (N, K)
        Nearest candidates of each.
    width : float
        Sigma of a column [px].
    shape : tuple of int
        Of the image.

    Returns
    -------
    ndarray, shape (N, 7)
        Mean score, and mean log of 1 + the significance, of what lies where
        the candidate would repeat; the mean score of what lies where its
        neighbors would: 0 without a lattice, near 1 in a perfect one; the
        share of the places where it would repeat at which there is anything of
        note, and anything of note of like height; and both shares again, for
        places that have nothing to do with the lattice. A faint sublattice
        whose columns are doubtful one by one is there far more often than
        chance would have it.
    """
    none = np.zeros((len(yx), 7))
    if len(yx) < 3 or not (score > 0).any():
        return none
    vectors = lattice_vectors(yx, score, height, width) / (CELL * width)
    if not len(vectors):
        return none
    size = tuple(int(np.ceil(length / (CELL * width))) + 1 for length in shape)
    cells = yx / (CELL * width)
    nearest = _nearest_to_cells(cells, size)
    noted, strength = (significance >= OF_NOTE).astype(float), np.log1p(significance)

    def seen(vector: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Whether a place is in the image, what is there, how well it is met, and how like what is there is."""
        place = cells + vector
        cell = np.rint(place).astype(int)
        inside = np.all((cell >= 0) & (cell < size), axis=1)
        there = nearest[tuple(cell.clip(0, np.array(size) - 1).T)]
        met = inside & (there >= 0)
        there = np.where(met, there, 0)
        apart = ((cells[there] - place) ** 2).sum(axis=1) * (CELL / TOLERANCE) ** 2
        return (
            inside,
            there,
            np.where(met, np.exp(-0.5 * apart), 0.0),
            np.exp(-0.5 * ((height[there] - height) / ALIKE) ** 2),
        )

    total, weight = np.zeros((5, len(yx))), np.zeros(len(yx))
    trusted = score[around]
    trust = np.maximum(trusted.sum(axis=1), 1e-9)
    for vector in vectors:
        inside, there, met, like = seen(vector)
        found, present = met * score[there], met * noted[there]
        share = (trusted * found[around]).sum(axis=1) / trust
        vote = np.where(inside, share**2, 0.0)
        for row, value in zip(
            total, (found, met * strength[there], share, present, present * like), strict=True
        ):
            row += vote * value
        weight += vote
    chance, places = np.zeros((2, len(yx))), np.zeros(len(yx))
    for vector in _places() / CELL:
        inside, there, met, like = seen(vector)
        present = met * noted[there]
        chance += (present, present * like)
        places += inside
    return np.column_stack([*(total / np.maximum(weight, 1e-12)), *(chance / np.maximum(places, 1.0))])


def _nearest_to_cells(cells: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """Row of the candidate nearest to each cell of a map, of places in cells (N, 2); -1 where there is none about."""
    nearest = np.full(size, -1, dtype=np.int32)
    place = np.rint(cells).astype(int)
    reach = int(np.ceil(FARTHEST / CELL))
    steps = np.argwhere(np.ones((2 * reach + 1,) * 2)) - reach
    length = (steps**2).sum(axis=1)
    # The nearest come last and stay.
    for step in steps[np.argsort(-length, kind="stable")]:
        if (step**2).sum() <= reach**2:
            row, col = (place + step).T
            inside = (row >= 0) & (row < size[0]) & (col >= 0) & (col < size[1])
            nearest[row[inside], col[inside]] = np.flatnonzero(inside)
    return nearest


def _places() -> np.ndarray:
    """Steps (`PLACES`, 2) that fill the ring in which lattice vectors lie, and repeat nowhere [widths].

    A sunflower (H. Vogel, Mathematical Biosciences 44, 179, 1979) in four turns: no orientation is preferred.
    """
    number = np.arange(PLACES // 4)
    length = np.sqrt(SHORTEST**2 + (REACH**2 - SHORTEST**2) * (number + 0.5) / len(number))
    angle = number * np.pi * (3 - np.sqrt(5))
    y, x = length * np.sin(angle), length * np.cos(angle)
    return np.column_stack([np.concatenate([y, x, -y, -x]), np.concatenate([x, -y, -x, y])])


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
