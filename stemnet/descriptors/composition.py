"""Composition of an alloy: the share of a species in the image and around every column.

Everything is counted with the probability that a column is of a species, not
with the likeliest label, so that columns in doubt weigh as what they may be and
the doubt reaches every error bar.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.shells import Shells
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError


@dataclass(frozen=True)
class Share:
    """How much of a sublattice is of one species.

    Parameters
    ----------
    value : float
        0 to 1.
    sigma : float
        Standard error of the share in this field of view, from columns in doubt alone.
    sampling_sigma : float
        Of the share in the material, from the number of columns seen, if they are
        drawn at random; add the two in quadrature.
    columns : int
        That were counted.
    """

    value: float
    sigma: float
    sampling_sigma: float
    columns: int


def global_composition(probability: np.ndarray) -> Share:
    """Share of the columns that are of a species.

    Parameters
    ----------
    probability : ndarray, shape (N,)
        That a column is of the species, 0 to 1; NaN on other sublattices and where unknown.

    Returns
    -------
    Share

    Raises
    ------
    StemnetError
        If no column is known, or a probability lies beyond 0 to 1.
    """
    p = checked(probability)
    p = p[np.isfinite(p)]
    value, n = float(p.mean()), len(p)
    sigma = float(np.sqrt((p * (1 - p)).sum()) / n)
    return Share(value, sigma, float(np.sqrt(value * (1 - value) / max(n - 1, 1))), n)


def local_composition(
    columns: Columns,
    probability: np.ndarray,
    shells: Shells,
    *,
    up_to: int | None = None,
    own: bool = False,
    least: float = 0.5,
) -> Descriptors:
    """Share of a species among the neighbors of every column.

    Parameters
    ----------
    columns : Columns
    probability : ndarray, shape (N,)
        That a column is of the species; NaN where unknown.
    shells : Shells
        From `lattice_shells` or `radius_shell`.
    up_to : int, optional
        How many shells count, all by default.
    own : bool
        Whether the column itself counts.
    least : float
        Share of the full surroundings that must be known for a row to be valid, 0 to 1.

    Returns
    -------
    Descriptors
        ``share_1``, 0 to 1; ``share-sigma_1``, its standard error from neighbors in
        doubt; ``known_1``, how many columns were counted (all of unit 1).
    """
    p = checked(probability, len(columns))
    used = shells.number < (len(shells) if up_to is None else up_to)
    first, second = shells.first[used], shells.second[used]
    known = np.isfinite(p)
    filled, doubt = np.where(known, p, 0.0), np.where(known, p * (1 - p), 0.0)
    number, total, variance = (
        np.bincount(first, weights[second], len(columns)) + (weights if own else 0.0)
        for weights in (known.astype(float), filled, doubt)
    )
    full = shells.size[: len(shells) if up_to is None else up_to].sum() + own
    valid = shells.member & (number > 0) & (number >= least * full)
    values = np.stack([total, np.sqrt(variance)], axis=1) / np.maximum(number, 1)[:, None]
    values = np.where(valid[:, None], np.column_stack([values, number]), np.nan)
    return Descriptors(values, ("share_1", "share-sigma_1", "known_1"), columns.yx, valid)


def checked(probability: np.ndarray, count: int | None = None) -> np.ndarray:
    """The probabilities (N,) as float64, refused where they are none.

    Raises
    ------
    StemnetError
        If the shape is another, none is known, or one lies beyond 0 to 1.
    """
    p = np.asarray(probability, dtype=np.float64)
    if p.ndim != 1 or (count is not None and len(p) != count):
        raise StemnetError(
            f"Probabilities of shape {p.shape} were given for {'one species' if count is None else count} columns; "
            "give one per column."
        )
    known = p[np.isfinite(p)]
    if not len(known) or known.min() < -1e-9 or known.max() > 1 + 1e-9:
        what = f"from {known.min():g} to {known.max():g}" if len(known) else "of no column"
        raise StemnetError(
            f"Probabilities {what} were given; a species needs probabilities from 0 to 1, and NaN where unknown. "
            "Assign the species first."
        )
    return np.clip(p, 0, 1)
