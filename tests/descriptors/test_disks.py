"""Patches that can be pooled: neither an image's gain nor its ground is in them."""

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.disks import column_disks


def two_sublattices(side=120, step=16.0):
    """A square lattice with a fainter column in the middle of each cell; (image, columns)."""
    corner = np.stack(np.meshgrid(*[np.arange(8, side, step)] * 2, indexing="ij"), -1).reshape(-1, 2)
    yx = np.concatenate([corner, corner + step / 2])
    yx = yx[(yx < side - 4).all(axis=1)]
    height = np.where(np.arange(len(yx)) < len(corner), 2.0, 1.0)
    axis = np.arange(side)
    a = np.exp(-((axis - yx[:, :1]) ** 2) / 8)
    b = np.exp(-((axis - yx[:, 1:]) ** 2) / 8)
    return np.einsum("n,ny,nx->yx", height, a, b), Columns(yx, (side, side), 0.1, {"intensity": height})


def test_gain_and_ground_are_not_seen():
    image, columns = two_sublattices()
    one, other = column_disks(columns, image, 21), column_disks(columns, 7 * image + 300, 21)
    np.testing.assert_allclose(one.complete, other.complete, atol=1e-9)
    axis = np.arange(21) - 10
    inside = (np.hypot(*np.meshgrid(axis, axis, indexing="ij")) <= 10.5).ravel()
    np.testing.assert_allclose(np.sqrt(np.mean(one.complete[:, inside] ** 2)), 1)
    np.testing.assert_allclose(one.complete[:, inside].mean(axis=1), 0, atol=1e-12)
    assert (one.complete[:, ~inside] == 0).all()


def test_a_sublattice_alone_is_described_and_the_others_are_masked():
    image, columns = two_sublattices()
    every, bright = column_disks(columns, image, 21), column_disks(columns, image, 21, center=0)
    assert bright.valid.sum() == (every.valid & (columns["intensity"] == 2)).sum() > 0
    assert np.isnan(bright.values[~bright.valid]).all()
    assert len(bright) == len(columns)
