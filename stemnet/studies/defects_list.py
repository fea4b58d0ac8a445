"""The defects of one image, one row each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

VACANCY, BRIGHTER, DIMMER = "vacancy", "brighter", "dimmer"
INTERSTITIAL, BOUNDARY, DISLOCATION, DISTORTED = "interstitial", "boundary", "dislocation", "distorted"
KINDS = {
    VACANCY: "missing column",
    BRIGHTER: "substitution, brighter",
    DIMMER: "substitution or part missing, darker",
    INTERSTITIAL: "column off the lattice",
    BOUNDARY: "column at a grain boundary",
    DISLOCATION: "dislocation core",
    DISTORTED: "misfit of the neighbors",
}
"""Kinds of defects in words, in the order in which a column is given one."""


@dataclass(frozen=True)
class Defects:
    """Defects, the most certain of every kind first.

    Parameters
    ----------
    kind : ndarray of str, shape (M,)
        Keys of `KINDS`.
    yx : ndarray, shape (M, 2)
        [px]
    row : ndarray of int, shape (M,)
        Row of the column; -1 where there is none: a vacancy, a dislocation core.
    score : ndarray, shape (M,)
        In standard errors: by how many the light of a vacancy falls short of a
        column's, an intensity is off its level, a neighborhood is off the usual
        one. NaN where it is not known.
    probability : ndarray, shape (M,)
        0 to 1; NaN where only the score is known.
    """

    kind: np.ndarray
    yx: np.ndarray
    row: np.ndarray
    score: np.ndarray
    probability: np.ndarray

    def __len__(self) -> int:
        return len(self.kind)

    def of(self, *kinds: str) -> np.ndarray:
        """Which defects are of these kinds, (M,)."""
        return np.isin(self.kind, kinds)


def defects(
    kind: str,
    yx: np.ndarray,
    score: np.ndarray,
    row: np.ndarray | None = None,
    probability: np.ndarray | None = None,
) -> Defects:
    """Defects of one kind, by falling score."""
    n = len(yx)
    order = np.argsort(-np.nan_to_num(np.abs(score)), kind="stable")
    rows = np.full(n, -1) if row is None else np.asarray(row)
    chance = np.full(n, np.nan) if probability is None else np.asarray(probability)
    return Defects(
        np.full(n, kind, dtype=object),
        np.asarray(yx, dtype=float).reshape(-1, 2)[order],
        rows[order],
        np.asarray(score, dtype=float)[order],
        chance[order],
    )


def together(parts: Sequence[Defects]) -> Defects:
    """Several kinds of defects as one list."""
    names = ("kind", "yx", "row", "score", "probability")
    return Defects(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
