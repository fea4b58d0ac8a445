"""Edges, holes, particles, thickness, amorphous matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from stemnet import StemnetError
from stemnet.simulation.crystal import cubic_metal, dichalcogenide, honeycomb, perovskite
from stemnet.simulation.defects.amorphous import amorphized, amorphous_region, oxidized
from stemnet.simulation.defects.glass import random_network
from stemnet.simulation.defects.nanoparticle import FCC_HEIGHTS, Ball, Polyhedron, nanoparticle, wulff
from stemnet.simulation.defects.point import vacancies
from stemnet.simulation.defects.shape import (
    cut,
    holes,
    shaped,
    stepped_edge,
    terraces,
    wedge,
    without_dangling,
)
from stemnet.simulation.growth import grow
from stemnet.simulation.quantities.regions import AllOf, Blob, HalfPlane, Outside, Polygon

MOS2 = grow(dichalcogenide(), (100.0, 100.0))
STO = grow(perovskite(), (100.0, 100.0), thickness=60.0)


def test_an_edge_leaves_no_vacancies():
    ended = cut(MOS2, MOS2.yx[:, 0] < 100)
    assert ended.yx[:, 0].max() < 100
    assert ended.vacant is None


def test_two_cuts_leave_what_both_have():
    left = HalfPlane((0.0, -1.0), (0.0, 60.0))
    low = HalfPlane((1.0, 0.0), (30.0, 0.0))
    made = shaped(shaped(MOS2, left), low)
    at_once = shaped(MOS2, AllOf((left, low)))
    np.testing.assert_array_equal(made.yx, at_once.yx)
    np.testing.assert_allclose(made.planted["edge_distance_A"], at_once.planted["edge_distance_A"])
    assert set(made.planted["inside"]) == {1}
    np.testing.assert_array_equal(made.field_at("inside", np.array([[50.0, 50.0], [50.0, 70.0]])), [1, 0])


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32), st.sampled_from([1, 2, 3]), st.floats(8, 30))
def test_steps_are_of_whole_rows(seed, rows, terrace):
    step = rows * 3.905
    made = stepped_edge(
        STO,
        through=(50.0, 50.0),
        normal=(1.0, 0.0),
        step=step,
        terrace=terrace,
        rng=np.random.default_rng(seed),
    )
    top = np.array(
        [made.yx[np.abs(made.yx[:, 1] - x) < 0.1, 0].min() for x in np.unique(np.round(made.yx[:, 1], 3))]
    )
    # One of the two kinds of rows across the surface, where the walk has not left the specimen.
    top = top[::2]
    seen = (top > -5) & (top < 104)
    heights = (top - top[seen][0]) / step
    np.testing.assert_allclose(heights[seen], np.round(heights[seen]), atol=1e-6)
    # Up or down by one where a piece of half a terrace ends, and nowhere else.
    both = seen[1:] & seen[:-1]
    assert np.abs(np.diff(heights))[both].max() < np.ceil(3.905 / (terrace / 2)) + 1e-6
    assert made.planted["edge_distance_A"].min() >= 0


def test_holes_have_their_area():
    made = holes(MOS2, ((30.0, 30.0), (70.0, 60.0)), 12.0, np.random.default_rng(0))
    density = 2 / (3.16**2 * np.sqrt(3) / 2)
    assert len(MOS2) - len(made) == pytest.approx(2 * np.pi * 144 * density, rel=0.05)
    rough = holes(MOS2, ((50.0, 50.0),), 20.0, np.random.default_rng(1), irregular=0.2)
    away = np.hypot(*(rough.yx - 50).T)
    assert away.min() < 18
    gone = ~np.isin(MOS2.yx[:, 0] * 1e4 + MOS2.yx[:, 1], rough.yx[:, 0] * 1e4 + rough.yx[:, 1])
    assert np.hypot(*(MOS2.yx[gone] - 50).T).max() > 21


def test_dangling_columns_fall_until_all_have_neighbors():
    rough = holes(MOS2, ((50.0, 50.0),), 20.0, np.random.default_rng(1), irregular=0.2)
    made = without_dangling(rough, 2, 2.2)
    number = [len(n) - 1 for n in cKDTree(made.yx).query_ball_point(made.yx, 2.2)]
    assert min(number) >= 2
    assert 0 < len(rough) - len(made) < 80
    chain = without_dangling(grow(honeycomb(), (4.0, 4.0), margin=0.0), 3, 1.6)
    assert len(chain) == 0


def test_thickness_is_what_the_place_says():
    made = wedge(STO, (0.0, 0.0), (0.0, 100.0), 2.0, 22.0)
    np.testing.assert_allclose(made.thickness, np.clip(2 + made.yx[:, 1] / 5, 2, 22))
    thin = wedge(STO, (0.0, 20.0), (0.0, 100.0), 0.0, 8.0)
    assert thin.thickness.min() >= 0.5
    assert thin.yx[:, 1].min() > 24
    steps = terraces(STO, 4, 3, (0.2, 1.0), np.random.default_rng(2), height=2, roughness=1.0)
    assert set(steps.thickness) == {4.0, 6.0, 8.0, 10.0}
    np.testing.assert_array_equal(steps.field_at("thickness", steps.yx), steps.thickness)


def test_a_ball_has_a_balls_atoms():
    gold = cubic_metal(4.078, "Au", "fcc", "110", "Au")
    made = nanoparticle(gold, Ball((50.0, 40.0), 25.0), reach=27.0, heights=FCC_HEIGHTS["110"])
    atoms = made.thickness.sum()
    assert atoms == pytest.approx(4 / 3 * np.pi * 25**3 / (4.078**3 / 4), rel=0.02)
    np.testing.assert_array_equal(made.thickness, made.planted["repeats"])
    # Whole repeats lie within one of the way through the body.
    assert np.abs(made.thickness - made.planted["thickness"]).max() < 1 + 1e-9
    dome = nanoparticle(gold, Ball((50.0, 40.0), 25.0, half=True), reach=27.0, heights=FCC_HEIGHTS["110"])
    # The dome keeps the plane of atoms at its foot whole: those of the first site, which are at height 0.
    assert 2 * dome.thickness.sum() - atoms == np.sum(made.index[:, 2] == 0)
    rim = np.hypot(*(made.yx - [50, 40]).T)
    assert made.thickness[rim > 22].max() < 0.6 * made.thickness[rim < 5].min()


@pytest.mark.parametrize("axis", ["001", "110", "111"])
@pytest.mark.parametrize("orientation", [0.0, 0.4])
def test_a_polyhedron_has_its_volume_and_the_crystals_facets(axis, orientation):
    body = wulff((40.0, 40.0), 15.0, axis, ratio=1.15, orientation=orientation)
    grid = np.stack(np.meshgrid(np.arange(5, 75, 0.5), np.arange(5, 75, 0.5), indexing="ij"), -1).reshape(
        -1, 2
    )
    volume = body(grid).sum() * 0.25
    # An octahedron with {111} at 1 holds 4 sqrt 3; each of six corners cut at 1.15 takes 2/3 (sqrt 3 - 1.15)^3.
    assert volume == pytest.approx((4 * np.sqrt(3) - 6 * 2 / 3 * (np.sqrt(3) - 1.15) ** 3) * 15**3, rel=0.01)
    gold = cubic_metal(4.078, "Au", "fcc", axis, "Au")
    # How many atoms fit depends on where the center lies in the cell; on average it is the volume's share.
    rng = np.random.default_rng(0)
    counts = []
    for _ in range(30):
        off = tuple(rng.uniform(0, 1, 2) @ np.array(gold.cell))
        put = nanoparticle(
            gold, body, reach=32.0, orientation=orientation, offset=off, heights=FCC_HEIGHTS[axis]
        )
        counts.append(put.thickness.sum())
    error = np.std(counts) / np.sqrt(len(counts))
    assert abs(np.mean(counts) - volume / (4.078**3 / 4)) < 4 * error + 0.005 * np.mean(counts)
    made = nanoparticle(gold, body, reach=32.0, orientation=orientation, heights=FCC_HEIGHTS[axis])
    # Facets along the beam are rows of the crystal: many columns at the same, largest height.
    side = [n for n in np.array(body.normals) if abs(n[2]) < 1e-9]
    for normal in side:
        height = (made.yx - 40) @ normal[:2]
        assert np.sum(height > height.max() - 1e-6) >= 3
    assert len(side) == {"001": 4, "110": 6, "111": 0}[axis]


def test_what_lies_under_a_support_is_missing():
    whole = wulff((0.0, 0.0), 15.0, "001")
    half = wulff((0.0, 0.0), 15.0, "001", cut_at=0.0)
    yx = np.random.default_rng(0).uniform(-15, 15, (100, 2))
    np.testing.assert_allclose(half(yx), whole(yx) / 2, atol=1e-9)
    assert isinstance(half, Polyhedron)
    with pytest.raises(StemnetError, match="001"):
        wulff((0.0, 0.0), 15.0, "112")
    with pytest.raises(StemnetError, match="period"):
        nanoparticle(dichalcogenide(), Ball((0.0, 0.0), 5.0), reach=5.0)
    with pytest.raises(StemnetError, match="each site"):
        nanoparticle(cubic_metal(4.0, "Au", "fcc", "110", "Au"), half, reach=5.0, heights=FCC_HEIGHTS["001"])


@settings(deadline=None, max_examples=15)
@given(st.floats(-40, 40), st.floats(-40, 40))
def test_depths_are_distances(y, x):
    yx = np.array([[y, x]])
    away = float(np.hypot(y - 1, x - 2))
    assert Blob((1.0, 2.0), 10.0)(yx)[0] == pytest.approx(10 - away)
    assert Outside(Blob((1.0, 2.0), 10.0))(yx)[0] == pytest.approx(away - 10)
    square = Polygon((0.0, 0.0), ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)), (5.0, 5.0, 5.0, 5.0))
    assert square(yx)[0] == pytest.approx(5 - max(abs(y), abs(x)))


@pytest.mark.parametrize("layers", [1, 5])
def test_an_amorphous_region_is_dense_and_keeps_its_distance(layers):
    region = HalfPlane((1.0, 0.0), (50.0, 0.0))
    made = amorphous_region(
        STO, region, separation=2.0, species=("Ti", "O"), rng=np.random.default_rng(0), layers=layers
    )
    glass = made.planted["defect"] == "amorphous"
    np.testing.assert_array_equal(glass, made.yx[:, 0] >= 50)
    np.testing.assert_array_equal(made.sublattice[glass], -1)
    assert set(made.species[glass]) == {"Ti", "O"}
    area = np.prod(np.ptp(STO.yx, axis=0)) * (110 - 50) / 120
    assert 0.55 * layers < glass.sum() * 4 / area < 0.697 * layers
    np.testing.assert_allclose(made.thickness[glass], 60 / 3.905 / layers)
    groups = glass.astype(int)
    pairs = cKDTree(made.yx).query_pairs(1.999, output_type="ndarray")
    assert not np.any(groups[pairs[:, 0]] != groups[pairs[:, 1]])
    assert made.planted["order"][made.yx[:, 0] < 40].min() > 0.99
    # Far from the interface the crystal stands still.
    assert np.abs(made.displacement[made.yx[:, 0] < 38]).max() < 0.01
    near = (made.yx[:, 0] > 47) & ~glass
    assert made.displacement[near].std() > 0.2


def test_an_oxide_covers_the_edge_and_ends():
    base = shaped(STO, HalfPlane((1.0, 0.0), (40.0, 0.0)))
    made = oxidized(base, 12.0, separation=1.8, species=("O", "Ti"), rng=np.random.default_rng(1))
    film = made.planted["defect"] == "amorphous"
    assert np.all(made.yx[film, 0] < 40)
    assert 24 < made.yx[film, 0].min() < 30
    np.testing.assert_array_equal(made.planted["order"], np.where(film, 0, 1))
    assert (~film).sum() == len(base)
    with pytest.raises(StemnetError, match="no rim"):
        oxidized(STO, 5.0, separation=1.8, species=("O",), rng=np.random.default_rng(0))


def test_knocks_grow_towards_the_center():
    made = amorphized(MOS2, (50.0, 50.0), 20.0, np.random.default_rng(2), rms=0.6, closest=0.8)
    order = made.planted["order"]
    inside, outside = order < 0.05, order > 0.999
    assert made.displacement[inside].std() == pytest.approx(0.6, rel=0.15)
    assert made.displacement[outside].std() < 0.001
    assert cKDTree(made.yx).query(made.yx, k=2)[0][:, 1].min() > 0.8 - 1e-9
    assert len(made) + len(made.vacant) == len(MOS2)


def test_a_network_has_three_bonds_at_each_place_and_rings_of_many_sizes():
    places = random_network(np.zeros(2), np.array([60.0, 60.0]), 1.18, np.random.default_rng(0))
    bond = 1.2 * 1.18
    tree = cKDTree(places)
    assert tree.query(places, k=2)[0][:, 1].min() >= 1.18 - 1e-9
    inner = np.all((places > 5) & (places < 55), axis=1)
    number = np.array([len(n) - 1 for n in tree.query_ball_point(places[inner], 1.28 * bond)])
    assert np.mean(number == 3) > 0.8
    honeycomb_density = 4 / (3 * np.sqrt(3) * bond**2)
    assert inner.sum() / 50**2 == pytest.approx(honeycomb_density, rel=0.15)
    # No direction stands out: the bonds' sixfold order parameter is that of disorder.
    pairs = tree.query_pairs(1.28 * bond, output_type="ndarray")
    apart = places[pairs[:, 1]] - places[pairs[:, 0]]
    assert abs(np.exp(6j * np.arctan2(apart[:, 0], apart[:, 1])).mean()) < 0.15


def test_nothing_is_vacant_beyond_an_edge():
    base = vacancies(MOS2, 0.2, np.random.default_rng(0), sublattice=0)
    region = HalfPlane((1.0, 0.0), (50.0, 0.0))
    assert shaped(base, region).vacant.yx[:, 0].min() >= 50
    assert wedge(base, (50.0, 0.0), (51.0, 0.0), 0.0, 5.0).vacant.yx[:, 0].min() > 50
    glass = amorphous_region(base, region, separation=1.5, species=("S",), rng=np.random.default_rng(1))
    assert glass.vacant.yx[:, 0].max() <= 50
    assert len(glass.vacant) + len(shaped(base, region).vacant) == len(base.vacant)


@pytest.mark.parametrize("axis", ["001", "110", "111"])
def test_the_heights_of_the_columns_make_a_close_packed_crystal(axis):
    gold = cubic_metal(4.078, "Au", "fcc", axis, "Au")
    flat = grow(gold, (20.0, 20.0))
    heights = FCC_HEIGHTS[axis]
    start = flat.index[:, :2] @ np.array(heights.steps) + np.array(heights.sites)[flat.index[:, 2]]
    atoms = np.concatenate([np.column_stack([flat.yx, (start % 1 + k) * gold.period]) for k in range(-6, 7)])
    inner = np.all(np.abs(atoms - [10, 10, 0]) < [8, 8, 10], axis=1)
    distance = cKDTree(atoms).query(atoms[inner], k=14)[0][:, 1:]
    np.testing.assert_allclose(distance[:, :12], 4.078 / np.sqrt(2), atol=1e-6)
    assert distance[:, 12].min() > 4.07
