"""What an autoencoder is given: rows made comparable, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from stemnet.descriptors.harmonics import Harmonics, harmonics
from stemnet.errors import StemnetError

SHIFT = 0.06
"""Standard deviation of a shift before a patch is seen, in parts of its side."""
GROWTH = 0.1
"""That of the logarithm of a scale."""
INVARIANCES = ("rotation", "rotation+translation", "rotation+scale", "rotation+translation+scale")


@dataclass(frozen=True)
class PlainRows:
    """Rows less their mean, over one scale for all numbers, so that a number of pure noise is not blown up.

    Parameters
    ----------
    mean : ndarray, shape (D,)
    scale : float
    """

    mean: np.ndarray
    scale: float

    @classmethod
    def of(cls, rows: np.ndarray) -> PlainRows:
        """Learn from rows (N, D)."""
        return cls(rows.mean(axis=0), float(np.sqrt(rows.var(axis=0).mean())) or 1.0)

    @property
    def values(self) -> int:
        """Measured values a row."""
        return len(self.mean)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """For the model, (N, D)."""
        return (rows - self.mean) / self.scale

    def back(self, numbers: np.ndarray) -> np.ndarray:
        """In the data's unit, (N, D)."""
        return numbers * self.scale + self.mean


@dataclass(frozen=True)
class Shares:
    """Rows of shares between 0 and 1, as they are.

    Parameters
    ----------
    count : int
        Numbers a row.
    """

    count: int
    scale: float = 1.0

    @classmethod
    def of(cls, rows: np.ndarray) -> Shares:
        """Learn from rows (N, D)."""
        if rows.min() < 0 or rows.max() > 1:
            raise StemnetError(
                f"Rows from {rows.min():.3g} to {rows.max():.3g} were given with likelihood='bernoulli', which is of "
                "shares between 0 and 1. Scale them, or take likelihood='gaussian'."
            )
        return cls(rows.shape[1])

    @property
    def values(self) -> int:
        """Numbers a row."""
        return self.count

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """For the model, (N, D)."""
        return rows

    def back(self, numbers: np.ndarray) -> np.ndarray:
        """Shares of logits, (N, D)."""
        return np.asarray(1 / (1 + np.exp(-numbers)))


@dataclass(frozen=True)
class TurningPatches:
    """Patches as numbers of circular harmonics, less one mean level, over one scale.

    Parameters
    ----------
    size : int
        Side of a patch [px]; what lies in its corners, outside of the disk, is not looked at.
    level, scale : float
        In the data's unit.
    """

    size: int
    level: float
    scale: float

    @classmethod
    def of(cls, rows: np.ndarray, shape: tuple[int, int]) -> TurningPatches:
        """Learn from flat patches (N, size * size)."""
        if shape[0] != shape[1]:
            raise StemnetError(
                f"Patches of {shape[0]} x {shape[1]} pixels were given; rotations need square ones. Cut them square."
            )
        inside = harmonics(shape[0]).inside
        return cls(shape[0], float(rows[:, inside].mean()), float(rows[:, inside].std()) or 1.0)

    @cached_property
    def waves(self) -> Harmonics:
        """The basis."""
        return harmonics(self.size)

    @property
    def orders(self) -> np.ndarray:
        """Of the complex numbers."""
        return self.waves.orders

    @property
    def values(self) -> int:
        """Pixels that count, those on the rim in part."""
        return round(float(self.waves.weight.sum()))

    def generators(self, invariance: str) -> tuple[list[np.ndarray], list[float]]:
        """Of the moves that an invariance names, and the standard deviations of these before a patch is seen."""
        moves, spreads = [], []
        if "translation" in invariance:
            moves, spreads = [self.waves.shift_y, self.waves.shift_x], [SHIFT * self.size] * 2
        if "scale" in invariance:
            moves, spreads = [*moves, self.waves.growth], [*spreads, GROWTH]
        return moves, spreads

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """For the model, (N, 2 D + 1): numbers, and the squares that they do not stand for."""
        numbers, rest = self.waves.numbers((rows - self.level) / self.scale)
        return np.column_stack([numbers, rest])

    def back(self, numbers: np.ndarray) -> np.ndarray:
        """In the data's unit, (N, size * size); the corners are at the mean level."""
        return self.waves.patches(numbers).reshape(len(numbers), -1) * self.scale + self.level


@dataclass(frozen=True)
class TurningVectors:
    """Vectors (y, x) of a row as complex numbers x + i y, over one scale: a rotation turns all of them.

    Parameters
    ----------
    count : int
        Vectors a row.
    scale : float
        In the data's unit.
    """

    count: int
    scale: float

    @classmethod
    def of(cls, rows: np.ndarray) -> TurningVectors:
        """Learn from rows (N, 2 k) of (y, x) after (y, x)."""
        if rows.shape[1] % 2:
            raise StemnetError(
                f"Rows of {rows.shape[1]} numbers were given; rotations need vectors (y, x), an even number, or "
                "patches (N, H, W)."
            )
        return cls(rows.shape[1] // 2, float(rows.std()) or 1.0)

    @property
    def orders(self) -> np.ndarray:
        """Of the complex numbers: a vector turns as often as the row."""
        return np.ones(self.count, dtype=int)

    @property
    def values(self) -> int:
        """Numbers a row."""
        return 2 * self.count

    def generators(self, invariance: str) -> tuple[list[np.ndarray], list[float]]:
        """Of the moves that an invariance names, and their spreads; vectors between columns know of no shift."""
        if "translation" in invariance:
            raise StemnetError(
                f"invariance={invariance!r} was asked for rows of vectors, which a shift leaves as they are. Leave out "
                "'translation', or give patches (N, H, W)."
            )
        return ([np.eye(self.values)], [GROWTH]) if "scale" in invariance else ([], [])

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """For the model, (N, 2 k + 1)."""
        y, x = rows[:, 0::2] / self.scale, rows[:, 1::2] / self.scale
        return np.column_stack([x, y, np.zeros(len(rows))])

    def back(self, numbers: np.ndarray) -> np.ndarray:
        """In the data's unit, (N, 2 k)."""
        x, y = np.split(numbers * self.scale, 2, axis=1)
        return np.stack([y, x], axis=2).reshape(len(numbers), -1)


Prepared = PlainRows | Shares | TurningPatches | TurningVectors


def prepared(rows: np.ndarray, shape: tuple[int, ...], invariance: str | None, likelihood: str) -> Prepared:
    """What makes rows (N, D) of patches of a shape, or of plain rows, ready for the model of an invariance.

    Raises
    ------
    StemnetError
        If invariance or likelihood does not exist or does not fit the rows.
    """
    if likelihood not in ("gaussian", "bernoulli") or (likelihood == "bernoulli" and invariance is not None):
        raise StemnetError(
            f"likelihood={likelihood!r} was asked for with invariance={invariance!r}; choose 'gaussian', or "
            "'bernoulli' without an invariance."
        )
    if invariance is None:
        return Shares.of(rows) if likelihood == "bernoulli" else PlainRows.of(rows)
    if invariance not in INVARIANCES:
        raise StemnetError(f"invariance={invariance!r} is not known; choose None, {', '.join(INVARIANCES)}.")
    return TurningPatches.of(rows, (shape[0], shape[1])) if len(shape) == 2 else TurningVectors.of(rows)
