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
    basis : ndarray, shape (size * size, 2 * D)
        Real parts, then imaginary parts (zero for order 0), on the pixels;
        zero outside of the disk.
    inside : ndarray of bool, shape (size * size,)
        Pixels of the disk.
    shift_y, shift_x, growth : ndarray, shape (2 * D, 2 * D)
        Generators: what a shift of one pixel, and a growth of the logarithm of
        the scale by one, add to the numbers, for small ones.
    """

    size: int
    orders: np.ndarray
    basis: np.ndarray
    inside: np.ndarray
    shift_y: np.ndarray
    shift_x: np.ndarray
    growth: np.ndarray

    def numbers(self, patches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of patches, and what they leave over.

        Parameters
        ----------
        patches : ndarray, shape (N, size, size)

        Returns
        -------
        numbers : ndarray, shape (N, 2 * D)
        rest : ndarray, shape (N,)
            Sum of squares within the disk that no function stands for.
        """
        flat = np.asarray(patches).reshape(len(patches), -1)
        numbers = flat @ self.basis
        rest = (flat[:, self.inside] ** 2).sum(axis=1) - (numbers**2).sum(axis=1)
        return numbers, np.maximum(rest, 0.0)

    def patches(self, numbers: np.ndarray) -> np.ndarray:
        """Patches (N, size, size) of numbers (N, 2 * D); zero outside of the disk."""
        return (np.asarray(numbers) @ self.basis.T).reshape(-1, self.size, self.size)


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
    radius, highest = size / 2, band * np.pi * size / 2
    zeros = _zeros(highest)
    orders = np.array([m for m, roots in enumerate(zeros) for _ in roots])
    roots = np.concatenate(zeros)
    inside = np.hypot(y, x) <= radius
    raw = _functions(orders, roots, y, x, radius)
    raw[~inside] = 0.0
    mixing = _orthonormal(orders, raw)
    basis = raw @ mixing
    # drawn closer, pieces of the rim would leave the disk: waves go on beyond it
    moves = []
    for dy, dx, ds in ((STEP, 0.0, 0.0), (0.0, STEP, 0.0), (0.0, 0.0, STEP)):
        ahead, behind = (
            _functions(orders, roots, (y - s * dy) * np.exp(-s * ds), (x - s * dx) * np.exp(-s * ds), radius)
            for s in (1, -1)
        )
        moves.append(basis.T @ (((ahead - behind) / (2 * STEP)) * inside[:, None]) @ mixing)
    return Harmonics(size, orders, basis, inside, *(move.T for move in moves))


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


def _orthonormal(orders: np.ndarray, raw: np.ndarray) -> np.ndarray:
    """Matrix that makes the functions orthonormal on the pixels, mixing those of one order only."""
    d = len(orders)
    mixing = np.zeros((2 * d, 2 * d))
    for m in np.unique(orders):
        rows = np.nonzero(orders == m)[0]
        # the same mixing for both parts, or a turn would not be a product any more
        gram = raw[:, rows].T @ raw[:, rows]
        if m > 0:
            gram = (gram + raw[:, rows + d].T @ raw[:, rows + d]) / 2
        inverse = np.linalg.inv(np.linalg.cholesky(gram)).T
        mixing[np.ix_(rows, rows)] = inverse
        if m > 0:
            mixing[np.ix_(rows + d, rows + d)] = inverse
    return mixing
