"""Frames of a lattice that drifts and sways by known amounts."""

import numpy as np


def places(side, spacing=11.0, margin=60, seed=0):
    """A lattice (N, 2) [px] with one in ten columns missing, and the heights (N,) of its columns."""
    rng = np.random.default_rng(seed)
    n = int((side + 2 * margin) / spacing)
    i, j = np.indices((n, n)).reshape(2, -1)
    yx = np.stack([i + 0.13 * j, j - 0.09 * i], 1) * spacing - margin
    height = np.where((i + j) % 2, 1.0, 0.5) * rng.choice([0.0, 1.0], len(yx), p=[0.1, 0.9])
    return yx, height


def frames(drift, rows=None, *, side=96, width=2.2, counts=12.0, seed=0, lattice=None):
    """Counts (T, H, W): what is at y in the first frame is at y + drift + rows in another."""
    rng = np.random.default_rng(seed)
    yx, height = places(side) if lattice is None else lattice
    axis = np.arange(side)
    stack = np.empty((len(drift), side, side), np.float32)
    for k, off in enumerate(drift):
        y = axis - off[0] - (0 if rows is None else rows[k, :, 0])
        x = axis[None] - off[1] - (0 if rows is None else rows[k, :, 1][:, None])
        along = np.exp(-0.5 * ((y[:, None] - yx[:, 0]) / width) ** 2)
        image = np.zeros((side, side))
        for n in np.flatnonzero(height):
            near = np.flatnonzero(along[:, n] > 1e-4)
            shifted = x if rows is None else x[near]
            image[near] += (
                height[n] * along[near, n][:, None] * np.exp(-0.5 * ((shifted - yx[n, 1]) / width) ** 2)
            )
        stack[k] = rng.poisson(counts * (image + 0.1))
    return stack


def smooth_walk(count, speed=1.0, seed=0):
    """A drift (T, 2) [px] that starts at zero and changes its velocity slowly."""
    rng = np.random.default_rng(seed)
    velocity = np.cumsum(rng.normal(0, 0.3 * speed, (count, 2)), 0) * 0.5 + rng.normal(0, speed, 2)
    path = np.cumsum(velocity, 0)
    return path - path[0]


def off(found, true):
    """Root mean square error an axis of positions, all together left aside."""
    error = found - true
    return float(np.sqrt(np.mean((error - error.mean(axis=0)) ** 2)))
