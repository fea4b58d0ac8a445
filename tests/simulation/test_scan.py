"""Offsets of the beam, and where columns appear through them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemnet.simulation.artefacts.drift import Drift, Wander
from stemnet.simulation.artefacts.flyback import Flyback
from stemnet.simulation.artefacts.hum import Hum
from stemnet.simulation.artefacts.jitter import LineJitter
from stemnet.simulation.scan import Raster, apparent_positions, scanned


def rng(seed=0):
    return np.random.default_rng(seed)


def gaussian(width):
    distance = np.arange(0, 4 * width, width / 40)
    return distance, np.exp(-0.5 * (distance / width) ** 2)


def test_linear_drift_runs_through_the_frame():
    offsets, within = Drift(3.0, -5.0).offsets((201, 10), 0.5, rng())
    assert within is None
    np.testing.assert_allclose(offsets[-1] - offsets[0], [6.0, -10.0])
    np.testing.assert_allclose(np.diff(offsets, axis=0), [[6.0 / 200, -10.0 / 200]] * 200)
    np.testing.assert_allclose(offsets.mean(0), 0, atol=1e-12)


def test_wander_is_smooth_and_has_its_rms():
    frames = np.array([Wander(1.0).offsets((256, 8), 0.5, rng(seed))[0] for seed in range(200)])
    assert np.sqrt(np.mean(frames**2)) == pytest.approx(2.0, rel=0.05)
    assert np.abs(np.diff(frames, axis=1)).max() < 0.2


@pytest.mark.parametrize("correlation", [0.0, 0.7])
def test_jitter_has_its_rms_and_memory(correlation):
    offsets, _ = LineJitter(0.04, correlation).offsets((20000, 8), 0.1, rng(1))
    np.testing.assert_allclose(offsets.std(0), [0.04, 0.4], rtol=0.06)
    x = offsets[:, 1]
    assert np.mean(x[1:] * x[:-1]) / np.mean(x**2) == pytest.approx(correlation, abs=0.04)


def test_hum_is_one_sine_of_the_time():
    hum = Hum(0.1, 0.3, frequency=60.0, dwell=5.0, pause=200.0)
    rows, within = hum.offsets((40, 50), 0.1, rng(2))
    assert not rows.any()
    time = 1e-6 * (np.arange(40)[:, None] * (50 * 5.0 + 200.0) + 5.0 * np.arange(50))
    for wave, amplitude in zip(within, (1.0, 3.0), strict=True):
        design = np.column_stack([f(2 * np.pi * 60 * time.ravel()) for f in (np.sin, np.cos)])
        fit, residual, *_ = np.linalg.lstsq(design, wave.ravel(), rcond=None)
        assert np.hypot(*fit) == pytest.approx(amplitude)
        assert residual[0] < 1e-12 * wave.size


def test_flyback_is_alike_in_all_rows_and_decays():
    _, within = Flyback(0.8, 0.1).offsets((30, 200), 0.2, rng())
    assert within.shape == (2, 1, 200)
    assert within[1, 0, 0] == pytest.approx(4.0)
    assert within[1, 0, 20] == pytest.approx(4.0 / np.e)
    assert not within[0].any()


def test_errors_add_up():
    errors = (Drift(1.0, 0.0), Flyback(0.5), Drift(0.0, 2.0), Hum())
    raster = scanned(errors, (20, 30), 0.1, rng(3))
    both, _ = Drift(1.0, 2.0).offsets((20, 30), 0.1, rng())
    np.testing.assert_allclose(raster.rows, both)
    flyback = Flyback(0.5).offsets((20, 30), 0.1, rng())[1]
    # The order of the draws: hum alone draws here.
    hum = Hum().offsets((20, 30), 0.1, rng(3))[1]
    np.testing.assert_allclose(raster.within, flyback + hum)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.8, 6))
def test_a_still_beam_off_the_grid_shifts_everything_the_other_way(dy, dx, width):
    yx = np.array([[20.0, 5.5], [33.3, 60.1]])
    raster = Raster(np.full((64, 2), [dy, dx]))
    np.testing.assert_allclose(apparent_positions(yx, raster, gaussian(width)), yx - [dy, dx], atol=1e-9)


def test_where_a_column_appears_is_where_the_beam_met_it():
    """Under drift, row i is read at i + dy(i): the column at y is met in the row that solves i + dy(i) = y."""
    raster = Raster(Drift(12.0, 7.0).offsets((300, 300), 1.0, rng())[0])
    yx = rng(3).uniform(40, 260, (50, 2))
    apparent = apparent_positions(yx, raster, gaussian(3.0))
    rows = np.arange(300)
    met = np.column_stack([np.interp(apparent[:, 0], rows, raster.rows[:, axis]) for axis in (0, 1)])
    np.testing.assert_allclose(apparent + met, yx, atol=1e-3)


def test_within_a_row_the_beam_meets_a_column_where_its_offset_leads():
    raster = Raster(np.zeros((100, 2)), Flyback(4.0, 0.3).offsets((100, 100), 1.0, rng())[1])
    yx = rng(5).uniform(10, 90, (40, 2))
    apparent = apparent_positions(yx, raster, gaussian(2.0))
    met = np.interp(apparent[:, 1], np.arange(100), raster.within[1, 0])
    np.testing.assert_allclose(apparent[:, 1] + met, yx[:, 1], atol=5e-3)
    np.testing.assert_allclose(apparent[:, 0], yx[:, 0], atol=1e-3)


def test_wide_columns_average_more_rows():
    rows = np.zeros((101, 2))
    rows[::2, 1], rows[1::2, 1] = 0.5, -0.5
    narrow, wide = (
        apparent_positions(np.array([[50.0, 30.0]]), Raster(rows), gaussian(width))[0, 1] - 30
        for width in (0.3, 4.0)
    )
    assert abs(narrow) > 0.45
    assert abs(wide) < 0.01


def test_nothing_appears_of_nothing():
    assert apparent_positions(np.zeros((0, 2)), Raster(np.ones((10, 2))), gaussian(2.0)).shape == (0, 2)
