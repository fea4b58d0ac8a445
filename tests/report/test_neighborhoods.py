import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from stemnet import StemnetError
from stemnet.report.neighborhoods import (
    as_vectors,
    draw_arrows,
    draw_neighborhood,
    draw_spread,
    magnification,
)

SQUARE = np.array([[-2.0, 0.0], [0.0, 2.0], [2.0, 0.0], [0.0, -2.0]])


def test_numbers_fold_to_y_and_x():
    np.testing.assert_array_equal(as_vectors(np.arange(8).reshape(2, 4))[1], [[4, 5], [6, 7]])
    assert as_vectors(np.empty((0, 8))).shape == (0, 4, 2)


def test_an_odd_number_cannot_be_drawn():
    with pytest.raises(StemnetError, match="neighbor"):
        as_vectors(np.zeros(5))


@pytest.mark.parametrize("size", [1e-6, 0.013, 0.7, 1.0])
def test_magnified_deviations_are_seen_and_stay_near(size):
    shifts = size * np.array([[1.0, 0.0], [0.0, 0.5], [0.0, 0.0], [0.0, 0.0]])
    factor = magnification(shifts, SQUARE, 0.4)
    assert factor == 1 or 0.2 * 2 < factor * size <= 0.4 * 2 * (1 + 1e-9)
    assert factor >= 1


def test_nothing_moves_at_factor_one():
    assert magnification(np.zeros((4, 2)), SQUARE) == 1
    assert magnification(np.full((4, 2), np.nan), SQUARE) == 1


def test_rows_run_downward_and_arrows_follow():
    axes = Figure().subplots()
    draw_neighborhood(axes, SQUARE, unit="Å")
    low, high = axes.get_ylim()
    assert low > high
    draw_arrows(axes, SQUARE[:1], np.array([[0.5, 0.1]]))
    arrows = axes.collections[-1]
    np.testing.assert_allclose(arrows.get_offsets(), [[0, -2]])
    assert (arrows.U[0], arrows.V[0]) == (0.1, 0.5)


def test_spread_has_the_directions_of_the_covariance():
    rng = np.random.default_rng(0)
    angle = np.radians(30)  # of the long axis, from x to y
    long, short = rng.normal(0, 3, 20000), rng.normal(0, 1, 20000)
    x = long * np.cos(angle) - short * np.sin(angle)
    y = long * np.sin(angle) + short * np.cos(angle)
    axes = Figure().subplots()
    draw_spread(axes, np.array([[5.0, 7.0]]), np.cov(y, x)[None], "#009e73")
    (ellipse,) = (patch for patch in axes.patches if isinstance(patch, Ellipse))
    assert ellipse.center == pytest.approx((7, 5))
    assert (ellipse.width, ellipse.height) == pytest.approx((6, 2), rel=0.05)
    assert np.cos(np.radians(2 * (ellipse.angle - 30))) == pytest.approx(1, abs=1e-3)
