"""Candidates are fitted twice: roughly, to tell columns from nothing, and to the end without what is nothing.

Both fits work on pixels that suit the width of a column.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from stemnet.detection.acceptance import LIKELY, features, in_white_noise, repeated
from stemnet.detection.judge import COMPANY, ECHOES
from stemnet.detection.refinement import Refinement, refine
from stemnet.detection.resampling import binned, binning, to_binned

QUICK = 6
"""Iterations of a stage."""
KNOWN, OPEN = 1.5, 4.0
"""Drift of a width that was chosen, and of one that is being tried."""
NOTHING, CROWDED = 1.0, 0.7
"""Standard errors of the height below which a candidate is nothing, and the share of others that makes a crowd."""
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
        In pixels of the binned image; row i is candidate ``rows[i]``.
    rows : ndarray of int, shape (N,)
        Candidates that were fitted at last: all, or where most of them stand
        out of nothing when fitted together, those that do.
    factor : int
        Pixels of the image a side of a binned one.
    ground : float or None
        Distance of the background's knots [binned px]; None leaves it to the fit.
    """

    image: np.ndarray
    fit: Refinement
    rows: np.ndarray
    factor: int
    ground: float | None


@dataclass(frozen=True)
class FirstLook:
    """What is known of candidates after a rough fit of all of them.

    Parameters
    ----------
    start : RoughFit
    score : ndarray, shape (N,)
        The network's probability of its rows.
    known : ndarray, shape (N, 19)
        Their `features`.
    """

    start: RoughFit
    score: np.ndarray
    known: np.ndarray


def first_look(image: np.ndarray, yx: np.ndarray, score: np.ndarray, width: float) -> FirstLook:
    """Fit candidates roughly and say what is known of them; parameters as for `roughly_fitted`."""
    start = roughly_fitted(image, yx, score, width)
    score = score[start.rows]
    return FirstLook(start, score, features(score, start.image, start.fit, start.fit.common_width))


def second_look(first: FirstLook, judged: np.ndarray, kept: np.ndarray) -> tuple[Refinement, np.ndarray]:
    """Fit those that may be columns to the end, and say what is known of them now.

    Parameters
    ----------
    first : FirstLook
    judged : ndarray, shape (N,)
        Probability of being a column after the first look.
    kept : ndarray of int, shape (K,)
        Rows that may be columns, one at least.

    Returns
    -------
    fit : Refinement
        In pixels of the binned image; row i is row ``kept[i]`` of the first look.
    known : ndarray, shape (K, 19)
        Their `features`.
    """
    start = first.start
    fit, width = finally_fitted(start, kept, judged), start.fit.common_width
    # Neighbors that were left out are part of the company all the same.
    known = features(first.score[kept], start.image, fit, width, first.known[kept][:, COMPANY])
    return fit, heard_again(first, judged, kept, known)


def heard_again(first: FirstLook, judged: np.ndarray, kept: np.ndarray, known: np.ndarray) -> np.ndarray:
    """What is known of the rows of a final fit, (K, 19), now that more is known of what they repeat.

    Parameters
    ----------
    first : FirstLook
    judged : ndarray, shape (N,)
        Probability of being a column, of all rows of the first look, as it is known by now.
    kept : ndarray of int, shape (K,)
        Rows of the final fit.
    known : ndarray, shape (K, 19)
        From `second_look`.
    """
    start = first.start
    known = known.copy()
    known[:, ECHOES] = repeated(judged, start.fit, start.fit.common_width, start.image.shape)[kept]
    return known


def roughly_fitted(
    image: np.ndarray,
    yx: np.ndarray,
    score: np.ndarray,
    width: float,
    drift: float = KNOWN,
    unlisted: bool = True,
) -> RoughFit:
    """Fit candidates together, in few steps and without describing them.

    Parameters
    ----------
    image : ndarray, shape (H, W)
        Bright columns; NaN where nothing was measured.
    yx : ndarray, shape (N, 2)
        [px]
    score : ndarray, shape (N,)
        The network's probability; those above `LIKELY` settle the width.
    width : float
        Sigma of a column [px].
    drift : float
        Largest factor by which the columns' common width may leave it. Where
        most candidates are grains of a support, a free one would grow to theirs.
    unlisted : bool
        Look for columns that are no candidates, too.

    Returns
    -------
    RoughFit
    """
    factor = binning(width)
    coarse, start, sigma = binned(image, factor), to_binned(yx, factor), width / factor
    ground, rows = _ground_spacing(start, sigma), np.arange(len(yx))
    while True:
        fit = refine(
            coarse,
            start[rows],
            sigma,
            max_iterations=QUICK,
            background_spacing=ground,
            width_drift=drift,
            certain=score[rows] >= LIKELY,
            rough=True,
            unlisted=unlisted,
        )
        stands_out = in_white_noise(fit) >= NOTHING
        if stands_out.mean() > CROWDED or len(rows) < len(yx) or not stands_out.any():
            return RoughFit(coarse, fit, rows, factor, ground)
        # Where candidates crowd each other, all of them lose: without those that are nothing the others gain.
        rows = rows[stands_out]


def finally_fitted(start: RoughFit, kept: np.ndarray, probability: np.ndarray) -> Refinement:
    """Fit again, to the end, without the candidates that are no columns.

    Parameters
    ----------
    start : RoughFit
    kept : ndarray of int, shape (K,)
        Rows of the rough fit that may be columns.
    probability : ndarray, shape (N,)
        Of every row; those above `LIKELY` settle the width.

    Returns
    -------
    Refinement
        In pixels of the binned image; row i is row ``kept[i]`` of the rough fit.
    """
    return refine(
        start.image,
        start.fit.yx[kept],
        start.fit.common_width,
        background_spacing=start.ground,
        width_drift=KNOWN,
        certain=probability[kept] >= LIKELY,
        beginning=start.fit.beginning(kept),
    )


def _ground_spacing(yx: np.ndarray, width: float) -> float | None:
    """Distance of the background's knots in the fit [px]; None leaves it to the fit.

    Between single atoms the support shows, and must be followed closely;
    within a lattice a background that bends between columns would eat them.
    """
    if len(yx) < 2:
        return SPARSE_GROUND * width
    nearest = cKDTree(yx).query(yx, k=2)[0][:, 1]
    return SPARSE_GROUND * width if np.median(nearest) > SPARSE * width else None
