"""Views of an image: turned there and back, all different, averaged."""

import numpy as np
import pytest
import torch

from stemnet import resources
from stemnet.detection.candidates import VIEWS, Finder, _turned, _turned_back, within
from stemnet.detection.column_model import render_columns
from stemnet.detection.matching import match
from stemnet.models.checkpoint import load


def test_the_views_are_the_eight_of_the_square_and_turn_back():
    image = torch.arange(12.0).view(3, 4)
    views = [_turned(image, number) for number in range(max(VIEWS))]
    assert len({(view.shape, tuple(view.flatten().tolist())) for view in views}) == 8
    for number, view in enumerate(views):
        assert torch.equal(_turned_back(view, number), image)


def lattice() -> tuple[np.ndarray, np.ndarray]:
    rows, cols = np.mgrid[12:140:16, 10:150:15]
    yx = np.stack([rows.ravel(), cols.ravel()], 1) + np.random.default_rng(1).uniform(-1, 1, (rows.size, 2))
    image = render_columns((150, 160), yx, np.full(len(yx), 30.0), 3.0)
    return np.random.default_rng(2).poisson(image + 4).astype(np.float32), yx


@pytest.mark.parametrize("views", [1, 4])
def test_every_column_of_a_clear_lattice_is_a_candidate(views: int):
    image, yx = lattice()
    weights = load(resources.weights())
    found = Finder(weights, views)(image, 3.0, weights.card.threshold)
    assert len(found) == len(yx)
    assert match(found.yx, yx, 1.0).f1 == 1
    assert np.isnan(found.spread).all() == (views == 1)
    if views > 1:
        assert (found.spread < 0.2).all()
    assert found.map_at((150, 160)).shape == (150, 160)


def test_what_lies_on_a_pixel_is_within():
    inside = within(np.array([[-0.5, 0.0], [-0.6, 0.0], [9.5, 4.4], [9.6, 4.4]]), (10, 5))
    assert inside.tolist() == [True, False, True, False]
