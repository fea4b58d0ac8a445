"""What is learned of candidates is a probability, and keeps to what physics allows."""

import numpy as np
import pytest

from stemnet.detection.judge import FEATURES
from stemnet.training.judgement import DIRECTIONS, LEAVES, TREES, Lesson, grown


def made_up(count: int = 8000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    known = rng.normal(0, 1, (count, len(FEATURES)))
    logit = 1.5 * known[:, 0] + known[:, 1] - 0.8 * known[:, 4] * known[:, 1].clip(0) - 0.5
    probability = 1 / (1 + np.exp(-logit))
    return known, rng.random(count) < probability, probability


def test_what_is_learned_is_the_probability():
    known, real, probability = made_up()
    learned = grown(Lesson(known, real, np.ones(len(real))))(known)
    assert np.abs(learned - probability).mean() < 0.06
    for low in np.arange(0.1, 0.9, 0.1):
        part = (learned >= low) & (learned < low + 0.1)
        assert abs(learned[part].mean() - real[part].mean()) < 0.08


def test_the_trees_say_what_scikit_learn_says():
    from sklearn.ensemble import HistGradientBoostingClassifier

    known, real, _ = made_up(2000)
    model = HistGradientBoostingClassifier(
        max_iter=TREES, max_leaf_nodes=LEAVES, learning_rate=0.08, monotonic_cst=DIRECTIONS, random_state=0
    )
    weight = np.random.default_rng(4).uniform(0.1, 3, len(real))
    model.fit(known, real, weight / weight.mean())
    np.testing.assert_allclose(
        grown(Lesson(known, real, weight))(known), model.predict_proba(known)[:, 1], atol=1e-12
    )


@pytest.mark.parametrize("number", [row for row, way in enumerate(DIRECTIONS) if way])
def test_more_evidence_never_makes_a_column_less_probable(number: int):
    known, real, _ = made_up(2000)
    trees = grown(Lesson(known, real, np.ones(len(real))))
    more = known[:300].copy()
    more[:, number] += 0.7 * DIRECTIONS[number]
    assert (trees(more) >= trees(known[:300]) - 1e-12).all()
