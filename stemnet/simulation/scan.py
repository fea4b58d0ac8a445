"""Where columns appear once the scan has gone astray: the truth moves with the pixels.

Pixel (i, j) is taken at (i + dy, j + dx). What whole rows share is `rows`
(H, 2); what varies along a row besides is `within` (2, H, W) or None.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.simulation.artefacts.kinds import ScanError

CHUNK = 20_000
"""Columns that are placed at once: bounds the memory."""


@dataclass(frozen=True)
class Raster:
    """The offsets of a scan from its grid.

    Parameters
    ----------
    rows : ndarray, shape (H, 2)
        (dy, dx) of whole rows [px].
    within : ndarray or None, shape (2, 1 or H, 1 or W)
        dy and dx of pixels besides [px].
    """

    rows: np.ndarray
    within: np.ndarray | None = None

    def at(self, row: np.ndarray, col: np.ndarray) -> np.ndarray:
        """Offsets (2, ...) [px] of pixels (...), those outside the frame taken as the nearest inside."""
        row = np.clip(row, 0, len(self.rows) - 1)
        offsets = self.rows.T.take(row, axis=1)
        if self.within is not None:
            offsets += _looked_up(self.within, row, col)
        return offsets

    def within_at(self, row: np.ndarray, col: np.ndarray) -> np.ndarray:
        """What varies along a row of these offsets, between the pixels of it: (2, N) [px] at rows (N,), places (N,)."""
        if self.within is None:
            return np.zeros((2, len(row)))
        left = np.floor(col).astype(int)
        part = col - left
        row = np.clip(row, 0, len(self.rows) - 1)
        before, after = (_looked_up(self.within, row, place) for place in (left, left + 1))
        return (1 - part) * before + part * after

    def within_all(self, shape: tuple[int, int]) -> np.ndarray:
        """What varies along a row, of every pixel of a frame (2, H, W) [px]."""
        return np.broadcast_to(0.0 if self.within is None else self.within, (2, *shape))

    @property
    def largest(self) -> float:
        """Largest offset along an axis [px]."""
        inner = 0.0 if self.within is None else float(np.abs(self.within).max())
        return float(np.abs(self.rows).max(initial=0.0)) + inner


def _looked_up(within: np.ndarray, row: np.ndarray, col: np.ndarray) -> np.ndarray:
    """Values (2, ...) of `within` at rows in the frame and columns, those outside taken as the nearest inside."""
    _, high, wide = within.shape
    place = np.minimum(row, high - 1) * wide + np.clip(col, 0, wide - 1)
    return within.reshape(2, -1).take(place, axis=1)


def scanned(
    errors: tuple[ScanError, ...], shape: tuple[int, int], sampling: float, rng: np.random.Generator
) -> Raster:
    """Add up scan errors, each drawn once."""
    rows, within = np.zeros((shape[0], 2)), None
    for error in errors:
        shared, inner = error.offsets(shape, sampling, rng)
        rows = rows + shared
        if inner is not None:
            within = inner if within is None else within + inner
    return Raster(rows, None if within is None else within.astype(np.float32))


def apparent_positions(yx: np.ndarray, raster: Raster, profile: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Where columns appear: where a least-squares fit of their profile would find them.

    Rows that strayed carry their share of a column's light elsewhere. A fit
    weighs a row's stray along x by the square of its light there, and along y
    by the square of the light's slope: what moves the model is what counts. A
    maximum-likelihood fit on a dark ground weighs by the light itself, as a
    centroid does, and may differ by hundredths of a pixel where neighboring
    lines jitter by tenths.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        True positions on an ideal grid [px].
    raster : Raster
    profile : tuple of ndarray, each shape (P,)
        Even distances along y from 0 [px], and the light of a column there (`probe.marginal`).

    Returns
    -------
    ndarray, shape (N, 2)
    """
    yx = np.asarray(yx, dtype=float)
    if raster.largest == 0 or not len(yx):
        return yx.copy()
    parts = [_apparent(yx[start : start + CHUNK], raster, profile) for start in range(0, len(yx), CHUNK)]
    return np.concatenate(parts)


def _apparent(yx: np.ndarray, raster: Raster, profile: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    distance, light = profile
    step = distance[1]
    # Weights of a row along x and along y, and their slopes to interpolate between distances.
    steep = np.gradient(light, step) ** 2
    tables = [np.append(values, (0.0, 0.0)) for values in (light**2, steep)]
    slopes = [np.append(np.diff(values), 0.0) for values in tables]
    reach = int(np.ceil(distance[-1])) + 1
    window = np.arange(-reach, reach + 1)
    first = np.rint(yx).astype(int)
    apparent = yx - raster.at(first[:, 0], first[:, 1]).T
    for _ in range(2 if raster.within is None else 3):
        middle = np.rint(apparent).astype(int)
        row = middle[:, :1] + window
        dy, dx = raster.at(row, middle[:, 1:])
        away = np.minimum(np.abs(row - yx[:, :1] + dy) / step, len(light))
        place = away.astype(int)
        stray = []
        for table, slope, offset in zip(tables[::-1], slopes[::-1], (dy, dx), strict=True):
            weight = table.take(place) + (away - place) * slope.take(place)
            stray.append((weight * offset).sum(1) / np.maximum(weight.sum(1), 1e-12))
        apparent = yx - np.stack(stray, axis=1)
        if raster.within is not None:
            # Within a row the offset is that of the place itself, not of the pixel it was read at.
            read, here = (raster.within_at(middle[:, 0], col) for col in (middle[:, 1], apparent[:, 1]))
            apparent[:, 1] += read[1] - here[1]
    return apparent
