"""Grains, twins, faults: what meets, at which angle, and how close."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from stemnet import StemnetError
from stemnet.simulation.crystal import cubic_metal, dichalcogenide, perovskite, zinc_blende
from stemnet.simulation.defects.boundaries import grain_boundary, polycrystal, tilt_boundary
from stemnet.simulation.defects.faults import antiphase_boundary, stacking_fault, twin_boundary
from stemnet.simulation.deformation import strained, with_strain
from stemnet.simulation.growth import grow
from stemnet.simulation.quantities.regions import CellDepth, NearestSeed
from stemnet.simulation.specimen import rotation

FIELD = (70.0, 80.0)
GOLD = cubic_metal(4.078, "Au", "fcc", "110", "Au")
CRYSTALS = (dichalcogenide(), perovskite(), GOLD, zinc_blende())


def lattice_angle(specimen, crystal):
    """Turn of the cell from y to x, measured: the phase of three steps along its first vector."""
    steps = np.array(crystal.cell)
    ours = specimen.select(specimen.sublattice == 0)
    turns = []
    tree = cKDTree(ours.yx)
    angles = np.radians(np.arange(-10, 50, 0.05))
    for angle in angles:
        distance = tree.query(ours.yx[:200] + 3 * steps[0] @ rotation(angle).T)[0]
        turns.append(np.median(distance))
    return angles[np.argmin(turns)]


@settings(deadline=None, max_examples=15)
@given(st.sampled_from(CRYSTALS), st.floats(0.02, 3), st.floats(-3, 3), st.floats(-3, 3), st.floats(0.5, 1.0))
def test_no_columns_are_too_close_across_a_boundary_and_none_is_missing(
    crystal, turn, orientation, lean, share
):
    closest = share * crystal.nearest_spacing
    made = tilt_boundary(
        crystal,
        FIELD,
        turn,
        orientation=orientation,
        normal=(np.sin(lean), np.cos(lean)),
        closest=closest,
    )
    pairs = cKDTree(made.yx).query_pairs(closest * 0.999, output_type="ndarray")
    grain = made.planted["grain"]
    assert not len(pairs[grain[pairs[:, 0]] != grain[pairs[:, 1]]])
    density = len(crystal.sites) / abs(np.linalg.det(np.array(crystal.cell)))
    whole = density * np.prod(np.array(FIELD) + 20)
    rim = 2 * (sum(FIELD) + 40) * np.sqrt(density)
    # A boundary costs less than a row of columns of each grain.
    assert abs(len(made) - whole) < 0.3 * rim + 2.2 * np.hypot(*FIELD) * np.sqrt(density)
    for name in made.fields:
        np.testing.assert_allclose(made.field_at(name, made.yx), made.planted[name], atol=1e-9)


def test_the_misorientation_is_that_of_the_columns():
    crystal = GOLD
    made = tilt_boundary(crystal, FIELD, 0.3, orientation=0.2)
    far = made.planted["boundary_distance_A"] > 8
    for number, asked in ((0, 0.2), (1, 0.5)):
        grain = made.select(far & (made.planted["grain"] == number))
        assert set(grain.planted["orientation_rad"]) == {asked}
        assert lattice_angle(grain, crystal) == pytest.approx(asked, abs=1e-3)
        np.testing.assert_allclose(np.hypot(*grain.displacement.T), 0, atol=0.05)


def test_grains_keep_their_own_fields():
    first, second = (
        with_strain(strained(grow(perovskite(), FIELD, orientation=angle), np.diag([e, 0.0])))
        for angle, e in ((0.0, 0.02), (0.3, -0.01))
    )
    made = grain_boundary(first, second, through=(35.0, 40.0), normal=(0.0, 1.0), closest=1.5)
    assert made.flow == ()
    for number, e in ((0, 0.02), (1, -0.01)):
        strain = made.planted["strain_yy"][made.planted["grain"] == number]
        np.testing.assert_allclose(strain, e, atol=1e-6)
    later = strained(made, np.diag([0.0, 0.05]))
    np.testing.assert_allclose(later.field_at("strain_yy", later.yx), made.planted["strain_yy"], atol=1e-6)


def test_a_polycrystal_has_its_grains_and_phases():
    crystals = (perovskite(), dichalcogenide())
    made = polycrystal(crystals, (120.0, 120.0), 7, np.random.default_rng(0))
    assert set(made.planted["grain"]) == set(range(7))
    molybdenum = made.planted["phase"] == 1
    assert set(made.species[molybdenum]) <= {"Mo", "S2"}
    assert set(made.species[~molybdenum]) <= {"Sr", "TiO", "O"}
    closest = 0.8 * dichalcogenide().nearest_spacing
    pairs = cKDTree(made.yx).query_pairs(closest * 0.999, output_type="ndarray")
    assert np.all(made.planted["grain"][pairs[:, 0]] == made.planted["grain"][pairs[:, 1]])


def test_no_grains_are_refused():
    with pytest.raises(StemnetError, match="one or more"):
        polycrystal((GOLD,), FIELD, 0, np.random.default_rng(0))


def test_the_depth_of_a_cell_is_the_distance_to_another_label():
    seeds = ((10.0, 10.0), (30.0, 20.0), (15.0, 40.0), (40.0, 45.0))
    yx = np.random.default_rng(1).uniform(0, 50, (300, 2))
    depth, label = CellDepth(seeds)(yx), NearestSeed(seeds)
    for share, alike in ((0.999, True), (1.001, False)):
        around = [
            yx + share * depth[:, None] * [np.sin(a), np.cos(a)] for a in np.arange(0, 2 * np.pi, 0.002)
        ]
        same = np.all([label(there) == label(yx) for there in around[:: 1 if not alike else 40]], axis=0)
        assert np.mean(same == alike) > 0.99


@pytest.mark.parametrize(
    ("crystal", "row", "anchor"),
    [
        (GOLD, (1, 1), (0.0, 0.0)),
        (GOLD, (1, -1), (0.0, 0.0)),
        (zinc_blende(), (1, -1), (0.375, 0.25)),
        (perovskite(axis="110"), (1, 1), (0.0, 0.0)),
        (perovskite(), (2, 1), (0.0, 0.0)),
        (dichalcogenide(), (2, 1), (0.0, 0.0)),
    ],
)
@pytest.mark.parametrize("orientation", [0.0, 0.7])
def test_a_twin_is_the_mirror_image(crystal, row, anchor, orientation):
    made = twin_boundary(crystal, FIELD, row=row, anchor=anchor, orientation=orientation)
    along = np.array(row) @ np.array(crystal.cell) @ rotation(orientation).T
    normal = np.array([along[1], -along[0]]) / np.hypot(*along)
    middle = np.array(FIELD) / 2
    mirrored = made.yx - 2 * ((made.yx - middle) @ normal)[:, None] * normal
    inner = np.all((mirrored > -9) & (mirrored < np.array(FIELD) + 9), axis=1)
    distance, image = cKDTree(made.yx).query(mirrored)
    assert inner.sum() > 200
    # Off the line, where one of two that are too close has gone, every column has its image.
    off = np.abs((made.yx - middle) @ normal) > crystal.nearest_spacing
    assert distance[inner & off].max() < 1e-6
    np.testing.assert_array_equal(made.species[inner & off], made.species[image[inner & off]])
    gap = cKDTree(made.yx).query(made.yx, k=2)[0][:, 1]
    assert gap.min() > 0.8 * crystal.nearest_spacing - 1e-6
    sides = np.bincount(made.planted["grain"], minlength=2)
    assert sides.min() > 100


def test_the_coherent_twin_of_gold_loses_no_column():
    made = twin_boundary(GOLD, FIELD, row=(1, -1), orientation=0.4)
    density = len(GOLD.sites) / abs(np.linalg.det(np.array(GOLD.cell)))
    inner = np.all((made.yx > 0) & (made.yx < np.array(FIELD)), axis=1)
    assert inner.sum() == pytest.approx(density * np.prod(FIELD), abs=0.6 * np.sqrt(density) * sum(FIELD))
    gap = cKDTree(made.yx).query(made.yx, k=7)[0][:, 1:]
    assert gap[inner, 0].min() == pytest.approx(GOLD.nearest_spacing, abs=1e-6)


@settings(deadline=None, max_examples=15)
@given(st.sampled_from(CRYSTALS), st.integers(0, 3), st.floats(-2, 2), st.floats(-2, 2))
def test_the_fault_vector_is_that_of_the_columns(crystal, row, along, across):
    perfect = grow(crystal, FIELD, margin=15.0)
    line = np.array([(1, 0), (0, 1), (1, 1), (1, -1)][row]) @ np.array(crystal.cell)
    unit = line / np.hypot(*line)
    normal = np.array([unit[1], -unit[0]])
    shift = along * unit + abs(across) * normal
    made = stacking_fault(perfect, tuple(shift), through=(35.0, 40.0), normal=tuple(normal))
    grain = made.planted["grain"]
    assert len(made) == len(perfect)
    assert 0.3 < grain.mean() < 0.7
    np.testing.assert_allclose(made.yx - perfect.yx, grain[:, None] * shift, atol=1e-9)
    np.testing.assert_allclose(made.displacement, grain[:, None] * shift, atol=1e-9)
    # The line runs between rows: none of the columns is nearer to it than a tenth of an angstrom.
    assert made.planted["boundary_distance_A"].min() > 0.1


def test_a_wide_antiphase_boundary_ramps_over_its_width():
    perfect = grow(perovskite(), FIELD, margin=20.0)
    made = antiphase_boundary(perfect, (1.9525, 0.0), through=(35.0, 40.0), normal=(0.0, 1.0), width=5.0)
    share = (1 + np.tanh((perfect.yx[:, 1] - 40.0) / 5.0)) / 2
    np.testing.assert_allclose(made.displacement[:, 0], 1.9525 * share, atol=1e-9)
    np.testing.assert_allclose(made.planted["phase_shift"], share, atol=1e-9)
    np.testing.assert_allclose(made.field_at("phase_shift", made.yx), share, atol=1e-6)


def test_a_fault_that_closes_up_drops_what_overlaps():
    perfect = grow(perovskite(), FIELD, margin=15.0)
    made = stacking_fault(perfect, (0.0, -1.5), through=(35.0, 40.0), normal=(0.0, 1.0), closest=1.6)
    assert 0 < len(perfect) - len(made) < 60
    pairs = cKDTree(made.yx).query_pairs(1.599, output_type="ndarray")
    assert not np.any(made.planted["grain"][pairs[:, 0]] != made.planted["grain"][pairs[:, 1]])


def test_a_glide_fault_of_silicon_turns_its_dumbbells_and_stretches_no_bond():
    """The partial a/6<112> projects to a / (2 sqrt 6) along the row: dumbbells on the fault are mirrored, not torn."""
    a = 5.431
    perfect = grow(zinc_blende(a), FIELD, margin=15.0)
    along = np.array([a, a / np.sqrt(2)]) / np.hypot(a, a / np.sqrt(2))
    normal = np.array([along[1], -along[0]])
    kept = []
    for sign in (1, -1):
        shift = sign * a / (2 * np.sqrt(6)) * along
        made = stacking_fault(perfect, tuple(shift), through=(35.0, 40.0), normal=tuple(normal), glide=True)
        inner = np.all((made.yx > 5) & (made.yx < np.array(FIELD) - 5), axis=1)
        distance, near = cKDTree(made.yx).query(made.yx[inner], k=2)
        kept.append(distance[:, 1].min())
        if np.allclose(distance[:, 1], a / 4, atol=1e-6):
            bond = made.yx[near[:, 1]] - made.yx[near[:, 0]]
            upright = np.abs(bond @ np.array([1.0, 0.0])) / (a / 4)
            turned = upright < 0.99
            assert 10 < turned.sum() < 60
            assert made.planted["boundary_distance_A"][inner][turned].max() < 0.5
    # One sense keeps all bonds, the other puts columns on each other's heads.
    np.testing.assert_allclose(sorted(kept), [a * np.sqrt(3) / 12, a / 4], rtol=1e-6)
