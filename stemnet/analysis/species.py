"""Species of the columns: levels of intensity within a sublattice, told apart as well as the errors allow.

Every sublattice is a mixture of Gaussians in intensity, one per species, and a
column in doubt says so in its probability. The gain that changes smoothly over
the image is that of `intensity_classes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from stemnet.analysis.intensity import ENOUGH, FEWEST, RING, IntensityClasses, intensity_classes
from stemnet.analysis.level_mixture import Levels, averaged_probability, nameless_levels
from stemnet.analysis.level_names import named_levels
from stemnet.columns import Columns
from stemnet.descriptors.lattice import column_spacing
from stemnet.errors import StemnetError

ROWS = 3000  # columns of a sublattice that its levels are found from


@dataclass(frozen=True)
class SpeciesAssignment:
    """Which species every column is.

    Parameters
    ----------
    species : ndarray of str, shape (N,)
        The likeliest; empty where sublattice or intensity is unknown.
    probability : ndarray, shape (N,)
        Of that species, 0 to 1; NaN where unknown.
    names : tuple of str, length S
        All species, sublattice by sublattice.
    posterior : ndarray, shape (N, S)
        Probability of each; 0 for species of another sublattice, NaN in unknown rows.
    deviation : ndarray, shape (N,)
        Intensity less the level of its species, in standard deviations: beyond 4,
        a column that is none of the species.
    levels : mapping of int to Levels
        By sublattice.
    exponent : float
        n of Z^n; NaN where no species were given.
    sublattice : ndarray of int, shape (N,)
        As given; -1 where the species is unknown.
    notes : tuple of str
        What the user should know.
    ambiguous : bool
        The levels can be named in more than one way: the names are a guess, however sure a column is of its level.
    """

    species: np.ndarray
    probability: np.ndarray
    names: tuple[str, ...]
    posterior: np.ndarray
    deviation: np.ndarray
    levels: Mapping[int, Levels]
    exponent: float
    sublattice: np.ndarray
    notes: tuple[str, ...]
    ambiguous: bool = False

    @property
    def expected_accuracy(self) -> float:
        """Share of the columns that are named rightly, by their own probabilities."""
        return float(np.nanmean(self.probability)) if np.isfinite(self.probability).any() else float("nan")

    def of(self, name: str, sublattice: int | None = None) -> np.ndarray:
        """Probability that a column is this species, shape (N,); NaN where it cannot be.

        Parameters
        ----------
        name : str
        sublattice : int, optional
            By default every sublattice that may have the species.

        Raises
        ------
        StemnetError
            If no such sublattice may have it.
        """
        homes = [s for s, found in self.levels.items() if name in found.names and sublattice in (None, s)]
        if not homes:
            raise StemnetError(
                f"'{name}' (sublattice {'any' if sublattice is None else sublattice}) is none of the species, "
                f"which are {', '.join(self.names) or 'unknown'}. Choose one of these."
            )
        return np.where(np.isin(self.sublattice, homes), self.posterior[:, self.names.index(name)], np.nan)


def assign_species(
    columns: Columns,
    species: Mapping[int, Sequence[str]] | None = None,
    *,
    quantity: str = "intensity",
    classes: IntensityClasses | None = None,
    random_state: int = 0,
) -> SpeciesAssignment:
    """Find the species of every column from its intensity.

    Parameters
    ----------
    columns : Columns
        With ``sublattice``, the quantity, and its standard error
        ``<quantity>_sigma`` where known.
    species : mapping of int to sequence of str, optional
        By sublattice, what its columns may be: formulas of what one column holds
        along the beam (``"Mo"``, ``"S2"``, ``"SSe"``), and ``"vacancy"``. Which of
        them are there is found. All sublattices together say how bright Z^n is.
        Sublattices that are not named get nameless levels, as many as the Bayesian
        information criterion asks for.
    quantity : str
        ``intensity``, or ``cross_section``, which the edge of the image cuts off.
    classes : IntensityClasses, optional
        Of the same columns, where `intensity_classes` has run already: its gain is used.
    random_state : int
        Of `intensity_classes`.

    Returns
    -------
    SpeciesAssignment
        Rows whose sublattice or intensity is unknown are masked.

    Raises
    ------
    StemnetError
        If the columns lack a field, no intensity is known, or a formula is none.
    """
    for field in (quantity, "sublattice"):
        if field not in columns:
            raise StemnetError(
                f"Species need the field '{field}'; these columns have {', '.join(columns.fields) or 'none'}. "
                "Fit the columns and find their sublattices first."
            )
    x, sigma = _measured(columns, quantity)
    sublattice = np.where(np.isfinite(x), np.asarray(columns["sublattice"], dtype=int), -1)
    if not (sublattice >= 0).any():
        raise StemnetError(
            f"None of the {len(columns)} columns has a sublattice and a known {quantity}; species need both. "
            "Fit the columns and find their sublattices first."
        )
    if classes is None:
        classes = intensity_classes(columns.with_fields(intensity=x, sublattice=sublattice), random_state)
    gain = _everywhere(classes.gain, np.isfinite(x) & (x > 0), columns.yx)
    x, sigma = x / gain, sigma / gain
    parts: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    whole = _inside(columns)
    for s in np.unique(sublattice[sublattice >= 0]):
        rows = np.flatnonzero((sublattice == s) & whole)
        rows = rows if len(rows) >= FEWEST else np.flatnonzero(sublattice == s)
        # every n-th by intensity: the choice must not depend on the order of the rows
        rows = rows[np.argsort(x[rows], kind="stable")][:: -(-len(rows) // ROWS)]
        parts[int(s)] = x[rows], sigma[rows]
    levels = {s: nameless_levels(*part) for s, part in parts.items()}
    notes = [
        f"Sublattice {s} has {len(part[0])} columns; {ENOUGH} or more are needed to tell species apart with confidence."
        for s, part in parts.items()
        if len(part[0]) < ENOUGH
    ]
    named = {s: tuple(names) for s, names in (species or {}).items() if s in parts and len(names)}
    notes += [
        f"Species were given for sublattice {s}, which has no column of known {quantity}; there are "
        f"{', '.join(map(str, parts))}. Number the sublattices as `assign_sublattices` does."
        for s in species or {}
        if s not in parts
    ]
    exponent, ambiguous = float("nan"), False
    models: dict[int, list[Levels]] = {}
    if named:
        models, exponent, note = named_levels(parts, levels, named)
        levels |= {s: tried[0] for s, tried in models.items()}
        notes += [note] if note else []
        ambiguous = bool(note)
    names = tuple(dict.fromkeys(name for found in levels.values() for name in found.names))
    posterior = np.where((sublattice >= 0)[:, None], np.zeros((len(columns), len(names))), np.nan)
    label, deviation = np.full(len(columns), "", dtype=object), np.full(len(columns), np.nan)
    for s, found in levels.items():
        rows = np.flatnonzero(sublattice == s)
        share = averaged_probability(x[rows], sigma[rows], models.get(s, [found]))
        place = np.array([names.index(name) for name in found.names])
        posterior[rows[:, None], place] = share
        best = share.argmax(axis=1)
        label[rows] = np.array(found.names, dtype=object)[best]
        deviation[rows] = (x[rows] - found.level[best]) / np.sqrt(found.variance[best] + sigma[rows] ** 2)
    probability = posterior.max(axis=1, initial=-np.inf)
    return SpeciesAssignment(
        label.astype(str),
        probability,
        names,
        posterior,
        deviation,
        levels,
        exponent,
        sublattice,
        tuple(notes),
        ambiguous,
    )


def _measured(columns, quantity):
    """The quantity (N,), NaN where unknown, and its standard error, where unknown that of most, or 0."""
    x = np.asarray(columns[quantity], dtype=np.float64)
    sigma = np.asarray(columns.fields.get(f"{quantity}_sigma", np.zeros(len(x))), dtype=np.float64)
    x = np.where(np.isfinite(x) & (np.asarray(columns["sublattice"]) >= 0), x, np.nan)
    known = np.isfinite(sigma) & (sigma >= 0)
    return x, np.where(known, sigma, np.median(sigma[known]) if known.any() else 0.0)


def _everywhere(gain, known, yx):
    """The gain (N,), where the intensity has no logarithm that of the nearest column which has."""
    if known.all() or not known.any():
        return gain
    return np.where(known, gain, gain[known][cKDTree(yx[known]).query(yx)[1]])


def _inside(columns):
    """Columns off the rim of the image, which cuts off their light."""
    if len(columns) < 2:
        return np.ones(len(columns), bool)
    edge = np.minimum(columns.yx, np.array(columns.shape) - 1 - columns.yx).min(axis=1)
    return edge >= RING * column_spacing(columns.yx)
