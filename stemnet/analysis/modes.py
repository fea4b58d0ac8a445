"""Modes of distortion: one basis of the neighbor vectors of many images, and what each column has of them.

A principal component of the neighbor vectors is a mode: an arrow on every
neighbor. The images of a series are described in one joint basis, else their
scores could not be compared (R. K. Vasudevan et al., arXiv:2006.10001, 2020).
Where the errors of the vectors are known, the components are those of the
vectors without their errors, which is what bends the modes of noisy images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA

from stemnet.analysis.embedding import embed, enough_rows
from stemnet.analysis.extreme_deconvolution import deconvolved
from stemnet.analysis.modes_frames import frame_map, turns_of
from stemnet.analysis.modes_scores import expected_rows, leading, steady_scores, weighted_scores
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError


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
    firsts : ndarray of int, shape (images,)
        Number of the neighbor that comes first in the frame of the first image.
    unit : str
        ``A`` or ``px``.
    score_errors : tuple of ndarray, shape (N_i, m)
        Standard errors of the scores, by image; NaN where no errors were given.
    expected_scores : tuple of ndarray, shape (N_i, m)
        What the scores are most likely, given their errors and the other columns
        of their image: scores of large error are drawn to the image's mean. The
        closest in the mean of squares; their spread is too narrow. Equal to
        `scores` where no errors were given.
    """

    mean: np.ndarray
    shapes: np.ndarray
    scores: tuple[np.ndarray, ...]
    explained_variance: np.ndarray
    explained_variance_ratio: np.ndarray
    tables: tuple[Descriptors, ...]
    turns: np.ndarray
    firsts: np.ndarray
    unit: str
    score_errors: tuple[np.ndarray, ...]
    expected_scores: tuple[np.ndarray, ...]

    def __len__(self) -> int:
        return len(self.shapes)

    def in_frame(self, image: int, values: np.ndarray) -> np.ndarray:
        """Neighbor vectors (N, 2 k) of an image, in the frame of the first."""
        return values @ frame_map(values.shape[1] // 2, self.turns[image], self.firsts[image]).T


def joint_modes(
    tables: Sequence[Descriptors],
    count: int = 3,
    *,
    turned: bool = True,
    steady: bool = True,
    errors: Sequence[np.ndarray] | None = None,
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
    errors : sequence of ndarray, shape (N_i, 2 k, 2 k), optional
        Covariances of the rows' errors, from `neighbor_errors`. Modes are then
        the components of the vectors without their errors (`deconvolved`), and
        scores are generalized least squares with them.

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
    turns, firsts = turns_of(tables) if turned else (np.zeros(len(tables)), np.zeros(len(tables), int))
    ways = [frame_map(len(names) // 2, turn, first) for turn, first in zip(turns, firsts, strict=True)]
    joint = Descriptors(
        np.concatenate([table.values @ way.T for table, way in zip(tables, ways, strict=True)]),
        names,
        np.concatenate([table.yx for table in tables]),
        np.concatenate([table.valid for table in tables]),
    )
    if errors is None:
        basis = _plain(joint, count, steady)
    else:
        parts = zip(tables, errors, ways, strict=True)
        spreads = np.concatenate([way @ _errors_of(table, given) @ way.T for table, given, way in parts])
        basis = _deconvolved(joint, spreads, np.repeat(np.arange(len(tables)), list(map(len, tables))), count)
    mean, components, variance, ratio, *scores = basis
    ends = np.cumsum([len(table) for table in tables])[:-1]
    by_image = [tuple(np.split(part, ends)) for part in scores]
    return Modes(
        mean.reshape(-1, 2),
        components.reshape(count, -1, 2),
        by_image[0],
        variance,
        ratio,
        tuple(tables),
        turns,
        firsts,
        names[0].rsplit("_", 1)[-1],
        *by_image[1:],
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


def _errors_of(table, errors):
    """Error covariances (N, D, D) of a table, refused where they are none."""
    wanted = (*table.values.shape, table.values.shape[1])
    if np.shape(errors) != wanted or not np.isfinite(errors[table.valid]).all():
        raise StemnetError(
            f"Errors of shape {np.shape(errors)} came with neighbor vectors of shape {table.values.shape}; give "
            f"a finite covariance per valid row, {wanted}, as `neighbor_errors` does."
        )
    return errors


def _plain(joint, count, steady):
    """Mean, components, variance, its ratio; scores, their errors, which are unknown, and scores as expected."""
    found = embed(joint, PCA(count, svd_solver="full"), "modes")
    model = found.model
    scores = steady_scores(joint.values - model.mean_, model.components_) if steady else found.latent
    ratio = model.explained_variance_ratio_
    unknown = np.full(scores.shape, np.nan)
    return model.mean_, model.components_, model.explained_variance_, ratio, scores, unknown, scores


def _deconvolved(joint, errors, image, count):
    """The same of the rows without their errors (N, D, D)."""
    rows, errors, valid = enough_rows(joint, count, "modes"), errors[joint.valid], joint.valid
    common = deconvolved(rows, errors)
    variance, components = leading(common.covariance, count)
    scores, spread, expected = (np.full((len(joint), count), np.nan) for _ in range(3))
    scores[valid], spread[valid] = weighted_scores(rows - common.mean, errors, common, components)
    expected[valid] = (expected_rows(rows, errors, image[valid], common) - common.mean) @ components.T
    ratio = variance / np.trace(common.covariance)
    return common.mean, components, variance, ratio, scores, spread, expected
