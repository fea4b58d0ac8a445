"""What probabilities add up to, for an image, around a candidate, and across the rim."""

from types import SimpleNamespace

import numpy as np
import pytest

from stemnet.detection.promise import expected_f1, in_frame, promised_around


def test_the_promise_is_the_f1_that_true_probabilities_have():
    rng = np.random.default_rng(0)
    judged = rng.uniform(0, 1, 200_000)
    real, accepted = rng.random(len(judged)) < judged, judged >= 0.5
    f1 = 2 * (real & accepted).sum() / (accepted.sum() + real.sum())
    assert expected_f1(judged[accepted], judged) == pytest.approx(f1, abs=0.005)
    assert expected_f1(judged[:0], judged[:0]) == 0


def test_a_support_beside_a_lattice_promises_little():
    rng = np.random.default_rng(1)
    lattice, support = rng.uniform(0, 100, (300, 2)), rng.uniform(200, 300, (300, 2))
    judged = np.r_[np.full(300, 0.98), np.full(300, 0.3)]
    promised = promised_around(np.r_[lattice, support], judged)
    assert promised[:300].min() > 0.95
    assert promised[300:].max() == 0


def test_what_lies_on_the_rim_is_inside_by_half():
    fit = SimpleNamespace(
        yx=np.array([[0.0, 30.0], [30.0, 59.0 + 2.0], [30.0, 30.0], [5.0, 30.0]]),
        sigma_y=np.array([0.5, 0.5, 0.5, np.nan]),
        sigma_x=np.array([0.5, 1.0, 0.5, np.nan]),
        common_width=2.5,
    )
    np.testing.assert_allclose(in_frame(fit, (60, 60)), [0.5, 0.02275, 1, 0.97725], atol=1e-5)
