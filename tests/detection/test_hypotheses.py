"""On which scale: fringes are no lattice, however noisy, and a lattice is none of them."""

import numpy as np

from stemnet import resources
from stemnet.detection.candidates import Finder
from stemnet.detection.column_model import render_columns
from stemnet.detection.hypotheses import choose
from stemnet.models.checkpoint import load

SHAPE, WIDTH = (192, 192), 3.0


def chosen(mean: np.ndarray):
    checkpoint = load(resources.weights())
    image = np.random.default_rng(0).poisson(20 * mean).astype(np.float32)
    return choose(image, Finder(checkpoint), checkpoint.card.threshold)


def test_noisy_fringes_are_told_from_a_lattice():
    y, x = np.indices(SHAPE)
    fringes = 1 + 0.8 * np.cos(2 * np.pi * (0.94 * x + 0.34 * y) / 14)
    assert chosen(fringes).pattern == "fringes"
    axis = np.arange(7.0, SHAPE[0], 16)
    yx = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    best = chosen(0.3 + render_columns(SHAPE, yx, np.ones(len(yx)), WIDTH))
    assert best.pattern == "columns"
    assert best.sign > 0
    assert abs(np.log(best.width / WIDTH)) < 0.3
