import numpy as np
import pytest

from stemnet.detection.matching import match
from stemnet.errors import StemnetError


def _points(count=300, size=200.0, seed=0):
    return np.random.default_rng(seed).uniform(0, size, (count, 2))


def test_matching_with_itself_is_perfect():
    yx = _points()
    result = match(yx, yx, 3.0)
    assert (result.precision, result.recall, result.f1, result.rmse) == (1.0, 1.0, 1.0, 0.0)
    assert np.array_equal(result.pairs[:, 0], result.pairs[:, 1])
    assert len(result) == len(yx)


def test_permutation_changes_nothing_but_the_names():
    truth = _points()
    rng = np.random.default_rng(1)
    found = truth + rng.normal(0, 1.0, truth.shape)
    plain = match(found, truth, 4.0)
    order = rng.permutation(len(truth))
    shuffled = match(found[order], truth, 4.0)
    assert np.array_equal(order[shuffled.pairs[:, 0]], plain.pairs[:, 0])
    assert shuffled.rmse == pytest.approx(plain.rmse, rel=1e-12)


def test_exchanging_the_roles_exchanges_precision_and_recall():
    truth = _points(200)
    found = np.concatenate([truth[:150] + 0.2, _points(30, seed=5) + 300])
    forth, back = match(found, truth, 1.0), match(truth, found, 1.0)
    assert (forth.precision, forth.recall) == (back.recall, back.precision)
    assert forth.bias_y == pytest.approx(-back.bias_y)
    assert forth.recall == pytest.approx(150 / 200)
    assert forth.precision == pytest.approx(150 / 180)


def test_no_column_is_used_twice_and_no_pair_is_beyond_the_radius():
    found, truth = _points(800, 60.0, 1), _points(700, 60.0, 2)
    result = match(found, truth, 2.5)
    assert len(np.unique(result.pairs[:, 0])) == len(result) == len(np.unique(result.pairs[:, 1]))
    assert result.distances.max() <= 2.5
    apart = np.linalg.norm(found[result.pairs[:, 0]] - truth[result.pairs[:, 1]], axis=1)
    np.testing.assert_allclose(apart, result.distances)


def test_as_many_pairs_as_possible_not_nearest_first():
    truth = np.array([[0.0, 0.0], [0.0, 2.0]])
    found = np.array([[0.0, 1.1], [0.0, 2.9]])
    result = match(found, truth, 1.5)  # nearest first would leave one alone
    assert result.pairs.tolist() == [[0, 0], [1, 1]]


def test_a_radius_beyond_the_spacing_still_matches_a_dense_set():
    truth = np.stack(np.meshgrid(np.arange(60.0), np.arange(60.0), indexing="ij"), -1).reshape(-1, 2)
    found = truth + np.random.default_rng(3).normal(0, 0.05, truth.shape)
    result = match(found, truth, 3.0)
    assert result.f1 == 1.0
    assert result.rmse == pytest.approx(0.05, rel=0.05)


def test_columns_at_the_border_are_not_judged():
    truth = np.array([[1.0, 50.0], [50.0, 50.0], [50.0, 70.0]])
    found = np.array([[50.0, 50.3], [98.0, 3.0]])
    result = match(found, truth, 2.0, shape=(100, 100), border=5)
    assert (result.precision, result.recall) == (1.0, 0.5)
    assert result.bias_x == pytest.approx(0.3)
    assert result.bias_y == 0


def test_nothing_found_and_nothing_there():
    none, some = np.zeros((0, 2)), _points(3)
    assert match(none, none, 1.0).f1 == 1.0
    assert match(some, none, 1.0).f1 == 0.0
    assert match(none, some, 1.0).recall == 0.0


@pytest.mark.parametrize(
    ("found", "radius"), [([[np.nan, 1.0]], 1.0), ([1.0, 2.0, 3.0], 1.0), ([[0.0, 0.0]], 0.0)]
)
def test_bad_input_is_refused_in_words(found, radius):
    with pytest.raises(StemnetError, match="needs"):
        match(np.array(found), np.zeros((1, 2)), radius)
