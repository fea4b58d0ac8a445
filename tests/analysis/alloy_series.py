"""The alloy series of the examples: neighbor vectors of its metals, with planted motions."""

from functools import cache

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.neighbors import neighbor_vectors
from stemnet.simulation.examples import load_example

SERIES = ("remos2_05", "remos2_55", "remos2_78", "remos2_95")
COMPOSITIONS = (0.05, 0.55, 0.78, 0.95)
WIDTH = 3.9  # sigma of the columns [px]


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
            electrons = columns["intensity"] * dose / 1.4e5
            error = WIDTH / np.sqrt(electrons)[:, None]
            yx = yx + error * np.random.default_rng(seed + 100 * draw).normal(size=yx.shape)
        fields = {"intensity": columns["intensity"], "sublattice": columns["sublattice"]}
        tables.append(neighbor_vectors(Columns(yx, columns.shape, columns.sampling, fields)))
        planted.append(np.column_stack([columns[f"mode_{k}"] for k in (1, 2, 3)]))
        truths.append(columns)
    return tables, planted, truths
