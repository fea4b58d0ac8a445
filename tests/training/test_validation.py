"""Counting hits and choosing the threshold."""

import numpy as np
import pytest
import torch
from small import simulator

from stemnet.detection.normalization import Normalization
from stemnet.models.unet import UNet
from stemnet.training.targets import Targets
from stemnet.training.validation import THRESHOLDS as BINS
from stemnet.training.validation import HeldOut, Tally, count

THRESHOLDS = np.array([0.2, 0.5, 0.8])
GRID = np.stack(np.meshgrid(np.arange(5) * 10.0, np.arange(6) * 10.0, indexing="ij"), -1).reshape(-1, 2)
ALL = np.ones(len(GRID), dtype=bool)


def test_the_truth_itself_is_perfect():
    tally = Tally(THRESHOLDS)
    tally.add(GRID, np.ones(len(GRID)), GRID, ALL, 2.0)
    assert tally.scores() == {"f1": 1.0, "precision": 1.0, "recall": 1.0, "rmse": 0.0, "threshold": 0.5}


def test_counts_by_hand():
    tally = Tally(THRESHOLDS)
    found = np.concatenate([GRID[:20] + np.array([0.3, -0.4]), [[5.0, 5.0], [15.0, 15.0]]])
    score = np.concatenate([np.full(20, 0.6), [0.9, 0.3]])
    tally.add(found, score, GRID, ALL, 2.0)
    np.testing.assert_array_equal(tally.hit, [20, 20, 0])
    np.testing.assert_array_equal(tally.false, [2, 1, 1])
    np.testing.assert_array_equal(tally.missed, [10, 10, 30])
    scores = tally.scores()
    assert scores["threshold"] == 0.5
    assert scores["f1"] == pytest.approx(2 * 20 / (2 * 20 + 1 + 10))
    assert scores["precision"] == pytest.approx(20 / 21)
    assert scores["recall"] == pytest.approx(2 / 3)
    assert scores["rmse"] == pytest.approx(np.sqrt((0.3**2 + 0.4**2) / 2))


def test_columns_that_cannot_be_seen_count_neither_way():
    visible = ALL.copy()
    visible[:10] = False
    with_them, without_them = Tally(THRESHOLDS), Tally(THRESHOLDS)
    with_them.add(GRID, np.ones(len(GRID)), GRID, visible, 2.0)
    without_them.add(GRID[10:], np.ones(20), GRID, visible, 2.0)
    assert with_them.scores() == without_them.scores()
    assert with_them.scores()["f1"] == 1.0


def test_examples_add_up():
    rng = np.random.default_rng(0)
    found = GRID + rng.normal(0, 1, GRID.shape)
    score = rng.random(len(GRID))
    once, parts = Tally(THRESHOLDS), Tally(THRESHOLDS)
    once.add(found, score, GRID, ALL, 3.0)
    parts.add(found[:12], score[:12], GRID[:12], ALL[:12], 3.0)
    parts.add(found[12:], score[12:], GRID[12:], ALL[12:], 3.0)
    np.testing.assert_allclose(once.f1, parts.f1)
    assert once.scores() == pytest.approx(parts.scores())


def test_the_middle_of_equally_good_thresholds_is_taken():
    tally = Tally(np.linspace(0.1, 0.9, 9))
    tally.add(np.concatenate([GRID, GRID + 5]), np.repeat([0.75, 0.25], len(GRID)), GRID, ALL, 2.0)
    assert tally.scores()["threshold"] == pytest.approx(0.5)


def test_nothing_found_and_nothing_to_find_are_no_traceback():
    none = np.zeros((0, 2))
    tally = Tally(THRESHOLDS)
    tally.add(none, np.zeros(0), none, np.zeros(0, dtype=bool), 2.0)
    tally.add(none, np.zeros(0), GRID, ALL, 2.0)
    tally.add(GRID, np.ones(len(GRID)), none, np.zeros(0, dtype=bool), 2.0)
    assert tally.scores()["f1"] == 0.0
    np.testing.assert_array_equal(tally.false, len(GRID))
    np.testing.assert_array_equal(tally.missed, len(GRID))


def test_held_out_scores_are_those_of_the_test_split_and_leave_the_network_as_it_was():
    network = UNet(4, 2)
    network.train()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    held = HeldOut("crystal", simulator(), 5)
    scores = held.scores(network, Targets(), Normalization(), batch=2)
    assert network.training
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    network.eval()
    tally = Tally(BINS)
    scenes = [simulator().scene(2, 0, index) for index in range(5)]
    with torch.inference_mode():
        logits = network(Normalization()(simulator().images(scenes))[:, None])[:, 0]
    count(tally, logits, scenes, Targets())
    assert scores == pytest.approx(tally.scores())
