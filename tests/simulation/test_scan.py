"""Offsets of rows, and where columns appear through them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemnet.simulation.scan import apparent_positions, drift, line_jitter


def test_linear_drift_runs_through_the_frame():
    offsets = drift(201, (3.0, -5.0), 0.0, np.random.default_rng(0))
    np.testing.assert_allclose(offsets[-1] - offsets[0], [3.0, -5.0])
    np.testing.assert_allclose(np.diff(offsets, axis=0), [[3.0 / 200, -5.0 / 200]] * 200)
    np.testing.assert_allclose(offsets.mean(0), 0, atol=1e-12)


def test_wander_is_smooth_and_has_its_rms():
    frames = np.array([drift(256, (0.0, 0.0), 2.0, np.random.default_rng(seed)) for seed in range(200)])
    assert np.sqrt(np.mean(frames**2)) == pytest.approx(2.0, rel=0.05)
    assert np.abs(np.diff(frames, axis=1)).max() < 0.2


@pytest.mark.parametrize("correlation", [0.0, 0.7])
def test_jitter_has_its_rms_and_memory(correlation):
    offsets = line_jitter(20000, 0.4, correlation, np.random.default_rng(1))
    np.testing.assert_allclose(offsets.std(0), [0.04, 0.4], rtol=0.06)
    x = offsets[:, 1]
    assert np.mean(x[1:] * x[:-1]) / np.mean(x**2) == pytest.approx(correlation, abs=0.04)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.8, 6))
def test_a_still_beam_off_the_grid_shifts_everything_the_other_way(dy, dx, width):
    yx = np.array([[20.0, 5.5], [33.3, 60.1]])
    np.testing.assert_allclose(
        apparent_positions(yx, np.full((64, 2), [dy, dx]), width), yx - [dy, dx], atol=1e-9
    )


def test_where_a_column_appears_is_where_the_beam_met_it():
    """Under drift, row i is read at i + dy(i): the column at y is met in the row that solves i + dy(i) = y."""
    offsets = drift(300, (12.0, 7.0), 0.0, np.random.default_rng(2))
    yx = np.random.default_rng(3).uniform(40, 260, (50, 2))
    apparent = apparent_positions(yx, offsets, 3.0)
    rows = np.arange(300)
    met = np.column_stack([np.interp(apparent[:, 0], rows, offsets[:, axis]) for axis in (0, 1)])
    np.testing.assert_allclose(apparent + met, yx, atol=1e-3)


def test_wide_columns_average_more_rows():
    offsets = np.zeros((101, 2))
    offsets[::2, 1], offsets[1::2, 1] = 0.5, -0.5
    moved = apparent_positions(np.array([[50.0, 30.0]] * 2), offsets, np.array([0.3, 4.0]))[:, 1] - 30
    assert abs(moved[0]) > 0.45
    assert abs(moved[1]) < 0.01


def test_nothing_appears_of_nothing():
    assert apparent_positions(np.zeros((0, 2)), np.ones((10, 2)), 2.0).shape == (0, 2)
