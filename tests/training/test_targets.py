"""What the network is asked for."""

import numpy as np
import pytest
import torch
from small import simulator

from stemnet.columns import Columns
from stemnet.detection.localization import locate
from stemnet.detection.matching import match
from stemnet.training.targets import Targets


def scenes(count: int = 12) -> list:
    return [simulator(side=64).scene(0, 0, index) for index in range(count)]


def test_targets_lie_between_nothing_and_one_and_have_the_shape_of_the_images():
    target, weight = Targets()(scenes(3))
    assert target.shape == weight.shape == (3, 64, 64)
    assert target.min() >= 0
    assert target.max() <= 1
    assert set(torch.unique(weight).tolist()) <= {0.0, 1.0}


def test_each_column_that_must_be_found_has_a_peak_and_no_other_place_has_one():
    targets, total = Targets(), 0
    batch = scenes()
    drawn, _ = targets(batch)
    image, yx, _ = (part.numpy() for part in locate(drawn, 0.4, radius=1))
    for number, scene in enumerate(batch):
        truth = scene.columns()
        needed = truth.yx[targets.must_be_found(truth)]
        result = (
            match(yx[image == number], needed, 1.2, shape=scene.shape, border=1.0) if len(needed) else None
        )
        if result is None:
            assert not (image == number).any()
            continue
        total += len(needed)
        assert result.f1 > 0.97
        assert result.rmse < 0.3
    assert total > 100


def test_a_column_on_a_pixel_is_a_gaussian_of_the_promised_width():
    targets = Targets(share=0.5, sigma=(0.1, 9.0))
    truth = Columns([[20.0, 30.0]], (40, 50), fields={"width": np.array([3.0])})
    drawn = targets._peaks([truth], [np.array([True])], (40, 50), 1.0, "cpu")[0].numpy()
    y, x = np.mgrid[:40, :50]
    expected = np.exp(-0.5 * ((y - 20) ** 2 + (x - 30) ** 2) / 1.5**2)
    inside = (abs(y - 20) <= 4) & (abs(x - 30) <= 4)
    np.testing.assert_allclose(drawn[inside], expected[inside], atol=1e-6)
    assert drawn[~inside].max() < 0.02


def test_peaks_that_overlap_do_not_add_up():
    truth = Columns([[20.0, 30.0], [20.0, 32.0]], (40, 50), fields={"width": np.array([3.0, 3.0])})
    drawn = Targets()._peaks([truth], [np.ones(2, dtype=bool)], (40, 50), 1.0, "cpu")
    assert drawn.max() == pytest.approx(1.0)


def test_columns_outside_the_frame_reach_in_but_do_not_wrap():
    truth = Columns([[-0.4, 10.0], [10.0, 49.4]], (40, 50), fields={"width": np.array([3.0, 3.0])})
    drawn = Targets()._peaks([truth], [np.ones(2, dtype=bool)], (40, 50), 1.0, "cpu")[0]
    assert drawn[0, 10] > 0.8
    assert drawn[10, 49] > 0.7
    assert drawn[-3:].max() == 0
    assert drawn[:, :3].max() == 0


def test_what_cannot_be_seen_is_neither_wanted_nor_forbidden():
    truth = Columns(
        np.zeros((4, 2)),
        (8, 8),
        fields={
            "intensity": np.array([100.0, 100.0, 1.0, 50.0]),
            "signal_to_noise": np.array([9.0, 4.0, 9.0, 5.0]),
        },
    )
    np.testing.assert_array_equal(
        Targets(visible=5, contrast=0.02).must_be_found(truth), [True, False, False, True]
    )
    blind, weight = Targets(visible=np.inf)(scenes(6))
    assert blind.max() == 0
    seen, full = Targets(visible=0, contrast=0)(scenes(6))
    assert full.min() == 1
    # Where a column would be drawn were it visible, nothing is asked.
    assert (weight[seen > 0.9] == 0).all()


def test_an_empty_batch_of_columns_asks_for_nothing():
    empty = [scene for scene in scenes(40) if len(scene.columns()) == 0]
    assert empty
    target, weight = Targets()(empty[:2])
    assert target.max() == 0
    assert weight.min() == 1
