"""How precisely the positions of columns can be known at all: the Cramer-Rao bound.

For independent pixels of mean m and variance v, the Fisher matrix of the
parameters t is ``F_ab = sum (dm/dt_a)(dm/dt_b) / v`` (Poisson counts: v = m),
and no unbiased estimator has a covariance below its inverse (S. M. Kay,
Fundamentals of Statistical Signal Processing: Estimation Theory, 1993, ch. 3).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from stemnet.errors import StemnetError

_REACH = 6.0  # sigma


def cramer_rao(
    shape: tuple[int, int],
    yx: np.ndarray,
    amplitude: np.ndarray,
    width: np.ndarray | float,
    *,
    background: float | np.ndarray = 0.0,
    gain: float = 1.0,
    offset_variance: float = 0.0,
    widths: str = "each",
    rows: np.ndarray | None = None,
) -> np.ndarray:
    """Smallest standard errors of the column positions of one image.

    All columns' positions and amplitudes, their widths and one constant
    background are unknown together. The noise variance is
    ``offset_variance + gain * model``.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the image [px].
    yx : ndarray, shape (N, 2)
        Positions [px]; columns off the image count as far as their light reaches in.
    amplitude : ndarray, shape (N,)
        Peak heights.
    width : float or ndarray, shape (N,)
        Sigma [px].
    background : float or ndarray, shape (H, W)
        Level under the columns.
    gain, offset_variance : float
        Noise; 1 and 0 for counts.
    widths : {"each", "common", "known"}
        Whether every column has a width of its own, columns of equal width
        share one unknown, or all are known.
    rows : ndarray of int, optional
        Columns whose bound is wanted; all by default.

    Returns
    -------
    ndarray, shape (len(rows), 2)
        Standard errors along y and x [px]; inf where the image holds nothing of the column.

    Raises
    ------
    StemnetError
        If the model leaves a pixel without variance, or `widths` is not known.
    """
    if widths not in ("each", "common", "known"):
        raise StemnetError(f"widths is '{widths}'; it must be 'each', 'common' or 'known'.")
    yx = np.asarray(yx, dtype=np.float64).reshape(-1, 2)
    count = len(yx)
    amplitude = np.broadcast_to(np.asarray(amplitude, dtype=np.float64), count)
    width = np.broadcast_to(np.asarray(width, dtype=np.float64), count)
    rows = np.arange(count) if rows is None else np.asarray(rows)
    if not count:
        return np.zeros((0, 2))

    jacobian, light = _jacobian(shape, yx, amplitude, width)
    model = light + np.broadcast_to(np.asarray(background, dtype=np.float64), shape).ravel()
    variance = offset_variance + gain * model
    if not (variance > 0).all():
        raise StemnetError(
            "The Cramer-Rao bound got a model with pixels of no variance; counts need a background above 0. "
            "Pass background= or offset_variance=."
        )
    jacobian = _with_shared(jacobian, width, widths, count, len(model))
    fisher = (
        jacobian.T @ sparse.dia_array((1 / variance[None], [0]), shape=(len(model),) * 2) @ jacobian
    ).tocsc()
    diagonal = fisher.diagonal()
    seen = diagonal > 1e-12 * diagonal.max()
    scale = np.where(seen, 1 / np.sqrt(np.where(seen, diagonal, 1)), 0)
    scaled = sparse.dia_array((scale[None], [0]), shape=fisher.shape)
    fisher = scaled @ fisher @ scaled + sparse.dia_array(
        (np.where(seen, 1e-12, 1.0)[None], [0]), shape=fisher.shape
    )
    factors = splu(fisher.tocsc())
    bound = np.full((len(rows), 2), np.inf)
    for axis in (0, 1):
        for part in np.array_split(np.arange(len(rows)), max(1, len(rows) // 256)):
            unit = np.zeros((fisher.shape[0], len(part)))
            index = 4 * rows[part] + axis
            unit[index, np.arange(len(part))] = 1
            inverse = factors.solve(unit)[index, np.arange(len(part))]
            bound[part, axis] = np.where(seen[index], np.sqrt(np.maximum(inverse, 0)) * scale[index], np.inf)
    return bound


def _jacobian(
    shape: tuple[int, int], yx: np.ndarray, amplitude: np.ndarray, width: np.ndarray
) -> tuple[sparse.csc_array, np.ndarray]:
    """Derivatives of all pixels by (y, x, A, log sigma) of all columns, (pixels, 4 N), and their light."""
    half = int(np.ceil(_REACH * width.max()))
    offset = np.arange(-half, half + 1)
    nearest = np.rint(yx).astype(np.int64)
    row, col = nearest[:, :1] + offset, nearest[:, 1:] + offset  # (N, K)
    u, v = (row - yx[:, :1]) / width[:, None], (col - yx[:, 1:]) / width[:, None]
    down, across = np.exp(-(u**2) / 2), np.exp(-(v**2) / 2)
    shade = down[:, :, None] * across[:, None, :]
    inside = ((row >= 0) & (row < shape[0]))[:, :, None] & ((col >= 0) & (col < shape[1]))[:, None, :]
    slope = (amplitude / width)[:, None, None]
    derivative = np.stack(
        [
            slope * u[:, :, None] * shade,
            slope * v[:, None, :] * shade,
            shade,
            amplitude[:, None, None] * (u[:, :, None] ** 2 + v[:, None, :] ** 2) * shade,
        ],
        1,
    )
    pixel = row[:, :, None] * shape[1] + col[:, None, :]
    pixels = shape[0] * shape[1]
    light = np.bincount(pixel[inside], (amplitude[:, None, None] * shade)[inside], minlength=pixels)
    inside4 = np.broadcast_to(inside[:, None], derivative.shape)
    parameter = np.broadcast_to(
        (4 * np.arange(len(yx))[:, None] + np.arange(4))[:, :, None, None], derivative.shape
    )[inside4]
    place = np.broadcast_to(pixel[:, None], derivative.shape)[inside4]
    entries = (derivative[inside4], (place, parameter))
    return sparse.coo_array(entries, shape=(pixels, 4 * len(yx))).tocsc(), light


def _with_shared(
    jacobian: sparse.csc_array, width: np.ndarray, widths: str, count: int, pixels: int
) -> sparse.csr_array:
    """The unknowns wanted: background last; widths own, summed over equal ones, or none."""
    each = np.arange(4 * count)
    own_width = each % 4 == 3
    kept = (
        jacobian
        if widths == "each"
        else jacobian @ sparse.dia_array(((~own_width).astype(float)[None], [0]), shape=(4 * count,) * 2)
    )
    parts = [kept]
    if widths == "common":
        group = np.unique(np.round(width, 6), return_inverse=True)[1]
        sums = sparse.coo_array(
            (np.ones(count), (4 * np.arange(count) + 3, group)), shape=(4 * count, group.max() + 1)
        )
        parts.append(jacobian @ sums)
    parts.append(sparse.coo_array(np.ones((pixels, 1))))
    return sparse.hstack(parts, format="csr")
