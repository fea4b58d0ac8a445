"""Small crystals for contests of methods: neighborhoods as vectors or as patches, with the noise of a dose."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from stemnet.descriptors.table import Descriptors

SIDE = 36
"""Neighborhoods along an edge of a crystal."""
WIDTH = 0.5
"""Sigma of a column [A]."""
CROSS_SECTION = 0.25
"""Electrons of a column for a dose of one [A^2]; about Sr in 12 nm."""
DOSE = 1000.0
"""[e-/A^2]"""
BACKGROUND = 0.1
"""Of a patch, in parts of a column's peak."""
SAMPLING = 0.3
"""Of patches [A/px]."""
PATCH = 28
"""Side of a patch [px]."""
WAVES = 6
"""Plane waves in a smooth field."""


@dataclass(frozen=True)
class Question:
    """What a world asks of the methods.

    Parameters
    ----------
    score : str
        Name of the number that answers it, such as ``ari_other``; larger is better.
    what : str
        In words, what is to be found: ``"the phases"``.
    unit : str
        How the number is called in sentences: ``"ARI"``.
    """

    score: str
    what: str
    unit: str


@dataclass(frozen=True)
class ContestWorld:
    """Neighborhoods of one image, with all that was planted in them.

    Parameters
    ----------
    name : str
    question : Question
    rows : ndarray, shape (N, D) or (N, H, W)
        What every method is given: neighbor vectors [A], or patches [electrons].
    vectors : Descriptors
        Neighbor vectors of the same neighborhoods, for methods that look at angles.
    labels : mapping of str to ndarray of int, shape (N,)
        Planted classes.
    variables : mapping of str to ndarray, shape (N,)
        Planted quantities.
    angle : ndarray, shape (N,), or None
        How a neighborhood was turned [rad].
    fold : ndarray of int, shape (N,), or None
        Turns by 2 pi / fold leave the neighborhood as it is.
    rare : str
        Name of the labels of which class 1 is rare; empty if none.
    """

    name: str
    question: Question
    rows: np.ndarray
    vectors: Descriptors
    labels: dict[str, np.ndarray] = field(default_factory=dict)
    variables: dict[str, np.ndarray] = field(default_factory=dict)
    angle: np.ndarray | None = None
    fold: np.ndarray | None = None
    rare: str = ""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def yx(self) -> np.ndarray:
        """Where each row belongs, (N, 2)."""
        return self.vectors.yx

    @property
    def classes(self) -> int:
        """Planted classes of the first labels; 3 where there are none."""
        return len(np.unique(next(iter(self.labels.values())))) if self.labels else 3


def position_noise(dose: float = DOSE) -> float:
    """Standard error of a position along an axis [A], the width over the root of the electrons.

    The Cramer-Rao bound of a Gaussian column without background (Snyder and
    Miller, Random Point Processes in Time and Space, 1991).
    """
    return WIDTH / np.sqrt(dose * CROSS_SECTION)


def sites(spacing: float = 4.0, side: int = SIDE) -> np.ndarray:
    """Middles of the neighborhoods on a square lattice [A], (side^2, 2)."""
    return spacing * np.stack(np.divmod(np.arange(side**2), side), axis=1)


def smooth_field(yx: np.ndarray, period: float, rng: np.random.Generator) -> np.ndarray:
    """Plane waves of about a period [A] at places (N, 2): (N,), of mean 0 and variance 1."""
    way = rng.uniform(0, 2 * np.pi, WAVES)
    wave = np.stack([np.sin(way), np.cos(way)]) * 2 * np.pi / (period * rng.uniform(0.7, 1.4, WAVES))
    values = np.cos(yx @ wave + rng.uniform(0, 2 * np.pi, WAVES)).sum(axis=1)
    return (values - values.mean()) / values.std()


def grains(yx: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Numbers of the grains that places (N, 2) lie in: of those nearest to `count` seeds."""
    seeds = rng.uniform(yx.min(axis=0), yx.max(axis=0), (count, 2))
    return ((yx[:, None] - seeds) ** 2).sum(axis=2).argmin(axis=1)


def caged_vectors(yx: np.ndarray, cages: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """Vectors from each center to the four corners of its cage, as measured.

    Each column has one error, so that neighborhoods share those of their corners.

    Parameters
    ----------
    yx : ndarray, shape (side^2, 2)
        Of `sites`.
    cages : ndarray, shape (side^2, 4, 2)
        True vectors, in the order of `CAGE`.
    noise : float
        [A]
    rng : Generator

    Returns
    -------
    ndarray, shape (side^2, 4, 2)
    """
    side = round(np.sqrt(len(yx)))
    center = noise * rng.normal(size=(side, side, 1, 2))
    corner = noise * rng.normal(size=(side + 1, side + 1, 2))
    around = np.stack([corner[1:, 1:], corner[1:, :-1], corner[:-1, :-1], corner[:-1, 1:]], axis=2)
    return cages + (around - center).reshape(-1, 4, 2)


CAGE = 2.0 * np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0], [-1.0, 1.0]])
"""Corners around a center (y, x) [A], by angle."""


def turned(vectors: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Vectors (N, k, 2), each row turned by its angle from +x towards +y."""
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    y, x = vectors[..., 0], vectors[..., 1]
    return np.stack([x * s + y * c, x * c - y * s], axis=2)


def photographed(
    places: np.ndarray, heights: np.ndarray, rng: np.random.Generator, dose: float = DOSE, size: int = PATCH
) -> np.ndarray:
    """Patches of Gaussian columns, in electrons counted.

    Parameters
    ----------
    places : ndarray, shape (N, k, 2)
        From the middle of the patch [A].
    heights : ndarray, shape (N, k)
        In parts of a column of `CROSS_SECTION`.
    rng : Generator
    dose : float
        [e-/A^2]
    size : int
        [px]

    Returns
    -------
    ndarray, shape (N, size, size)
    """
    offset = SAMPLING * (np.arange(size) - (size - 1) / 2)
    y = np.exp(-((offset - places[..., :1]) ** 2) / (2 * WIDTH**2))
    x = np.exp(-((offset - places[..., 1:]) ** 2) / (2 * WIDTH**2))
    peak = dose * CROSS_SECTION * SAMPLING**2 / (2 * np.pi * WIDTH**2)
    expected = np.einsum("nk,nky,nkx->nyx", heights, y, x)
    return rng.poisson(peak * (expected + BACKGROUND)).astype(float)


def described(vectors: np.ndarray, yx: np.ndarray) -> Descriptors:
    """Vectors (N, k, 2) [A] as descriptors, each row's by angle from +x."""
    order = np.argsort(np.arctan2(vectors[..., 0], vectors[..., 1]) % (2 * np.pi), axis=1)
    vectors = np.take_along_axis(vectors, order[..., None], axis=1)
    names = tuple(f"r{i}{axis}_A" for i in range(vectors.shape[1]) for axis in "yx")
    return Descriptors(vectors.reshape(len(vectors), -1), names, yx, np.ones(len(vectors), bool))
