"""Neighborhoods in numbers that know neither the order of the neighbors nor how the crystal lies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.bonds import Bonds, apart, find_bonds
from stemnet.descriptors.lattice import column_spacing
from stemnet.descriptors.table import Descriptors
from stemnet.descriptors.voronoi import position_variance
from stemnet.errors import StemnetError

WIDTH = 0.25
"""Of a shell, in spacings: neighbors pass from one to the next without a jump."""
FAR = 3.0  # widths beyond which a shell has no neighbors: exp(-4.5) = 1 %


def order_free(
    columns: Columns,
    *,
    shells: Sequence[float] = (1.0, 1.75),
    orders: Sequence[int] = (0, 1, 2, 3, 4, 5, 6),
    distances: int = 6,
    spacing: float | None = None,
    errors: bool = False,
) -> Descriptors:
    """Sorted distances, and the power spectrum of the neighbors' angles in every shell.

    The amplitude c_m = sum g(r) exp(i m angle) of the neighbors in a Gaussian
    shell g turns with the crystal; |c_m|^2 does not. This is the power spectrum
    of the smooth overlap of atomic positions (A. P. Bartok, R. Kondor and
    G. Csanyi, Phys. Rev. B 87, 184115, 2013) in the plane, with shells as its
    radial functions.

    Parameters
    ----------
    columns : Columns
        With ``sigma_y``, ``sigma_x`` [px] where errors are wanted.
    shells : sequence of float
        Radii, in units of the spacing; each shell is a Gaussian of a quarter of it.
    orders : sequence of int
        m, each 0 or more.
    distances : int
        How many of the nearest neighbors' distances to add, nearest first; may be 0.
    spacing : float, optional
        [A], or [px] where the sampling is unknown; by default the median distance
        of the nearest neighbors. Images are comparable where it is the same.
    errors : bool
        Add standard errors ``sigma_...``, to first order in those of the
        positions; the spacing is taken as known.

    Returns
    -------
    Descriptors
        ``distance0_A, ...`` (px where the sampling is unknown; where two of them are
        alike to within their errors, sorting makes these too large) and
        ``power_s0_m0_1, ...`` by shell and order. Valid where no neighbor that
        counts may lie outside of the image.

    Raises
    ------
    StemnetError
        If an option makes no sense, there are too few columns, or positions have no errors.
    """
    sizes = [*shells, *([] if spacing is None else [spacing])]
    if not all(size > 0 for size in sizes) or not shells or min(orders, default=-1) < 0 or distances < 0:
        raise StemnetError(
            f"shells={list(shells)}, orders={list(orders)}, distances={distances}, spacing={spacing} were asked for; "
            "shells and spacing are positive, orders and distances 0 or more."
        )
    if len(columns) < max(distances + 1, 2):
        raise StemnetError(
            f"{len(columns)} columns were given; {max(distances + 1, 2)} or more are needed for {distances} distances. "
            "Use a larger field of view."
        )
    scale, unit = (1.0, "px") if columns.sampling is None else (columns.sampling, "A")
    spacing = column_spacing(apart(columns)) if spacing is None else spacing / scale
    reach = (max(shells) + FAR * WIDTH) * spacing * scale
    bonds = find_bonds(columns, "radius", radius=reach)
    variance = position_variance(columns) if errors else None
    values, sigmas = _powers(bonds, np.asarray(shells) * spacing, orders, WIDTH * spacing, variance)
    names = [f"power_s{s}_m{m}_1" for s in range(len(shells)) for m in orders]
    valid = bonds.complete
    if distances:
        near = find_bonds(columns, "nearest", k=distances)
        length, spread = _sorted(near, distances, variance)
        values, sigmas = [*(length * scale).T, *values], [*(spread * scale).T, *sigmas]
        names = [f"distance{i}_{unit}" for i in range(distances)] + names
        valid = valid & near.complete
    if errors:
        names += [f"sigma_{name}" for name in names]
    table = np.stack(values + (sigmas if errors else []), axis=1)
    table[~valid] = np.nan
    return Descriptors(table, tuple(names), columns.yx, valid)


def _powers(bonds: Bonds, radii, orders, width, variance):
    """Powers of all shells and orders, each (N,), and their standard errors where variances (N, 2) are given."""
    length = np.hypot(*bonds.vectors.T)
    outward = bonds.vectors / length[:, None]
    around = np.stack([outward[:, 1], -outward[:, 0]], axis=1) / length[:, None]
    phase = {m: np.exp(1j * m * np.arctan2(bonds.vectors[:, 0], bonds.vectors[:, 1])) for m in orders}
    powers, sigmas = [], []
    for radius in radii:
        shell = np.exp(-0.5 * ((length - radius) / width) ** 2)
        steep = -(length - radius) / width**2
        for m in orders:
            one = shell * phase[m]
            amplitude = bonds.sums(one)
            powers.append(np.abs(amplitude) ** 2)
            if variance is None:
                continue
            turned = one * amplitude.conj()[bonds.first]
            slope = 2 * (turned.real * steep)[:, None] * outward - 2 * m * turned.imag[:, None] * around
            own = np.stack([bonds.sums(axis) for axis in slope.T], axis=1)
            total = bonds.sums((slope**2 * variance[bonds.second]).sum(axis=1))
            sigmas.append(np.sqrt(total + (own**2 * variance).sum(axis=1)))
    return powers, sigmas


def _sorted(bonds: Bonds, k, variance):
    """Lengths (N, k), shortest first, and their standard errors (N, k), NaN without variances."""
    length = np.hypot(*bonds.vectors.T).reshape(-1, k)
    order = np.argsort(length, axis=1, kind="stable")
    error = np.full_like(length, np.nan)
    if variance is not None:
        share = (bonds.vectors**2).reshape(-1, k, 2) / length[..., None] ** 2
        both = variance[bonds.second].reshape(-1, k, 2) + variance[:, None]
        error = np.sqrt((share * both).sum(axis=2))
    return np.take_along_axis(length, order, axis=1), np.take_along_axis(error, order, axis=1)
