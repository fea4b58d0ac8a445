"""Neighbor tables with planted truth, made without any lattice search."""

import numpy as np

from stemnet.descriptors import Descriptors

SQUARE = np.array([[0, 1], [1, 0], [0, -1], [-1, 0]]) * 4.0


def table(values, yx=None, invalid=()):
    values = np.array(values, float)
    n = len(values)
    side = int(np.ceil(np.sqrt(n)))
    if yx is None:
        yx = np.stack(np.divmod(np.arange(n), side), axis=1) * 20.0
    valid = np.ones(n, bool)
    valid[list(invalid)] = False
    values[~valid] = np.nan
    names = [f"r{i}{axis}_A" for i in range(values.shape[1] // 2) for axis in "yx"]
    return Descriptors(values, names, yx, valid)


def polar_and_shear(n=400, noise=0.02, seed=0):
    """Rows, amplitudes (n, 2) and modes (2, 8): a shift of the center against its neighbors, and a shear."""
    rng = np.random.default_rng(seed)
    polar = np.tile([0.0, 1.0], 4) / 2
    shear = (SQUARE @ [[0, 1], [0, 0]]).ravel()
    modes = np.stack([polar, shear / np.linalg.norm(shear)])
    amplitude = rng.normal(size=(n, 2)) * [0.3, 0.2]
    return SQUARE.ravel() + amplitude @ modes + noise * rng.normal(size=(n, 8)), amplitude, modes


def two_domains(n=400, noise=0.05, seed=0):
    """Rows and labels: the center shifted up in the upper half, down in the lower."""
    rng = np.random.default_rng(seed)
    label = (np.arange(n) >= n // 3).astype(int)
    shift = np.where(label[:, None] == 1, 0.25, -0.25) * np.tile([1.0, 0.0], 4)
    return SQUARE.ravel() + shift + noise * rng.normal(size=(n, 8)), label
