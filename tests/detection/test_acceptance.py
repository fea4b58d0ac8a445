"""Network and fit judge together: what is learned is a probability, and says what it should."""

from types import SimpleNamespace

import numpy as np
import pytest

from stemnet.detection.acceptance import FEATURES, Acceptance, features, fitted_acceptance, terms


def made_up(count: int = 6000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    known = rng.normal(0, 1, (count, len(FEATURES)))
    logit = 1.5 * known[:, 0] + known[:, 1] - 0.8 * known[:, 0] * known[:, 1] - 0.5
    probability = 1 / (1 + np.exp(-logit))
    return known, rng.random(count) < probability, probability


def test_what_is_learned_is_the_probability():
    known, real, probability = made_up()
    learned = fitted_acceptance(known, real)(known)
    assert np.abs(learned - probability).mean() < 0.03
    for low in np.arange(0.1, 0.9, 0.1):
        part = (learned >= low) & (learned < low + 0.1)
        assert abs(learned[part].mean() - real[part].mean()) < 0.06


def test_a_card_holds_all_of_it():
    known, real, _ = made_up(500)
    learned = fitted_acceptance(known, real)
    again = Acceptance.from_card(vars(learned))
    assert again is not None
    np.testing.assert_array_equal(again(known), learned(known))
    assert Acceptance.from_card({}) is None
    assert len(learned.weights) == terms(known[:1]).shape[1] == 1 + 6 + 21


def test_features_far_outside_of_what_was_learned_are_bounded():
    known, real, _ = made_up(500)
    learned = fitted_acceptance(known, real)
    far = learned(np.full((1, 6), 1e6))
    assert np.isfinite(far).all()
    assert far == pytest.approx(learned(np.full((1, 6), 1e9)))


def fit_of(yx: list, amplitude: list, significance: list) -> SimpleNamespace:
    return SimpleNamespace(
        yx=np.array(yx, float), amplitude=np.array(amplitude), significance=np.array(significance)
    )


def test_features_tell_a_faint_column_beside_a_bright_one_from_one_alone():
    beside = fit_of([[0, 0], [0, 8], [0, 60]], [100.0, 5.0, 5.0], [50.0, 4.0, np.nan])
    known = features(np.array([0.9, 0.2, 0.2]), beside, 3.0)
    network, strength, height, crowding = known[:, :4].T
    assert network[0] > 0 > network[1]
    assert strength[2] == 0
    assert height[0] == 0
    assert height[1] == pytest.approx(np.log(0.05))
    assert height[2] == 0
    assert crowding[1] > 1
    assert crowding[2] < 0.01
    np.testing.assert_allclose(known[:, 4:], [[1 / 3, 1 / 3]] * 3)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_candidates_are_described_too(count: int):
    fit = fit_of([[0, 0], [0, 9]][:count], [1.0, 1.0][:count], [9.0, 9.0][:count])
    assert features(np.full(count, 0.5), fit, 3.0).shape == (count, 6)
