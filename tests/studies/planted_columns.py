"""Bundled examples as inputs of studies: true columns with noise, as a good detection would give them."""

from functools import cache

import numpy as np

from stemnet.columns import Columns
from stemnet.simulation.examples import load_example
from stemnet.studies import Measured, Truth

SEEN = 5.0  # signal-to-noise from which a column is found


@cache
def measured_example(name, error=0.1, seed=0):
    """An example whose visible columns are where they are to within a standard error [px]."""
    example = load_example(name)
    true = example.columns
    rows = np.nonzero(true["signal_to_noise"] >= SEEN)[0]
    rng = np.random.default_rng(seed)
    noisy = true.yx[rows] + rng.normal(0, error, (len(rows), 2))
    sigma = np.full(len(rows), error)
    fields = {
        "intensity": np.asarray(true["intensity"], float)[rows],
        "sigma_y": sigma,
        "sigma_x": sigma,
        "frame": np.zeros(len(rows), int),
    }
    columns = Columns(noisy, true.shape, true.sampling, fields)
    truth = Truth(true, rows, example.fields, example.field_step, example.vacancies)
    return Measured(name, example.micrograph, columns, truth)


def bare(columns, name="bare"):
    """An input without truth."""
    from stemnet.micrograph import Micrograph

    return Measured(name, Micrograph(np.zeros(columns.shape, np.float32)), columns)
