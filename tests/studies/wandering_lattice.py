"""A strained lattice under a scan whose lines wander, as positions with their truth; and its image."""

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from stemnet.columns import Columns
from stemnet.simulation.artefacts.drift import Drift, Wander
from stemnet.simulation.artefacts.jitter import LineJitter

SIDE, CELL, SAMPLING = 512, 32.0, 0.12
ERROR = 0.1  # of positions [px]
SCAN = (LineJitter(0.015, 0.5), Drift(0.2, -0.2), Wander(0.05))
WIDTH = 2.8  # sigma of a column [px]


def offsets(rng, errors=SCAN):
    """(dy, dx) of every line [px], (H, 2)."""
    return sum(one.offsets((SIDE, SIDE), SAMPLING, rng)[0] for one in errors)


def strained(rng, *, lines=None, columns=None):
    """Found columns; `lines` (H, 2) move rows, `columns` (W, 2) move columns of pixels, as scans along x and y do.

    Returns
    -------
    Columns
    callable
        Planted (eps_yy, eps_xx, eps_yx, rotation) at places (N, 2), (N, 4).
    tuple of ndarray
        Where all columns are without errors, and how bright.
    """
    middle, radius, size = np.array([0.45, 0.55]) * SIDE, 0.22 * SIDE, 0.02

    def moved(yx):
        off = yx - middle
        inner = np.hypot(*off.T)[:, None] < radius
        return yx + size * np.where(
            inner, off, off * (radius / np.maximum(np.hypot(*off.T), 1)[:, None]) ** 2
        )

    def planted(yx):
        step, at = 1e-3, np.asarray(yx)
        slopes = [
            (moved(at + d) - moved(at - d)) / (2 * step) for d in (np.array([step, 0]), np.array([0, step]))
        ]
        yy, xy = slopes[0].T
        yx_, xx = slopes[1].T
        return np.stack([yy - 1, xx - 1, (yx_ + xy) / 2, (yx_ - xy) / 2], axis=1)

    index = np.stack(np.meshgrid(*[np.arange(-4, 22.0)] * 2, indexing="ij"), -1).reshape(-1, 2)
    spin = np.array([[np.cos(0.05), -np.sin(0.05)], [np.sin(0.05), np.cos(0.05)]])
    ideal = np.concatenate([(index + shift) @ spin * CELL for shift in (0.0, 0.5)])
    bright = np.repeat([3000.0, 2000.0], len(index))
    yx = moved(ideal)
    for shifts, axis in ((lines, 0), (columns, 1)):
        if shifts is not None:
            place = np.clip(yx[:, axis], 0, SIDE - 1)
            yx = yx - np.stack([np.interp(place, np.arange(SIDE), one) for one in shifts.T], axis=1)
    exact = yx
    yx = yx + rng.normal(0, ERROR, yx.shape)
    seen = ((yx > 8) & (yx < SIDE - 9)).all(axis=1)
    fields = {
        "intensity": bright[seen],
        "sigma_y": np.full(seen.sum(), ERROR),
        "sigma_x": np.full(seen.sum(), ERROR),
    }
    return Columns(yx[seen], (SIDE, SIDE), SAMPLING, fields), planted, (exact, bright)


def planted_at(planted, yx, resolution):
    """Planted strain smoothed to a resolution [px], at places (N, 2)."""
    grid = np.stack(np.meshgrid(*[np.arange(0, SIDE, 8.0)] * 2, indexing="ij"), -1).reshape(-1, 2)
    fields = planted(grid).T.reshape(4, SIDE // 8, SIDE // 8)
    smooth = [gaussian_filter(one, resolution / 8, mode="nearest") for one in fields]
    return np.stack([map_coordinates(one, yx.T / 8, order=1, mode="nearest") for one in smooth], axis=1)


def image_of(exact, bright, rng):
    """Counts of columns at places (N, 2)."""
    y, x = np.arange(SIDE)[:, None], np.arange(SIDE)[:, None]
    rows = np.exp(-((y - exact[:, 0]) ** 2) / (2 * WIDTH**2)) * bright
    cols = np.exp(-((x - exact[:, 1]) ** 2) / (2 * WIDTH**2)) / (2 * np.pi * WIDTH**2)
    return rng.poisson(rows @ cols.T + 3).astype(np.float32)
