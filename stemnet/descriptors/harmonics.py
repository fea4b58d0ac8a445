"""Circular harmonics: the same patch, in numbers that a rotation only turns.

Functions f_mj(r) exp(i m theta) on the disk in a patch, f_mj a Bessel function,
are the waves of a drum (Zhao and Singer, J. Opt. Soc. Am. A 30, 871, 2013).
Turning a patch by phi multiplies its numbers of order m by exp(i m phi), so
that a model of patches can turn, compare and align them without any resampling.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import jn_zeros, jv

from stemnet.errors import StemnetError

BAND = 0.5
"""Finest waves, in parts of what the pixels can hold; columns of sigma 2 px have 1 % of their amplitude beyond."""
BEYOND = 1.15
"""Radius at which waves end, in radii of the disk: on its rim they may have any value."""
RIM = 0.4
"""Outer part of the disk, in radii, in which pixels count less and less: a hard rim of square pixels is not round."""
HELD = 1e-2
"""Waves of which less than this part lies in the disk are left out."""
STEP = 1e-3
"""Of the differences that make generators [px]."""


@dataclass(frozen=True)
class Harmonics:
    """An orthonormal basis on the disk in a square patch.

    Parameters
    ----------
    size : int
        Side of the patch [px]; the disk has this diameter.
    orders : ndarray of int, shape (D,)
        Order m of each function, 0 or more.
    waves : ndarray, shape (size * size, 2 * D)
        Real parts, then imaginary parts (zero for order 0), on the pixels.
    weight : ndarray, shape (size * size,)
        How much each pixel counts: 1 inside, less and less on the rim of the
        disk, 0 outside. The functions are orthonormal under it.
    shift_y, shift_x, growth : ndarray, shape (2 * D, 2 * D)
        Generators: what a shift of one pixel, and a growth of the logarithm of
        the scale by one, add to the numbers, for small ones.
    """

    size: int
    orders: np.ndarray
    waves: np.ndarray
    weight: np.ndarray
    shift_y: np.ndarray
    shift_x: np.ndarray
    growth: np.ndarray

    @property
    def inside(self) -> np.ndarray:
        """Pixels of the disk, (size * size,)."""
        return self.weight > 0

    def numbers(self, patches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of patches, and what they leave over.

        Parameters
        ----------
        patches : ndarray, shape (N, size, size)

        Returns
        -------
        numbers : ndarray, shape (N, 2 * D)
        rest : ndarray, shape (N,)
            Weighted sum of squares that no function stands for.
        """
        flat = np.asarray(patches).reshape(len(patches), -1)
        numbers = (flat * self.weight) @ self.waves
        rest = flat**2 @ self.weight - (numbers**2).sum(axis=1)
        return numbers, np.maximum(rest, 0.0)

    def patches(self, numbers: np.ndarray) -> np.ndarray:
        """Patches (N, size, size) of numbers (N, 2 * D); zero outside of the disk."""
        return (np.asarray(numbers) @ (self.waves * self.inside[:, None]).T).reshape(-1, self.size, self.size)


@lru_cache(maxsize=8)
def harmonics(size: int, band: float = BAND) -> Harmonics:
    """Build the basis for patches of a size.

    Parameters
    ----------
    size : int
        [px], 4 or more.
    band : float
        Finest waves, in parts of the pixels' limit of half a period per pixel.

    Raises
    ------
    StemnetError
        If the size or the band leaves no basis.
    """
    if size < 4 or not 0 < band <= 1:
        raise StemnetError(
            f"Circular harmonics of patches of {size} px with band={band} were asked for; patches need 4 px, and the "
            "band is more than 0 and at most 1."
        )
    axis = np.arange(size) - (size - 1) / 2
    y, x = (grid.ravel() for grid in np.meshgrid(axis, axis, indexing="ij"))
    radius, whole = size / 2, BEYOND * size / 2
    zeros = _zeros(band * np.pi * whole)
    raw_orders = np.array([m for m, roots in enumerate(zeros) for _ in roots])
    roots = np.concatenate(zeros)
    out = np.clip((np.hypot(y, x) / radius - (1 - RIM)) / RIM, 0, 1)
    weight = np.cos(np.pi / 2 * out) ** 2 * (out < 1)
    raw = _functions(raw_orders, roots, y, x, whole)
    orders, mixing = _orthonormal(raw_orders, raw * np.sqrt(weight)[:, None])
    waves = raw @ mixing
    # what is moved comes in over the rim: waves go on beyond it
    moves = []
    for dy, dx, ds in ((STEP, 0.0, 0.0), (0.0, STEP, 0.0), (0.0, 0.0, STEP)):
        ahead, behind = (
            _functions(
                raw_orders, roots, (y - s * dy) * np.exp(-s * ds), (x - s * dx) * np.exp(-s * ds), whole
            )
            for s in (1, -1)
        )
        slope = (ahead - behind) / (2 * STEP) @ mixing
        moves.append((waves * weight[:, None]).T @ slope)
    return Harmonics(size, orders, waves, weight, *(move.T for move in moves))


def _zeros(highest: float) -> list[np.ndarray]:
    """Zeros of the Bessel functions of order 0, 1, ... that are no higher."""
    zeros = []
    for m in range(int(highest) + 1):
        roots = jn_zeros(m, int(highest / np.pi) + 2)
        if roots[0] > highest:
            break
        zeros.append(roots[roots <= highest])
    return zeros


def _functions(
    orders: np.ndarray, roots: np.ndarray, y: np.ndarray, x: np.ndarray, radius: float
) -> np.ndarray:
    """Waves on pixels, (P, 2 D): real and imaginary parts."""
    r, angle = np.hypot(y, x)[:, None] / radius, np.arctan2(y, x)[:, None]
    radial = jv(orders, roots * r)
    return np.concatenate([radial * np.cos(orders * angle), radial * np.sin(orders * angle)], axis=1)


def _orthonormal(orders: np.ndarray, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orders of functions that are orthonormal on the pixels, and the matrix that makes them of raw ones.

    Functions of one order are mixed, real and imaginary parts alike: else a turn would not be a product any more.
    """
    d = len(orders)
    kept, columns = [], []
    for m in np.unique(orders):
        rows = np.nonzero(orders == m)[0]
        gram = raw[:, rows].T @ raw[:, rows]
        if m > 0:
            gram = (gram + raw[:, rows + d].T @ raw[:, rows + d]) / 2
        value, vector = np.linalg.eigh(gram)
        good = value > HELD * value.max()
        kept += [m] * int(good.sum())
        columns += [(rows, mixed) for mixed in (vector[:, good] / np.sqrt(value[good])).T]
    mixing = np.zeros((2 * d, 2 * len(kept)))
    for number, ((rows, mixed), m) in enumerate(zip(columns, kept, strict=True)):
        mixing[rows, number] = mixed
        if m > 0:
            mixing[rows + d, number + len(kept)] = mixed
    return np.array(kept), mixing
