"""Bond lengths and angles: what neighbor vectors say without their orientation."""

from __future__ import annotations

import numpy as np

from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError


def bond_lengths(neighbors: Descriptors) -> Descriptors:
    """Lengths of the neighbor vectors.

    Parameters
    ----------
    neighbors : Descriptors
        From `neighbor_vectors`.

    Returns
    -------
    Descriptors
        ``bond0, bond1, ...`` in the unit of the vectors, in their order.
    """
    vectors = _vectors(neighbors)
    unit = neighbors.names[0].rsplit("_", 1)[1]
    names = tuple(f"bond{i}_{unit}" for i in range(vectors.shape[1]))
    return Descriptors(np.hypot(vectors[..., 0], vectors[..., 1]), names, neighbors.yx, neighbors.valid)


def bond_angles(neighbors: Descriptors) -> Descriptors:
    """Angles from each neighbor vector to the next, the last to the first.

    Parameters
    ----------
    neighbors : Descriptors
        From `neighbor_vectors`, two neighbors or more.

    Returns
    -------
    Descriptors
        ``angle0, angle1, ...`` [rad], positive in the sense of atan2(y, x). They
        are cut at -pi/2, far from the 60 to 180 degrees between neighbors in
        order, so nearly equal environments never differ by a turn.

    Raises
    ------
    StemnetError
        If there is only one neighbor.
    """
    vectors = _vectors(neighbors)
    if vectors.shape[1] < 2:
        raise StemnetError("Bond angles need two neighbors or more, one was given. Ask for k=2 or more.")
    following = np.roll(vectors, -1, axis=1)
    cross = vectors[..., 1] * following[..., 0] - vectors[..., 0] * following[..., 1]
    angle = np.arctan2(cross, (vectors * following).sum(axis=2))
    angle = (angle + np.pi / 2) % (2 * np.pi) - np.pi / 2
    names = tuple(f"angle{i}_rad" for i in range(vectors.shape[1]))
    return Descriptors(angle, names, neighbors.yx, neighbors.valid)


def _vectors(neighbors):
    return neighbors.values.reshape(len(neighbors), len(neighbors.names) // 2, 2)
