"""The shear of a lattice of columns: around every column, and how it changes over the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from stemnet.columns import Columns
from stemnet.descriptors.indices import lattice_indices
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.reference import fit_lattice
from stemnet.errors import StemnetError

AROUND = 18  # columns that the shear at one place is fitted to: two shells of a triangular lattice
ENOUGH = 24  # columns of a lattice whose vectors change over the image


@dataclass(frozen=True)
class Shear:
    """The shear angle of every column, and how it changes over the image.

    Parameters
    ----------
    angle : ndarray, shape (N,)
        du_y/dx + du_x/dy against the mean lattice, of the columns around [rad]; NaN where unknown.
    errors : ndarray, shape (N,)
        Standard errors from those of the positions; NaN where unknown.
    change : ndarray, shape (2, 2)
        Of a shear that changes linearly, from edge to edge [rad]: rows are
        du_y/dx and du_x/dy, columns down the height and across the width. The
        lines of a scan are taken one after the other, so its drift and wander
        are in du_x/dy and not in du_y/dx.
    change_errors : ndarray, shape (2, 2)
        From the scatter about that lattice [rad], which is that of columns, not of the scan.
    """

    angle: np.ndarray
    errors: np.ndarray
    change: np.ndarray
    change_errors: np.ndarray


def shear(columns: Columns, lattice: Lattice, kinds: np.ndarray, shifted: int = -1) -> Shear:
    """Measure shear from where columns are against where their cells would have them.

    Each kind of site has an origin of its own, and the kind that is shifted has
    no say: its domains would pass for strain at their walls. The change over the
    image is that of a lattice of second order, fitted to all positions at once.

    Parameters
    ----------
    columns : Columns
        With ``sublattice``, and ``sigma_y``, ``sigma_x`` [px] where errors are wanted.
    lattice : Lattice
    kinds : ndarray of int, shape (N,)
        Of site; -1 for columns that are left out.
    shifted : int
        Kind that has no say where there are others; -1 for none.

    Returns
    -------
    Shear

    Raises
    ------
    StemnetError
        If there are too few columns.
    """
    cells = lattice_indices(columns, lattice)
    known = (kinds >= 0) & (cells[:, 0] >= 0)
    rows = np.flatnonzero(known & (kinds != shifted))
    rows = rows if len(rows) >= ENOUGH else np.flatnonzero(known)
    if len(rows) < ENOUGH:
        raise StemnetError(
            f"{len(rows)} columns lie on the lattice; a shear that changes over the image needs {ENOUGH} or more. "
            "Use a larger field of view."
        )
    label = np.unique(kinds[rows], return_inverse=True)[1]
    *_, weight = fit_lattice(columns.yx[rows], cells[rows], label, lattice.vectors, 2)
    place = cells[rows] @ lattice.vectors
    share = (place - place.mean(axis=0)) / np.array(columns.shape)
    y, x = share.T
    design = np.column_stack([np.eye(label.max() + 1)[label], y, x, y * y, x * y, x * x])
    root = np.sqrt(weight)[:, None]
    off = columns.yx[rows] - place
    solution = np.linalg.lstsq(design * root, off * root, rcond=None)[0]
    scatter = weight @ (off - design @ solution) ** 2 / max(weight.sum() - design.shape[1], 1)
    spread = np.linalg.inv((design * weight[:, None]).T @ design)
    change, errors = _change(solution[-3:], spread[-3:, -3:], scatter, columns.shape)
    origin = solution[: label.max() + 1][label]
    angle, angle_errors = _around(
        columns, rows[weight > 0], (off - origin)[weight > 0], place[weight > 0], known
    )
    return Shear(angle, angle_errors, change, errors)


def plane_change(yx: np.ndarray, values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """How a plane through values (N,), NaN left out, at places (N, 2) [px] changes down and across an image, (2,)."""
    known = np.isfinite(values)
    design = np.column_stack([yx[known] / np.array(shape), np.ones(known.sum())])
    return np.linalg.lstsq(design, values[known], rcond=None)[0][:2]


def _change(second, spread, scatter, shape):
    """Changes of du_y/dx and du_x/dy over height and width, (2, 2), and errors, from the terms yy, xy, xx of u."""
    height, width = shape
    of_y = np.array([[0, 1 / width, 0], [0, 0, 2 / width]])
    of_x = np.array([[2 / height, 0, 0], [0, 1 / height, 0]])
    change = np.stack([of_y @ second[:, 0], of_x @ second[:, 1]])
    variance = [np.diag(one @ spread @ one.T) * part for one, part in zip((of_y, of_x), scatter, strict=True)]
    return change, np.sqrt(variance)


def _around(columns, rows, off, place, wanted):
    """Shear of the nearest columns around every wanted one, and its error, (N,)."""
    angle, errors = np.full(len(columns), np.nan), np.full(len(columns), np.nan)
    wanted = np.flatnonzero(wanted)
    _, near = cKDTree(columns.yx[rows]).query(columns.yx[wanted], k=min(AROUND, len(rows)))
    away = place[near] - place[near].mean(axis=1, keepdims=True)
    moment = np.einsum("nki,nkj->nij", away, away)
    # a weight per column and axis that turns displacements into their gradient
    weights = np.einsum("nij,nkj->nki", np.linalg.inv(moment), away)
    gradient = np.einsum("nkj,nki->nij", weights, off[near])
    angle[wanted] = gradient[:, 0, 1] + gradient[:, 1, 0]
    if "sigma_y" in columns and "sigma_x" in columns:
        sigma = np.column_stack([columns["sigma_y"], columns["sigma_x"]])[rows][near]
        variance = (weights[..., 1] * sigma[..., 0]) ** 2 + (weights[..., 0] * sigma[..., 1]) ** 2
        errors[wanted] = np.sqrt(variance.sum(axis=1))
    return angle, errors
