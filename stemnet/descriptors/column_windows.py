"""Spectra of sliding windows as rows that images have in common, and which of them a column lies in.

A window shows some periods of a lattice; the magnitude of its Fourier transform
does not change when the lattice is shifted under it (R. K. Vasudevan et al.,
Applied Physics Letters 106, 091601, 2015). Units are the image's own noise-like
deviation, so that neither gain nor ground is in a row.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.spectra_stream import SpectraStream, window_spectra
from stemnet.descriptors.table import Descriptors
from stemnet.descriptors.windows import Windows
from stemnet.errors import StemnetError

FINE = 8
"""A column takes the nearest of windows that are this part of their side apart."""


def image_windows(image: np.ndarray, windows: Windows, maps: bool = False) -> Descriptors:
    """Spectra of all windows of an image, row by row.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        NaN where nothing was measured.
    windows : Windows
    maps : bool
        As `on_maps` makes them, which turn as the image does.

    Raises
    ------
    StemnetError
        As `window_spectra`.
    """
    table = window_spectra(image, windows)
    return _mapped(table, windows) if maps else table


def column_windows(columns: Columns, image: np.ndarray, windows: Windows, maps: bool = False) -> Descriptors:
    """Spectrum of the window around every column: of the nearest of those that slide by an eighth of their side.

    Parameters
    ----------
    columns : Columns
        The field ``frame`` picks the frame of a stack where present.
    image : ndarray, shape (H, W) or (T, H, W)
        That the columns lie in; NaN where nothing was measured.
    windows : Windows
        Their step is not looked at.
    maps : bool
        As `on_maps` makes them, which turn as the image does.

    Returns
    -------
    Descriptors
        Row i is column i; not valid within half a window of the rim, and where
        too many pixels are unknown.

    Raises
    ------
    StemnetError
        If the image is not that of the columns, or as `SpectraStream` raises.
    """
    frames = image if image.ndim == 3 else image[None]
    if frames.shape[1:] != columns.shape:
        raise StemnetError(
            f"Columns of an image of {columns.shape[0]} x {columns.shape[1]} px came with an array of shape "
            f"{image.shape}; their own image is needed. Pass that one."
        )
    fine = replace(windows, step=max(1, windows.size // FINE))
    frame = np.asarray(columns["frame"]).astype(int) if "frame" in columns else np.zeros(len(columns), int)
    around, lies_in = _window_of(columns.yx, columns.shape, fine)
    values = np.full((len(columns), len(fine.frequencies)), np.nan)
    for number in np.unique(frame[lies_in]):
        here = np.flatnonzero(lies_in & (frame == number))
        for part in SpectraStream(frames[number], fine):
            row = around[here] - part.first
            in_part = (row >= 0) & (row < len(part.rows))
            values[here[in_part]] = part.rows[row[in_part]]
    valid = np.isfinite(values).all(axis=1)
    table = Descriptors(values, fine.names, columns.yx, valid, row="window")
    return _mapped(table, fine) if maps else table


def side_of_maps(windows: Windows) -> int:
    """Rows and columns of a map of frequencies."""
    return 2 * windows.orders + 1


def on_maps(values: np.ndarray, windows: Windows) -> np.ndarray:
    """Numbers of windows (N, D) as flat maps of frequencies (N, side * side), zero outside of the disk.

    Both halves of the plane are there, so that a map turns as the image does,
    and every number counts twice. The middle, of which a spectrum says nothing,
    is filled with the mean of what lies around it.
    """
    planes = windows.plane(values)
    side, middle = side_of_maps(windows), windows.orders
    ring = planes[:, middle - 1 : middle + 2, middle - 1 : middle + 2].reshape(len(planes), 9)
    planes[:, middle, middle] = np.delete(ring, 4, axis=1).mean(axis=1)
    axis = np.arange(side) - middle
    inside = np.hypot(*np.meshgrid(axis, axis, indexing="ij")) <= side / 2
    return np.where(inside | np.isnan(planes), planes, 0.0).reshape(len(planes), -1)


def _mapped(table: Descriptors, windows: Windows) -> Descriptors:
    orders = range(-windows.orders, windows.orders + 1)
    names = tuple(f"k{y:+d}{x:+d}_1" for y in orders for x in orders)
    return Descriptors(on_maps(table.values, windows), names, table.yx, table.valid, table.row)


def _window_of(yx: np.ndarray, shape: tuple[int, int], windows: Windows) -> tuple[np.ndarray, np.ndarray]:
    """Number of the window whose middle is nearest, (N,), and where one is no farther than half a step."""
    tops, lefts = windows.starts(shape)
    first = np.array([tops[0], lefts[0]]) + (windows.size - 1) / 2
    place = np.rint((yx - first) / windows.step).astype(int)
    lies_in = np.asarray(((place >= 0) & (place < (len(tops), len(lefts)))).all(axis=1))
    return place[:, 0] * len(lefts) + place[:, 1], lies_in
