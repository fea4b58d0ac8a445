"""Pixel values of any kind to grey float32."""

from __future__ import annotations

import numpy as np

from stemnet.errors import StemnetError


def to_grey(image: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Turn color to brightness.

    Parameters
    ----------
    image : ndarray, shape (..., 3) or (..., 4), or records of R, G and B
        A fourth channel (alpha) is ignored.

    Returns
    -------
    grey : ndarray, shape (...), float64
    notes : list of str
    """
    if image.dtype.names:
        red, green, blue = (image[channel].astype(np.float64) for channel in "RGB")
        bits = 8 * image.dtype["R"].itemsize
    else:
        red, green, blue = (image[..., channel].astype(np.float64) for channel in range(3))
        bits = 8 * image.dtype.itemsize
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return red, [
            f"The file is a color picture ({bits} bits a channel) with equal channels; one of them is taken."
        ]
    # ITU-R BT.601 luma, what converters of pictures use.
    grey = 0.299 * red + 0.587 * green + 0.114 * blue
    return grey, [
        f"The file is a color picture ({bits} bits a channel); its brightness is used, which is not "
        "proportional to the detector signal, and labels drawn into it count as image. "
        "Prefer the original data."
    ]


def to_float32(image: np.ndarray, file: str) -> tuple[np.ndarray, list[str]]:
    """Turn real pixels of any type to float32, with NaN where there is no finite value.

    Raises
    ------
    StemnetError
        If no pixel is finite.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.array(image, dtype=np.float32)
    bad = ~np.isfinite(values)
    count = int(np.count_nonzero(bad))
    if count == 0:
        return values, []
    if count == values.size:
        raise StemnetError(f"{file} holds no finite pixel (all are NaN or infinite). Export the image again.")
    values[bad] = np.nan
    return values, [f"{count} of {values.size} pixels are NaN or infinite; they count as not measured."]
