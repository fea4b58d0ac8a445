"""Worlds that separate the methods: each favors another one, and says what it asks.

Functions of a random generator; two calls with generators of one seed and
another number are two images of one kind of specimen.
"""

from __future__ import annotations

import numpy as np

from stemnet.analysis.contest_crystals import (
    CAGE,
    DOSE,
    PATCH,
    ContestWorld,
    Question,
    caged_vectors,
    described,
    grains,
    photographed,
    position_noise,
    sites,
    smooth_field,
    turned,
)

SHEET = 3.16 * np.stack([np.sin(np.arange(6) * np.pi / 3), np.cos(np.arange(6) * np.pi / 3)], axis=1)
"""Metals around a metal of a hexagonal sheet (y, x) [A]."""
HOLLOWS = 1.824 * np.stack(
    [np.sin((np.arange(6) + 0.5) * np.pi / 3), np.cos((np.arange(6) + 0.5) * np.pi / 3)], axis=1
)
"""Hollows around it, the two kinds in turn [A]; twice as far are those of the other kind."""


NEXT = 4.0 * np.array([[0.0, 1.0], [1.0, 0.0], [0.0, -1.0], [-1.0, 0.0]])
"""Middles of the adjacent cages (y, x) [A]."""


def linear_distortions(rng: np.random.Generator, dose: float = DOSE) -> ContestWorld:
    """Draw a center off the middle of its cage and a shear of the cage, small, smooth, and independent of each other.

    Rows are linear in both, so that nothing can beat principal components.
    """
    yx = sites()
    polar, shear = 0.11 * smooth_field(yx, 40, rng), 0.027 * smooth_field(yx, 55, rng)
    cages = CAGE + np.zeros((len(yx), 1, 1))
    cages[..., 0] += shear[:, None] * CAGE[:, 1]
    cages[..., 1] -= polar[:, None]
    return _caged(
        "linear distortions",
        Question("r2_linear", "the two modes", "R2"),
        yx,
        cages,
        dose,
        rng,
        variables={"polar_x_A": polar, "shear": shear},
    )


def discrete_phases(rng: np.random.Generator, dose: float = DOSE) -> ContestWorld:
    """Draw domains of five phases that differ in more directions than a latent of two can hold.

    The parent, the center off towards +y or +x, a monoclinic and a puckered cage.
    """
    yx = sites()
    shapes = np.zeros((5, 4, 2))
    shapes[1, :, 0] = shapes[2, :, 1] = -0.14
    shapes[3, :, 0] = 0.065 * CAGE[:, 1]
    shapes[4] = 0.06 * CAGE * np.array([1.0, -1.0, 1.0, -1.0])[:, None]
    phase = rng.permutation(30)[grains(yx, 30, rng)] % 5
    return _caged(
        "discrete phases",
        Question("ari_other", "the phases", "ARI"),
        yx,
        CAGE + shapes[phase],
        dose,
        rng,
        labels={"phase": phase},
    )


def turned_domains(rng: np.random.Generator, dose: float = DOSE, size: int = PATCH) -> ContestWorld:
    """Draw flakes of a sheet, 1H, 1T or 1T', each in an orientation of its own that bends smoothly; patches.

    In 1H chalcogens sit in one kind of hollows, in 1T in both; in 1T' the
    metals move towards one side by a third of an angstrom, in pairs. Patches
    are of a size [px].
    """
    yx = sites(3.16)
    flake = grains(yx, 24, rng)
    phase = rng.permutation(24)[flake] % 3
    angle = rng.uniform(-np.pi, np.pi, 24)[flake] + 0.15 * smooth_field(yx, 60, rng)
    metals = np.repeat(SHEET[None], len(yx), axis=0)
    metals[phase == 2] += 0.33 * np.array([[0, 0], [1, 0], [1, 0], [0, 0], [1, 0], [1, 0]])
    sulfur = np.repeat(HOLLOWS[None], len(yx), axis=0)
    one, both = np.array([0.5, 0.0] * 3), np.full(6, 0.25)
    near = np.where((phase == 0)[:, None], one, both)
    far = np.where((phase == 0)[:, None], one[::-1], both)
    middle = np.zeros((len(yx), 1, 2))
    places = turned(np.concatenate([middle, metals, sulfur, 2 * sulfur], axis=1), angle)
    heights = np.concatenate([np.ones((len(yx), 7)), near, far], axis=1)
    rows = photographed(places, heights, rng, dose, size)
    noise = position_noise(dose)
    vectors = places[:, 1:7] + noise * (rng.normal(size=(len(yx), 6, 2)) - rng.normal(size=(len(yx), 1, 2)))
    return ContestWorld(
        "turned domains",
        Question("ari_other", "the phases in all orientations", "ARI"),
        rows,
        described(vectors, yx),
        labels={"phase": phase},
        angle=angle,
        fold=np.array([3, 6, 1])[phase],
    )


def transition_path(rng: np.random.Generator, dose: float = DOSE) -> ContestWorld:
    """Draw a center that moves from one side of its cage to the other along an arc, and a stretch beside it.

    Two numbers tell all, but the arc bends through two directions, so that two
    principal components hold it and leave no room for the stretch.
    """
    yx = sites()
    path = _uniform(smooth_field(yx, 45, rng))
    stretch = 0.02 * smooth_field(yx, 55, rng)
    cages = CAGE * (1 + stretch[:, None, None] * np.array([1.0, -1.0]))
    cages -= 0.2 * np.stack([np.sin(np.pi * path), -np.cos(np.pi * path)], axis=1)[:, None]
    return _caged(
        "transition path",
        Question("r2_neighbors", "path and stretch", "R2"),
        yx,
        cages,
        dose,
        rng,
        variables={"path": path, "stretch": stretch},
    )


def rare_defects(rng: np.random.Generator, dose: float = DOSE) -> ContestWorld:
    """Draw one cage in fifty blown up around a defect, among cages whose centers wander for other reasons."""
    yx = sites()
    polar = 0.09 * np.stack([smooth_field(yx, 40, rng), smooth_field(yx, 40, rng)], axis=1)
    defect = np.zeros(len(yx), int)
    defect[rng.permutation(len(yx))[: len(yx) // 50]] = 1
    cages = CAGE * (1 + 0.07 * defect[:, None, None]) - polar[:, None]
    return _caged(
        "rare defects",
        Question("f1_rare", "the defects", "F1"),
        yx,
        cages,
        dose,
        rng,
        labels={"defect": defect},
        rare="defect",
    )


def composition_gradient(rng: np.random.Generator, dose: float = DOSE) -> ContestWorld:
    """Draw corners that get heavier along one direction, in a specimen whose thickness varies; patches.

    A corner has twenty atoms, of either kind by chance; the heavy ones scatter 3.2
    times as much. All columns scatter by the thickness.
    """
    yx = sites()
    way = rng.uniform(0, 2 * np.pi)
    along = yx @ [np.sin(way), np.cos(way)]
    share = np.clip(_uniform(along) + 0.1 * smooth_field(yx, 30, rng), 0.02, 0.98)
    thickness = 1 + 0.2 * smooth_field(yx, 60, rng)
    heavy = rng.binomial(20, np.repeat(share[:, None], 4, axis=1)) / 20
    corners = 0.6 * (1 + 2.2 * heavy)
    heights = thickness[:, None] * np.concatenate([np.full((len(yx), 5), 1.5), corners], axis=1)
    centers = np.concatenate([np.zeros((1, 2)), NEXT])
    places = np.repeat(np.concatenate([centers, CAGE])[None], len(yx), axis=0)
    return ContestWorld(
        "composition gradient",
        Question("r2_linear", "composition and thickness", "R2"),
        photographed(places, heights, rng, dose),
        described(caged_vectors(yx, places[:, 5:], position_noise(dose), rng), yx),
        variables={"composition": share, "thickness": thickness},
    )


def _caged(name, question, yx, cages, dose, rng, **planted):
    """A world of vectors to the corners of cages, in the order of `CAGE` in all rows."""
    table = described(caged_vectors(yx, cages, position_noise(dose), rng), yx)
    return ContestWorld(name, question, table.values, table, **planted)


def _uniform(values):
    """Ranks of values (N,), from 0 to 1."""
    return np.argsort(np.argsort(values)) / (len(values) - 1)
