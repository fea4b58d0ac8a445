"""The judge of candidates: boosted trees on what network and joint fit say of each.

They are grown on simulated images with known columns (`stemnet.training.judgement`; J. H. Friedman, Annals of
Statistics 29, 1189, 2001), so that what they return is a probability: of the columns given 0.8, eight in ten are real
on such images.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from stemnet.errors import StemnetError

FEATURES = (
    "network",
    "significance",
    "height",
    "crowding",
    "misfit_around",
    "misfit_everywhere",
    "significance_in_white_noise",
    "kin",
    "certain_company",
    "significant_company",
    "likely_company",
    "strength_of_likely_company",
    "echo",
    "strength_of_echo",
    "echo_around",
    "echoed",
    "echoed_alike",
    "echoed_by_chance",
    "alike_by_chance",
)
COMPANY, ECHOES = slice(7, 19), slice(12, 19)
"""Features that tell of other candidates; those of them that tell whether it repeats."""


@dataclass(frozen=True)
class Acceptance:
    """Boosted trees on `FEATURES`: T trees of up to M nodes each.

    Parameters
    ----------
    baseline : float
        Log odds before any tree.
    feature : array_like of int, shape (T, M)
        What a node asks for; -1 at a leaf.
    threshold : array_like, shape (T, M)
        Up to which the left branch is taken.
    left, right : array_like of int, shape (T, M)
        Nodes that follow.
    value : array_like, shape (T, M)
        What a leaf adds to the log odds.
    """

    baseline: float
    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray

    def __post_init__(self) -> None:
        for name in ("feature", "left", "right"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.int64))
        for name in ("threshold", "value"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.float64))

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Probability of being a column, (N,), of candidates with `features` (N, 19)."""
        logit = np.full(len(features), self.baseline)
        for feature, threshold, left, right, value in zip(
            self.feature, self.threshold, self.left, self.right, self.value, strict=True
        ):
            node = np.zeros(len(features), dtype=np.int64)
            while True:
                asked = feature[node]
                inner = asked >= 0
                if not inner.any():
                    break
                low = features[np.arange(len(node)), asked] <= threshold[node]
                node = np.where(inner, np.where(low, left[node], right[node]), node)
            logit += value[node]
        return np.asarray(1 / (1 + np.exp(-logit)))

    def entry(self) -> dict[str, object]:
        """For a card: plain numbers."""
        return {
            "baseline": self.baseline,
            **{name: getattr(self, name).tolist() for name in ("feature", "left", "right")},
            **{
                name: np.array([[float(f"{x:.6g}") for x in row] for row in getattr(self, name)]).tolist()
                for name in ("threshold", "value")
            },
        }


@dataclass(frozen=True)
class Judge:
    """What tells columns from nothing: after the rough fit of all candidates, and after the final one of the rest.

    Parameters
    ----------
    rough, final : Acceptance
    """

    rough: Acceptance
    final: Acceptance

    def entry(self) -> dict[str, object]:
        """For a card: plain numbers."""
        return {"features": list(FEATURES), "rough": self.rough.entry(), "final": self.final.entry()}

    @classmethod
    def from_card(cls, entry: Mapping[str, Any]) -> Judge | None:
        """The one that came with the weights; None where there is none.

        Raises
        ------
        StemnetError
            If the entry was written by another version.
        """
        if not entry:
            return None
        if entry.get("features") != list(FEATURES) or not {"rough", "final"} <= set(entry):
            raise StemnetError(
                f"The weights judge columns by {', '.join(entry.get('features', entry))}; this version asks trees for "
                f"{', '.join(FEATURES)}. Learn them anew with train.py of this version, or ask for threshold=0.5."
            )
        return cls(Acceptance(**entry["rough"]), Acceptance(**entry["final"]))
