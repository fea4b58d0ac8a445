"""Displacements do what was planted."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stemnet import StemnetError
from stemnet.simulation.crystal import perovskite
from stemnet.simulation.deformation import (
    smoothly_strained,
    step_across,
    strained,
    strained_across,
    twin_wall,
)
from stemnet.simulation.distortions.disorder import thermal_disorder
from stemnet.simulation.distortions.polar import polar_shift
from stemnet.simulation.specimen import grow

CRYSTAL = grow(perovskite(), (120.0, 120.0))
strains = st.floats(-0.1, 0.1)


def gradient_of(before, after) -> np.ndarray:
    """Least-squares displacement gradient."""
    design = np.column_stack([before.yx, np.ones(len(before))])
    return np.linalg.lstsq(design, after.yx - before.yx, rcond=None)[0][:2].T


@given(strains, strains, strains, strains)
def test_homogeneous_strain_has_the_gradient_asked_for(yy, yx, xy, xx):
    wanted = np.array([[yy, yx], [xy, xx]])
    after = strained(CRYSTAL, wanted)
    np.testing.assert_allclose(gradient_of(CRYSTAL, after), wanted, atol=1e-10)
    np.testing.assert_allclose(after.displacement, after.yx - CRYSTAL.yx, atol=1e-12)


def test_smooth_strain_has_its_rms_and_wavelength():
    squares = []
    for seed in range(40):
        after = smoothly_strained(CRYSTAL, 0.01, 60.0, np.random.default_rng(seed))
        near = CRYSTAL.yx + 1e-4 * np.array([1.0, 0.0]), CRYSTAL.yx + 1e-4 * np.array([0.0, 1.0])
        for points in near:
            moved = replace(CRYSTAL, yx=points)
            nearby = smoothly_strained(moved, 0.01, 60.0, np.random.default_rng(seed))
            squares.append(((nearby.displacement - after.displacement) / 1e-4) ** 2)
    assert np.sqrt(np.mean(squares)) == pytest.approx(0.01, rel=0.1)


def test_a_polar_shift_moves_its_sublattice_only():
    after = polar_shift(CRYSTAL, 1, np.array([0.2, -0.1]))
    moved = CRYSTAL.sublattice == 1
    np.testing.assert_allclose(after.displacement[moved], [[0.2, -0.1]] * moved.sum())
    np.testing.assert_array_equal(after.yx[~moved], CRYSTAL.yx[~moved])
    field = np.random.default_rng(0).normal(size=CRYSTAL.yx.shape)
    np.testing.assert_allclose(polar_shift(CRYSTAL, 1, field).displacement[moved], field[moved])


def test_disorder_has_its_rms_in_each_direction():
    after = thermal_disorder(CRYSTAL, 0.07, np.random.default_rng(1))
    np.testing.assert_allclose(after.displacement.std(0), 0.07, rtol=0.06)
    np.testing.assert_allclose(after.displacement.mean(0), 0, atol=0.01)


@given(st.floats(-np.pi, np.pi), st.floats(0.5, 10), st.floats(-40, 40), st.floats(-40, 40))
def test_a_step_across_a_wall_and_its_integral_belong_together(angle, width, y, x):
    normal, through = 3 * np.array([np.cos(angle), np.sin(angle)]), np.array([5.0, -7.0])
    point, step = np.array([[y, x]]), 1e-4 * normal / 3
    rise = (
        step_across(point + step, normal, through, width)[1]
        - step_across(point - step, normal, through, width)[1]
    ) / 2e-4
    height, integral = step_across(point, normal, through, width)
    assert rise == pytest.approx(height, abs=1e-6)
    s = (point - through) @ normal / 3
    assert height == pytest.approx((1 + np.tanh(s / width)) / 2)
    far = abs(s[0]) > 8 * width
    assert not far or integral == pytest.approx(max(s[0], 0.0), abs=1e-5 * width)


def test_strain_steps_across_a_wall_without_tearing():
    jump, normal, through = np.array([0.03, -0.05]), np.array([0.6, 0.8]), np.array([60.0, 60.0])
    after = strained_across(CRYSTAL, jump, normal, through, 2.0)
    s = (CRYSTAL.yx - through) @ normal
    for side, wanted in ((s < -15, np.zeros((2, 2))), (s > 15, np.outer(jump, normal))):
        np.testing.assert_allclose(gradient_of(CRYSTAL.select(side), after.select(side)), wanted, atol=1e-6)
    along = np.array([-0.8, 0.6])  # columns at equal distance from the wall move together
    beside = replace(CRYSTAL, yx=CRYSTAL.yx + 3.0 * along)
    np.testing.assert_allclose(
        strained_across(beside, jump, normal, through, 2.0).displacement, after.displacement, atol=1e-9
    )


@settings(deadline=None)
@given(st.floats(0.9, 0.999), st.floats(1.001, 1.1), st.floats(-np.pi, np.pi), st.sampled_from([1, -1]))
def test_twins_meet_coherently(short, long, angle, sense):
    """The wall's shear turns one stretch of the parent into a rotation of the other."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    first, second = (turn @ np.diag(axes) @ turn.T for axes in ((long, short), (short, long)))
    jump, normal = twin_wall(first, second, sense)
    across = (np.eye(2) + np.outer(jump, normal)) @ first
    np.testing.assert_allclose(across.T @ across, second @ second, atol=1e-9)
    assert np.hypot(*normal) == pytest.approx(1)
    assert normal[0] >= 0


@given(st.floats(3.5, 4.0), st.floats(1.005, 1.08))
def test_ferroelastic_twins_have_the_tetragonal_angle(a, ratio):
    """Domains of a tetragonal perovskite meet at 90 degrees less 2 arctan(a / c), on walls near {110}."""
    c = a * ratio
    parent = (a * a * c) ** (1 / 3)
    upright, lying = np.diag([c, a]) / parent, np.diag([a, c]) / parent
    jump, normal = twin_wall(upright, lying)
    turn = (np.eye(2) + np.outer(jump, normal)) @ upright @ np.linalg.inv(lying)
    angle = np.arctan2(turn[1, 0], turn[0, 0])
    assert abs(angle) == pytest.approx(np.pi / 2 - 2 * np.arctan(a / c), abs=1e-9)
    assert abs(normal[0] * normal[1]) == pytest.approx(0.5, abs=0.01)
    other = twin_wall(upright, lying, -1)[1]
    assert normal[1] > 0 > other[1]


@given(st.floats(1.01, 1.1), st.floats(1.01, 1.1))
def test_no_wall_joins_stretches_that_differ_everywhere(y, x):
    assume(abs(x - y) > 1e-3)
    with pytest.raises(StemnetError, match="keeps its length"):
        twin_wall(np.eye(2), np.diag([y, x]))
