"""Strain from positions: the local affine map that takes the reference lattice to the one that is there.

Signs and names are those of the simulator (`simulation.deformation.with_strain`):
F = V R takes reference vectors to actual ones, strain is V - 1 along the axes of
the image, and the rotation R is beside it, positive from +y towards +x.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.spatial import cKDTree

from stemnet.columns import Columns
from stemnet.descriptors.basis import neighbor_count, same_lattice
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.neighbors import neighbor_vectors
from stemnet.descriptors.reference import Reference, fit_lattice, reference_lattice
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError

NAMES = ("eps_yy", "eps_xx", "eps_yx", "rotation_rad", "dilatation")
REACH = 3.2  # of the Gaussian's standard deviations: what is left out weighs less than a percent
# How each of NAMES grows with dF R^T, to first order in the strain.
GROWTH = np.array([
    [[1, 0], [0, 0]],
    [[0, 0], [0, 1]],
    [[0, 0.5], [0.5, 0]],
    [[0, -0.5], [0.5, 0]],
    [[1, 0], [0, 1]],
])  # fmt: skip


def strain(
    columns: Columns,
    lattice: Lattice | None = None,
    reference: Lattice | Reference | np.ndarray | None = None,
    *,
    smoothing: float = 0.0,
) -> Descriptors:
    """Measure strain and rotation around every column, in real space.

    The affine map is fitted by least squares to the vectors from a column to
    its neighbors of the same sublattice, so that shifts of sublattices against
    each other (polarization, tilts of the beam) are no strain. (P. L. Galindo
    et al., Ultramicroscopy 107, 1186, 2007, from positions instead of peaks.)

    Parameters
    ----------
    columns : Columns
        With ``sigma_y``, ``sigma_x`` [px] where errors are wanted.
    lattice : Lattice, optional
        Found from the positions by default.
    reference : Lattice, Reference or ndarray of bool, shape (N,), optional
        What has no strain: a lattice [px]; the lattice of the chosen columns,
        such as a substrate; or ideal places, from which a slow distortion of
        the scan may have been taken. By default each grain's own mean lattice.
    smoothing : float
        Standard deviation of the Gaussian, in units of the square root of the
        cell's area, by which columns around count in the mean, of any
        sublattice; 0 leaves every column by itself.

    Returns
    -------
    Descriptors
        ``eps_yy, eps_xx, eps_yx, rotation_rad, dilatation`` (the sum of the
        first two), and where the positions have errors ``sigma_eps_yy, ...``,
        which follow from them. Valid where all neighbors along the lattice
        vectors are there, not at edges nor beside vacancies, and in grains
        whose orientation is within some 6 degrees of the reference.

    Raises
    ------
    StemnetError
        If there are too few columns, no lattice is found, the reference fits no
        grain or is empty, or `smoothing` is negative.
    """
    if not 0 <= smoothing < np.inf:
        raise StemnetError(
            f"smoothing={smoothing!r} cells was asked for; give 0 or a positive number, such as 0.75."
        )
    grains = reference if isinstance(reference, Reference) else reference_lattice(columns, lattice)
    if len(grains) != len(columns):
        raise StemnetError(
            f"The reference is of {len(grains)} columns, not of these {len(columns)}; make it of them."
        )
    given = _given(columns, grains, reference)
    with_errors = "sigma_y" in columns and "sigma_x" in columns
    names = NAMES + (tuple(f"sigma_{name}" for name in NAMES) if with_errors else ())
    values = np.full((len(columns), len(names)), np.nan)
    fits = False
    for g, vectors in enumerate(grains.vectors):
        ideal = vectors if given is None else _in_basis_of(vectors, given)
        if ideal is None:
            continue
        fits, rows = True, grains.rows(g)
        weights = _weights(
            columns.yx[rows], grains.sublattice[rows], columns.shape, vectors, ideal, smoothing
        )
        gradient = _gradient(weights, columns.yx[rows])
        if isinstance(reference, Reference):
            gradient = gradient @ np.linalg.inv(_gradient(weights, grains.ideal[rows]))
        found = [decomposed(gradient)]
        if with_errors:
            sigma = np.stack([columns["sigma_y"][rows], columns["sigma_x"][rows]], axis=1)
            found.append(_errors(weights, sigma, found[0][:, 3]))
        values[rows] = np.concatenate(found, axis=1)
    if not fits:
        raise StemnetError(
            "The reference lattice fits none of the grains within a tenth of a cell; give vectors in pixels, turned as "
            "the crystal is, or choose a part of the image as the reference."
        )
    valid = np.isfinite(values).all(axis=1)
    return Descriptors(np.where(valid[:, None], values, np.nan), names, columns.yx, valid)


def decomposed(gradient: np.ndarray) -> np.ndarray:
    """`NAMES` of deformation gradients d(actual)_i / d(reference)_j, axes (y, x).

    Parameters
    ----------
    gradient : ndarray, shape (..., 2, 2)

    Returns
    -------
    ndarray, shape (..., 5)
    """
    f = gradient
    angle = np.arctan2(f[..., 1, 0] - f[..., 0, 1], f[..., 0, 0] + f[..., 1, 1])
    stretch = f @ np.swapaxes(_rotations(angle), -1, -2)
    yy, xx = stretch[..., 0, 0] - 1, stretch[..., 1, 1] - 1
    return np.stack([yy, xx, stretch[..., 0, 1], angle, yy + xx], axis=-1)


def composed(values: np.ndarray) -> np.ndarray:
    """Deformation gradients (..., 2, 2) of `NAMES` (..., 4 or 5): what `decomposed` takes apart."""
    yy, xx, yx, angle = np.moveaxis(values[..., :4], -1, 0)
    stretch = np.stack([np.stack([1 + yy, yx], -1), np.stack([yx, 1 + xx], -1)], -2)
    return stretch @ _rotations(angle)


def _rotations(angle):
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.stack([np.stack([cosine, -sine], -1), np.stack([sine, cosine], -1)], -2)


def _given(columns, grains, reference):
    """Vectors of one reference for all grains, (2, 2), or None where every grain has its own."""
    if reference is None or isinstance(reference, Reference):
        return None
    if isinstance(reference, Lattice):
        return reference.vectors
    chosen = np.asarray(reference)
    if chosen.shape != (len(columns),) or chosen.dtype != bool:
        raise StemnetError(
            f"The reference region came with shape {chosen.shape} and type {chosen.dtype}; give one True or False for "
            f"each of the {len(columns)} columns."
        )
    of = grains.grain[chosen & grains.valid]
    if len(of) < 6 or (amount := np.bincount(of)).max() < 6:
        raise StemnetError(
            f"The reference region has {len(of)} columns with a place in the lattice; 6 or more of one grain are "
            "needed. Choose a larger region."
        )
    g = int(amount.argmax())
    rows = np.nonzero(chosen & (grains.grain == g))[0]
    label = grains.sublattice[rows]
    return fit_lattice(columns.yx[rows], grains.cells[rows], label, grains.vectors[g], 1)[1]


def _in_basis_of(vectors, given):
    """The given lattice in the basis that is nearest to `vectors`, (2, 2); None where it is another lattice."""
    if not same_lattice(vectors, given):
        return None
    return np.round(vectors @ np.linalg.inv(given)) @ given


def _weights(yx, label, shape, vectors, ideal, smoothing):
    """The gradient as a linear map of positions, (y, x): F[i, :, b] = weights[b][i] @ yx; NaN rows where unknown."""
    n = len(yx)
    own = Lattice(vectors, neighbor_count(vectors), 1.0)
    table = neighbor_vectors(Columns(yx, shape, None, {"sublattice": label}), lattice=own)
    center = np.nonzero(table.valid)[0]
    target = yx[center, None] + table.values[center].reshape(len(center), own.k, 2)
    partner = cKDTree(yx).query(target)[1]
    ideal_bonds = np.round(own.template @ np.linalg.inv(vectors)) @ ideal
    # the bonds of a center come in pairs of opposite ones, so its own position cancels
    share = ideal_bonds @ np.linalg.inv(ideal_bonds.T @ ideal_bonds)
    at = np.repeat(center, own.k), partner.ravel()
    single = [csr_array(coo_array((np.tile(share[:, b], len(center)), at), shape=(n, n))) for b in (0, 1)]
    mean = averaging(yx, center, smoothing * np.sqrt(abs(np.linalg.det(vectors))))
    return [mean @ one for one in single], table.valid


def averaging(yx: np.ndarray, center: np.ndarray, sigma: float) -> csr_array:
    """Means over the centers around, weighted by a Gaussian, as a sparse matrix (n, n).

    Parameters
    ----------
    yx : ndarray, shape (n, 2)
        [px]
    center : ndarray of int, shape (m,)
        Rows that are averaged; all others of the matrix are empty.
    sigma : float
        Standard deviation of the Gaussian [px]; 0 for no averaging.
    """
    n = len(yx)
    if not len(center):
        return csr_array((n, n))
    near = cKDTree(yx[center]).query_ball_point(yx[center], REACH * sigma)
    amount = np.array([len(one) for one in near])
    at, of = np.repeat(center, amount), center[np.concatenate(near).astype(int)]
    share = np.exp(-((yx[at] - yx[of]) ** 2).sum(axis=1) / (2 * max(sigma, 1e-9) ** 2))
    share /= np.bincount(at, share, n)[at]
    return csr_array(coo_array((share, (at, of)), shape=(n, n)))


def _gradient(weights, yx):
    """Deformation gradients (n, 2, 2); NaN where they are not known."""
    maps, valid = weights
    gradient = np.stack([one @ yx for one in maps], axis=-1)
    return np.where(valid[:, None, None], gradient, np.nan)


def _errors(weights, sigma, angle):
    """Standard errors of `NAMES`, (n, 5), where the errors of the positions (n, 2) are independent."""
    maps, _ = weights
    variance = np.stack(
        [np.stack([one.multiply(other) @ sigma**2 for other in maps], -1) for one in maps], axis=-1
    )  # of row a of F between its elements b and c: (n, a, b, c)
    growth = np.einsum("qab,nbc->nqac", GROWTH, _rotations(angle))
    return np.sqrt(np.einsum("nqab,nabc,nqac->nq", growth, variance, growth))
