"""Bundled examples as studies get them: true columns that can be seen, off by a known error."""

from functools import cache

import numpy as np

from stemnet.columns import Columns
from stemnet.micrograph import Micrograph
from stemnet.simulation.examples import load_example
from stemnet.studies import Measured, Truth

ERROR = 0.15  # of positions [px]


@cache
def measured(name, truth=True, least=5.0):
    """An example with the columns of a signal-to-noise ratio above the least, and its truth."""
    example = load_example(name)
    partner = np.flatnonzero(example.columns["signal_to_noise"] > least)
    seen = example.columns.select(np.isin(np.arange(len(example.columns)), partner))
    yx = seen.yx + np.random.default_rng(0).normal(0, ERROR, seen.yx.shape)
    columns = Columns(yx, seen.shape, seen.sampling, {"intensity": seen["intensity"]})
    known = Truth(example.columns, partner, example.fields, example.field_step) if truth else None
    return Measured(name, example.micrograph, columns, known)


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
