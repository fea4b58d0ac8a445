"""Light at given places of an image, once that of the columns around is taken off."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

REACH = 2.5  # widths around a place that are fitted
FAR = 2.5  # widths beyond that, from which columns still shine into the fit


def forced_light(
    image: np.ndarray, columns: np.ndarray, places: np.ndarray, width: float
) -> tuple[np.ndarray, np.ndarray]:
    """Fit heights of Gaussians at fixed places: those of the columns around, one at the place, and a ground.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    columns : ndarray, shape (N, 2)
        [px]
    places : ndarray, shape (M, 2)
        A column at the place itself is taken for it [px].
    width : float
        Sigma of the Gaussians [px].

    Returns
    -------
    height, sigma : ndarray, shape (M,)
        Of the Gaussian at each place, negative where columns are dark, and its
        standard error [units of the image] by the residuals, whose variance may
        differ from pixel to pixel (H. White, Econometrica 48, 817, 1980). NaN
        where too few pixels are in the image.
    """
    tree = cKDTree(columns)
    height, sigma = np.full(len(places), np.nan), np.full(len(places), np.nan)
    for row, place in enumerate(places):
        reach = int(np.ceil(REACH * width))
        low = np.maximum(np.round(place).astype(int) - reach, 0)
        high = np.maximum(np.minimum(np.round(place).astype(int) + reach + 1, image.shape), low)
        y, x = np.mgrid[low[0] : high[0], low[1] : high[1]]
        pixels = np.stack([y.ravel(), x.ravel()], axis=1)
        inside = np.hypot(*(pixels - place).T) <= REACH * width
        pixels = pixels[inside]
        near = np.array(tree.query_ball_point(place, (REACH + FAR) * width), dtype=int)
        others = columns[near]
        others = others[np.hypot(*(others - place).T) > width]
        centers = np.concatenate([place[None], others])
        square = ((pixels[:, None] - centers) ** 2).sum(axis=-1)
        shapes = np.exp(-square / (2 * width**2))
        # a neighbor whose light hardly reaches the fit cannot be told from the ground
        shapes = shapes[:, (shapes.max(axis=0, initial=0.0) > 0.02) | (np.arange(len(centers)) == 0)]
        design = np.column_stack([shapes, np.ones(len(pixels))])
        if len(pixels) < 2 * design.shape[1]:
            continue
        values = image[pixels[:, 0], pixels[:, 1]].astype(float)
        solved, *_ = np.linalg.lstsq(design, values, rcond=None)
        rest = values - design @ solved
        inverse = np.linalg.pinv(design.T @ design)
        # bright pixels are noisier than dark ones
        growth = (design @ inverse[0]) * rest
        variance = (growth**2).sum() * len(values) / (len(values) - design.shape[1])
        height[row], sigma[row] = solved[0], np.sqrt(variance)
    return height, sigma
