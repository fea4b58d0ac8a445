"""Columns that are doubtful one by one are found together, where they repeat; places that are empty stay so."""

import numpy as np

from stemnet import resources
from stemnet.detection.column_model import render_columns
from stemnet.detection.matching import match
from stemnet.detection.segmenter import find_columns
from stemnet.micrograph import Micrograph
from stemnet.models.checkpoint import load

SIDE, WIDTH, SPACING, DOSE = 256, 2.6, 18.0, 160.0
BRIGHT, FAINT, EMPTY = range(3)


def sites(kind: int) -> np.ndarray:
    """One of the three places of a hexagonal cell."""
    i, j = np.mgrid[-40:40, -40:40]
    a, b = (SPACING * np.array([np.sin(turn), np.cos(turn)]) for turn in (0.2, 0.2 + np.pi / 3))
    yx = (i.ravel()[:, None] + kind / 3) * a + (j.ravel()[:, None] + kind / 3) * b + SIDE / 2
    return yx[np.all((yx > 3) & (yx < SIDE - 4), axis=1)]


def found(kinds: tuple[int, ...], heights: tuple[float, ...]) -> np.ndarray:
    yx = np.concatenate([sites(kind) for kind in kinds])
    height = np.repeat(heights, [len(sites(kind)) for kind in kinds])
    mean = DOSE / (2 * np.pi * WIDTH**2) * (0.5 + render_columns((SIDE, SIDE), yx, height, WIDTH))
    image = np.random.default_rng(0).poisson(mean)
    return find_columns(Micrograph(image), load(resources.weights())).columns.yx


def test_a_faint_sublattice_is_found_and_nothing_where_there_is_none():
    # Four standard errors each: one in six falls below three.
    columns = found((BRIGHT, FAINT), (1.0, 0.38))
    assert match(columns, sites(BRIGHT), WIDTH).recall > 0.99
    assert match(columns, sites(FAINT), WIDTH).recall > 0.8
    assert match(columns, sites(EMPTY), WIDTH).recall == 0


def test_a_lattice_alone_gets_no_second_one():
    columns = found((BRIGHT,), (1.0,))
    assert match(columns, sites(BRIGHT), WIDTH).recall > 0.99
    assert match(columns, sites(FAINT), WIDTH).recall < 0.01
    assert match(columns, sites(EMPTY), WIDTH).recall < 0.01
