"""Bases of two-dimensional lattices: order, reduction, equality."""

from __future__ import annotations

import numpy as np

ANCHOR = -np.pi / 12  # template directions start here, so that an axis-aligned lattice never sits on the cut


def by_angle(vectors: np.ndarray) -> np.ndarray:
    """Sort vectors (k, 2) by atan2(y, x), starting just below the +x axis."""
    angle = np.arctan2(vectors[:, 0], vectors[:, 1])
    return vectors[np.argsort((angle - ANCHOR) % (2 * np.pi), kind="stable")]


def reduced(vectors: np.ndarray) -> np.ndarray:
    """Gauss-reduced basis: the two shortest independent vectors, shorter first, in the half plane x > 0."""
    a, b = sorted(vectors, key=lambda v: v @ v)
    while True:
        shorter = b - np.round((a @ b) / (a @ a)) * a
        if shorter @ shorter > (1 - 1e-9) * (b @ b):  # rounding must not go in circles
            break
        a, b = sorted((a, shorter), key=lambda v: v @ v)
    return by_angle(np.array([v if _first_half(v) else -v for v in (a, b)]))


def _first_half(vector):
    return (np.arctan2(*vector) - ANCHOR) % (2 * np.pi) < np.pi


def neighbor_count(vectors: np.ndarray) -> int:
    """Neighbors of a site of the lattice with this reduced basis: 4 or 6."""
    # the facet towards a third neighbor vanishes at a right angle; below 14 degrees of tilt it is negligible
    a, b = vectors
    return 6 if abs(a @ b) > 0.25 * np.hypot(*a) * np.hypot(*b) else 4


def same_lattice(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two bases span the same lattice within a tenth of a cell."""
    change = one @ np.linalg.inv(other)
    whole = np.round(change)
    return bool(np.abs(change - whole).max() < 0.12 and abs(abs(np.linalg.det(whole)) - 1) < 0.1)
