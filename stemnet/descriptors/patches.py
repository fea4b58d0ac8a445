"""Patches: the image around every column, with the column exactly in the middle.

Cut from the image or from a probability map, as for the autoencoders of S. V.
Kalinin et al., npj Computational Materials 7, 181 (2021). Whole pixels would
move a column by up to half a pixel inside its patch, and that motion would
enter every analysis; so the patch is interpolated at the column's own position.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_dilation, map_coordinates, spline_filter, uniform_filter

from stemnet.columns import Columns
from stemnet.descriptors.lattice import column_spacing
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError

CHUNK = 2**21  # pixels interpolated at once
LARGEST_TABLE = 2**32  # bytes
REACH = 2  # pixels on either side that a cubic spline takes most of its value from
SPACINGS = 3.0  # of columns, over a patch


def column_patches(columns: Columns, image: np.ndarray, size: int | None = None) -> Descriptors:
    """Pixels around every column, by cubic splines.

    Parameters
    ----------
    columns : Columns
        The field ``frame`` picks the frame of a stack where present.
    image : ndarray, shape (H, W) or (T, H, W)
        Image or probability map that the columns lie in; NaN where nothing was
        measured.
    size : int, optional
        Side of a patch [px]; by default that of `patch_size`: three column
        spacings, the nearest neighbors well within the disk that rotations leave.

    Returns
    -------
    Descriptors
        ``y0x0_au, y0x1_au, ...``, row by row, in the unit of the image. A row
        is valid where the whole patch lies in the image, on known pixels.

    Raises
    ------
    StemnetError
        If the image is not that of the columns, or the size is no whole number
        of 3 or more, or the table would not fit 4 GB.
    """
    frames, frame = _frames(columns, image)
    size = patch_size(columns) if size is None else size
    if not (isinstance(size, int | np.integer) and size >= 3):
        raise StemnetError(
            f"Patches of {size!r} px were asked for; a whole number of 3 or more is needed, such as 25."
        )
    if 8 * len(columns) * size**2 > LARGEST_TABLE:
        raise StemnetError(
            f"{len(columns)} patches of {size} px fill {8 * len(columns) * size**2 / 2**30:.1f} GB; a table of "
            f"{LARGEST_TABLE / 2**30:.0f} GB is held at most. Use smaller patches or part of the columns."
        )
    offset = np.arange(size) - (size - 1) / 2
    names = tuple(f"y{i}x{j}_au" for i in range(size) for j in range(size))
    values = np.full((len(columns), size**2), np.nan)
    low, high = columns.yx + offset[0], columns.yx + offset[-1]
    inside = ((low >= 0) & (high <= np.array(columns.shape) - 1)).all(axis=1)
    for number in np.unique(frame[inside]):
        rows = np.nonzero(inside & (frame == number))[0]
        smooth, unknown = _spline(frames[number])
        for some in np.array_split(rows, -(-len(rows) * size**2 // CHUNK)):
            y = columns.yx[some, 0, None, None] + offset[:, None] + np.zeros(size)
            x = columns.yx[some, 1, None, None] + offset + np.zeros((size, 1))
            pixels = map_coordinates(smooth, [y, x], order=3, mode="mirror", prefilter=False)
            if unknown is not None:
                pixels[map_coordinates(unknown, [y, x], order=0) > 0] = np.nan
            values[some] = pixels.reshape(len(some), -1)
    valid = np.isfinite(values).all(axis=1)
    values[~valid] = np.nan
    return Descriptors(values, names, columns.yx, valid, row="patch")


def patch_size(columns: Columns, spacings: float = SPACINGS) -> int:
    """Side of a patch that holds the nearest neighbors whole, an odd number [px].

    Whatever is to be compared at all angles is the disk in a patch, whose rim
    counts less and less (`stemnet.descriptors.harmonics`). Over two spacings
    the nearest neighbors lie on the rim and hardly count; over three they do
    fully.

    Parameters
    ----------
    columns : Columns
        Of a stack, those of the first row's frame are asked.
    spacings : float
        In median distances from a column to its nearest neighbor.

    Raises
    ------
    StemnetError
        If there are fewer than two columns.
    """
    if len(columns) < 2:
        raise StemnetError(
            f"Patches were asked for around {len(columns)} columns without a size; the spacing of two or more "
            "columns is needed to choose one. Pass size=<px>."
        )
    one = (
        np.asarray(columns["frame"]) == columns["frame"][0]
        if "frame" in columns
        else np.ones(len(columns), bool)
    )
    spacing = column_spacing(columns.yx[one] if one.sum() > 1 else columns.yx)
    return max(5, 2 * round(spacings * spacing / 2) + 1)


def _frames(columns: Columns, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The image as a stack (T, H, W), and the frame of every column."""
    image = np.asarray(image)
    if image.ndim not in (2, 3) or image.shape[-2:] != columns.shape or image.dtype.kind not in "fiub":
        raise StemnetError(
            f"Columns of an image of {columns.shape[0]} x {columns.shape[1]} px came with an array of shape "
            f"{image.shape} and type {image.dtype}; their own image, or a map of its size, is needed. Pass that one."
        )
    frames = image if image.ndim == 3 else image[None]
    frame = np.zeros(len(columns), int)
    if "frame" in columns:
        frame = np.asarray(columns["frame"]).astype(int)
    if len(frame) and not (frame.min() >= 0 and frame.max() < len(frames)):
        raise StemnetError(
            f"Columns of the frames {frame.min()} to {frame.max()} came with {len(frames)} frames; each column's frame "
            "is needed. Pass the whole stack, or the columns of one frame."
        )
    return frames, frame


def _spline(frame: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Spline coefficients of a frame, and where unknown pixels have a say; None where all are known."""
    frame = frame.astype(np.float64)
    known = np.isfinite(frame)
    if known.all():
        return spline_filter(frame, order=3, mode="mirror"), None
    share = uniform_filter(known.astype(np.float64), 2 * REACH + 1)
    around = uniform_filter(np.where(known, frame, 0.0), 2 * REACH + 1) / np.maximum(share, 1e-9)
    unknown = binary_dilation(~known, np.ones((2 * REACH + 1,) * 2))
    return spline_filter(np.where(known, frame, around), order=3, mode="mirror"), unknown.astype(np.uint8)
