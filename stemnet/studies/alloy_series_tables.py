"""The tables of an alloy series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from stemnet.analysis.modes import Modes
from stemnet.analysis.score_statistics import Row
from stemnet.studies.alloy_series_image import AlloyImage
from stemnet.studies.alloy_series_modes import Distortions
from stemnet.studies.findings import Table


def tables(images: Sequence[AlloyImage], found: Distortions | None, species: str) -> list[Table]:
    """One table an image, row i column i, and those of the series.

    Parameters
    ----------
    images : sequence of AlloyImage
    found : Distortions or None
        None where there are no modes.
    species : str
        That is counted.

    Returns
    -------
    list of Table
    """
    made = [
        Table(f"{image.name}_alloy", _of_image(image, number, found, species))
        for number, image in enumerate(images)
    ]
    if found is None:
        return made
    return [
        *made,
        Table("modes", _shapes(found.modes)),
        Table("scores_by_composition", _of_rows(_named(found.by_composition, images))),
        Table("scores_by_unlike_neighbors", _of_rows(_named(found.by_unlike, images))),
        Table("two_peaks", _of_rows(found.two_peaks)),
    ]


def _of_image(
    image: AlloyImage, number: int, found: Distortions | None, species: str
) -> Mapping[str, np.ndarray]:
    yx = image.columns.yx
    values = {
        "y_px": yx[:, 0],
        "x_px": yx[:, 1],
        "sublattice": np.asarray(image.columns["sublattice"]),
        "species": image.species.species,
        f"probability_{species}": image.probability,
        "local_composition": image.local,
        "unlike_neighbors": image.unlike,
    }
    if found is not None:
        unit = found.modes.unit
        for name, parts in (
            ("score", found.modes.scores),
            ("score_sigma", found.modes.score_errors),
            ("expected_score", found.modes.expected_scores),
        ):
            values |= {f"{name}_{m + 1}_{unit}": part for m, part in enumerate(parts[number].T)}
    return values


def _shapes(modes: Modes) -> Mapping[str, np.ndarray]:
    """One row per neighbor: where it is in the mean, and how every mode moves it."""
    values = {"neighbor": np.arange(len(modes.mean))}
    for i, axis in enumerate("yx"):
        values[f"mean_{axis}_{modes.unit}"] = modes.mean[:, i]
    for m, shape in enumerate(modes.shapes):
        values |= {f"mode_{m + 1}_{axis}": shape[:, i] for i, axis in enumerate("yx")}
    return values


def _named(rows: Sequence[Row], images: Sequence[AlloyImage]) -> list[Row]:
    """The rows with names in place of numbers of images, and modes counted from 1."""
    names = [*(image.name for image in images), "all"]  # -1 is all together
    return [row | {"image": names[int(row["image"])], "mode": int(row["mode"]) + 1} for row in rows]


def _of_rows(rows: Sequence[Row]) -> Mapping[str, np.ndarray]:
    return {name: np.array([row[name] for row in rows]) for name in (rows[0] if rows else {})}
