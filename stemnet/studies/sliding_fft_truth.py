"""Regions found in an image against planted ones: which place belongs to which, and where they end."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from stemnet.analysis.clustering import agreement
from stemnet.studies.findings import Number
from stemnet.studies.measured import Truth

PLANTED = ("grain", "domain", "phase", "chain_direction", "inside")
LEAST_SHARE = 0.05  # of the places: a label that fewer carry makes no region


def planted_maps(truth: Truth | None) -> dict[str, np.ndarray]:
    """Planted labels as maps of int, one value every `field_step` px, -1 where one does not apply.

    Parameters
    ----------
    truth : Truth or None

    Returns
    -------
    dict of str to ndarray, shape (h, w)
        Of those fields that label two or more regions.
    """
    if truth is None:
        return {}
    maps = {}
    for name in PLANTED:
        if name in truth.fields:
            label = np.rint(np.nan_to_num(truth.fields[name], nan=-1)).astype(int)
            if name == "chain_direction" and "phase" in truth.fields:
                label = np.where(truth.fields["phase"] > 0.5, label, -1)
            if _regions(label) > 1:
                maps[name] = label
    return maps


def _regions(label: np.ndarray) -> int:
    counts = np.unique(label[label >= 0], return_counts=True)[1]
    return int((counts >= LEAST_SHARE * label.size).sum())


def labels_at(label: np.ndarray, field_step: int, yx: np.ndarray) -> np.ndarray:
    """Labels of a map (h, w) at the places (N, 2) [px], shape (N,)."""
    place = np.rint(yx / field_step).astype(int)
    return label[tuple(np.clip(place, 0, np.array(label.shape) - 1).T)]


def edges(label: np.ndarray, yx: np.ndarray) -> np.ndarray:
    """Where a map (h, w) of labels changes, shape (E, 2) [px]: between two points of its grid, given as (h, w, 2)."""
    found = []
    for axis in (0, 1):
        one, other = (np.take(label, range(start, label.shape[axis] - 1 + start), axis) for start in (0, 1))
        here, there = (np.take(yx, range(start, label.shape[axis] - 1 + start), axis) for start in (0, 1))
        changes = (one != other) & (one >= 0) & (other >= 0)
        found.append((here[changes] + there[changes]) / 2)
    return np.concatenate(found)


def against_planted(
    name: str, truth: Truth | None, labels: np.ndarray, yx: np.ndarray, what: str, window: int | None = None
) -> list[Number]:
    """Agreement of labels on a grid of places with every planted map, and how far their boundaries are apart.

    Parameters
    ----------
    name : str
        Of the input.
    truth : Truth or None
    labels : ndarray of int, shape (h, w)
        -1 where a place has none.
    yx : ndarray, shape (h, w, 2)
        [px]
    what : str
        What was labeled, in words.
    window : int, optional
        Side of a window [px], which distances between boundaries are given in; without it they are left out.

    Returns
    -------
    list of Number
    """
    if truth is None:
        return []
    numbers: list[Number] = []
    borders: dict[str, np.ndarray] = {}
    for planted, label in planted_maps(truth).items():
        rand, shared = agreement(labels.ravel(), labels_at(label, truth.field_step, yx.reshape(-1, 2)))
        numbers += [
            Number(name, f"{what} against planted {planted}: adjusted Rand index", rand),
            Number(name, f"{what} against planted {planted}: normalized mutual information", shared),
        ]
        grid = truth.field_step * np.moveaxis(np.indices(label.shape, dtype=np.float64), 0, -1)
        borders[planted] = edges(label, grid)
    return numbers if window is None else [*numbers, *_apart(name, borders, labels, yx, window)]


def _apart(
    name: str, borders: dict[str, np.ndarray], labels: np.ndarray, yx: np.ndarray, window: int
) -> list[Number]:
    """How far boundaries that were found are from any planted one, and planted ones of each kind from any found."""
    found = edges(labels, yx)
    if not borders or not len(found):
        return []
    tree = cKDTree(np.concatenate(list(borders.values())))
    # a map that knows nothing of the truth, with boundaries as long and as many
    chance = edges(labels[::-1, ::-1], yx)
    off, by_chance = (float(np.median(tree.query(some)[0])) / window for some in (found, chance))
    numbers = [
        Number(name, "boundary found: off the nearest planted one, median", off, "windows", most=0.5),
        Number(name, "the same of the map turned by 180 degrees (chance)", by_chance, "windows"),
    ]
    # windows say nothing of the rim that they do not reach with their middle
    low, high = yx.reshape(-1, 2).min(axis=0), yx.reshape(-1, 2).max(axis=0)
    for planted, border in borders.items():
        reached = border[((border >= low) & (border <= high)).all(axis=1)]
        if len(reached):
            missed = float(np.quantile(cKDTree(found).query(reached)[0], 0.9)) / window
            words = f"boundary of planted {planted}: 9 of 10 places have a found one within"
            numbers.append(Number(name, words, missed, "windows", most=0.5))
    return numbers
