"""Labels, scale bars and padding: rectangles of an image that were never measured."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

LEAST_AREA, MOST_AREA = 0.01, 0.5
"""Shares of the image between which the area of a box lies."""
LONG, SLENDER, THINNEST = 0.08, 3.0, 3
"""A bar is shorter than a box: so long in sides of the image, so many times as long as thick, and so thick [px]."""
RECTANGULAR = 0.95
"""Share of its bounding box that a rectangle fills, what is written in it included."""
AT_ONCE = 2**20
"""Pixels whose labels are looked up at a time."""


def burnt_in(image: np.ndarray) -> np.ndarray:
    """Find rectangles of exactly one value, with whatever stands in them.

    No detector returns the same number everywhere in a rectangle, but
    programs that export pictures do: footers with a scale bar and the
    instrument's settings, bars, and the padding of aligned frames. Saturated
    columns are round, and few counts are flat in no rectangle: both are left.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        NaN where nothing was measured.

    Returns
    -------
    ndarray of bool, shape (H, W)
    """
    mask = np.zeros(image.shape, dtype=bool)
    if min(image.shape) < THINNEST:
        return mask
    label = _large_parts(_flat(image), LONG * min(image.shape))
    for number, box in enumerate(ndimage.find_objects(label), 1):
        inside = tuple(
            slice(max(part.start - 1, 0), min(part.stop + 1, length))
            for part, length in zip(box, image.shape, strict=True)
        )
        flat = ndimage.binary_dilation(label[inside] == number, np.ones((3, 3)))
        whole = ndimage.binary_fill_holes(flat)
        tall, wide = whole.shape
        area = tall * wide / image.size
        bar = (
            max(tall, wide) >= max(LONG * min(image.shape), SLENDER * min(tall, wide))
            and min(tall, wide) >= THINNEST
        )
        if (bar or area >= LEAST_AREA) and area <= MOST_AREA and whole.mean() >= RECTANGULAR:
            mask[inside] |= whole
    return mask


def without_labels(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The image (H, W) with NaN where a label or padding is, and where that is, (H, W)."""
    label = burnt_in(image)
    return (np.where(label, np.nan, image) if label.any() else image), label


def said_of(mask: np.ndarray) -> str:
    """What the user is told of rectangles that were never measured, (H, W)."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        f"{mask.mean():.1%} of the pixels, from row {rows[0]} to {rows[-1]} and from column {cols[0]} to {cols[-1]}, "
        "are rectangles of one value (a label, a scale bar or padding): they count as not measured."
    )


def _flat(image: np.ndarray) -> np.ndarray:
    """Whether a pixel and its neighbors, of which there are fewer at the rim, are of one value, (H, W)."""
    level = np.ones(image.shape, dtype=bool)
    alike = image[:, 1:] == image[:, :-1]
    level[:, 1:] &= alike
    level[:, :-1] &= alike
    flat = level.copy()
    flat[1:] &= level[:-1]
    flat[:-1] &= level[1:]
    alike = image[1:] == image[:-1]
    flat[1:] &= alike
    flat[:-1] &= alike
    return flat


def _large_parts(mask: np.ndarray, least: float) -> np.ndarray:
    """Numbers from 1 of the connected parts of a mask (H, W) that have so many pixels, (H, W); 0 elsewhere."""
    if np.count_nonzero(mask) < least:
        return np.zeros(mask.shape, dtype=np.int32)
    label, count = ndimage.label(mask)
    # Counting and looking up are done in integers of twice the size.
    bands = np.array_split(label, -(-label.size // AT_ONCE))
    sizes = np.zeros(count + 1, dtype=int)
    for band in bands:
        sizes += np.bincount(band.ravel(), minlength=count + 1)
    sizes[0] = 0
    large = np.flatnonzero(sizes >= least)
    renamed = np.zeros(count + 1, dtype=label.dtype)
    renamed[large] = np.arange(1, len(large) + 1)
    for band in bands:
        band[:] = renamed[band]
    return label
