"""Displacements of some columns from their sites: what a lattice does within its cells."""

from __future__ import annotations

import numpy as np

from stemnet.simulation.specimen import Specimen


def polar_shift(specimen: Specimen, sublattice: int, shift: np.ndarray) -> Specimen:
    """Move one sublattice by (2,) or per-column (N, 2) vectors [A]."""
    moved = (specimen.sublattice == sublattice)[:, None]
    return specimen.displaced(np.where(moved, np.broadcast_to(shift, specimen.yx.shape), 0.0))
