"""Displacements less the errors of the positions: unbiased, with errors that hold, whatever drifts or is missing."""

import numpy as np
import pytest

from stemnet.analysis.displacements import mean_square_displacement, pairs_of, spread_about_mean
from stemnet.errors import StemnetError

COUNT, LENGTH, ERROR = 60, 80, 0.4


def walks(step, shake, seed=0):
    """Groups, frames, noisy positions and errors of particles that walk and shake."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(0, step, (COUNT, LENGTH, 2)), 1) + rng.normal(0, shake, (COUNT, LENGTH, 2))
    yx = (walk + rng.normal(0, ERROR, walk.shape)).reshape(-1, 2)
    group, frame = (part.ravel() for part in np.indices((COUNT, LENGTH)))
    return group, frame, yx, np.full(yx.shape, ERROR)


@pytest.mark.parametrize("lag", [1, 2, 5])
def test_errors_of_the_positions_are_taken_off_walks(lag):
    step = 0.15
    group, frame, yx, errors = walks(step, 0.0)
    found = mean_square_displacement(group, frame, yx, errors, lag)
    mean, pull = found.value.mean(), (found.value - 2 * step**2 * lag) / found.error
    print("lag", lag, "value", mean, "planted", 2 * step**2 * lag, "pull", pull.std())
    assert mean == pytest.approx(2 * step**2 * lag, abs=4 * found.value.std() / np.sqrt(COUNT))
    assert 0.7 < pull.std() < 1.5
    assert (found.pairs == LENGTH - lag).all()


def test_what_shakes_does_not_go_further_with_time():
    shake = 0.25
    group, frame, yx, errors = walks(0.0, shake)
    for lag in (1, 10):
        found = mean_square_displacement(group, frame, yx, errors, lag)
        assert found.value.mean() == pytest.approx(4 * shake**2, abs=4 * found.value.std() / np.sqrt(COUNT))
    spread = spread_about_mean(group, yx, errors)
    pull = (spread.value - shake**2) / spread.error
    print("spread", spread.value.mean(), "planted", shake**2, "pull", pull.std())
    assert spread.value.mean() == pytest.approx(shake**2, abs=0.004)
    assert 0.7 < pull.std() < 1.3


def test_what_stands_still_does_not_move():
    group, frame, yx, errors = walks(0.0, 0.0)
    for found in (
        mean_square_displacement(group, frame, yx, errors),
        spread_about_mean(group, yx, errors),
    ):
        assert abs(found.value.mean()) < 3 * found.value.std() / np.sqrt(COUNT)


def test_a_steady_drift_adds_its_square_and_places_nothing():
    group, frame, yx, errors = walks(0.15, 0.0)
    drift = np.array([0.3, -0.1])
    at_rest = mean_square_displacement(group, frame, yx, errors, 2)
    drifting = mean_square_displacement(group, frame, yx + frame[:, None] * drift, errors, 2)
    assert (drifting.value - at_rest.value).mean() == pytest.approx(4 * (drift**2).sum(), rel=0.05)
    taken_off = mean_square_displacement(
        group, frame, yx + frame[:, None] * drift - frame[:, None] * drift, errors, 2
    )
    np.testing.assert_allclose(taken_off.value, at_rest.value, atol=1e-9)
    # where a group is, and from where one looks, is all the same
    home = np.random.default_rng(1).uniform(-500, 500, (COUNT, 2))[group]
    quarter = (yx + home) @ np.array([[0.0, 1.0], [-1.0, 0.0]])
    for measure in (
        lambda places: mean_square_displacement(group, frame, places, errors, 2),
        lambda places: spread_about_mean(group, places, errors),
    ):
        np.testing.assert_allclose(measure(quarter).value, measure(yx).value, atol=1e-9)
        np.testing.assert_allclose(measure(quarter).error, measure(yx).error, atol=1e-9)


def test_the_order_of_the_rows_does_not_matter():
    group, frame, yx, errors = walks(0.15, 0.1)
    rows = np.random.default_rng(2).permutation(len(yx))
    one = mean_square_displacement(group, frame, yx, errors, 3)
    other = mean_square_displacement(group[rows], frame[rows], yx[rows], errors[rows], 3)
    np.testing.assert_allclose(other.value, one.value)
    np.testing.assert_allclose(other.error, one.error)
    np.testing.assert_allclose(
        spread_about_mean(group[rows], yx[rows], errors[rows]).value,
        spread_about_mean(group, yx, errors).value,
    )


def test_rows_without_a_place_an_error_or_a_group_are_as_if_they_were_not_there():
    group, frame, yx, errors = walks(0.15, 0.1)
    gone = np.random.default_rng(3).random(len(yx)) < 0.2
    kept = np.flatnonzero(~gone)
    expected = mean_square_displacement(group[kept], frame[kept], yx[kept], errors[kept], 1, COUNT)
    about = spread_about_mean(group[kept], yx[kept], errors[kept], COUNT)
    nowhere, unknown, nobody = yx.copy(), errors.copy(), group.copy()
    nowhere[gone, 0], unknown[gone, 1], nobody[gone] = np.nan, np.nan, -1
    for g, places, sigma in ((group, nowhere, errors), (group, yx, unknown), (nobody, yx, errors)):
        found = mean_square_displacement(g, frame, places, sigma, 1, COUNT)
        np.testing.assert_allclose(found.value, expected.value)
        np.testing.assert_allclose(found.error, expected.error)
        np.testing.assert_array_equal(found.pairs, expected.pairs)
        np.testing.assert_allclose(spread_about_mean(g, places, sigma, COUNT).value, about.value)
    # a gap is no step: rows on both sides of it are not a lag apart
    one, other = pairs_of(np.zeros(3, int), np.array([0, 2, 3]), 1, np.ones(3, bool))
    assert (one.tolist(), other.tolist()) == ([1], [2])


def test_a_group_without_pairs_is_unknown_and_not_still():
    found = mean_square_displacement(
        np.array([0, 0, 2]), np.array([0, 1, 0]), np.zeros((3, 2)), np.zeros((3, 2)), count=4
    )
    assert found.pairs.tolist() == [1, 0, 0, 0]
    assert np.isnan(found.value).tolist() == [False, True, True, True]
    assert np.isnan(found.error).all()
    spread = spread_about_mean(np.array([0, 0, 2]), np.zeros((3, 2)), np.zeros((3, 2)), 4)
    assert np.isnan(spread.value).tolist() == [False, True, True, True]
    nothing = mean_square_displacement(
        np.zeros(0, int), np.zeros(0, int), np.zeros((0, 2)), np.zeros((0, 2)), count=2
    )
    assert np.isnan(nothing.value).all()


def test_what_cannot_be_measured_is_refused_in_a_sentence():
    group, frame, yx, errors = walks(0.1, 0.0)
    with pytest.raises(StemnetError, match="lag of one frame"):
        mean_square_displacement(group, frame, yx, errors, 0)
    with pytest.raises(StemnetError, match="each row needs one of each"):
        mean_square_displacement(group, frame, yx[:5], errors)
    with pytest.raises(StemnetError, match="each row needs one of each"):
        spread_about_mean(group, yx, errors[:5])
