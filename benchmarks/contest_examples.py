"""Planted phases of the frozen examples as worlds of the contest: the truth with the noise of a dose, or detected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import KFold, cross_val_predict

from stemnet import resources
from stemnet.analysis.contest_crystals import ContestWorld, Question
from stemnet.columns import Columns
from stemnet.descriptors.neighbors import neighbor_vectors
from stemnet.descriptors.patches import column_patches
from stemnet.descriptors.table import Descriptors
from stemnet.detection.matching import match
from stemnet.detection.precision import cramer_rao
from stemnet.detection.segmenter import find_columns
from stemnet.micrograph import Micrograph
from stemnet.models.checkpoint import load
from stemnet.simulation.worlds import alloys, boundaries, ferroelectrics, oxides
from stemnet.simulation.worlds.world import World

VISIBLE = 5.0
"""Signal-to-noise that a column needs to be looked at."""
LATER = 1000
"""Between the seeds of two shots of one specimen."""
LEAST = 0.02
"""Background, in parts of the brightest column's peak, where a world has less."""


@dataclass(frozen=True)
class Example:
    """A frozen example with planted phases.

    Parameters
    ----------
    make : callable
        Draws its world.
    seed : int
        That it was frozen with.
    label : str
        The planted phases.
    what : str
        They, in words.
    center, neighbors
        See `neighbor_vectors`.
    k : int
    order : str
        The lattice of the oxide is found as its mean hexagonal one, and grains
        have two: their neighbors are taken by angle.
    """

    make: Callable[..., World]
    seed: int
    label: str
    what: str
    center: int
    neighbors: str | int
    k: int
    order: str = "template"

    @property
    def name(self) -> str:
        """Of its files."""
        return self.make.__name__


EXAMPLES = (
    Example(oxides.mvteo_m2, 9, "domain", "the polar domains", 0, "all", 6, "angle"),
    Example(ferroelectrics.pbtio3_domains, 1, "domain", "the ferroelastic domains", 0, "same", 4),
    Example(ferroelectrics.bifeo3_closure, 4, "domain", "the three polar domains", 1, 0, 4),
    Example(boundaries.grain_boundary, 14, "grain", "the grains", 0, "same", 4, "angle"),
    Example(alloys.remos2_55, 6, "phase", "1H and 1T'", 0, "same", 6),
)


def world_of(example: Example, dose: float | None) -> World:
    """The world as it was frozen, with another dose [e-/A^2]; None keeps its own."""
    world = example.make(np.random.default_rng([example.seed, 0]))
    return world if dose is None else _dosed(world, dose)


def measured(example: Example, dose: float | None, shot: int = 0) -> tuple[Columns, np.ndarray]:
    """Visible columns of an example, and the Cramer-Rao bound of their positions at a dose (N, 2) [px].

    Which are visible is decided at the example's own dose, so that all doses
    are asked about the same columns. Shot 0 is scanned as the frozen image was,
    the others anew, with other scan errors. Amplitudes, positions and the background
    are unknown together, the width is known.
    """
    seed = example.seed + LATER * shot
    visible = world_of(example, None).scene(seed).columns()["signal_to_noise"] > VISIBLE
    world = world_of(example, dose)
    columns = world.scene(seed).columns().select(visible)
    width = columns["width"]
    peak = columns["intensity"] / (2 * np.pi * width**2)
    background = max(world.microscope.background, LEAST) * float(peak.max())
    bound = cramer_rao(columns.shape, columns.yx, peak, width, background=background, widths="known")
    return columns, np.minimum(bound, width[:, None])


def noisy(columns: Columns, bound: np.ndarray, rng: np.random.Generator) -> Columns:
    """Columns with errors of position."""
    return replace(columns, yx=columns.yx + bound * rng.normal(size=bound.shape))


def detected(example: Example, dose: float | None, shot: int = 0) -> Columns:
    """What the shipped weights find in an example's image, with sublattice and phase of the truth.

    Columns that are none of the true ones are left out, and those that are not
    found are missing.
    """
    truth, _ = measured(example, dose, shot)
    image = world_of(example, dose).simulation(example.seed + LATER * shot).micrograph
    found = find_columns(
        Micrograph(image.image, image.sampling, example.name), load(resources.weights())
    ).columns
    pairs = match(found.yx, truth.yx, float(truth["width"][0])).pairs
    known = found.select(pairs[:, 0])
    return Columns(
        known.yx,
        known.shape,
        image.sampling,
        {name: truth[name][pairs[:, 1]] for name in ("sublattice", example.label)}
        | {"intensity": known["intensity"]},
    )


def as_contest(example: Example, columns: Columns, name: str) -> ContestWorld:
    """Neighbor vectors of an example's columns, with its phases."""
    table = neighbor_vectors(
        columns, k=example.k, center=example.center, neighbors=example.neighbors, order=example.order
    )
    rows = table.valid & (columns[example.label] >= 0)
    kept = Descriptors(table.values[rows], table.names, table.yx[rows], table.valid[rows])
    question = Question("ari", example.what, "ARI")
    return ContestWorld(
        name, question, kept.values, kept, {example.label: columns[example.label][rows].astype(int)}
    )


def told(world: ContestWorld) -> float:
    """Adjusted Rand index of a linear classifier that is told the phases of other rows: what the noise leaves."""
    truth = next(iter(world.labels.values()))
    folds = KFold(5, shuffle=True, random_state=0)
    guess = cross_val_predict(LinearDiscriminantAnalysis(), world.rows, truth, cv=folds)
    return float(adjusted_rand_score(truth, guess))


def turned_grains(
    seed: int, dose: float, images: int = 8, size: int = 37, sampling: float = 0.25
) -> ContestWorld:
    """Patches of SrTiO3 in grains of many orientations: images of grain boundaries, at a dose.

    Patches of a size [px] and sampling [A/px] lie around Sr columns at their true
    places with the errors of the dose; by default they are two cells wide.
    4-fold, so angles count modulo 90 degrees.
    """
    rows, vectors, angles, grain = [], [], [], []
    side = round(56 / sampling)
    for number in range(images):
        rng = np.random.default_rng([seed, number])
        world = _dosed(boundaries.grain_boundary(rng, shape=(side, side), sampling=sampling), dose)
        image = world.simulation(number)
        columns = image.columns
        columns = columns.select(columns["signal_to_noise"] > 2)
        width = columns["width"][0]
        error = width / np.sqrt(columns["intensity"])[:, None]
        columns = noisy(columns, error, rng)
        patches = column_patches(columns, image.micrograph.image, size)
        near = neighbor_vectors(columns, k=4, center=0, order="angle")
        away = np.abs(columns["boundary_distance_A"]) > 6.0
        kept = patches.valid & near.valid & away & (columns["sublattice"] == 0)
        rows.append(patches.values[kept].reshape(-1, size, size))
        vectors.append(near.values[kept])
        angles.append(-columns["orientation_rad"][kept])  # planted from y to x
        grain.append(columns["grain"][kept])
    table = Descriptors(
        np.concatenate(vectors), near.names, _side_by_side(rows), np.ones(len(np.concatenate(rows)), bool)
    )
    return ContestWorld(
        "turned SrTiO3 grains",
        Question("angle_error_deg", "the orientation", "deg"),
        np.concatenate(rows),
        table,
        angle=np.concatenate(angles),
        fold=np.full(len(table), 4),
    )


def _dosed(world: World, dose: float) -> World:
    return replace(world, microscope=replace(world.microscope, dose=dose))


def _side_by_side(parts: list[np.ndarray]) -> np.ndarray:
    """Places for rows that come from several images."""
    return np.concatenate(
        [np.stack([np.arange(len(p)), np.full(len(p), 1e4 * i)], 1) for i, p in enumerate(parts)]
    )
