"""Which windows suit an image: by the lattice of its columns, else by its autocorrelation, else by its size."""

from __future__ import annotations

from typing import TypedDict

import numpy as np

from stemnet.descriptors.image_spacing import image_spacing
from stemnet.descriptors.neighbors import lattice_of
from stemnet.descriptors.windows import Windows, windows_for
from stemnet.errors import StemnetError
from stemnet.studies.described import first_frame
from stemnet.studies.measured import Measured

# side of a window where no spacing is known [px]; between, an eighth of the image
SMALLEST, LARGEST = 32, 128


class Look(TypedDict):
    """How a window is looked at; see `Windows`."""

    apodization: str
    log: bool


def first_image(measured: Measured, notes: list[str]) -> np.ndarray:
    """The first frame, (H, W); a note says so where there are more."""
    frames = measured.micrograph.frames
    if len(frames) > 1:
        notes.append(f"Of {len(frames)} frames the first is studied.")
    return frames[0]


def spacing_of(measured: Measured, image: np.ndarray, notes: list[str]) -> float | None:
    """Longer vector of the primitive cell [px]; where no lattice was found a note says what took its place."""
    lattice = lattice_of(first_frame(measured))
    if lattice is not None:
        return float(np.hypot(*lattice.vectors.T).max())
    spacing = image_spacing(image)
    if spacing is None:
        notes.append(
            "Neither the columns nor the autocorrelation of the image show a lattice: windows and tiles are sized "
            "by the image. Pass their size to choose it."
        )
    else:
        notes.append(
            f"The columns show no lattice; the period of {spacing:.1f} px is that of the image's autocorrelation."
        )
    return spacing


def suitable_windows(
    shape: tuple[int, int],
    spacing: float | None,
    notes: list[str],
    *,
    size: int | None = None,
    step: int | None = None,
    cells: float = 4,
    apodization: str = "hann",
    log: bool = True,
) -> Windows:
    """Windows of an image, as asked for or as suit its lattice.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image [px].
    spacing : float or None
        Longer vector of the primitive cell [px].
    notes : list of str
        What the user should know is added here.
    size, step : int, optional
        [px]; by default `cells` periods, and an eighth of that.
    cells : float
        Periods in a window.
    apodization, log
        See `Windows`.

    Returns
    -------
    Windows

    Raises
    ------
    StemnetError
        If the image does not hold two windows of the least size in a row.
    """
    most = min(shape) // 2
    if most < 16:
        raise StemnetError(
            f"An image of {shape[0]} x {shape[1]} px is too small for windows that slide; at least 32 x 32 px are "
            "needed. Use a larger field of view."
        )
    look = Look(apodization=apodization, log=log)
    if spacing is None:
        side = size or min(most, int(np.clip(8 * round(min(shape) / 64), SMALLEST, LARGEST)))
        return Windows(side, step or max(1, side // 8), **look, highest=0.25)
    found = windows_for(spacing, cells=cells, **look)
    side = size or found.size
    if size is None and side > most:
        side = 8 * (most // 8)
        notes.append(
            f"Windows of {cells:g} periods would not move in this image; {side} px, {side / spacing:.1f} periods, are "
            "taken. Use a larger field of view for sharper spectra."
        )
    return Windows(side, step or max(1, side // 8), **look, highest=max(found.highest, 1 / side))
