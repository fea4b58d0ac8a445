"""Bond-orientational order: how well the neighbors of a column stand at the corners of a regular polygon."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.bonds import Bonds, find_bonds
from stemnet.descriptors.table import Descriptors
from stemnet.descriptors.voronoi import position_variance
from stemnet.errors import StemnetError

FORMS = ("polar", "complex", "magnitude")


def bond_orientation(
    columns: Columns,
    *,
    orders: Sequence[int] = (2, 3, 4, 5, 6),
    neighbors: str = "voronoi",
    k: int = 6,
    radius: float | None = None,
    form: str = "polar",
    errors: bool = False,
) -> Descriptors:
    """Means of exp(i n angle) over the bonds of every column.

    The order parameter psi_n of D. R. Nelson and B. I. Halperin, Phys. Rev. B
    19, 2457 (1979); its magnitude is 1 where all bonds repeat every 360 / n
    degrees, and no rotation changes it.

    Parameters
    ----------
    columns : Columns
        With ``sigma_y``, ``sigma_x`` [px] where errors are wanted.
    orders : sequence of int
        n, each 1 or more.
    neighbors, k, radius
        As in `find_bonds`; neighbors by Voronoi count by the lengths of their facets.
    form : "polar", "complex" or "magnitude"
        ``psi6_1``, ``psi6_angle_rad``: magnitude and orientation, from +x to +y,
        between -pi / n and pi / n; ``psi6_re_1``, ``psi6_im_1``; or magnitudes only.
    errors : bool
        Add standard errors ``sigma_...``, to first order in those of the
        positions; facets are taken as known.

    Returns
    -------
    Descriptors
        Valid where no neighbor may lie outside of the image.

    Raises
    ------
    StemnetError
        If an option does not exist, there are too few columns, or positions have no errors.
    """
    if form not in FORMS or not len(orders) or min(orders) < 1:
        raise StemnetError(
            f"form={form!r} and orders={list(orders)} were asked for; use one of {', '.join(FORMS)}, and orders of 1 "
            "or more."
        )
    bonds = find_bonds(columns, neighbors, k=k, radius=radius)
    variance = position_variance(columns) if errors else None
    angle = np.arctan2(bonds.vectors[:, 0], bonds.vectors[:, 1])
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = bonds.weight / bonds.sums(bonds.weight)[bonds.first]
        values, names, sigmas = [], [], []
        for n in orders:
            turned = weight * np.exp(1j * n * angle)
            psi = bonds.sums(turned)
            values += _in_form(psi, n, form)
            names += _names(n, form)
            if variance is not None:
                sigmas += _errors(bonds, turned, psi, n, form, variance)
    valid = bonds.complete & (bonds.counts > 0)
    if sigmas:
        names += [f"sigma_{name}" for name in names]
    table = np.stack(values + sigmas, axis=1)
    table[~valid] = np.nan
    return Descriptors(table, tuple(names), columns.yx, valid)


def _names(n, form):
    if form == "complex":
        return [f"psi{n}_re_1", f"psi{n}_im_1"]
    return [f"psi{n}_1"] + ([f"psi{n}_angle_rad"] if form == "polar" else [])


def _in_form(psi, n, form):
    if form == "complex":
        return [psi.real, psi.imag]
    return [np.abs(psi)] + ([np.angle(psi) / n] if form == "polar" else [])


def _errors(bonds: Bonds, turned, psi, n, form, variance):
    """Standard errors of the numbers of one order, each (N,)."""
    y, x = bonds.vectors.T
    # a bond turns with its end as (-x dy... ) / r^2: the gradient of atan2(y, x)
    gradient = np.stack([x, -y], axis=1) / (y**2 + x**2)[:, None]
    change = 1j * n * turned
    if form == "complex":
        directions = [np.ones_like(psi), np.full_like(psi, 1j)]
    else:
        along = psi / np.abs(psi)
        directions = [along] + ([1j * along * n * np.abs(psi)] if form == "polar" else [])
    sigmas = []
    for number, direction in enumerate(directions):
        size = np.abs(direction[bonds.first]) ** 2
        part = (change * direction[bonds.first].conj()).real / np.where(number, size, 1.0)
        slope = part[:, None] * gradient
        own = np.stack([bonds.sums(axis) for axis in slope.T], axis=1)
        total = bonds.sums((slope**2 * variance[bonds.second]).sum(axis=1))
        sigmas.append(np.sqrt(total + (own**2 * variance).sum(axis=1)))
    return sigmas
