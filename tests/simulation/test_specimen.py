"""Columns in and around a field of view."""

import pickle

import numpy as np
import pytest
from few_columns import specimen_of
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from stemnet import StemnetError
from stemnet.simulation.crystal import cubic_metal, dichalcogenide, perovskite, zinc_blende
from stemnet.simulation.deformation import strained
from stemnet.simulation.growth import disordered, grow
from stemnet.simulation.specimen import joined, rotation

CRYSTALS = (dichalcogenide(), perovskite(), zinc_blende(), cubic_metal(2.866, "Fe", "bcc", "111", "Fe"))


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(CRYSTALS),
    st.floats(-10, 10),
    st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
    st.tuples(st.floats(25, 60), st.floats(25, 60)),
)
def test_a_crystal_fills_frame_and_margin_evenly(crystal, orientation, origin, field_of_view):
    specimen = grow(crystal, field_of_view, orientation=orientation, origin=origin, margin=12.0)
    density = len(crystal.sites) / abs(np.linalg.det(np.array(crystal.cell)))
    low, high = np.array([-12.0, -12.0]), np.array(field_of_view) + 12
    assert np.all((specimen.yx >= low) & (specimen.yx <= high))
    # Columns enter from outside: a band along the border is as full as the middle.
    for rim in (0.0, 8.0, 16.0):
        inner = np.all((specimen.yx >= low + rim) & (specimen.yx < high - rim), axis=1).sum()
        size = high - low - 2 * rim
        edge = 2 * size.sum() * np.sqrt(density)
        assert abs(inner - density * size.prod()) < 0.6 * edge
    nearest = cKDTree(specimen.yx).query(specimen.yx, k=2)[0][:, 1]
    assert nearest.min() == pytest.approx(crystal.nearest_spacing, rel=1e-6)


@settings(deadline=None, max_examples=20)
@given(st.floats(-3, 3))
def test_orientation_turns_the_cell_from_y_towards_x(angle):
    specimen = grow(perovskite(4.0), (20.0, 20.0), orientation=angle, margin=0.0)
    wanted = 4.0 * np.array([np.cos(angle), np.sin(angle)])
    for start in specimen.yx[specimen.sublattice == 0]:
        end = start + wanted
        if np.all((end > 0.01) & (end < 19.99)):
            row = np.hypot(*(specimen.yx - end).T).argmin()
            np.testing.assert_allclose(specimen.yx[row], end, atol=1e-9)
            assert specimen.sublattice[row] == 0


def test_a_crystal_has_its_stoichiometry():
    specimen = grow(perovskite(), (200.0, 200.0))
    names, counts = np.unique(specimen.species, return_counts=True)
    share = dict(zip(names, counts / len(specimen), strict=True))
    assert share == pytest.approx({"Sr": 0.25, "TiO": 0.25, "O": 0.5}, abs=0.005)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32), st.floats(1.5, 5), st.floats(0.02, 2.0))
def test_disordered_columns_keep_their_distance(seed, separation, filling):
    rng = np.random.default_rng(seed)
    specimen = disordered((40.0, 50.0), separation=separation, filling=filling, species=("C", "Pt"), rng=rng)
    assert len(cKDTree(specimen.yx).query_pairs(separation * 0.999999)) == 0
    assert np.all((specimen.yx >= -10) & (specimen.yx <= np.array([50.0, 60.0])))
    assert set(specimen.species) <= {"C", "Pt"}


def test_disorder_fills_the_plane_or_hardly_any_of_it():
    counts = []
    for filling in (0.02, 5.0):
        rng = np.random.default_rng(0)
        found = disordered(
            (100.0, 100.0), separation=2.0, filling=filling, species=("C",), rng=rng, margin=0.0
        )
        counts.append(len(found) * 4 / 1e4)
    assert counts[0] == pytest.approx(0.02, rel=0.3)
    assert 0.55 < counts[1] < 0.70  # random sequential addition jams at 0.697


def test_disorder_needs_a_separation():
    with pytest.raises(StemnetError, match="positive"):
        disordered((10.0, 10.0), separation=0.0, filling=1.0, species=("C",), rng=np.random.default_rng(0))


def test_selecting_and_moving_keep_the_rows_together():
    specimen = specimen_of(np.arange(20).reshape(10, 2)).with_planted(domain=np.arange(10))
    moved = specimen.displaced(np.full((10, 2), 0.5)).displaced(np.full((10, 2), -0.2))
    chosen = moved.select(np.array([7, 2]))
    np.testing.assert_allclose(chosen.displacement, 0.3)
    np.testing.assert_allclose(chosen.yx, specimen.yx[[7, 2]] + 0.3)
    assert list(chosen.planted["domain"]) == [7, 2]
    assert list(specimen.planted["domain"]) == list(range(10))


def test_a_specimen_travels_between_processes():
    specimen = specimen_of([[1, 2], [3, 4]]).with_planted(domain=np.array([0, 1]))
    again = pickle.loads(pickle.dumps(specimen))
    np.testing.assert_array_equal(again.yx, specimen.yx)
    np.testing.assert_array_equal(again.planted["domain"], [0, 1])


def test_a_field_with_more_columns_than_memory_holds_is_refused():
    with pytest.raises(StemnetError, match=r"columns; .* is the most that is tried. Ask for a smaller field"):
        grow(perovskite(), (1e5, 1e5))


def test_a_long_thin_field_at_an_angle_is_filled_without_its_bounding_square():
    """A square as long as the strip would have 400 million sites."""
    strip = grow(perovskite(), (4e4, 10.0), orientation=0.7, margin=2.0)
    assert len(strip) == pytest.approx(4 / 3.905**2 * (4e4 + 4) * 14, rel=0.01)


def test_a_thickness_is_counted_in_repeats_and_a_sheet_has_none():
    assert np.all(grow(perovskite(), (10, 10), thickness=78.1).thickness == pytest.approx(20.0))
    with pytest.raises(StemnetError, match="sheet"):
        grow(dichalcogenide(), (10, 10), thickness=20.0)
    with pytest.raises(StemnetError, match="positive"):
        grow(perovskite(), (10, 10), thickness=-1.0)


def test_cells_and_sites_say_where_each_column_belongs():
    crystal = perovskite()
    specimen = grow(crystal, (30.0, 40.0), orientation=0.4, origin=(0.3, 0.6))
    cell = np.array(crystal.cell) @ rotation(0.4).T
    i_j, site = specimen.index[:, :2], specimen.index[:, 2]
    np.testing.assert_allclose(
        (i_j + np.array(crystal.sites)[site] + [0.3, 0.6]) @ cell, specimen.yx, atol=1e-9
    )
    assert np.array_equal(np.array(crystal.species)[site], specimen.species)


def test_what_is_taken_out_is_vacant_and_moves_with_later_deformations():
    specimen = grow(perovskite(), (30.0, 30.0))
    gone = np.zeros(len(specimen), dtype=bool)
    gone[:3] = True
    first = specimen.without(gone)
    again = np.zeros(len(first), dtype=bool)
    again[5] = True
    holed = strained(first.without(again), np.array([[0.01, 0.002], [0.0, -0.02]]))
    whole = strained(specimen, np.array([[0.01, 0.002], [0.0, -0.02]]))
    np.testing.assert_allclose(holed.vacant.yx, whole.yx[[0, 1, 2, 8]])
    assert len(holed) + len(holed.vacant) == len(specimen)


def test_joining_keeps_what_both_planted():
    part = grow(perovskite(), (12.0, 12.0))
    one = part.with_planted(grain=np.zeros(len(part), dtype=int), twist=np.ones(len(part)))
    other = part.with_planted(grain=np.ones(len(part), dtype=int))
    both = joined(one, other)
    assert np.array_equal(np.bincount(both.planted["grain"]), [len(part), len(part)])
    assert np.isnan(both.planted["twist"][len(part) :]).all()
