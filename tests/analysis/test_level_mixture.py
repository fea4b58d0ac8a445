import numpy as np
import pytest

from stemnet.analysis.level_mixture import averaged_probability, expected_levels, nameless_levels


def drawn(levels, shares, sigma, n=500, seed=0):
    """Intensities (n,) of levels, their errors, and whose they are."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(len(levels), n, p=shares)
    error = np.full(n, float(sigma))
    return np.array(levels, float)[kind] + error * rng.normal(size=n), error, kind


@pytest.mark.parametrize("count", [1, 2, 3])
def test_there_are_as_many_levels_as_were_planted(count):
    planted = [300.0, 200.0, 100.0][:count]
    x, sigma, kind = drawn(planted, np.full(count, 1 / count), 12)
    found = nameless_levels(x, sigma)
    assert found.names == tuple(f"level {k}" for k in range(count))
    np.testing.assert_allclose(found.level, planted, atol=4)
    np.testing.assert_allclose(found.weight, np.bincount(kind) / len(x), atol=0.01)
    assert found.width < 0.02
    assert np.isnan(found.expected).all()


def test_errors_that_differ_from_column_to_column_are_not_taken_for_species():
    rng = np.random.default_rng(0)
    sigma = np.where(rng.random(500) < 0.2, 30.0, 3.0)
    x = 100 + sigma * rng.normal(size=500)
    aware = nameless_levels(x, sigma)
    assert aware.names == ("level 0",)
    assert aware.width < 0.02
    assert len(nameless_levels(x, np.zeros(500)).names) > 1


def test_names_that_are_not_there_are_left_out_and_levels_let_go_a_little():
    x, sigma, kind = drawn([205.0, 96.0], [0.7, 0.3], 8)
    models = expected_levels(x, sigma, ("S2", "S", "vacancy"), np.array([200.0, 100.0, 0.0]))
    assert [model.bic for model in models] == sorted(model.bic for model in models)
    best = models[0]
    assert best.names == ("S2", "S", "vacancy")
    np.testing.assert_allclose(best.weight, [*np.bincount(kind) / len(x), 0], atol=0.01)
    np.testing.assert_allclose(best.level[:2], [205, 96], atol=2)


def test_probabilities_are_averaged_over_the_models():
    x, sigma, kind = drawn([200.0, 100.0], [0.7, 0.3], 20)
    models = expected_levels(x, sigma, ("S2", "S", "vacancy"), np.array([200.0, 100.0, 0.0]))
    share = averaged_probability(x, sigma, models)
    np.testing.assert_allclose(share.sum(axis=1), 1)
    assert (share.argmax(axis=1) == kind).mean() > 0.98
    assert (averaged_probability(x, sigma, models[:1])[:, 2] == 0).all()
    assert 0 < share[:, 2].max() < 0.5
