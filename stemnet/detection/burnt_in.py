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
    core = ndimage.maximum_filter(image, 3, mode="nearest") == ndimage.minimum_filter(
        image, 3, mode="nearest"
    )
    label, _ = ndimage.label(core)
    counts = np.bincount(label.ravel())
    counts[0] = 0
    boxes = ndimage.find_objects(label)
    for number in np.flatnonzero(counts >= LONG * min(image.shape)):
        box = boxes[number - 1]
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
