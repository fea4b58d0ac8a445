"""What a specimen's cell indices say of its lattice: cell vectors, neighbors by index."""

from __future__ import annotations

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.deformation import gradient
from stemnet.simulation.specimen import Specimen


def indices(specimen: Specimen) -> np.ndarray:
    """Cell along the two cell vectors, and site within the cell, (N, 3)."""
    return np.asarray(specimen.index)


def cell_vectors(specimen: Specimen) -> np.ndarray:
    """The two cell vectors as grown, as rows (y, x) [A], by least squares over ideal sites.

    Parameters
    ----------
    specimen : Specimen
        Of one crystal: grains have to be distorted before they are joined.

    Returns
    -------
    ndarray, shape (2, 2)

    Raises
    ------
    StemnetError
        If its columns have no lattice or several, or lie in one row.
    """
    cells, site = indices(specimen)[:, :2].astype(float), indices(specimen)[:, 2]
    if not len(specimen) or (site < 0).any():
        raise StemnetError(
            "This distortion follows a lattice, but some columns have none; give a grown crystal."
        )
    ideal = specimen.yx - specimen.displacement
    # Sites are separated by their means: one constant each.
    groups, group = np.unique(site, return_inverse=True)
    count = np.bincount(group)[:, None]
    centered = [
        values - (np.stack([np.bincount(group, column) for column in values.T], 1) / count)[group]
        for values in (cells, ideal)
    ]
    vectors, left, rank, _ = np.linalg.lstsq(centered[0], centered[1], rcond=None)
    if rank < 2:
        raise StemnetError(
            f"The {len(groups)} sites of the specimen repeat in less than two directions; give a larger field of view."
        )
    if len(left) and left.sum() > len(specimen) * (0.2 * np.linalg.norm(vectors, axis=1).min()) ** 2:
        raise StemnetError(
            "The columns do not lie on one lattice, as where grains were joined; distort each grain before they are."
        )
    return vectors


def carried(specimen: Specimen, vectors: np.ndarray) -> np.ndarray:
    """Vectors (2,) or (N, 2) of the lattice as grown, as the specimen's deformations have turned them, (N, 2)."""
    vectors = np.broadcast_to(np.asarray(vectors, dtype=float), specimen.yx.shape)
    if not specimen.flow:
        return vectors.copy()
    return np.einsum("nij,nj->ni", gradient(specimen.flow, specimen.origin_of(specimen.yx)), vectors)


def rows_at(specimen: Specimen, cells: np.ndarray, site: int) -> np.ndarray:
    """The rows of the columns at cells (M, 2) and a site, (M,); -1 where there is none."""
    ours = np.flatnonzero(indices(specimen)[:, 2] == site)
    here = indices(specimen)[ours, :2]
    if not len(ours):
        return np.full(len(cells), -1)
    low = np.minimum(here.min(0), cells.min(0, initial=np.iinfo(np.int64).max))
    span = np.maximum(here.max(0), cells.max(0, initial=np.iinfo(np.int64).min)) - low + 1
    keys = (here - low) @ [span[1], 1]
    wanted = (np.asarray(cells) - low) @ [span[1], 1]
    order = np.argsort(keys)
    at = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
    found = order[at]
    return np.where(keys[found] == wanted, ours[found], -1)
