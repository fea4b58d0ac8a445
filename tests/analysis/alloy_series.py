"""The alloy series of the examples: neighbor vectors of its metals, with planted motions."""

from functools import cache

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.neighbor_errors import neighbor_errors
from stemnet.descriptors.neighbors import neighbor_vectors
from stemnet.simulation.examples import load_example

SERIES = ("remos2_05", "remos2_55", "remos2_78", "remos2_95")
COMPOSITIONS = (0.05, 0.55, 0.78, 0.95)
WIDTH = 3.9  # sigma of the columns [px]


def position_errors(electrons):
    """What so many electrons of a column leave of its position at best [px]."""
    return WIDTH / np.sqrt(electrons)


@cache
def series(dose=None, draw=0):
    """Neighbor vectors of the metals, and planted amplitudes (N, 3) of motions across the chains, by image.

    With a dose [e-/A^2], every position is off by what the columns' electrons leave of it at best.
    """
    tables, planted, truths = [], [], []
    for seed, name in enumerate(SERIES):
        columns = load_example(name).columns
        columns = columns.select(columns["sublattice"] == 0)
        yx = columns.yx
        if dose is not None:
            error = position_errors(columns["intensity"] * dose / 1.4e5)[:, None]
            yx = yx + error * np.random.default_rng(seed + 100 * draw).normal(size=yx.shape)
        fields = {"intensity": columns["intensity"], "sublattice": columns["sublattice"]}
        tables.append(neighbor_vectors(Columns(yx, columns.shape, columns.sampling, fields)))
        planted.append(np.column_stack([columns[f"mode_{k}"] for k in (1, 2, 3)]))
        truths.append(columns)
    return tables, planted, truths


@cache
def series_errors(dose, draw=0):
    """Covariances of the rows of `series` at such a dose."""
    errors = []
    for table, columns in zip(*series(dose, draw)[::2], strict=True):
        error = position_errors(columns["intensity"] * dose / 1.4e5)
        # a neighbor vector says from which place to which it leads
        noisy = Columns(table.yx, columns.shape, columns.sampling, {"sigma_y": error, "sigma_x": error})
        errors.append(neighbor_errors(noisy, table))
    return errors
