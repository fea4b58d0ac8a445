"""The fit that only has to tell columns from nothing, on pixels that suit the width of a column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from stemnet.detection.refinement import Refinement, refine
from stemnet.detection.resampling import binned, binning, to_binned

QUICK = 6
"""Iterations of a stage."""
KNOWN, OPEN = 1.5, 4.0
"""Drift of a width that was chosen, and of one that is being tried."""
SPARSE = 7.0
"""Columns further apart than this many widths are single atoms to the fit."""
SPARSE_GROUND = 5.0
"""Distance of the background's knots around single atoms, in widths."""


@dataclass(frozen=True)
class RoughFit:
    """Candidates fitted together.

    Parameters
    ----------
    image : ndarray, shape (h, w)
        Binned.
    fit : Refinement
        In pixels of the binned image; row i is candidate i.
    factor : int
        Pixels of the image a side of a binned one.
    ground : float or None
        Distance of the background's knots [binned px]; None leaves it to the fit.
    """

    image: np.ndarray
    fit: Refinement
    factor: int
    ground: float | None


def roughly_fitted(image: np.ndarray, yx: np.ndarray, width: float, drift: float = KNOWN) -> RoughFit:
    """Fit candidates together, in few steps and without describing them.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        Bright columns; NaN where nothing was measured.
    yx : ndarray, shape (N, 2)
        [px]
    width : float
        Sigma of a column [px].
    drift : float
        Largest factor by which the columns' common width may leave it. Where
        most candidates are grains of a support, a free one would grow to theirs.

    Returns
    -------
    RoughFit
    """
    factor = binning(width)
    coarse, start, sigma = binned(image, factor), to_binned(yx, factor), width / factor
    ground = _ground_spacing(start, sigma)
    fit = refine(
        coarse,
        start,
        sigma,
        max_iterations=QUICK,
        background_spacing=ground,
        width_drift=drift,
        describe=False,
    )
    return RoughFit(coarse, fit, factor, ground)


def _ground_spacing(yx: np.ndarray, width: float) -> float | None:
    """Distance of the background's knots in the fit [px]; None leaves it to the fit.

    Between single atoms the support shows, and must be followed closely;
    within a lattice a background that bends between columns would eat them.
    """
    if len(yx) < 2:
        return SPARSE_GROUND * width
    nearest = cKDTree(yx).query(yx, k=2)[0][:, 1]
    return SPARSE_GROUND * width if np.median(nearest) > SPARSE * width else None
