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
    band : float
        Finest waves; see `harmonics`.
    """

    size: int
    orders: np.ndarray
    waves: np.ndarray
    weight: np.ndarray
    band: float = BAND

    @property
    def shift_y(self) -> np.ndarray:
        """Generator, (2 * D, 2 * D): what a small shift adds to the numbers, for one pixel."""
        return _generators(self.size, self.band)[0]

    @property
    def shift_x(self) -> np.ndarray:
        """The same along x."""
        return _generators(self.size, self.band)[1]

    @property
    def growth(self) -> np.ndarray:
        """Generator, (2 * D, 2 * D): what a small growth adds, for one of the logarithm of the scale."""
        return _generators(self.size, self.band)[2]

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
    drum = _Drum.of(size, band)
    modes = [(m, values) for m, _, values in drum.modes]
    return Harmonics(size, drum.orders, _on_pixels(drum.angle, modes, 0), drum.weight, band)


@dataclass(frozen=True)
class _Drum:
    """Waves by their order, along the radii that pixels have: few, since they lie on a square lattice.

    Parameters
    ----------
    radius, angle, weight : ndarray, shape (P,)
        Of the pixels [px], [rad].
    modes : tuple of (int, ndarray, ndarray)
        Of each order: the order; wave numbers [1/px] by modes, which mix waves
        so that they are orthonormal (n, d); and the modes on the pixels' radii (P, d).
    """

    radius: np.ndarray
    angle: np.ndarray
    weight: np.ndarray
    modes: tuple[tuple[int, tuple[np.ndarray, np.ndarray], np.ndarray], ...]

    @property
    def orders(self) -> np.ndarray:
        """Of each mode, (D,)."""
        return np.concatenate([np.full(values.shape[1], m) for m, _, values in self.modes])

    @classmethod
    def of(cls, size: int, band: float) -> _Drum:
        """For a patch; see `harmonics`."""
        axis = np.arange(size) - (size - 1) / 2
        y, x = (grid.ravel() for grid in np.meshgrid(axis, axis, indexing="ij"))
        square, place, count = np.unique(np.rint(4 * (y**2 + x**2)), return_inverse=True, return_counts=True)
        radius = np.sqrt(square) / 2
        out = np.clip((radius / (size / 2) - (1 - RIM)) / RIM, 0, 1)
        weight = np.cos(np.pi / 2 * out) ** 2 * (out < 1)
        whole = BEYOND * size / 2
        modes = []
        for m, roots in enumerate(_zeros(band * np.pi * whole)):
            waves = jv(m, radius[:, None] * (roots / whole))
            # half of the sum over pixels: as much as a real or an imaginary part has
            gram = (waves * (weight * count)[:, None]).T @ waves / (2 if m else 1)
            value, vector = np.linalg.eigh(gram)
            good = value > HELD * value.max()
            mixing = vector[:, good] / np.sqrt(value[good])
            modes.append((m, (roots / whole, mixing), (waves @ mixing)[place]))
        return cls(radius[place], np.arctan2(y, x), weight[place], tuple(modes))


def _on_pixels(angle: np.ndarray, modes: list[tuple[int, np.ndarray]], kind: int) -> np.ndarray:
    """Radial values (P, d) times waves around of their order, (P, 2 D): real, then imaginary parts.

    Kind 0 is exp(i m angle), kind 1 the same times i.
    """
    around = [(np.cos(m * angle)[:, None], np.sin(m * angle)[:, None]) for m, _ in modes]
    real = [values * (c if kind == 0 else -s) for (_, values), (c, s) in zip(modes, around, strict=True)]
    imaginary = [values * (s if kind == 0 else c) for (_, values), (c, s) in zip(modes, around, strict=True)]
    return np.concatenate([*real, *imaginary], axis=1)


@lru_cache(maxsize=4)
def _generators(size: int, band: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of shifts along y and x [1/px], and of growth, (2 D, 2 D) each.

    With f = J_m(k r) exp(i m angle), the derivative along x is k / 2 times J_m-1
    exp(i (m - 1) angle) - J_m+1 exp(i (m + 1) angle), along y i k / 2 times the
    sum of these, and r df/dr is k r (J_m-1 - J_m+1) / 2 exp(i m angle). What is
    moved forward is read farther back: hence the minus.
    """
    drum, waves = _Drum.of(size, band), harmonics(size, band)
    square, place = np.unique(np.rint(4 * drum.radius**2), return_inverse=True)
    radius = np.sqrt(square) / 2
    lower, upper, grown = [], [], []
    for m, (number, mixing), _ in drum.modes:
        below, above = (
            (jv(order, radius[:, None] * number) * (number / 2) @ mixing)[place] for order in (m - 1, m + 1)
        )
        lower.append((m - 1, below))
        upper.append((m + 1, above))
        grown.append((m, drum.radius[:, None] * (below - above)))
    weighted = (waves.waves * drum.weight[:, None]).T
    slopes = (
        _on_pixels(drum.angle, lower, 1) + _on_pixels(drum.angle, upper, 1),
        _on_pixels(drum.angle, lower, 0) - _on_pixels(drum.angle, upper, 0),
        _on_pixels(drum.angle, grown, 0),
    )
    # the imaginary parts of order 0 are nothing, and stay so
    there = np.concatenate([waves.orders >= 0, waves.orders > 0])
    moves = [-(weighted @ (slope * there)).T for slope in slopes]
    return moves[0], moves[1], moves[2]


def _zeros(highest: float) -> list[np.ndarray]:
    """Zeros of the Bessel functions of order 0, 1, ... that are no higher."""
    zeros = []
    for m in range(int(highest) + 1):
        roots = jn_zeros(m, int(highest / np.pi) + 2)
        if roots[0] > highest:
            break
        zeros.append(roots[roots <= highest])
    return zeros
