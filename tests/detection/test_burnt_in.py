"""Footers, bars and padding are found; columns, saturated or few in counts, are not."""

import numpy as np
import pytest

from stemnet import resources
from stemnet.detection.burnt_in import burnt_in
from stemnet.detection.column_model import render_columns
from stemnet.detection.segmenter import find_columns
from stemnet.micrograph import Micrograph
from stemnet.models.checkpoint import load

SHAPE = (256, 256)


def lattice(dose: float = 40.0) -> tuple[np.ndarray, np.ndarray]:
    axis = np.arange(9.0, 256, 17)
    yx = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    light = dose * render_columns(SHAPE, yx, np.ones(len(yx)), 3.0) + dose / 6
    return np.random.default_rng(0).poisson(light).astype(np.float32), yx


def written(image: np.ndarray) -> np.ndarray:
    """With a footer that holds a bar and some writing."""
    image = image.copy()
    image[220:] = 0
    image[240:246, 20:100] = image.max()
    image[226:236, 30:33] = image.max()
    image[226:236, 150:230:7] = image.max()
    return image


def test_a_footer_goes_with_all_that_is_written_in_it():
    image, _ = lattice()
    expected = np.zeros(SHAPE, dtype=bool)
    expected[220:] = True
    np.testing.assert_array_equal(burnt_in(written(image)), expected)
    assert not burnt_in(image).any()


@pytest.mark.parametrize("value", [0.0, 255.0])
def test_a_bar_and_padding_are_found_in_either_direction(value: float):
    image, _ = lattice()
    image[200:206, 30:110] = value
    image[:, :14] = value
    found = burnt_in(image)
    assert found[200:206, 30:110].all()
    assert found[:, :14].all()
    assert found.sum() == 6 * 80 + 14 * 256
    np.testing.assert_array_equal(burnt_in(image.T), found.T)


def test_saturated_columns_few_counts_and_a_vacuum_stay():
    image, _ = lattice()
    assert not burnt_in(np.minimum(image, 15)).any()
    few, _ = lattice(0.05)
    assert not burnt_in(few).any()
    image[np.add(*np.indices(SHAPE)) < 150] = 0
    assert not burnt_in(image).any()


def test_columns_are_found_beside_a_footer_and_none_in_it():
    image, yx = lattice()
    found = find_columns(Micrograph(written(image)), load(resources.weights()))
    whole = yx[yx[:, 0] < 214]
    distance = np.hypot(*(found.columns.yx[:, None] - whole).transpose(2, 0, 1)).min(0)
    assert (distance < 1).all()
    assert found.columns.yx[:, 0].max() < 221
    assert len(found.columns) <= len(whole) + 15
    assert "from row 220 to 255" in " ".join(found.notes)
