"""Which sublattice each column belongs to: its place within the cell, followed locally.

Strain and drift shift the phase of a column within the cell by whole cells
across an image, so the phase is never measured against one origin. It is
measured against the nearest columns of one reference sublattice, and phases
are then gathered on the torus of the cell.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, maximum_filter
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from stemnet.columns import Columns
from stemnet.descriptors.autocorrelation import GATE
from stemnet.descriptors.lattice import Lattice, column_spacing

GRID = 48  # cells of the phase histogram along each lattice vector


def assign_sublattices(columns: Columns, lattice: Lattice) -> np.ndarray:
    """Number the sublattices, the brightest 0.

    Parameters
    ----------
    columns : Columns
        With the fields ``intensity`` (else the most populated sublattice is 0)
        and ``frame`` where there are several frames.
    lattice : Lattice
        From `find_lattice`.

    Returns
    -------
    ndarray of int, shape (N,)
        -1 where the place in the cell is unknown: columns off the lattice, of
        another grain, or too far from the rest.
    """
    label = np.full(len(columns), -1)
    frame = columns["frame"] if "frame" in columns else np.zeros(len(columns), int)
    intensity = columns.fields.get("intensity")
    for number in np.unique(frame):
        rows = np.nonzero(frame == number)[0]
        if len(rows) < 2:
            continue
        part = _one_frame(columns.yx[rows], lattice)
        label[rows] = _ordered(part, columns.yx[rows], None if intensity is None else intensity[rows])
    return label


def _one_frame(yx, lattice):
    spacing = column_spacing(yx)
    partner = lattice_partners(yx, lattice, GATE * spacing)
    reference = _reference(partner)
    if reference.sum() < 3:
        return np.full(len(yx), -1)
    inverse = np.linalg.inv(lattice.vectors)
    cell = np.linalg.norm(lattice.vectors, axis=1).max()
    label = np.where(reference, 0, -1)
    offsets = np.zeros((1, 2))
    for _ in range(3):  # each pass follows the lattice further from the columns already placed
        phase = _local_phase(yx, label, offsets, inverse, 4 * cell)
        offsets = _phase_peaks(phase[np.isfinite(phase[:, 0])], lattice.vectors, spacing)
        label = _nearest_phase(phase, offsets, lattice.vectors, 0.4 * spacing)
        has_mate = ((partner >= 0) & (label[partner] == label[:, None])).any(axis=1)
        label = np.where(has_mate, label, -1)
        if not len(offsets) or (label < 0).all():
            return np.full(len(yx), -1)
    return label


def lattice_partners(yx: np.ndarray, lattice: Lattice, gate: float) -> np.ndarray:
    """Row found at each template vector from each column, shape (N, k); -1 where there is none."""
    distance, partner = cKDTree(yx).query(yx[:, None] + lattice.template, distance_upper_bound=gate)
    return np.where(np.isfinite(distance), partner, -1)


def _reference(partner):
    """One sublattice to measure from: the largest set of columns joined by lattice vectors.

    Only columns with most of their partners may join others, else a pair of
    false columns could bridge two sublattices.
    """
    n, k = partner.shape
    core = (partner >= 0).sum(axis=1) >= 0.6 * k
    row, direction = np.nonzero((partner >= 0) & core[:, None])
    other = partner[row, direction]
    keep = core[other]
    graph = coo_array((np.ones(keep.sum()), (row[keep], other[keep])), shape=(n, n))
    _, component = connected_components(graph, directed=False)
    size = np.bincount(component[core], minlength=1) if core.any() else np.zeros(1)
    return core & (component == size.argmax())


def _local_phase(yx, label, offsets, inverse, reach):
    """Place in the cell, fractions of (a, b) in 0..1, shape (N, 2), from the 12 nearest placed columns."""
    placed = np.nonzero(label >= 0)[0]
    distance, near = cKDTree(yx[placed]).query(yx, k=min(12, len(placed)), distance_upper_bound=reach)
    distance, near = distance.reshape(len(yx), -1), near.reshape(len(yx), -1)
    known = np.isfinite(distance) & (distance > 0)
    near = placed[np.where(known, near, 0)]
    fraction = (yx[:, None] - yx[near]) @ inverse + offsets[label[near]]
    turn = np.where(known[..., None], np.exp(2j * np.pi * fraction), 0).sum(axis=1)
    return np.where(known.any(axis=1)[:, None], np.angle(turn) / (2 * np.pi) % 1, np.nan)


def _phase_peaks(phase, vectors, spacing):
    """Places in the cell that many columns share, shape (S, 2)."""
    counts = np.histogram2d(phase[:, 0], phase[:, 1], bins=GRID, range=[[0, 1]] * 2)[0]
    per_cell = spacing / np.linalg.norm(vectors, axis=1) * GRID
    smooth = gaussian_filter(counts, 0.13 * per_cell, mode="wrap")
    size = np.maximum(3, np.round(0.6 * per_cell)).astype(int)
    peak = (smooth == maximum_filter(smooth, size=size, mode="wrap")) & (smooth > 0.12 * smooth.max())
    return (np.argwhere(peak) + 0.5) / GRID


def _nearest_phase(phase, offsets, vectors, gate):
    if not len(offsets):
        return np.full(len(phase), -1)
    away = phase[:, None] - offsets
    away = (away - np.round(away)) @ vectors
    distance = np.hypot(away[..., 0], away[..., 1])
    nearest = distance.argmin(axis=1)
    return np.where(distance.min(axis=1) < gate, nearest, -1)  # NaN compares false


def _ordered(label, yx, intensity):
    """Renumber: brightest first, or most populated first; ties by where the sublattice lies."""
    present = np.unique(label[label >= 0])
    members = [label == s for s in present]
    if intensity is None:
        key = [(-m.sum(), yx[m].sum(axis=1).min()) for m in members]
    else:
        key = [(-np.nanmean(intensity[m]), yx[m].sum(axis=1).min()) for m in members]
    result = np.full(len(label), -1)
    for new, old in enumerate(sorted(range(len(present)), key=key.__getitem__)):
        result[members[old]] = new
    return result
