"""Columns at sites of a lattice that were not counted, since most of their own kind around are missing."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from stemnet.descriptors.indices import sublattice_offsets
from stemnet.descriptors.reference import Reference

NEAR = 6  # columns around, of any sublattice, that say where sites are
CLOSE = 0.2  # of the spacing, within which a column is at a site
AGREE = 0.6  # share of the columns around that must say the same site


def adopted(yx: np.ndarray, reference: Reference, rows: np.ndarray, spacing: float) -> Reference:
    """Give columns off the lattice the site that they stand at, where it is free.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        [px]
    reference : Reference
        Of these columns; sublattices are numbered through all grains.
    rows : ndarray of int, shape (R,)
        Columns that may be adopted.
    spacing : float
        Of the columns [px].

    Returns
    -------
    Reference
        With grain, cell and sublattice of those that stand at a site.
    """
    grain, label, cells = reference.grain.copy(), reference.sublattice.copy(), reference.cells.copy()
    ideal = reference.ideal.copy()
    wanted = rows[label[rows] < 0]
    if not len(wanted):
        return reference
    for g, vectors in enumerate(reference.vectors):
        known = np.nonzero(reference.grain == g)[0]
        offsets = sublattice_offsets(yx[known], label[known], vectors)
        taken = set(map(tuple, np.column_stack([cells[known], label[known]]).tolist()))
        far, near = cKDTree(yx[known]).query(yx[wanted], k=min(NEAR, len(known)))
        near, far = near.reshape(len(wanted), -1), far.reshape(len(wanted), -1)
        inverse, kinds = np.linalg.inv(vectors), np.unique(label[known])
        for row, around, away in zip(wanted, known[near], far, strict=True):
            if grain[row] >= 0 or away[0] > 2 * spacing:
                continue
            site = _site(
                yx[row], yx[around], cells[around] + offsets[label[around]], offsets, kinds, vectors, inverse
            )
            if site is None or site[0] > CLOSE * spacing or (*site[2], site[1]) in taken:
                continue
            grain[row], label[row], cells[row], ideal[row] = g, site[1], site[2], site[3]
            taken.add((*site[2], site[1]))
    return Reference(
        ideal,
        yx - ideal,
        grain,
        cells,
        label,
        reference.fitted,
        reference.vectors,
        reference.spread,
    )


def _site(place, around, fractions, offsets, kinds, vectors, inverse):
    """Distance [px], sublattice, cell and position of the nearest site, by columns around; None if these disagree."""
    here = fractions + (place - around) @ inverse
    best = None
    for s in kinds:
        off = here - offsets[s]
        cell = np.round(np.median(off, axis=0)).astype(int)
        agree = (np.round(off) == cell).all(axis=1).mean()
        rest = np.median(off - cell, axis=0) @ vectors
        away = float(np.hypot(*rest))
        if agree >= AGREE and (best is None or away < best[0]):
            best = away, int(s), tuple(cell.tolist()), place - rest
    return best
