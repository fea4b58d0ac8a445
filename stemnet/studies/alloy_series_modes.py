"""The distortions of an alloy series: joint modes, their scores by environment, and what was planted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from stemnet.analysis.bimodality import bimodality_by_group
from stemnet.analysis.modes import Modes, joint_modes
from stemnet.analysis.score_statistics import Row, score_statistics, statistics_by_composition
from stemnet.analysis.score_surface import Surface, score_surface
from stemnet.descriptors.neighbors import neighbor_vectors
from stemnet.descriptors.table import Descriptors
from stemnet.errors import StemnetError
from stemnet.studies.alloy_series_image import AlloyImage
from stemnet.studies.measured import at_true_places
from stemnet.studies.noted import or_note

ALL = "all modes"
BOOTSTRAP = 99  # samples behind a p-value, of which 0.05 is asked


@dataclass(frozen=True)
class Distortions:
    """What the images have in common.

    Parameters
    ----------
    modes : Modes
    scale : float
        From the unit of the modes to that of numbers and figures.
    unit : str
        Of these: ``pm``, or ``% a`` where a pixel size is unknown.
    by_composition, by_unlike : list of dict
        As of `score_statistics`, of expected scores.
    two_peaks : list of dict
        As of `bimodality_by_group`, with ``image``, ``mode``, and ``counted``, whether
        the columns are of the counted species.
    surfaces : mapping of str to Surface
        Of the size of every mode, and of all together.
    notes : tuple of str
    """

    modes: Modes
    scale: float
    unit: str
    by_composition: list[Row]
    by_unlike: list[Row]
    two_peaks: list[Row]
    surfaces: dict[str, Surface]
    notes: tuple[str, ...]


def distortions(images: Sequence[AlloyImage], count: int, seed: int) -> Distortions:
    """Find the modes of all images together, and how they go with the composition.

    Parameters
    ----------
    images : sequence of AlloyImage
    count : int
        Modes.
    seed : int

    Returns
    -------
    Distortions

    Raises
    ------
    StemnetError
        If the images have no joint basis.
    """
    notes: list[str] = []
    measured = all(image.columns.sampling is not None for image in images)
    parts = [(image.vectors, image.errors) if measured else _in_bonds(image) for image in images]
    known = [errors for _, errors in parts if errors is not None]
    modes = joint_modes(
        [table for table, _ in parts], count, errors=known if len(known) == len(parts) else None
    )
    if not measured:
        without = ", ".join(image.name for image in images if image.columns.sampling is None)
        notes.append(
            f"{without}: no pixel size is known; lengths of all images are in units of their mean bond a."
        )
    if len(known) < len(parts):
        notes.append("Positions have no standard errors; modes and scores are those of a plain PCA.")
    shares = [image.composition.value for image in images]
    # noise makes a size larger; scores as expected are without it
    expected = replace(modes, scores=modes.expected_scores)
    sizes = {f"mode {m + 1}": [np.abs(part[:, m]) for part in expected.scores] for m in range(count)}
    sizes[ALL] = [np.linalg.norm(part, axis=1) for part in expected.scores]
    surfaces = {
        name: or_note(notes, partial(surface_over, images, part, seed)) for name, part in sizes.items()
    }
    return Distortions(
        modes,
        100.0,
        "pm" if measured else "% a",
        statistics_by_composition(expected, shares),
        score_statistics(expected, [np.round(image.unlike) for image in images], "unlike"),
        two_peaks(images, modes.scores, seed),
        {name: surface for name, surface in surfaces.items() if surface is not None},
        tuple(dict.fromkeys(notes)),
    )


def surface_over(images: Sequence[AlloyImage], sizes: Sequence[np.ndarray], seed: int) -> Surface:
    """The mean size (N_i,) of scores over local and global composition.

    Raises
    ------
    StemnetError
        If there are too few different compositions.
    """
    # the share among k neighbors has k + 1 values, unless columns are in doubt
    local = [np.round(image.local * image.shells.size[0]) / image.shells.size[0] for image in images]
    return score_surface(sizes, local, [image.composition.value for image in images], random_state=seed)


def two_peaks(images: Sequence[AlloyImage], scores: Sequence[np.ndarray], seed: int) -> list[Row]:
    """Whether scores (N_i, m) of columns of one kind with as many unlike neighbors fall in two, by image and mode."""
    rng, table = np.random.default_rng(seed), []
    for image, parts in zip(images, scores, strict=True):
        for counted in (True, False):
            mine = np.isfinite(image.probability) & (image.counted == counted)
            around = np.where(mine, np.round(image.unlike), np.nan)
            for mode, part in enumerate(parts.T):
                rows = bimodality_by_group(part, around, "unlike", rng, bootstrap=BOOTSTRAP)
                table += [
                    {"image": image.name, "mode": mode + 1, "counted": int(counted), **row} for row in rows
                ]
    return table


def planted_scores(images: Sequence[AlloyImage], modes: Modes) -> list[np.ndarray] | None:
    """Amplitudes (N_i, m) of the planted modes by image; None where there are none."""
    names = [f"mode_{number}" for number in range(1, len(modes) + 1)]
    planted = []
    for image in images:
        parts = [part for name in names if (part := image.true(name)) is not None]
        if len(parts) < len(names):
            return None
        planted.append(np.column_stack(parts))
    return planted


def true_rows(images: Sequence[AlloyImage], modes: Modes) -> list[np.ndarray]:
    """Neighbor vectors (N_i, 2 k) of the true positions, in the frame of the modes."""
    rows = []
    for number, image in enumerate(images):
        table = neighbor_vectors(
            at_true_places(image.measured, image.rows, image.columns),
            center=image.sublattice,
            lattice=image.lattice,
        )
        rows.append(modes.in_frame(number, table.values))
    return rows


def planted_shapes(rows: Sequence[np.ndarray], planted: Sequence[np.ndarray]) -> np.ndarray:
    """What an angstrom of each planted amplitude (N_i, m) does to true neighbor vectors (N_i, 2 k), (m, k, 2)."""
    y, x = np.concatenate(rows), np.concatenate(planted)
    known = np.isfinite(y).all(axis=1) & np.isfinite(x).all(axis=1)
    x, y = x[known] - x[known].mean(axis=0), y[known] - y[known].mean(axis=0)
    return np.linalg.lstsq(x, y, rcond=None)[0].reshape(x.shape[1], -1, 2)


def correlation(scores: Sequence[np.ndarray], planted: Sequence[np.ndarray]) -> float:
    """Correlation of planted amplitudes with the mix of scores that is closest to them.

    Modes of equal variance are found up to a rotation among themselves, which
    the mix, one for all columns of all images, undoes.
    """
    x, y = np.concatenate(scores), np.concatenate(planted)
    known = np.isfinite(x).all(axis=1) & np.isfinite(y).all(axis=1)
    x, y = np.column_stack([x[known], np.ones(known.sum())]), y[known]
    mix = x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return float(np.corrcoef(mix.ravel(), y.ravel())[0, 1])


def _in_bonds(image: AlloyImage) -> tuple[Descriptors, np.ndarray | None]:
    """Neighbor vectors and their errors in units of their mean length, which nobody has to tell."""
    if not image.vectors.valid.any():
        raise StemnetError(
            f"{image.name}: no column has all of its neighbors; modes need some. Use a larger field of view."
        )
    vectors = image.vectors.complete.reshape(image.vectors.valid.sum(), -1, 2)
    bond = float(np.linalg.norm(vectors, axis=2).mean())
    names = tuple(f"{name.rsplit('_', 1)[0]}_a" for name in image.vectors.names)
    table = replace(image.vectors, values=image.vectors.values / bond, names=names)
    return table, None if image.errors is None else image.errors / bond**2
