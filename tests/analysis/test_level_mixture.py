import numpy as np
import pytest

from stemnet.analysis.level_mixture import averaged_probability, expected_levels, nameless_levels
from stemnet.analysis.level_scatter import least_scatter


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
    assert found.scatter.relative < 0.02
    assert np.isnan(found.expected).all()


def test_errors_that_differ_from_column_to_column_are_not_taken_for_species():
    rng = np.random.default_rng(0)
    sigma = np.where(rng.random(500) < 0.2, 30.0, 3.0)
    x = 100 + sigma * rng.normal(size=500)
    aware = nameless_levels(x, sigma)
    assert aware.names == ("level 0",)
    assert aware.scatter.relative < 0.02
    assert len(nameless_levels(x, np.zeros(500)).names) > 1


def test_names_that_are_not_there_are_left_out_and_levels_let_go_a_little():
    x, sigma, kind = drawn([205.0, 96.0], [0.7, 0.3], 8)
    models = expected_levels(x, sigma, ("S2", "S", "vacancy"), np.array([200.0, 100.0, 0.0]))
    assert [model.criterion for model in models] == sorted(model.criterion for model in models)
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


def test_errors_larger_than_they_say_are_found_whatever_the_level():
    for planted in (10.0, 25.0):
        x, _, _ = drawn([1000.0, 700.0, 100.0], [0.4, 0.4, 0.2], planted)
        found = nameless_levels(x, np.full(500, 0.5 * planted))
        assert len(found.names) == 3
        assert found.scatter.floor == pytest.approx(np.sqrt(0.75) * planted, rel=0.12)
        # what grows with the level would be 10 times less at the darkest
        assert found.scatter.relative < 0.01


def test_a_rare_species_between_others_is_not_taken_for_scatter():
    names, expected = ("SSe", "Se", "S2"), np.array([900.0, 700.0, 400.0])
    said, right = [], []
    for seed in range(12):
        x, sigma, kind = drawn(expected, [0.92, 0.05, 0.03], 90.0, 400, seed)
        share = averaged_probability(x, sigma, expected_levels(x, sigma, names, expected, (0.01, 20.0)))
        said.append(share.max(axis=1).mean())
        right.append((share.argmax(axis=1) == kind).mean())
    print("says", np.mean(said), "is", np.mean(right))
    assert abs(np.mean(said) - np.mean(right)) < 0.02


def test_scatter_beyond_what_other_sublattices_have_needs_evidence():
    x, sigma, _ = drawn([900.0], [1.0], 60.0, 400)
    names, expected = ("SSe",), np.array([900.0])
    # four hundred columns overrule a limit that is wrong
    found = expected_levels(x, 0.2 * sigma, names, expected, (0.005, 5.0))[0]
    total = np.sqrt(found.variance[0] + 12.0**2)
    assert total == pytest.approx(x.std(), rel=0.1)
    assert found.scatter.penalty > 0
    assert expected_levels(x, sigma, names, expected)[0].scatter.penalty == 0


def test_the_least_scatter_is_that_of_the_cleanest_sublattice():
    x = np.zeros(800)
    parts = [(x, np.full(800, 10.0)), (x, np.full(800, 10.0))]
    relative, floor = least_scatter(
        parts, [np.array([1000.0]), np.array([500.0, 300.0])], [np.array([900.0]), np.array([2500.0, 2500.0])]
    )
    assert floor == pytest.approx(np.sqrt(900 + 0.05 * 1000))
    assert relative == pytest.approx(floor / 1000)
