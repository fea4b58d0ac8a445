"""Polar crystals and polar fields with known truth, for the tests of polarization, domains, walls and vortices."""

from functools import cache

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.polarization import polarization
from stemnet.simulation.examples import load_example

THERMAL = 0.02  # rms of the static disorder that the polar examples have on top of their texture [A]
ERROR = 0.15  # of the positions [px]; a cell is 25 px
SPACING = 24.0  # of the cells [px]
QUARTER_TURN, SWAP = np.array([[0.0, 1.0], [-1.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])


@cache
def noisy_example(name, thermal=THERMAL):
    """Cations of an example with noise, whose error bars know of noise and disorder, and the planted shift [px]."""
    columns = load_example(name).columns
    columns = columns.select(columns["sublattice"] < 2)
    rng = np.random.default_rng(0)
    sigma = np.full(len(columns), np.hypot(ERROR, thermal / columns.sampling))
    planted = np.zeros(columns.yx.shape)
    if "polar_y_A" in columns:
        planted = np.stack([columns["polar_y_A"], columns["polar_x_A"]], axis=1) / columns.sampling
    yx = columns.yx + rng.normal(0, ERROR, columns.yx.shape)
    fields = {**columns.fields, "sigma_y": sigma, "sigma_x": sigma}
    return Columns(yx, columns.shape, columns.sampling, fields), planted


@cache
def measured_example(name):
    """Polarization of such cations, the planted one [px], and the columns."""
    columns, planted = noisy_example(name)
    return polarization(columns), planted, columns


def polar_perovskite(error=0.1, *, cells=18, shift=0.0, seed=0, truth=None):
    """A square lattice of A and B in its middles, B moved by `shift`, a vector or a function of the places."""
    rng = np.random.default_rng(seed)
    grid = SPACING * np.stack(np.meshgrid(*[np.arange(cells)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    c, s = np.cos(0.07), np.sin(0.07)
    yx = np.concatenate([grid, grid + SPACING / 2]) @ np.array([[c, -s], [s, c]])
    label = np.repeat([0, 1], len(grid))
    moved = shift(yx) if callable(shift) else np.broadcast_to(shift, yx.shape)
    yx = yx + np.where(label[:, None] == 1, moved, 0.0)
    yx = yx + rng.normal(size=yx.shape) * (error if truth is None else truth)
    sigma = np.full(len(yx), error)
    size = round(SPACING * cells)
    known = {"sublattice": label, "sigma_y": sigma, "sigma_x": sigma}
    return Columns(yx, (size, size), 0.16, known)


def scattered_wall(wall=2.0, turn=np.pi, error=0.1, count=400, normal=0.4, shift=13.0, seed=0):
    """Places (N, 2) in random order and vectors with a straight wall of full width `wall`, between +-half the turn."""
    rng = np.random.default_rng(seed)
    side = int(np.sqrt(count))
    yx = SPACING * np.stack(np.meshgrid(*[np.arange(side)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    yx = yx[rng.permutation(len(yx))]
    unit = np.array([np.sin(normal), np.cos(normal)])
    s = (yx - yx.mean(axis=0)) @ unit - shift
    angle = normal + np.array([-1, 1]) * turn / 2 + np.pi / 2
    before, after = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    profile = np.tanh(2 * s / wall)[:, None]
    vectors = (before + after) / 2 + profile * (after - before) / 2
    return yx, vectors + rng.normal(0, error, vectors.shape), s


def cell_places(cells=20, angle=0.1, noise=0.0, seed=0):
    """Cells (N, 2) and positions (N, 2) [px] of a square lattice around the origin, in random order."""
    rng = np.random.default_rng(seed)
    index = np.stack(np.meshgrid(*[np.arange(cells)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    c, s = np.cos(angle), np.sin(angle)
    yx = SPACING * (index - (cells - 1) / 2) @ np.array([[c, -s], [s, c]])
    order = rng.permutation(len(index))
    return index[order], (yx + rng.normal(0, noise, yx.shape))[order]


def stepped(yx):
    """A shift (N, 2) [px] with a wall across the lines of the scan."""
    return 0.5 * np.tanh((yx[:, :1] - 210) / 10) * [0.3, 1.0]
