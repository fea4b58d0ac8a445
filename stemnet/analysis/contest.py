"""The contest: every method on the same two images of a planted world, in the same numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stemnet.analysis.contest_crystals import ContestWorld, Question
from stemnet.analysis.contest_scores import found_classes, reconstruction, recovered, steadiness
from stemnet.analysis.contest_trial import Contestant, tried
from stemnet.analysis.resampling import Interval, over_seeds
from stemnet.analysis.verdict import verdict

Row = dict[str, object]


def contest(
    first: ContestWorld,
    second: ContestWorld,
    contestants: Sequence[Contestant],
    latent: int = 2,
    seed: int = 0,
) -> list[Row]:
    """Fit every method on one image, and score it there, on rows held out, and on the other image.

    All are given the same rows, the same size of the latent, and as many
    clusters as there are classes. A latent is cut into clusters by a mixture of
    Gaussians, which asks nothing of its scales.

    Parameters
    ----------
    first, second : ContestWorld
        Two images of one kind.
    contestants : sequence of Contestant
    latent : int
    seed : int

    Returns
    -------
    list of dict
        One row a method: ``world``, ``seed``, ``method``; ``wall_s``,
        ``cpu_s`` of the fit and what it says of the first image; and the numbers
        of `stemnet.analysis.contest_scores`, NaN where one does not apply.
    """
    table = []
    for one in contestants:
        trial = tried(one, first, second, latent, seed)
        row: Row = {
            "world": first.name,
            "seed": seed,
            "method": one.name,
            "wall_s": trial.wall_s,
            "cpu_s": trial.cpu_s,
        }
        for scores in (reconstruction, recovered, found_classes, steadiness):
            row |= scores(trial)
        table.append(row)
    return table


def intervals(rows: Sequence[Row], world: str, score: str) -> dict[str, Interval]:
    """A score of a world's methods over seeds, in the order in which methods took part."""
    found: dict[str, list[float]] = {}
    for row in rows:
        if row["world"] == world:
            found.setdefault(str(row["method"]), []).append(_number(row.get(score)))
    return {method: over_seeds(values) for method, values in found.items()}


def contest_verdict(rows: Sequence[Row], world: str, question: Question) -> str:
    """The sentence of `stemnet.analysis.verdict` about a world."""
    return verdict(intervals(rows, world, question.score), question.what, question.unit)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float | np.floating) else float("nan")
