"""The scores of a mode over local and global composition, as a surface with its uncertainty.

How a distortion follows the composition, as in R. K. Vasudevan et al.,
arXiv:2006.10001 (2020).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from stemnet.analysis.comparison import Row
from stemnet.errors import StemnetError

FEW = 3  # scores of a bin whose own spread is not trusted
BINS = 6  # bins that a surface is put through


@dataclass(frozen=True)
class Surface:
    """The mean score of a mode over local and global composition, with its uncertainty.

    Parameters
    ----------
    local, global_ : ndarray, shape (L,) and (G,)
        Where the surface is given.
    mean, sigma : ndarray, shape (G, L)
        Of the mean score and its standard error [unit of the scores].
    bins : list of dict
        What it was fitted to: ``local``, ``global``, ``columns``, ``mean``, ``mean_sigma``.
    lengths : ndarray, shape (2,)
        Over which the score changes, along local and global composition.
    verdict : str
        One sentence.
    """

    local: np.ndarray
    global_: np.ndarray
    mean: np.ndarray
    sigma: np.ndarray
    bins: list[Row]
    lengths: np.ndarray
    verdict: str


def score_surface(
    scores: Sequence[np.ndarray],
    local: Sequence[np.ndarray],
    compositions: Sequence[float],
    *,
    points: int = 31,
    restarts: int = 3,
    random_state: int = 0,
) -> Surface:
    """Put a Gaussian process through the mean scores by local and global composition.

    Parameters
    ----------
    scores : sequence of ndarray, shape (N_i,)
        Of one mode, by image; absolute ones where the sign has no meaning.
    local : sequence of ndarray, shape (N_i,)
        Number of unlike neighbors, or local composition in steps; NaN and negative ones are left out.
    compositions : sequence of float
        Global, one per image.
    points : int
        Of the surface along each axis.
    restarts : int
        Of the search for the length scales.
    random_state : int

    Returns
    -------
    Surface

    Raises
    ------
    StemnetError
        If the sequences do not belong together, or there are too few different compositions.

    Notes
    -----
    C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning
    (2006), ch. 2: the errors of the means are on the diagonal of the covariance;
    scatter beyond them is a white term, which is not part of the surface's error.
    """
    lengths = [len(part) for part in scores], [len(part) for part in local], len(compositions)
    if lengths[0] != lengths[1] or lengths[2] != len(scores):
        raise StemnetError(
            f"Scores of {lengths[0]} columns, environments of {lengths[1]} and {lengths[2]} compositions were given; "
            "give one environment per column and one composition per image."
        )
    bins = _binned(scores, local, compositions)
    if (
        len(bins) < BINS
        or len({row["global"] for row in bins}) < 2
        or len({row["local"] for row in bins}) < 2
    ):
        raise StemnetError(
            f"The scores fall into {len(bins)} bins of local and global composition; a surface needs {BINS} or more, "
            "of two of each. Add images of other compositions, or use a larger field of view."
        )
    places = np.array([[row["local"], row["global"]] for row in bins], dtype=float)
    mean, sigma = (np.array([row[key] for row in bins], dtype=float) for key in ("mean", "mean_sigma"))
    low, high = places.min(axis=0), places.max(axis=0)
    weight = 1 / sigma**2
    center = float((weight * mean).sum() / weight.sum())
    scale = float(mean.std()) or float(sigma.mean())
    kernel = ConstantKernel(1.0, (1e-2, 1e2)) * RBF([0.5, 0.5], (0.1, 10.0)) + WhiteKernel(0.01, (1e-6, 1.0))
    process = GaussianProcessRegressor(
        kernel, alpha=(sigma / scale) ** 2, n_restarts_optimizer=restarts, random_state=random_state
    )
    with warnings.catch_warnings():
        # a length at its bound says that the score does not depend on that composition
        warnings.simplefilter("ignore", ConvergenceWarning)
        process.fit((places - low) / (high - low), (mean - center) / scale)
    axes = [np.linspace(start, end, points) for start, end in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    # the white term is scatter of the bins: the kernel of the surface itself leaves it out
    smooth, scatter = process.kernel_.k1, process.kernel_.k2.noise_level
    surface, error = process.predict((grid - low) / (high - low), return_std=True)
    error = np.sqrt(np.maximum(error**2 - scatter, 0.0))
    fitted = smooth.k2.length_scale * (high - low)
    verdict = (
        f"{sum(int(row['columns']) for row in bins)} scores in {len(bins)} bins; the mean changes over {fitted[0]:.2g} "
        f"in local and {fitted[1]:.2g} in global composition, with a median error of {np.median(error) * scale:.2g}."
    )
    shape = (points, points)
    return Surface(
        axes[0],
        axes[1],
        (surface * scale + center).reshape(shape),
        (error * scale).reshape(shape),
        bins,
        fitted,
        verdict,
    )


def _binned(scores, local, compositions):
    """Mean scores with errors by image and environment; small bins take the spread that all have in common."""
    bins, squares, freedom = [], 0.0, 0
    for one, around, composition in zip(scores, local, compositions, strict=True):
        one, around = np.asarray(one, float), np.asarray(around, float)
        known = np.isfinite(one) & np.isfinite(around) & (around >= 0)
        for value in np.unique(around[known]):
            mine = one[known & (around == value)]
            squares, freedom = squares + ((mine - mine.mean()) ** 2).sum(), freedom + len(mine) - 1
            bins.append((float(value), float(composition), mine))
    common = np.sqrt(squares / freedom) if freedom > 0 else 0.0
    table: list[Row] = []
    for value, composition, mine in bins:
        spread = max(float(mine.std(ddof=1)), 0.3 * common) if len(mine) > FEW else common
        row: Row = {"local": value, "global": composition, "columns": len(mine), "mean": float(mine.mean())}
        table.append(row | {"mean_sigma": max(spread, 1e-12) / np.sqrt(len(mine))})
    return table
