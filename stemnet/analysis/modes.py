"""Modes of distortion: one basis of the neighbor vectors of many images, and what each column has of them.

A principal component of the neighbor vectors is a mode: an arrow on every
neighbor. The images of a series are described in one joint basis, else their
scores could not be compared (R. K. Vasudevan et al., arXiv:2006.10001, 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA

from stemnet.analysis.embedding import embed
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError

ALIKE = 0.02  # of the mean bond: ways to number the neighbors that fit as well as the best, and the least turn decides
MISFIT = 0.15  # of the mean bond, beyond which two images do not show the same environment


@dataclass(frozen=True)
class Modes:
    """A joint basis of distortions.

    Parameters
    ----------
    mean : ndarray, shape (k, 2)
        Mean neighbor vectors (y, x) of all images, in the frame of the first [unit].
    shapes : ndarray, shape (m, k, 2)
        Arrows (y, x) on the neighbors; a mode as a whole has length 1, modes are
        at right angles to each other.
    scores : tuple of ndarray, shape (N_i, m)
        By image [unit]; NaN in rows that are not valid.
    explained_variance : ndarray, shape (m,)
        [unit^2]
    explained_variance_ratio : ndarray, shape (m,)
    tables : tuple of Descriptors
        As given.
    turns : ndarray, shape (images,)
        By which each image's vectors were turned into the frame of the first
        [rad, from +x towards +y].
    unit : str
        ``A`` or ``px``.
    """

    mean: np.ndarray
    shapes: np.ndarray
    scores: tuple[np.ndarray, ...]
    explained_variance: np.ndarray
    explained_variance_ratio: np.ndarray
    tables: tuple[Descriptors, ...]
    turns: np.ndarray
    unit: str

    def __len__(self) -> int:
        return len(self.shapes)


def joint_modes(
    tables: Sequence[Descriptors], count: int = 3, *, turned: bool = True, steady: bool = True
) -> Modes:
    """Principal components of the neighbor vectors of several images together.

    Parameters
    ----------
    tables : sequence of Descriptors
        From `neighbor_vectors`, of one k and unit; of one sublattice each (``center=``).
    count : int
        Modes, from 1 to 2 k.
    turned : bool
        Whether images are turned into the frame of the first, so that a crystal
        that lies in another direction has the same environment.
    steady : bool
        Whether scores are generalized least squares, aware that the error of a
        column's own position is in all of its k vectors, which lowers the
        variance of scores; else they are plain projections.

    Returns
    -------
    Modes
        Signs are fixed by the shapes alone, as `embed` does.

    Raises
    ------
    StemnetError
        If the tables differ in their names or environments, or have too few complete rows.
    """
    if not tables:
        raise StemnetError("Modes were asked for of no image; give the neighbor vectors of one or more.")
    names = tables[0].names
    if any(table.names != names for table in tables) or len(names) % 2:
        given = "; ".join(", ".join(table.names[:2]) + f", ... ({len(table.names)})" for table in tables)
        raise StemnetError(
            f"The tables of a joint basis hold {given}; all need the neighbor vectors of one k and unit. "
            "Use the same k, and a sampling for every image or for none."
        )
    if not 1 <= count <= len(names):
        raise StemnetError(
            f"{count} modes were asked for of {len(names) // 2} neighbors, which have {len(names)}; "
            f"ask for 1 to {len(names)}."
        )
    for place, table in enumerate(tables):
        if not table.valid.any():
            raise StemnetError(
                f"None of the {len(table)} columns of image {place} has all {len(names) // 2} neighbors; a joint "
                "basis needs some of every image. Use a larger field of view, or leave the image out."
            )
    turns, first = _turns(tables) if turned else (np.zeros(len(tables)), np.zeros(len(tables), int))
    frames = [
        replace(table, values=_in_frame(table.values, turn, shift))
        for table, turn, shift in zip(tables, turns, first, strict=True)
    ]
    joint = Descriptors(
        np.concatenate([table.values for table in frames]),
        names,
        np.concatenate([table.yx for table in frames]),
        np.concatenate([table.valid for table in frames]),
    )
    found = embed(joint, PCA(count, svd_solver="full"), "modes")
    scores = _steady(joint.values - found.model.mean_, found.model.components_) if steady else found.latent
    ends = np.cumsum([len(table) for table in tables])[:-1]
    return Modes(
        found.model.mean_.reshape(-1, 2),
        found.model.components_.reshape(count, -1, 2),
        tuple(np.split(scores, ends)),
        found.model.explained_variance_,
        found.model.explained_variance_ratio_,
        tuple(tables),
        turns,
        names[0].rsplit("_", 1)[-1],
    )


def mode_angles(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Principal angles between the spaces of two sets of modes.

    Parameters
    ----------
    one, other : ndarray, shape (m, k, 2) and (n, k, 2)
        Mode shapes, of any length and not necessarily at right angles.

    Returns
    -------
    ndarray, shape (min(m, n),)
        From the largest [rad]; all 0 where one space holds the other.

    Raises
    ------
    StemnetError
        If the modes are of different numbers of neighbors.
    """
    one, other = (np.asarray(shapes, float).reshape(len(shapes), -1) for shapes in (one, other))
    if one.shape[1] != other.shape[1]:
        raise StemnetError(
            f"Modes of {one.shape[1] // 2} and of {other.shape[1] // 2} neighbors were compared; "
            "compare modes of one k."
        )
    return subspace_angles(one.T, other.T)


def _turns(tables):
    """Turn of every image into the frame of the first [rad], and the number of the neighbor that comes first there."""
    means = [np.median(table.complete, axis=0).reshape(-1, 2) for table in tables]
    bond = np.linalg.norm(means[0], axis=1).mean()
    turns, firsts = [], []
    for place, mean in enumerate(means):
        ways = []
        for first in range(len(mean)):
            own = np.roll(mean, -first, axis=0)
            turn = np.angle(np.sum(_complex(means[0]) * _complex(own).conj()))
            misfit = np.abs(_complex(own) * np.exp(1j * turn) - _complex(means[0])).max() / bond
            ways.append((misfit, turn, first))
        least = min(way[0] for way in ways)
        if least > MISFIT:
            raise StemnetError(
                f"The mean neighbors of image {place} are {least:.0%} of a bond off those of the first, however "
                f"turned; {MISFIT:.0%} at most make one environment. Give images of one crystal, each with the "
                "right sampling."
            )
        # by symmetry several ways may fit; the least turn changes the image least
        _, turn, first = min((way for way in ways if way[0] < least + ALIKE), key=lambda way: abs(way[1]))
        turns.append(float(turn))
        firsts.append(first)
    return np.array(turns), np.array(firsts)


def _complex(vectors):
    return vectors[..., 1] + 1j * vectors[..., 0]


def _in_frame(values, turn, first):
    """Rows (N, 2 k) turned by an angle from +x towards +y, their neighbors numbered from another one."""
    turned = _complex(np.roll(values.reshape(len(values), -1, 2), -first, axis=1)) * np.exp(1j * turn)
    return np.stack([turned.imag, turned.real], axis=2).reshape(values.shape)


def _steady(rows, components):
    """Scores (N, m) by generalized least squares: errors of equal size on a column and on each of its k neighbors.

    The covariance of the k vectors is then 1 + J, J being all ones, along y and
    along x, and its inverse 1 - J / (k + 1).
    """
    k = rows.shape[1] // 2
    precision = np.kron(np.eye(k) - np.ones((k, k)) / (k + 1), np.eye(2))
    weighted = components @ precision
    return rows @ weighted.T @ np.linalg.inv(weighted @ components.T)
