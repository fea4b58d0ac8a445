"""Bundled examples as a study meets them: the columns that can be seen, with noise of known size, and their truth."""

from functools import cache

import numpy as np

from stemnet.columns import Columns
from stemnet.simulation.examples import load_example
from stemnet.studies import Measured, Truth

WIDTH = 3.9  # sigma of a column [px]


def measured(name, sublattices, dose_share=1.0, seed=0, noise=None, sampled=True):
    """Columns of these sublattices, off by what their electrons leave of them at best, or by `noise` [px]."""
    example = load_example(name)
    rows = np.flatnonzero(np.isin(example.columns["sublattice"], sublattices))
    true, rng = example.columns.select(rows), np.random.default_rng(seed)
    electrons = true["intensity"] * dose_share
    sigma = WIDTH / np.sqrt(electrons) if noise is None else np.full(len(rows), noise)
    spread = np.sqrt(electrons)
    columns = Columns(
        true.yx + sigma[:, None] * rng.normal(size=true.yx.shape),
        true.shape,
        true.sampling if sampled else None,
        {
            "intensity": electrons + spread * rng.normal(size=len(rows)),
            "intensity_sigma": spread,
            "sigma_y": sigma,
            "sigma_x": sigma,
            "frame": np.zeros(len(rows), int),
        },
    )
    truth = Truth(example.columns, rows, dict(example.fields), example.field_step)
    return Measured(name, example.micrograph, columns, truth)


@cache
def alloys(names, dose_share=1.0, sampled=True):
    return tuple(measured(name, (0,), dose_share, seed, sampled=sampled) for seed, name in enumerate(names))


def without(one, *fields):
    """The same without some fields of its columns, and without a truth."""
    columns = one.columns
    kept = {name: values for name, values in columns.fields.items() if name not in fields}
    return Measured(
        one.name, one.micrograph, Columns(columns.yx, columns.shape, columns.sampling, kept), None
    )


def first(one, count):
    """Its first columns only."""
    partner = one.truth.partner[:count]
    truth = Truth(one.truth.columns, partner, one.truth.fields, one.truth.field_step)
    return Measured(one.name, one.micrograph, one.columns.select(np.arange(count)), truth)
