"""Deformations do what was asked, can be followed back, and their strain is told."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stemnet import StemnetError
from stemnet.simulation.crystal import perovskite
from stemnet.simulation.deformation import (
    STRAIN_FIELDS,
    Affine,
    BentWall,
    Waves,
    gradient,
    polar,
    smoothly_strained,
    step_across,
    strained,
    strained_across,
    twin_wall,
    with_strain,
)
from stemnet.simulation.distortions.elastic import (
    Bend,
    Grade,
    Inclusion,
    Relaxation,
    bent,
    graded,
    inclusion_strain,
    misfit_relaxed,
    random_waves,
    randomly_strained,
    with_inclusion,
)
from stemnet.simulation.growth import grow
from stemnet.simulation.specimen import rotation

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


DEFORMATIONS = {
    "affine": Affine(((0.05, -0.3), (0.3, -0.02)), (40.0, 60.0)),
    "waves": Waves(((0.05, 0.02), (-0.03, 0.08)), (1.5, 0.9), ((0.3, 1.0), (2.0, -1.0))),
    "wall": BentWall((0.05, -0.08), (0.6, 0.8), (60.0, 60.0), 5.0),
    "bend": Bend(1 / 400, (0.6, 0.8), (60.0, 60.0)),
    "grade": Grade((1e-3, -5e-4), (1.0, 0.0), (60.0, 0.0)),
    "relaxation": Relaxation((0.0, 0.05), (0.0, 1.0), (0.0, 60.0), 25.0),
    "inclusion": Inclusion((60.0, 60.0), 25.0, 0.04),
    "random": random_waves(0.8, 30.0, np.random.default_rng(3), waves=20),
}


@pytest.mark.parametrize("name", DEFORMATIONS)
def test_matter_can_be_followed_back_to_where_it_came_from(name):
    before = CRYSTAL
    after = before.deformed(DEFORMATIONS[name])
    np.testing.assert_allclose(after.origin_of(after.yx), before.yx, atol=1e-8)
    twice = after.deformed(DEFORMATIONS["waves"])
    np.testing.assert_allclose(twice.origin_of(twice.yx), before.yx, atol=1e-8)
    np.testing.assert_allclose(twice.origin_of(twice.yx, 1), after.yx, atol=1e-8)
    np.testing.assert_allclose(twice.displacement, twice.yx - before.yx, atol=1e-10)


@pytest.mark.parametrize("name", DEFORMATIONS)
def test_deformations_travel_between_processes(name):
    sent = pickle.loads(pickle.dumps(DEFORMATIONS[name]))
    assert sent == DEFORMATIONS[name]
    np.testing.assert_array_equal(sent(CRYSTAL.yx), DEFORMATIONS[name](CRYSTAL.yx))


@pytest.mark.parametrize("name", DEFORMATIONS)
def test_strain_of_columns_is_that_of_the_field(name):
    after = with_strain(CRYSTAL.deformed(DEFORMATIONS[name]))
    for field in STRAIN_FIELDS:
        np.testing.assert_allclose(after.planted[field], after.field_at(field, after.yx), atol=1e-8)


@given(strains, strains, strains, st.floats(-3.0, 3.0))
def test_strain_of_a_stretch_and_a_turn_is_the_stretch(yy, xx, yx, angle):
    """V is the stretch in image axes whatever turned before it, however far."""
    stretch = np.array([[1 + yy, yx], [yx, 1 + xx]])
    after, turned = polar((stretch @ rotation(angle))[None])
    np.testing.assert_allclose(after[0], stretch, atol=1e-12)
    assert turned[0] == pytest.approx(angle)


@settings(max_examples=20, deadline=None)
@given(strains, strains, strains, st.floats(-0.5, 0.5))
def test_the_strain_planted_is_finite_and_free_of_rotation(yy, xx, yx, angle):
    stretch = np.array([[1 + yy, yx], [yx, 1 + xx]])
    after = with_strain(strained(CRYSTAL, stretch @ rotation(angle) - np.eye(2), (60.0, 60.0)))
    for name, wanted in zip(STRAIN_FIELDS, (yy, xx, yx, angle), strict=True):
        np.testing.assert_allclose(after.planted[name], wanted, atol=1e-8)


def test_strain_of_waves_is_that_of_their_derivative():
    k, amplitude = 0.06, 0.02
    after = with_strain(CRYSTAL.deformed(Waves(((k, 0.0),), (amplitude,), ((0.0, np.pi / 2),))))
    y = CRYSTAL.yx[:, 0]
    slope, shear = amplitude * k * np.cos(k * y), -amplitude * k * np.sin(k * y)
    np.testing.assert_allclose(after.planted["strain_yy"], slope, atol=1e-5)
    np.testing.assert_allclose(after.planted["strain_yx"], shear / 2, atol=1e-5)
    np.testing.assert_allclose(after.planted["rotation_rad"], shear / 2, atol=1e-5)


def test_strain_across_a_wall_steps_by_the_jump():
    after = with_strain(CRYSTAL.deformed(BentWall((0.0, 0.04), (0.0, 1.0), (0.0, 60.0), 4.0)))
    step = (1 + np.tanh((CRYSTAL.yx[:, 1] - 60.0) / 4.0)) / 2
    np.testing.assert_allclose(after.planted["strain_xx"], 0.04 * step, atol=1e-9)
    np.testing.assert_allclose(after.planted["rotation_rad"], 0, atol=1e-9)


def test_strain_since_a_deformation_leaves_the_earlier_ones_out():
    first = strained(CRYSTAL, np.diag([0.03, 0.0]))
    after = with_strain(strained(first, np.diag([0.0, 0.02])), since=1)
    np.testing.assert_allclose(after.planted["strain_yy"], 0, atol=1e-9)
    np.testing.assert_allclose(after.planted["strain_xx"], 0.02, atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.floats(150.0, 2000.0), st.sampled_from([1, -1]), st.floats(-np.pi, np.pi))
def test_bending_strains_by_height_over_radius_and_keeps_the_normal(radius, side, angle):
    way = np.array([np.sin(angle), np.cos(angle)])
    normal, through = np.array([way[1], -way[0]]), np.array([60.0, 60.0])
    after = with_strain(bent(CRYSTAL, side * radius, along=tuple(way), through=tuple(through)))
    s, h = (CRYSTAL.yx - through) @ way, (CRYSTAL.yx - through) @ normal
    f = gradient(after.flow, CRYSTAL.yx)
    np.testing.assert_allclose(np.linalg.norm(f @ way, axis=1), np.abs(1 - h / (side * radius)), atol=1e-7)
    np.testing.assert_allclose(np.linalg.norm(f @ normal, axis=1), 1, atol=1e-7)
    np.testing.assert_allclose(np.abs(after.planted["rotation_rad"]), np.abs(s) / radius, atol=1e-7)
    # Columns of the neutral line lie on a circle around the center of the arc.
    center = through + side * radius * normal
    line = np.array([through + t * way for t in (-50.0, -20.0, 30.0)])
    moved = line + after.flow[0](line)
    np.testing.assert_allclose(np.linalg.norm(moved - center, axis=1), radius, rtol=1e-9)


def test_a_bend_that_folds_is_refused():
    with pytest.raises(StemnetError, match="fold"):
        bent(CRYSTAL, 50.0, along=(0.0, 1.0))


def test_a_graded_strain_grows_linearly_and_a_relaxed_one_fades():
    after = with_strain(graded(CRYSTAL, (5e-4, 0.0), normal=(1.0, 0.0), through=(20.0, 0.0)))
    np.testing.assert_allclose(after.planted["strain_yy"], 5e-4 * (CRYSTAL.yx[:, 0] - 20.0), atol=1e-8)
    after = with_strain(misfit_relaxed(CRYSTAL, 0.03, normal=(1.0, 0.0), through=(31.0, 0.0), length=20.0))
    s = CRYSTAL.yx[:, 0] - 31.0
    wanted = np.where(s > 0, 0.03 * np.exp(-np.maximum(s, 0) / 20.0), 0.0)
    np.testing.assert_allclose(after.planted["strain_yy"], wanted, atol=1e-8)
    assert not after.displacement[s < 0].any()


def test_an_inclusion_expands_within_and_keeps_areas_without():
    center, radius = np.array([60.0, 60.0]), 25.0
    after = with_strain(with_inclusion(CRYSTAL, (60.0, 60.0), radius, 0.02, poisson=0.25))
    away = np.linalg.norm(CRYSTAL.yx - center, axis=1)
    inside, outside = away < radius - 0.1, away > radius + 0.1
    held = inclusion_strain(0.02, 0.25)
    assert held == pytest.approx(0.0125)
    for name in ("strain_yy", "strain_xx"):
        np.testing.assert_allclose(after.planted[name][inside], held, atol=1e-8)
    area = np.linalg.det(gradient(after.flow, CRYSTAL.yx[outside]))
    np.testing.assert_allclose(area, 1, atol=held**2 * 1.01)
    radial = np.linalg.norm(after.displacement, axis=1)
    np.testing.assert_allclose(radial[outside], held * radius**2 / away[outside], rtol=1e-9)


def test_a_random_strain_has_its_rms_and_its_correlation_length():
    rng = np.random.default_rng(5)
    here = rng.uniform(0, 4000, (1500, 2))
    for length in (15.0, 40.0):
        by = random_waves(0.01 * length, length, rng, waves=400)
        assert gradient((by,), here).std(0) == pytest.approx(np.full((2, 2), 0.01), rel=0.15)
        for r in (0.5 * length, length, 1.5 * length):
            there = here + r * np.array([0.6, 0.8])
            shared = (by(here) * by(there)).mean() / (by(here) ** 2).mean()
            assert shared == pytest.approx(np.exp(-(r**2) / (2 * length**2)), abs=0.1)


def test_random_strain_is_reproduced_by_its_seed():
    one, same, other = (
        randomly_strained(CRYSTAL, 0.01, 25.0, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.yx, same.yx)
    assert np.abs(one.yx - other.yx).max() > 0.01


def test_many_columns_move_as_few_do():
    by, places = DEFORMATIONS["random"], np.random.default_rng(0).uniform(0, 500, (45_000, 2))
    some = np.array([0, 19_999, 20_000, 44_999])
    np.testing.assert_allclose(by(places)[some], by(places[some]), atol=1e-12)
