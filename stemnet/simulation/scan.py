"""Scan errors: where the beam was when it should have been on the grid.

Row i of the image is taken at (i + dy_i, j + dx_i) for all j: line jitter and
drift are offsets of whole rows. The truth moves with the pixels.
"""

from __future__ import annotations

import numpy as np


def drift(rows: int, per_frame: tuple[float, float], wander: float, rng: np.random.Generator) -> np.ndarray:
    """Slow motion of the specimen during a frame.

    Parameters
    ----------
    rows : int
    per_frame : tuple of float
        Linear drift over the whole frame, (y, x) [px].
    wander : float
        Root mean square of a smooth wander on top [px].
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (rows, 2)
        Offset of the beam on the specimen per row, (y, x) [px].
    """
    time = np.linspace(-0.5, 0.5, rows)
    offsets = time[:, None] * np.array(per_frame)
    cycles = np.array([0.7, 1.3, 2.1])
    phase = rng.uniform(0, 2 * np.pi, (3, 2))
    waves = np.sin(2 * np.pi * cycles[None, :, None] * time[:, None, None] + phase)
    return offsets + wander * waves.sum(1) * np.sqrt(2 / 3)


def line_jitter(rows: int, rms: float, correlation: float, rng: np.random.Generator) -> np.ndarray:
    """Random offsets of scan lines along x, and a tenth as much along y.

    Parameters
    ----------
    rows : int
    rms : float
        [px]
    correlation : float
        Share that each line keeps of the last one's offset, 0 to below 1.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (rows, 2)
        (y, x) [px]
    """
    fresh = rng.normal(0, 1, (rows, 2)) * np.sqrt(1 - correlation**2)
    for i in range(1, rows):
        fresh[i] += correlation * fresh[i - 1]
    return fresh * np.array([0.1, 1.0]) * rms


def apparent_positions(yx: np.ndarray, offsets: np.ndarray, width: np.ndarray | float) -> np.ndarray:
    """Where columns appear in an image whose rows were offset.

    A column at y spreads over the rows around it; it appears where the
    intensity-weighted mean of those rows' offsets puts it.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        True positions on an ideal grid [px].
    offsets : ndarray, shape (R, 2)
        Offset of the beam in each row, (y, x) [px].
    width : float or ndarray, shape (N,)
        Sigma of the columns' profile [px].

    Returns
    -------
    ndarray, shape (N, 2)
    """
    rows = np.arange(len(offsets))
    sigma = np.broadcast_to(np.asarray(width, dtype=float), len(yx))
    apparent = yx.copy()
    reach = int(np.ceil(4 * sigma.max(initial=1.0)))
    window = np.arange(-reach, reach + 1)
    for _ in range(3):  # the y offset depends on the row it leads to; three rounds settle below 1e-3 px
        near = np.rint(apparent[:, :1]).astype(int) + window
        weight = np.exp(-0.5 * ((near - apparent[:, :1]) / sigma[:, None]) ** 2)
        taken = offsets[np.clip(near, 0, rows[-1])]
        mean = (weight[..., None] * taken).sum(1) / weight.sum(1, keepdims=True)
        apparent = yx - mean
    return apparent
