"""Scores of the modes, in the numbers of a violin: by environment, and by composition of the image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stemnet.analysis.comparison import Row
from stemnet.analysis.modes import Modes
from stemnet.errors import StemnetError

QUANTILES = (5, 25, 75, 95)


def score_statistics(
    modes: Modes, groups: Sequence[np.ndarray], name: str, *, absolute: bool = False
) -> list[Row]:
    """The scores of every mode, group by group, in the numbers of a violin.

    Parameters
    ----------
    modes : Modes
    groups : sequence of ndarray, shape (N_i,)
        By image, the number by which the columns are grouped (of unlike
        neighbors, a species); NaN and negative ones are left out.
    name : str
        Of that number in the table.
    absolute : bool
        Whether the sign of scores is left out, since it alternates from row to row of a chain.

    Returns
    -------
    list of dict
        ``image``, -1 for all together; ``mode``, from 0; the group; ``columns``;
        ``mean``, ``mean_sigma``, ``std``, ``median``, ``q05`` to ``q95`` [unit].

    Raises
    ------
    StemnetError
        If a group does not have one number per column.
    """
    if [np.shape(group) for group in groups] != [(len(part),) for part in modes.scores]:
        raise StemnetError(
            f"Groups of shapes {[np.shape(group) for group in groups]} were given for images of "
            f"{[len(part) for part in modes.scores]} columns; give one number per column of every image."
        )
    table = []
    parts = list(zip(range(len(groups)), groups, modes.scores, strict=True))
    if len(parts) > 1:
        parts.append((-1, np.concatenate([*groups]), np.concatenate(modes.scores)))
    for image, group, scores in parts:
        group = np.asarray(group, dtype=float)
        known = np.isfinite(group) & (group >= 0) & np.isfinite(scores).all(axis=1)
        for value in np.unique(group[known]):
            for mode, column in enumerate(scores[known & (group == value)].T):
                numbers = _violin(np.abs(column) if absolute else column)
                table.append({"image": image, "mode": mode, name: float(value), **numbers})
    return table


def statistics_by_composition(
    modes: Modes, compositions: Sequence[float], *, absolute: bool = False
) -> list[Row]:
    """The scores of every mode against the global composition of the image.

    Parameters
    ----------
    modes : Modes
    compositions : sequence of float
        One per image, 0 to 1.
    absolute : bool
        As in `score_statistics`.

    Returns
    -------
    list of dict
        As of `score_statistics`, grouped by ``composition``, without all images together.

    Raises
    ------
    StemnetError
        If there is not one composition per image.
    """
    if len(compositions) != len(modes.scores):
        raise StemnetError(
            f"{len(compositions)} compositions were given for {len(modes.scores)} images; give one per image."
        )
    groups = [np.full(len(part), value) for part, value in zip(modes.scores, compositions, strict=True)]
    table = score_statistics(modes, groups, "composition", absolute=absolute)
    return [row for row in table if row["image"] != -1]


def _violin(values):
    low, first, third, high = np.percentile(values, QUANTILES)
    spread = float(values.std(ddof=1)) if len(values) > 1 else float("nan")
    return {
        "columns": len(values),
        "mean": float(values.mean()),
        "mean_sigma": spread / np.sqrt(len(values)),
        "std": spread,
        "median": float(np.median(values)),
        "q05": float(low),
        "q25": float(first),
        "q75": float(third),
        "q95": float(high),
    }
