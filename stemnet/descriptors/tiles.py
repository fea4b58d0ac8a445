"""Tiles: an image cut into squares side by side, one row of numbers for each.

Coarser than windows that slide, and independent of each other: for maps of a
large field of view, and for statistics that overlap would spoil.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.spectra_stream import window_spectra
from stemnet.descriptors.table import Descriptors
from stemnet.descriptors.windows import Windows
from stemnet.errors import StemnetError

STATISTICS = ("mean_au", "deviation_au", "skewness_1", "kurtosis_1", "gradient_au")


def tile_spectra(image: np.ndarray, size: int, *, log: bool = False, highest: float = 0.5) -> Descriptors:
    """Fourier magnitudes of every tile: `window_spectra` without overlap.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    size : int
        Side of a tile [px].
    log, highest
        See `Windows`.

    Returns
    -------
    Descriptors
    """
    return replace(window_spectra(image, Windows(size, size, log=log, highest=highest)), row="tile")


def tile_statistics(image: np.ndarray, size: int, missing: float = 0.1) -> Descriptors:
    """Moments of the pixels of every tile.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        NaN where nothing was measured.
    size : int
        Side of a tile [px].
    missing : float
        Share of a tile's pixels that may be NaN; with more it is masked.

    Returns
    -------
    Descriptors
        ``mean``, ``deviation`` and ``gradient`` (root mean square difference of
        adjacent pixels) in the unit of the image; ``skewness``, ``kurtosis``
        (0 for a Gaussian), both 0 in a tile of one value.

    Raises
    ------
    StemnetError
        If the image is none, or smaller than a tile.
    """
    image = np.asarray(image)
    if image.ndim != 2 or image.dtype.kind not in "fiub":
        raise StemnetError(
            f"Tiles were asked for of an array of shape {image.shape} and type {image.dtype}; "
            "a real image (rows, columns) is needed. Pass one frame."
        )
    plan = Windows(size, size, missing=missing)
    tiles = _tiles(image.astype(np.float64), plan)
    known = np.isfinite(tiles)
    valid = np.asarray(1 - known.mean(axis=(1, 2)) <= plan.missing)
    values = np.full((len(tiles), len(STATISTICS)), np.nan)
    pixels = tiles[valid]
    mean = np.nanmean(pixels, axis=(1, 2))
    away = pixels - mean[:, None, None]
    deviation = np.sqrt(np.nanmean(away**2, axis=(1, 2)))
    unit = away / np.where(deviation > 0, deviation, 1.0)[:, None, None]
    uneven = np.where(deviation > 0, np.nanmean(unit**4, axis=(1, 2)) - 3, 0.0)
    steps = [np.nanmean(np.diff(pixels, axis=axis) ** 2, axis=(1, 2)) for axis in (1, 2)]
    gradient = np.sqrt(np.mean(steps, axis=0))
    values[valid] = np.stack([mean, deviation, np.nanmean(unit**3, axis=(1, 2)), uneven, gradient], axis=1)
    return Descriptors(values, STATISTICS, plan.centers(image.shape), valid, row="tile")


def tile_means(descriptors: Descriptors, columns: Columns, size: int, least: int = 1) -> Descriptors:
    """Mean of the column descriptors of every tile.

    Parameters
    ----------
    descriptors : Descriptors
        Row i of column i; rows that are not valid do not count.
    columns : Columns
        Of one frame.
    size : int
        Side of a tile [px]; tiles are centered, the rim that none fills is left out.
    least : int
        Valid columns that a tile needs; with fewer it is masked.

    Returns
    -------
    Descriptors
        The same names, and ``columns_1``, how many there were.

    Raises
    ------
    StemnetError
        If rows and columns differ in number, or there are several frames.
    """
    if len(descriptors) != len(columns):
        raise StemnetError(
            f"{len(descriptors)} rows of descriptors came with {len(columns)} columns; one row per column is needed. "
            "Pass the columns that were described."
        )
    if "frame" in columns and len(np.unique(columns["frame"])) > 1:
        raise StemnetError(
            f"Columns of {len(np.unique(columns['frame']))} frames were given; tiles are those of one frame. "
            "Select the columns of one frame."
        )
    plan = Windows(size, size)
    tops, lefts = plan.starts(columns.shape)
    # pixel centers sit at integers: a tile reaches half a pixel beyond its first and last
    place = np.floor((columns.yx + 0.5 - [tops[0], lefts[0]]) / size)
    inside = ((place >= 0) & (place < [len(tops), len(lefts)])).all(axis=1) & descriptors.valid
    tile = (place[inside] @ [len(lefts), 1]).astype(int)
    n = len(tops) * len(lefts)
    count = np.bincount(tile, minlength=n)
    total = np.zeros((n, descriptors.values.shape[1]))
    np.add.at(total, tile, descriptors.values[inside])
    valid = count >= max(1, least)
    values = np.column_stack([total / np.maximum(count, 1)[:, None], count])
    values[~valid] = np.nan
    return Descriptors(
        values, (*descriptors.names, "columns_1"), plan.centers(columns.shape), valid, row="tile"
    )


def _tiles(image: np.ndarray, plan: Windows) -> np.ndarray:
    """The pixels of every tile, shape (N, size, size)."""
    tops, lefts = plan.starts(image.shape)
    size, rows, cols = plan.size, len(tops), len(lefts)
    whole = image[tops[0] : tops[0] + rows * size, lefts[0] : lefts[0] + cols * size]
    return whole.reshape(rows, size, cols, size).swapaxes(1, 2).reshape(-1, size, size)
