"""How right the species, their probabilities and the missing columns are, where a truth is known."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from stemnet.analysis.species import SpeciesAssignment
from stemnet.descriptors.missing_sites import MissingSites
from stemnet.studies.findings import Number

ACCURACY, RELIABILITY = 0.98, 0.02  # aims
MISSING = 0.5  # probability beyond which a column is called missing
EDGES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # of probability, for the reliability


def right(assigned: SpeciesAssignment, true: np.ndarray) -> np.ndarray:
    """Whether each species is right, 1 or 0, (N,); NaN where it, or the truth (N,), is unknown."""
    known = (assigned.species != "") & (true != "")
    return np.where(known, assigned.species == true, np.nan)


def reliability(probability: np.ndarray, correct: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean probability, share right, and number of columns of every class of probability that has any.

    Parameters
    ----------
    probability, correct : ndarray, shape (N,)
        Of the species named, and from `right`.

    Returns
    -------
    said, seen, count : ndarray, shape (B,)
    """
    known = np.isfinite(probability) & np.isfinite(correct)
    said, seen = probability[known], correct[known]
    at = np.clip(np.searchsorted(EDGES, said, side="right") - 1, 0, len(EDGES) - 2)
    count = np.bincount(at, minlength=len(EDGES) - 1)
    used = count > 0
    mean_said, mean_seen = (
        np.bincount(at, values, len(EDGES) - 1)[used] / count[used] for values in (said, seen)
    )
    return mean_said, mean_seen, count[used]


def species_numbers(name: str, assigned: SpeciesAssignment, true: np.ndarray) -> list[Number]:
    """Accuracy and calibration, of all columns and of each sublattice that has a choice; truth (N,)."""
    correct = right(assigned, true)
    numbers = []
    choices = [s for s, found in assigned.levels.items() if len(found.names) > 1]
    for s in [None, *choices]:
        rows = np.isfinite(correct) & ((assigned.sublattice == s) if s is not None else True)
        if not rows.any():
            continue
        of = "all columns" if s is None else f"sublattice {s}"
        share, said = float(correct[rows].mean()), float(assigned.probability[rows].mean())
        error = float(np.sqrt(max(share * (1 - share), 1e-12) / rows.sum()))
        numbers += [
            Number(name, f"species named rightly, {of}", share, "", error, least=ACCURACY),
            Number(name, f"mean probability of the species named, {of}", said, truth=share),
            Number(name, f"probability less share right, size, {of}", abs(said - share), most=RELIABILITY),
        ]
    return numbers


def missing_numbers(name: str, sites: MissingSites, planted: np.ndarray, gate: float) -> list[Number]:
    """How many planted missing columns (V, 2) [px] are found within a gate [px], and what is taken for one."""
    called = sites.yx[sites.probability >= MISSING]
    found = np.zeros(len(planted), bool)
    false = len(called)
    if len(planted) and len(called):
        found = cKDTree(called).query(planted)[0] < gate
        false = int((cKDTree(planted).query(called)[0] >= gate).sum())
    numbers = []
    if len(planted):
        share = float(found.mean())
        numbers.append(
            Number(name, "planted missing columns that are found, share", share, truth=1.0, least=1.0)
        )
    numbers.append(Number(name, "columns called missing that are there", float(false), truth=0.0))
    return numbers
