"""Polarization textures: walls, closures and vortices are what they are said to be, and so is what is planted."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from stemnet import StemnetError
from stemnet.simulation.crystal import perovskite
from stemnet.simulation.deformation import with_strain
from stemnet.simulation.distortions.closures import FluxClosure, Skyrmion, Vortex, VortexArray
from stemnet.simulation.distortions.polar import ferroelastic_twin, polar_shift, polarized, rhombohedral_twin
from stemnet.simulation.distortions.textures import Repeated, Scaled, Turned, Uniform, direction, quadrant
from stemnet.simulation.distortions.walls import Nanodomain, Stripes, Wall, neutral_wall, rhombohedral_wall
from stemnet.simulation.growth import grow
from stemnet.simulation.quantities.fields import Step
from stemnet.simulation.specimen import Specimen, rotation

CRYSTAL = grow(perovskite(), (120.0, 120.0))
MIDDLE = (60.37, 59.11)  # on no column
TEXTURES = {
    "uniform": Uniform(direction(0.7)),
    "180": neutral_wall(direction(0.3), direction(0.3 + np.pi), MIDDLE, 5.0),
    "90": neutral_wall(direction(0.0), direction(np.pi / 2), MIDDLE, 8.0),
    "neel": neutral_wall(direction(0.3), direction(0.3 + np.pi), MIDDLE, 5.0, neel=1.0),
    "71": rhombohedral_wall((1, 1, 1), (1, -1, 1), MIDDLE, 6.0, 60.0),
    "109": rhombohedral_wall((1, 1, 1), (1, -1, -1), MIDDLE, 6.0),
    "stripes": Stripes(direction(np.pi / 2), (0.0, 1.0), MIDDLE, 60.0, 4.0, 0.4),
    "nanodomain": Nanodomain(direction(0.2), MIDDLE, 30.0, 4.0),
    "closure": FluxClosure(MIDDLE, (50.0, 50.0), 5.0),
    "landau": FluxClosure(MIDDLE, (30.0, 60.0), 5.0, -1),
    "vortex": Vortex(MIDDLE, 8.0),
    "antivortex": Vortex(MIDDLE, 8.0, -1, 0.4),
    "array": VortexArray(MIDDLE, (70.0, 90.0)),
    "skyrmion": Skyrmion(MIDDLE, 30.0, 6.0, 0.0),
    "scaled": Scaled(Uniform(direction(0.7)), Step(0.2, 1.0, (1.0, 0.5), MIDDLE, 10.0)),
    "bubbles": Repeated(Skyrmion(MIDDLE, 12.0, 3.0), MIDDLE, ((0.0, 45.0), (39.0, 22.5))),
    "turned": Turned(FluxClosure(MIDDLE, (40.0, 60.0), 5.0), 0.4, MIDDLE),
}
each_texture = pytest.mark.parametrize("name", TEXTURES)


def winding(texture, center, radius=6.0) -> float:
    """Turns of the polarization on a way around a point, from +x towards +y."""
    phi = np.linspace(0, 2 * np.pi, 400)
    vectors = texture(np.array(center) + radius * np.stack([np.sin(phi), np.cos(phi)], 1))
    angle = np.unwrap(np.arctan2(vectors[:, 0], vectors[:, 1]))
    return (angle[-1] - angle[0]) / (2 * np.pi)


def divergence_and_curl(texture, yx, step=1e-4):
    (yy, xy), (yx_, xx) = (((texture(yx + d) - texture(yx - d)) / (2 * step)).T for d in step * np.eye(2))
    return yy + xx, yx_ - xy


def test_a_polar_shift_moves_its_sublattice_only():
    after = polar_shift(CRYSTAL, 1, np.array([0.2, -0.1]))
    moved = CRYSTAL.sublattice == 1
    np.testing.assert_allclose(after.displacement[moved], [[0.2, -0.1]] * moved.sum())
    np.testing.assert_array_equal(after.yx[~moved], CRYSTAL.yx[~moved])
    field = np.random.default_rng(0).normal(size=CRYSTAL.yx.shape)
    np.testing.assert_allclose(polar_shift(CRYSTAL, 1, field).displacement[moved], field[moved])


@each_texture
def test_what_is_planted_is_what_moved_and_what_the_field_says(name):
    texture = TEXTURES[name]
    after = polarized(CRYSTAL, texture, {0: -0.05, 1: 0.15})
    np.testing.assert_array_equal(after.yx[CRYSTAL.sublattice == 2], CRYSTAL.yx[CRYSTAL.sublattice == 2])
    polar = np.stack([after.planted["polar_y_A"], after.planted["polar_x_A"]], 1)
    for sublattice, share in ((0, -0.25), (1, 0.75)):
        ours = CRYSTAL.sublattice == sublattice
        np.testing.assert_allclose(after.displacement[ours], share * polar[ours], atol=1e-12)
    for field in ("polar_y_A", "polar_x_A", "domain"):
        np.testing.assert_allclose(after.planted[field], after.field_at(field, CRYSTAL.yx), atol=1e-12)
    assert np.issubdtype(after.planted["domain"].dtype, np.integer)
    np.testing.assert_array_equal(polarized(CRYSTAL, texture, {1: 0.0}).yx, CRYSTAL.yx)


@each_texture
def test_textures_are_no_longer_than_one_and_travel(name):
    texture = TEXTURES[name]
    assert np.linalg.norm(texture(CRYSTAL.yx), axis=1).max() <= 1 + 1e-9
    sent = pickle.loads(pickle.dumps(texture))
    assert sent == texture
    np.testing.assert_array_equal(sent(CRYSTAL.yx), texture(CRYSTAL.yx))


@each_texture
def test_turning_the_crystal_and_the_texture_turns_the_result(name):
    angle, about = 0.37, np.array(MIDDLE)
    turn = rotation(angle)
    turned = Specimen(
        (CRYSTAL.yx - about) @ turn.T + about,
        CRYSTAL.species,
        CRYSTAL.sublattice,
        CRYSTAL.displacement,
        CRYSTAL.thickness,
        CRYSTAL.index,
    )
    one = polarized(CRYSTAL, TEXTURES[name], {1: 0.2})
    other = polarized(turned, Turned(TEXTURES[name], angle, MIDDLE), {1: 0.2})
    np.testing.assert_allclose(other.yx, (one.yx - about) @ turn.T + about, atol=1e-9)
    np.testing.assert_array_equal(one.planted["domain"], other.planted["domain"])


@pytest.mark.filterwarnings("ignore:Covariance")  # an exact fit has none
@settings(max_examples=20, deadline=None)
@given(st.floats(3.0, 12.0), st.floats(-np.pi, np.pi))
def test_the_width_of_a_wall_can_be_read_off_the_columns(width, angle):
    texture = neutral_wall(direction(angle), direction(angle + np.pi), MIDDLE, width)
    after = polarized(CRYSTAL, texture, {1: 0.2})
    ours = CRYSTAL.sublattice == 1
    normal = np.array(texture.normal) / np.hypot(*texture.normal)
    s = (CRYSTAL.yx[ours] - np.array(MIDDLE)) @ normal
    along = after.displacement[ours] @ np.array(direction(angle))
    (size, fitted, offset), _ = curve_fit(
        lambda s, a, w, o: -a * np.tanh((s - o) / w), s, along, p0=(0.1, 6.0, 0.5)
    )
    assert fitted == pytest.approx(width, rel=1e-4)
    assert size == pytest.approx(0.2, rel=1e-4)
    assert offset == pytest.approx(0, abs=1e-3)
    assert normal @ np.array(direction(angle)) == pytest.approx(0, abs=1e-12)


def test_a_neel_wall_keeps_its_length_and_a_bloch_wall_hides_it():
    s = np.linspace(-40, 40, 161)
    places = np.array(MIDDLE) + s[:, None] * np.array([0.0, 1.0])
    neel = Wall((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), MIDDLE, 5.0, neel=1.0)
    np.testing.assert_allclose(np.linalg.norm(neel(places), axis=1), 1, atol=1e-12)
    ising = Wall((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), MIDDLE, 5.0)
    assert np.linalg.norm(ising(places), axis=1).min() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("after", "turn", "normal"),
    [
        ((1, -1, 1), 90, (1.0, 0.0)),
        ((1, 1, -1), 0, (1.0, 1.0)),
        ((1, -1, -1), 90, (1.0, 0.0)),
        ((-1, -1, -1), 180, (1.0, -1.0)),
    ],
)
def test_rhombohedral_walls_turn_in_projection_as_they_are_said_to(after, turn, normal):
    wall = rhombohedral_wall((1, 1, 1), after, MIDDLE, 5.0)
    first, second = np.array(wall.before), np.array(wall.after)
    assert np.hypot(*first) == pytest.approx(np.sqrt(2 / 3))
    cosine = first @ second / np.hypot(*first) / np.hypot(*second)
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))) == pytest.approx(turn, abs=1e-5)
    np.testing.assert_allclose(wall.normal, normal)


def test_a_wall_across_the_beam_is_refused_and_an_inclined_one_is_smeared():
    with pytest.raises(StemnetError, match="across the beam"):
        rhombohedral_wall((1, 1, 1), (-1, -1, 1), MIDDLE, 5.0)
    with pytest.raises(StemnetError, match="variants"):
        rhombohedral_wall((1, 1, 1), (1, 1, 1), MIDDLE, 5.0)
    sharp, inclined = (rhombohedral_wall((1, 1, 1), (1, -1, 1), MIDDLE, 3.0, t) for t in (0.0, 60.0))
    assert inclined.overlap == pytest.approx(30.0)  # {110} at 45 degrees through 60 A
    s = np.linspace(-50, 50, 11)
    places = np.array(MIDDLE) + s[:, None] * np.array([1.0, 0.0])
    depth = np.linspace(-30, 30, 6001)
    mean = np.array([sharp(place + np.stack([depth, 0 * depth], 1)).mean(0) for place in places])
    np.testing.assert_allclose(inclined(places), mean, atol=1e-3)


@pytest.mark.parametrize("size", [(40.0, 40.0), (25.0, 50.0)])
@pytest.mark.parametrize("sense", [1, -1])
def test_flux_closure_has_no_charge_no_net_polarization_and_one_turn(size, sense):
    texture = FluxClosure(MIDDLE, size, 3.0, sense)
    grid = np.stack(np.meshgrid(*(np.linspace(-h, h, 81) for h in size), indexing="ij"), -1).reshape(-1, 2)
    places = grid + np.array(MIDDLE)
    np.testing.assert_allclose(texture(places).mean(0), 0, atol=1e-12)
    charge, _ = divergence_and_curl(texture, places)
    np.testing.assert_allclose(charge, 0, atol=1e-7)
    assert winding(texture, MIDDLE, min(size) * 0.9) == pytest.approx(1)
    assert set(texture.domain(places)) == {0, 1, 2, 3}
    offset = np.array([[0.0, size[1] - 5.0]])
    assert texture(offset + np.array(MIDDLE))[0] @ [1.0, 0.0] == pytest.approx(sense, abs=0.02)


@given(st.sampled_from([-2, -1, 1, 2]), st.floats(-np.pi, np.pi))
def test_a_vortex_winds_as_often_as_it_is_asked_to(number, helicity):
    assert winding(Vortex(MIDDLE, 5.0, number, helicity), MIDDLE) == pytest.approx(number)


def test_vortices_alternate_in_an_array_with_antivortices_between():
    texture = VortexArray(MIDDLE, (60.0, 80.0))
    y, x = MIDDLE
    for center, number in (((y, x), 1), ((y + 30, x), 1), ((y, x + 40), 1), ((y + 15, x + 20), -1)):
        assert winding(texture, center) == pytest.approx(number)
    places = np.random.default_rng(0).uniform(0, 120, (500, 2))
    charge, curl = divergence_and_curl(texture, places)
    np.testing.assert_allclose(charge, 0, atol=1e-7)
    assert ((curl > 0) == (texture.domain(places) == 0)).all()
    cells = np.stack(np.meshgrid(np.arange(60.0), np.arange(80.0), indexing="ij"), -1).reshape(-1, 2)
    np.testing.assert_allclose(texture(cells).mean(0), 0, atol=1e-12)
    assert np.linalg.norm(texture(cells), axis=1).max() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("helicity", [0.0, np.pi / 2])
def test_a_skyrmion_shows_its_rim_only(helicity):
    texture = Skyrmion(MIDDLE, 30.0, 5.0, helicity)
    phi = np.linspace(0, 6, 7)
    way = np.stack([np.sin(phi), np.cos(phi)], 1)
    for radius, size in ((1e-3, 0.0), (30.0, 1.0), (90.0, 0.0)):
        vectors = texture(np.array(MIDDLE) + radius * way)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), size, atol=1e-4)
    vectors = texture(np.array(MIDDLE) + 30.0 * way)
    np.testing.assert_allclose((vectors * way).sum(1), np.cos(helicity), atol=1e-9)


@given(st.floats(0.2, 0.8))
def test_stripes_take_their_share(share):
    texture = Stripes((1.0, 0.0), (0.0, 1.0), MIDDLE, 40.0, 2.0, share)
    x = np.arange(4000) * 0.01
    places = np.stack([0 * x, x], 1)
    assert (texture.domain(places) == 0).mean() == pytest.approx(share, abs=2e-3)
    edge = np.array([[MIDDLE[0], MIDDLE[1] + share * 20.0]])
    step = np.array([[0.0, 1e-4]])
    slope = (texture(edge + step) - texture(edge - step))[0, 0] / 2e-4
    assert slope == pytest.approx(-1 / 2.0, rel=1e-4)


def test_quadrants_count_from_x_towards_y():
    angles = np.array([0.1, 1.5, 3.0, -3.0, -1.6])
    assert quadrant(np.stack([np.sin(angles), np.cos(angles)], 1)).tolist() == [0, 1, 2, 2, 3]


@pytest.mark.parametrize("sense", [1, -1])
@pytest.mark.parametrize("head_to_tail", [True, False])
def test_a_ferroelastic_twin_is_strained_and_polarized_along_its_long_axes(sense, head_to_tail):
    ratio = 4.15 / 3.90
    after = ferroelastic_twin(
        CRYSTAL, ratio, MIDDLE, 4.0, {1: 0.17, 2: 0.4}, sense=sense, head_to_tail=head_to_tail
    )
    wall = after.fields["domain"].quantity.texture
    normal = np.array(wall.normal)
    charge = (np.array(wall.after) - np.array(wall.before)) @ normal
    # The wall of the strains is not quite {110}; neither is it quite neutral then.
    assert abs(charge) < 0.03 if head_to_tail else abs(charge) > 1.3
    after = with_strain(after)
    ours = after.sublattice == 0
    s = (after.yx - np.array(MIDDLE)) @ normal
    a, c = 3.905 / np.sqrt(ratio), 3.905 * np.sqrt(ratio)
    for side, polar_axis in ((s < -20, np.array(wall.before)), (s > 20, np.array(wall.after))):
        cells = after.index[ours & side, :2].astype(float)
        vectors = np.linalg.lstsq(
            np.column_stack([cells, np.ones(len(cells))]), after.yx[ours & side], rcond=None
        )[0][:2]
        lengths = np.linalg.norm(vectors, axis=1)
        np.testing.assert_allclose(np.sort(lengths), [a, c], rtol=1e-4)
        assert vectors[0] @ vectors[1] == pytest.approx(0, abs=1e-3)
        longest = vectors[lengths.argmax()] / lengths.max()
        assert abs(longest @ polar_axis) == pytest.approx(1, abs=1e-6)
    far = np.abs(s) > 20
    assert np.abs(after.planted["strain_yy"][far] + after.planted["strain_xx"][far]).max() < 2e-3


@pytest.mark.parametrize("after", [(1, -1, -1), (-1, 1, -1), (1, -1, 1), (-1, -1, -1), (1, 1, -1)])
def test_rhombohedral_domains_are_sheared_towards_their_polarization(after):
    twin = with_strain(rhombohedral_twin(CRYSTAL, (1, 1, 1), after, MIDDLE, 4.0, {1: 0.2}, shear=0.005))
    domain = twin.planted["domain"]
    wall = twin.fields["domain"].quantity.texture
    unit = np.array(wall.normal) / np.hypot(*wall.normal)
    far = np.abs((twin.yx - np.array(MIDDLE)) @ unit) > 25
    for label, (y, x, _) in enumerate(((1, 1, 1), after)):
        ours = far & (domain == label)
        assert ours.sum() > 500
        np.testing.assert_allclose(twin.planted["strain_yx"][ours], 0.005 * y * x, atol=1e-4)
        np.testing.assert_allclose(twin.planted["strain_yy"][ours], 0, atol=3e-4)
        moved = ours & (twin.sublattice == 1)
        np.testing.assert_allclose(twin.planted["polar_y_A"][moved], 0.2 * y / np.sqrt(3), atol=1e-4)
        np.testing.assert_allclose(twin.planted["polar_x_A"][moved], 0.2 * x / np.sqrt(3), atol=1e-4)


def test_repeated_textures_repeat():
    texture, cell = TEXTURES["bubbles"], np.array([[0.0, 45.0], [39.0, 22.5]])
    for step in (cell[0], cell[1], cell[0] - 2 * cell[1]):
        np.testing.assert_allclose(texture(CRYSTAL.yx + step), texture(CRYSTAL.yx), atol=1e-6)
    near = np.array(MIDDLE) + np.random.default_rng(0).uniform(-10, 10, (50, 2))
    np.testing.assert_allclose(texture(near), Skyrmion(MIDDLE, 12.0, 3.0)(near), atol=1e-9)


def test_an_unknown_sublattice_is_told():
    with pytest.raises(StemnetError, match="Sublattice 7"):
        polarized(CRYSTAL, TEXTURES["180"], {7: 0.1})
    with pytest.raises(StemnetError, match="tetragonality"):
        ferroelastic_twin(CRYSTAL, 0.9, MIDDLE, 4.0, {1: 0.1})
