"""How badly the neighbors of a column fit any strained piece of lattice."""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2, norm

from stemnet.columns import Columns
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.neighbors import lattice_of, neighbor_vectors, sublattice_of
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError

MOST = 38.0
"""Standard errors beyond which probabilities are too small for floating point numbers."""


def local_misfit(columns: Columns, *, lattice: Lattice | None = None) -> Descriptors:
    """What is left of the vectors to the lattice neighbors when the best affine map of the lattice is taken off.

    D^2_min of M. L. Falk and J. S. Langer, Phys. Rev. E 57, 7192 (1998), per
    neighbor: no strain, rotation or shear adds to it, but a column that is
    displaced against its neighbors, or a strain that changes within a cell.

    Parameters
    ----------
    columns : Columns
        With ``sublattice`` where it is known.
    lattice : Lattice, optional
        Found from the positions by default.

    Returns
    -------
    Descriptors
        ``misfit_A`` (px where the sampling is unknown), root of the mean square
        length of what is left; ``misfit_sigma``, in standard errors: the normal
        deviate of the same probability, where the scatter of the positions is
        that of most columns of the sublattice. Valid where all neighbors are there.

    Raises
    ------
    StemnetError
        If no lattice is found.
    """
    lattice = lattice or lattice_of(columns)
    if lattice is None:
        raise StemnetError(
            f"The {len(columns)} columns follow no lattice, against which a misfit could be measured. Use psi_n or "
            "Voronoi areas, which need none."
        )
    label = sublattice_of(columns, lattice)
    known = columns.with_fields(sublattice=label)
    n = len(columns)
    if not (label >= 0).any():
        return _table(columns, np.full(n, np.nan), np.full(n, np.nan))
    vectors = neighbor_vectors(known, lattice=lattice).values.reshape(n, lattice.k, 2)
    template = lattice.template
    affine = np.linalg.pinv(template) @ vectors
    rest = vectors - template @ affine
    square = (rest**2).sum(axis=(1, 2))
    freedom = 2 * lattice.k - 4
    score = np.full(n, np.nan)
    for s in np.unique(label[label >= 0]):
        mine = (label == s) & np.isfinite(square)
        if mine.any():
            scale = max(np.median(square[mine]), 1e-24) / chi2.median(freedom)
            score[mine] = normal_deviate(square[mine] / scale, freedom)
    return _table(columns, np.sqrt(square / lattice.k), score)


def _table(columns, misfit, score):
    unit = "px" if columns.sampling is None else "A"
    values = np.stack([misfit, score], axis=1)
    return Descriptors(
        values, (f"misfit_{unit}", "misfit_sigma"), columns.yx, np.isfinite(values).all(axis=1)
    )


def normal_deviate(square: np.ndarray, freedom: int) -> np.ndarray:
    """Standard errors that are as unlikely as a chi-square (n,) of so many degrees of freedom, at most `MOST`."""
    with np.errstate(divide="ignore"):
        return np.clip(norm.isf(chi2.sf(square, freedom)), -MOST, MOST)
