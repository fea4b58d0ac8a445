"""Bundled examples as studies meet them: true columns with noise, as a good detection gives them; and images."""

from functools import cache

import numpy as np

from stemnet.columns import Columns
from stemnet.micrograph import Micrograph
from stemnet.simulation.examples import load_example
from stemnet.studies import Measured, Truth

SEEN = 5.0  # signal-to-noise from which a column is found
WIDTH = 3.9  # sigma of a column [px]


@cache
def measured_example(name, error=0.1, seed=0, least=SEEN, truth=True, told=True):
    """An example whose visible columns are where they are to within an error [px], of which they are told or not."""
    example = load_example(name)
    true = example.columns
    rows = np.nonzero(true["signal_to_noise"] >= least)[0]
    noisy = true.yx[rows] + np.random.default_rng(seed).normal(0, error, (len(rows), 2))
    sigma = np.full(len(rows), error)
    fields = {"intensity": np.asarray(true["intensity"], float)[rows]}
    if told:
        fields |= {"sigma_y": sigma, "sigma_x": sigma, "frame": np.zeros(len(rows), int)}
    columns = Columns(noisy, true.shape, true.sampling, fields)
    known = Truth(true, rows, example.fields, example.field_step, example.vacancies) if truth else None
    return Measured(name, example.micrograph, columns, known)


def visible(name, truth=True, least=SEEN):
    """An example whose columns have an error that nobody knows."""
    return measured_example(name, 0.15, least=least, truth=truth, told=False)


def of_sublattices(name, sublattices, dose_share=1.0, seed=0, noise=None, sampled=True):
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
    """The metal columns of several alloys."""
    return tuple(
        of_sublattices(name, (0,), dose_share, seed, sampled=sampled) for seed, name in enumerate(names)
    )


def without(one, *fields):
    """The same without some fields of its columns, and without a truth."""
    columns = one.columns
    kept = {name: values for name, values in columns.fields.items() if name not in fields}
    less = Columns(columns.yx, columns.shape, columns.sampling, kept)
    return Measured(one.name, one.micrograph, less, None)


def first(one, count):
    """Its first columns only."""
    partner = one.truth.partner[:count]
    truth = Truth(one.truth.columns, partner, one.truth.fields, one.truth.field_step)
    return Measured(one.name, one.micrograph, one.columns.select(np.arange(count)), truth)


def bare(columns, name="bare"):
    """An input without truth."""
    return Measured(name, Micrograph(np.zeros(columns.shape, np.float32)), columns)


def of_image(image, yx=(), sampling=None, name="image"):
    """An image with columns at given places, and no truth."""
    yx = np.reshape(yx, (-1, 2)).astype(float)
    columns = Columns(yx, image.shape[-2:], sampling, {"intensity": np.ones(len(yx))})
    return Measured(name, Micrograph(image, sampling), columns)


def number(findings, words):
    """The value of the number of this quantity, or of the only one that holds these words."""
    exact = [one.value for one in findings.numbers if words == one.quantity]
    found = exact or [one.value for one in findings.numbers if words in one.quantity]
    assert len(found) == 1, [one.quantity for one in findings.numbers]
    return found[0]


def noise(side=200, seed=0):
    """Counts of an image without contrast."""
    return np.random.default_rng(seed).poisson(50, (side, side)).astype(np.float32)


def crystal(side=200, spacing=12.0, seed=0):
    """Counts of a square lattice of one kind of column."""
    y, x = np.mgrid[:side, :side]
    waves = np.cos(2 * np.pi * (y + 0.1 * x) / spacing) + np.cos(2 * np.pi * (x - 0.1 * y) / spacing)
    return np.random.default_rng(seed).poisson(10 + 60 * np.exp(2 * (waves - 2))).astype(np.float32)
