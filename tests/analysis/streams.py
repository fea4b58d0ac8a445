"""Images of lattices, and plain tables, for the tests of what is learned from a stream of blocks."""

import numpy as np

from stemnet.descriptors import Descriptors


def lattice(angle=0.1, side=320, spacing=10):
    y, x = np.mgrid[:side, :side]
    c, s = np.cos(angle), np.sin(angle)
    waves = np.cos(2 * np.pi * (c * y + s * x) / spacing) + np.cos(2 * np.pi * (c * x - s * y) / spacing)
    return np.exp(2 * (waves - 2))


def noise(seed=0, side=320):
    return np.random.default_rng(seed).normal(size=(side, side))


def domains(*angles, side=320):
    """Stripes of one lattice at several angles."""
    which = np.arange(side) * len(angles) // side
    return np.choose(which[None], [lattice(angle, side) for angle in angles])


def two_phases(side=256):
    """Two lattices of one crystal, turned against each other, left and right of the middle."""
    return domains(0.1, 0.6, side=side) + 0.3 * noise(0, side)


def table(values, valid=None):
    n, d = np.shape(values)
    valid = np.ones(n, bool) if valid is None else valid
    return Descriptors(values, [f"v{i}_1" for i in range(d)], np.zeros((n, 2)), valid, "window")


def shifted(n=700, d=40, seed=0):
    """Rows far from the origin, where a careless covariance loses its digits."""
    rng = np.random.default_rng(seed)
    return 1e4 + rng.normal(size=(n, d)) * np.linspace(3, 0.1, d)
