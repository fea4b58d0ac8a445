"""Footers, bars and padding are found; columns, saturated or few in counts, are not."""

import numpy as np
import pytest
from scipy import ndimage

from stemnet import resources
from stemnet.detection import burnt_in as module
from stemnet.detection.burnt_in import _flat, _large_parts, burnt_in
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


@pytest.mark.parametrize("shape", [(3, 3), (40, 31), (3, 90)])
def test_flat_is_where_the_highest_is_the_lowest_of_nine(shape: tuple[int, int]):
    image = np.random.default_rng(3).poisson(0.1, shape).astype(np.float32)
    highest = ndimage.maximum_filter(image, 3, mode="nearest")
    expected = highest == ndimage.minimum_filter(image, 3, mode="nearest")
    assert expected.any()
    np.testing.assert_array_equal(_flat(image), expected)


def test_where_nothing_was_measured_nothing_is_flat():
    image = np.zeros((20, 20), dtype=np.float32)
    image[5:9, 6:12] = np.nan
    flat = _flat(image)
    assert not flat[4:10, 5:13].any()
    assert flat.sum() == 400 - 6 * 8


def test_large_parts_keep_their_places_and_small_ones_go(monkeypatch: pytest.MonkeyPatch):
    mask = np.random.default_rng(4).random((60, 50)) < 0.55
    label, _ = ndimage.label(mask)
    sizes = np.bincount(label.ravel())
    monkeypatch.setattr(module, "AT_ONCE", 500)
    parts = _large_parts(mask, 12)
    assert parts.max() == (sizes[1:] >= 12).sum() > 1
    np.testing.assert_array_equal(parts > 0, mask & (sizes[label] >= 12))
    for number in range(1, parts.max() + 1):
        assert len(np.unique(label[parts == number])) == 1
    assert not _large_parts(mask, mask.sum() + 1).any()
