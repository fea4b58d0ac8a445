"""Planes through vector fields on scattered columns, and the gradients, divergence and curl they have."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError

REACH = 1.7  # of the usual distance to the last neighbor; what is farther lies across a gap
NAMES = ("gradient_yy", "gradient_yx", "gradient_xy", "gradient_xx", "divergence", "curl")
# yy, yx, xy, xx to divergence and curl
COMBINED = np.array([[1.0, 0.0, 0.0, 1.0], [0.0, 1.0, -1.0, 0.0]])


def field_gradients(
    yx: np.ndarray,
    vectors: np.ndarray,
    errors: np.ndarray | None = None,
    *,
    valid: np.ndarray | None = None,
    k: int = 8,
) -> Descriptors:
    """Fit a plane to a vector field around each place, by least squares over it and its k nearest.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        Of one frame [px].
    vectors : ndarray, shape (N, 2)
        (y, x), in any unit; rows that are not finite are left out.
    errors : ndarray, shape (N, 2), optional
        Standard errors of the vectors, taken as independent.
    valid : ndarray of bool, shape (N,), optional
        Rows to use.
    k : int
        Neighbors, 3 or more.

    Returns
    -------
    Descriptors
        ``gradient_yx`` is d v_y / d x, and so on, per px in the unit of the
        vectors; ``divergence`` is yy + xx; ``curl`` is yx - xy, positive where
        the field runs around from +x towards +y. With errors the same with
        ``sigma_`` before. Valid where the k neighbors are as near as usual.

    Raises
    ------
    StemnetError
        If there are fewer than k + 1 vectors, or k is below 3.
    """
    rows = usable_rows(yx, vectors, valid)
    if k < 3 or len(rows) < k + 1:
        raise StemnetError(
            f"{len(rows)} vectors and k={k} neighbors were given; a gradient needs k of 3 or more and k + 1 vectors. "
            "Take a larger part of the image, or another k."
        )
    distance, near = cKDTree(yx[rows]).query(yx[rows], k=k + 1)
    design = np.concatenate([np.ones((len(rows), k + 1, 1)), yx[rows][near] - yx[rows][:, None]], axis=2)
    # a line of places leaves the slope across it open
    spread = np.linalg.svd(design[..., 1:], compute_uv=False)
    fine = (distance[:, -1] < REACH * np.median(distance[:, -1])) & (spread[:, 1] > 0.2 * spread[:, 0])
    slopes = np.linalg.pinv(design)[:, 1:]
    gradient = np.einsum("nsk,nkc->ncs", slopes, vectors[rows][near]).reshape(-1, 4)
    values, names = [gradient, gradient @ COMBINED.T], list(NAMES)
    if errors is not None:
        variance = np.einsum("nsk,nkc->ncs", slopes**2, errors[rows][near] ** 2).reshape(-1, 4)
        # the components of a vector err independently, so their variances add up
        values += [np.sqrt(variance), np.sqrt(variance @ (COMBINED**2).T)]
        names += [f"sigma_{name}" for name in NAMES]
    table = np.full((len(yx), len(names)), np.nan)
    table[rows[fine]] = np.column_stack(values)[fine]
    known = np.zeros(len(yx), bool)
    known[rows[fine]] = True
    return Descriptors(table, tuple(names), yx, known)


def fitted_plane(yx: np.ndarray, vectors: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Plane (N, 2) through the vectors (N, 2) of some rows (N,) by least squares, at all places yx (N, 2)."""
    middle, size = yx[where].mean(axis=0), max(float(np.ptp(yx[where], axis=0).max()), 1.0)
    design = np.column_stack([np.ones(len(yx)), (yx - middle) / size])
    return design @ np.linalg.lstsq(design[where], vectors[where], rcond=None)[0]


def usable_rows(yx: np.ndarray, vectors: np.ndarray, valid: np.ndarray | None) -> np.ndarray:
    """Rows of a vector field to use: finite, and valid if it is said which are."""
    fine = np.isfinite(vectors).all(axis=1) & np.isfinite(yx).all(axis=1)
    return np.nonzero(fine if valid is None else fine & valid)[0]
