"""Frozen modes, octahedral tilts and metal chains can be read off the columns as they were planted."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from stemnet import StemnetError
from stemnet.simulation.crystal import dichalcogenide, perovskite
from stemnet.simulation.deformation import strained
from stemnet.simulation.distortions.chains import chained, local_share, neighbor_modes, triangular_lattice
from stemnet.simulation.distortions.lattice import carried, cell_vectors, indices, rows_at
from stemnet.simulation.distortions.modes import by_sublattice, cell_shear, frozen_mode, row_shear
from stemnet.simulation.distortions.spread import spread_of
from stemnet.simulation.distortions.tilts import tilted_octahedra
from stemnet.simulation.growth import grow
from stemnet.simulation.quantities.fields import Logistic, Patches, Ramp, Step, WallFade, random_patches
from stemnet.simulation.specimen import Specimen, joined, nothing, rotation

OXIDE = grow(perovskite(), (80.0, 80.0))
TURNED = strained(grow(perovskite(), (80.0, 80.0), orientation=0.4), np.array([[0.02, 0.01], [0.0, -0.01]]))
SHEET = grow(dichalcogenide(), (80.0, 80.0), orientation=0.2)
A = 3.905


def without_planted(specimen, of):
    """The sites of `of`: where a specimen's columns were before it was distorted."""
    return specimen.yx - (specimen.displacement - of.displacement)


@pytest.mark.parametrize("specimen", [OXIDE, TURNED, SHEET], ids=["oxide", "turned", "sheet"])
def test_cell_vectors_are_those_the_crystal_was_grown_with(specimen):
    crystal, angle = {
        id(OXIDE): (perovskite(), 0.0),
        id(TURNED): (perovskite(), 0.4),
        id(SHEET): (dichalcogenide(), 0.2),
    }[id(specimen)]
    grown = np.array(crystal.cell) @ rotation(angle).T
    np.testing.assert_allclose(cell_vectors(specimen), grown, atol=1e-9)
    now = carried(specimen, grown[0])
    ours = np.flatnonzero(indices(specimen)[:, 2] == 0)
    ahead = rows_at(specimen, indices(specimen)[ours, :2] + [1, 0], 0)
    there = ahead >= 0
    assert there.mean() > 0.8
    np.testing.assert_allclose(
        specimen.yx[ahead[there]] - specimen.yx[ours[there]], now[ours[there]], atol=1e-6
    )


def test_grains_have_no_common_cell():
    other = grow(perovskite(), (80.0, 80.0), orientation=0.6)
    with pytest.raises(StemnetError, match="one lattice"):
        cell_vectors(joined(OXIDE, other))
    with pytest.raises(StemnetError, match="have none"):
        cell_vectors(nothing())


@settings(max_examples=20, deadline=None)
@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(-3, 3), st.floats(0.01, 0.3))
def test_a_frozen_mode_is_the_wave_it_says(q1, q2, phase, amplitude):
    vectors = by_sublattice(OXIDE, {0: (0.0, -0.2), 1: (0.6, 0.8)})
    after = frozen_mode(OXIDE, (q1, q2), vectors, amplitude, phase=phase, name="soft")
    for sublattice, vector in ((0, (0.0, -0.2)), (1, (0.6, 0.8))):
        ours = OXIDE.sublattice == sublattice
        wave = np.cos(2 * np.pi * (OXIDE.index[ours, 0] * q1 + OXIDE.index[ours, 1] * q2) + phase)
        np.testing.assert_allclose(
            after.displacement[ours], amplitude * wave[:, None] * np.array(vector), atol=1e-9
        )
    assert not after.displacement[OXIDE.sublattice == 2].any()
    np.testing.assert_allclose(after.planted["soft_amplitude_A"], amplitude)
    np.testing.assert_allclose(after.planted["soft_y_A"], after.displacement[:, 0], atol=1e-12)


SLOPE = Ramp(0.2, (1e-3, -5e-4), (40.0, 40.0))
RAMPED = {
    "frozen": (OXIDE, lambda s: frozen_mode(s, (0.5, 0.5), {1: (1.0, 0.0)}, SLOPE), "mode_amplitude_A"),
    "rows": (TURNED, lambda s: row_shear(s, SLOPE), "shear_amplitude_A"),
    "inner": (OXIDE, lambda s: cell_shear(s, SLOPE), "inner_shear_amplitude_A"),
    "tilt": (TURNED, lambda s: tilted_octahedra(s, "a0a0c+", (0, 0, 0.3), share=SLOPE), "tilt_amplitude_rad"),
    "chains": (SHEET, lambda s: chained(s, SLOPE), "chain_amplitude_A"),
}


@pytest.mark.parametrize("name", RAMPED)
def test_amplitudes_of_columns_are_those_of_the_field_and_travel(name):
    specimen, distort, field = RAMPED[name]
    after = distort(specimen)
    np.testing.assert_allclose(after.planted[field], after.field_at(field, specimen.yx), atol=1e-9)
    sent = pickle.loads(pickle.dumps(after))
    np.testing.assert_array_equal(sent.field_at(field, specimen.yx), after.field_at(field, specimen.yx))
    later = strained(after, np.diag([0.02, -0.01]))
    site = later.yx - (later.displacement - after.displacement) - (after.displacement - specimen.displacement)
    there = site + later.flow[-1](site)
    np.testing.assert_allclose(later.planted[field], later.field_at(field, there), atol=1e-8)


def test_no_amplitude_is_no_distortion():
    for after, before in (
        (frozen_mode(OXIDE, (0.5, 0.5), {1: (1.0, 0.0)}, 0.0), OXIDE),
        (row_shear(OXIDE, 0.0), OXIDE),
        (cell_shear(OXIDE, 0.0), OXIDE),
        (tilted_octahedra(OXIDE, "a0a0c+", (0, 0, 0.2), share=0.0), OXIDE),
        (tilted_octahedra(OXIDE, "a0a0a0", (0, 0, 0)), OXIDE),
        (chained(SHEET, 0.0), SHEET),
    ):
        np.testing.assert_array_equal(after.yx, before.yx)
        assert not spread_of(after).any()


def moved_as_a_whole(specimen, angle, shift):
    """The specimen turned and moved as a whole, as though it had been grown so."""
    return Specimen(
        specimen.yx @ rotation(angle).T + shift,
        specimen.species,
        specimen.sublattice,
        specimen.displacement @ rotation(angle).T,
        specimen.thickness,
        specimen.index,
    )


@pytest.mark.parametrize(
    ("specimen", "distort"),
    [
        (OXIDE, lambda s: row_shear(s, 0.2, every=2)),
        (OXIDE, lambda s: cell_shear(s, 0.2)),
        (OXIDE, lambda s: tilted_octahedra(s, "a0a0c+", (0.0, 0.0, 0.1))),
        (OXIDE, lambda s: tilted_octahedra(s, "a-b+c-", (0.2, 0.15, 0.1), antipolar=0.3)),
        (SHEET, lambda s: chained(s, 0.2, 1)),
    ],
    ids=["rows", "inner", "in phase", "antiphase", "chains"],
)
@pytest.mark.parametrize("angle", [0.7, -2.0])
def test_turning_the_specimen_turns_the_distortion(specimen, distort, angle):
    one = moved_as_a_whole(distort(specimen), angle, np.array([3.0, -8.0]))
    other = distort(moved_as_a_whole(specimen, angle, np.array([3.0, -8.0])))
    np.testing.assert_allclose(other.yx, one.yx, atol=1e-9)
    turn = rotation(angle)
    np.testing.assert_allclose(spread_of(other), turn @ spread_of(distort(specimen)) @ turn.T, atol=1e-9)
    for name in ("tilt_rad", "mode_1", "mode_4"):
        if name in other.planted:
            np.testing.assert_allclose(other.planted[name], distort(specimen).planted[name], atol=1e-9)


def test_antiphase_chains_are_the_same_chains_moved_by_a_row():
    there = Patches(((0.0, 40.0), (80.0, 40.0)), (1, -1))
    after, plain = chained(SHEET, 0.2, 0, diamond=0.0, sense=there), chained(SHEET, 0.2, 0, diamond=0.0)
    np.testing.assert_allclose(after.displacement, plain.displacement * there(SHEET.yx)[:, None], atol=1e-12)


@pytest.mark.parametrize("every", [1, 2])
@pytest.mark.parametrize("rows", [0, 1])
def test_rows_shear_along_themselves_by_turns(rows, every):
    after = row_shear(TURNED, 0.3, rows=rows, every=every)
    way = carried(TURNED, cell_vectors(TURNED)[1 - rows])
    way = way / np.linalg.norm(way, axis=1, keepdims=True)
    moved = after.displacement - TURNED.displacement
    sign = np.where(TURNED.index[:, rows] // every % 2 == 0, 1, -1)
    np.testing.assert_allclose(moved, 0.3 * sign[:, None] * way, atol=1e-7)
    np.testing.assert_array_equal(after.planted["shear_sign"], sign)


def test_a_shear_within_cells_leaves_their_corners():
    after = cell_shear(grow(perovskite(axis="110"), (60.0, 60.0)), 0.2)
    corner = after.index[:, 2] == 0
    np.testing.assert_allclose(after.displacement[corner], 0, atol=1e-9)
    three = grow(dichalcogenide(), (60.0, 60.0))
    moved = cell_shear(three, 0.2, axis=1)
    share = np.sin(2 * np.pi * 2 / 3)
    other = three.index[:, 2] == 1
    way = np.array(dichalcogenide().cell[1]) / 3.16
    np.testing.assert_allclose(
        moved.displacement[other], 0.2 * share * np.tile(way, (other.sum(), 1)), atol=1e-6
    )


def octahedra(specimen):
    """B columns with all four oxygens in the image plane: rows of B, and of +1, +2, -1, -2 (cell vectors)."""
    cells = specimen.index[:, :2]
    b = np.flatnonzero(specimen.index[:, 2] == 1)
    minus_1, minus_2 = rows_at(specimen, cells[b], 3), rows_at(specimen, cells[b], 2)
    plus_1, plus_2 = rows_at(specimen, cells[b] + [1, 0], 3), rows_at(specimen, cells[b] + [0, 1], 2)
    four = np.stack([plus_1, plus_2, minus_1, minus_2], 1)
    whole = (four >= 0).all(1)
    return b[whole], four[whole]


@settings(max_examples=15, deadline=None)
@given(st.floats(-0.25, 0.25).filter(lambda angle: abs(angle) > 1e-3))
def test_tilts_can_be_read_off_the_oxygens(angle):
    after = tilted_octahedra(OXIDE, "a0a0c+", (0.0, 0.0, angle))
    assert not after.displacement[OXIDE.sublattice < 2].any()
    b, four = octahedra(after)
    assert len(b) > 300
    for arm, rest in zip(range(4), ((1, 0), (0, 1), (-1, 0), (0, -1)), strict=True):
        y, x = (after.yx[four[:, arm]] - after.yx[b]).T
        turned = np.arctan2(y, x) - np.arctan2(*rest)
        turned = (turned + np.pi) % (2 * np.pi) - np.pi
        np.testing.assert_allclose(turned, after.planted["tilt_rad"][b], atol=1e-9)
    sign = np.sign(after.planted["tilt_rad"][b]) * np.sign(angle)
    np.testing.assert_array_equal(sign, 1 - 2 * (after.index[b, :2].sum(1) % 2))
    np.testing.assert_allclose(after.planted["tilt_amplitude_rad"], angle)


def test_tilts_follow_a_turned_and_strained_lattice():
    after = tilted_octahedra(TURNED, "a0a0c+", (0.0, 0.0, 0.15))
    b, four = octahedra(after)
    opposite = after.yx[four[:, 0]] - after.yx[four[:, 2]]
    before = TURNED.yx[four[:, 0]] - TURNED.yx[four[:, 2]]
    turned = np.arctan2(*opposite.T) - np.arctan2(*before.T)
    np.testing.assert_allclose(np.sin(turned), np.sin(after.planted["tilt_rad"][b]), atol=3e-3)


def test_tilts_double_the_cell():
    after = tilted_octahedra(OXIDE, "a0a0c+", (0.0, 0.0, 0.1))
    q = 2 * np.pi / A * np.array([0.5, 1.5])
    ours = OXIDE.index[:, 2] == 2
    power = [abs(np.exp(1j * s.yx[ours] @ q).mean()) for s in (OXIDE, after)]
    assert power[0] < 0.05
    assert power[1] > 0.1


def test_antiphase_tilts_split_the_oxygens_and_move_none():
    after = tilted_octahedra(OXIDE, "a0a0c-", (0.0, 0.0, 0.1))
    np.testing.assert_array_equal(after.yx, OXIDE.yx)
    spread = spread_of(after)
    size = (A / 2 * np.tan(0.1)) ** 2
    for site, yy, xx in ((2, size, 0.0), (3, 0.0, size), (0, 0.0, 0.0), (1, 0.0, 0.0)):
        ours = spread[OXIDE.index[:, 2] == site]
        np.testing.assert_allclose(ours[:, 0, 0], yy, atol=1e-9)
        np.testing.assert_allclose(ours[:, 1, 1], xx, atol=1e-9)


def test_tilts_about_axes_in_the_image_only_widen_the_b_columns():
    after = tilted_octahedra(OXIDE, "a-b0c0", (0.15, 0.0, 0.0))
    np.testing.assert_array_equal(after.yx, OXIDE.yx)
    spread, titanium = spread_of(after), OXIDE.index[:, 2] == 1
    assert not spread[~titanium].any()
    light = 8**1.7 / (8**1.7 + 22**1.7)
    np.testing.assert_allclose(spread[titanium, 1, 1], light * (A / 2 * np.tan(0.15)) ** 2, rtol=1e-9)
    np.testing.assert_allclose(spread[titanium, 0, 0], 0, atol=1e-12)


def test_antipolar_shifts_alternate_along_the_in_phase_axis():
    after = tilted_octahedra(OXIDE, "a+b-b-", (0.15, 0.1, 0.1), antipolar=0.3)
    ours = OXIDE.sublattice == 0
    wanted = 0.3 / np.sqrt(2) * np.where(OXIDE.index[ours, 0] % 2 == 0, 1, -1)
    np.testing.assert_allclose(after.displacement[ours], np.stack([0 * wanted, wanted], 1), atol=1e-9)
    along_beam = tilted_octahedra(OXIDE, "a-a-c+", (0.1, 0.1, 0.15), antipolar=0.3)
    assert not along_beam.displacement[ours].any()
    np.testing.assert_allclose(spread_of(along_beam)[ours], 0.3**2 / 2, atol=1e-9)


@pytest.mark.parametrize(
    ("glazer", "angles", "antipolar", "match"),
    [
        ("a0a0", (0, 0, 0.1), 0.0, "not a tilt system"),
        ("a0a0c+", (0, 0, 0.0), 0.0, "does not go with angles"),
        ("a0a0c0", (0, 0, 0.1), 0.0, "does not go with angles"),
        ("a-a-c+", (0.1, 0.2, 0.1), 0.0, "equal angles"),
        ("a0a0c+", (0, 0, 0.1), 0.2, "Antipolar"),
    ],
)
def test_tilts_that_contradict_themselves_are_refused(glazer, angles, antipolar, match):
    with pytest.raises(StemnetError, match=match):
        tilted_octahedra(OXIDE, glazer, angles, antipolar=antipolar)
    with pytest.raises(StemnetError, match="perovskite"):
        tilted_octahedra(SHEET, "a0a0c+", (0, 0, 0.1))


def neighbor_distances(specimen):
    """Six distances of every inner metal column, ascending [A]."""
    metals = specimen.yx[specimen.sublattice == 0]
    inner = ((metals > 5) & (metals < 75)).all(1)
    return cKDTree(metals).query(metals[inner], k=7)[0][:, 1:]


@pytest.mark.parametrize("direction", [0, 1, 2])
@pytest.mark.parametrize("sense", [1, -1])
def test_zigzag_chains_have_their_distances(direction, sense):
    after = chained(SHEET, 0.2125, direction, diamond=0.0, sense=sense)
    close = neighbor_distances(after)
    a = 3.16
    chain = np.hypot(a / 2, a * np.sqrt(3) / 2 - 2 * 0.2125)
    assert chain == pytest.approx(2.80, abs=0.005)
    np.testing.assert_allclose(close[:, :2], chain, atol=1e-6)  # two neighbors across, in the zigzag
    np.testing.assert_allclose(close[:, 2:4], a, atol=1e-6)  # two along the row
    np.testing.assert_allclose(close[:, 4:], np.hypot(a / 2, a * np.sqrt(3) / 2 + 2 * 0.2125), atol=1e-6)
    assert not after.displacement[SHEET.sublattice == 1].any()


@pytest.mark.parametrize("direction", [0, 1, 2])
def test_diamond_chains_come_in_fours_and_double_the_cell_twice(direction):
    after = chained(SHEET, 0.21, direction, diamond=0.25)
    metals = after.yx[after.sublattice == 0]
    inner = ((metals > 8) & (metals < 72)).all(1)
    close = cKDTree(metals).query(metals, k=7)[0][inner, 1:]
    assert close.min() == pytest.approx(2.745, abs=0.01)
    assert ((close[:, :2] > 2.7) & (close[:, :2] < 2.9)).all()
    # A diamond has four metals, two of them with three short distances (below 2.83, or 3.1 along the row).
    bonded = cKDTree(metals).query_pairs(2.83, output_type="ndarray")
    count = np.bincount(bonded.ravel(), minlength=len(metals))[inner]
    assert set(count) == {1, 2}
    assert (count == 2).mean() == pytest.approx(0.5, abs=0.05)
    vectors = cell_vectors(SHEET)
    step = after.displacement[rows_at(after, np.array([[5, 6], [7, 6], [5, 8], [6, 6]]), 0)]
    np.testing.assert_allclose(step[0], step[1], atol=1e-9)
    np.testing.assert_allclose(step[0], step[2], atol=1e-9)
    assert np.abs(step[0] - step[3]).max() > 0.05
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([3.16, 3.16])


def test_the_mode_basis_is_orthonormal_and_turns_with_the_lattice():
    lattice = triangular_lattice(SHEET)
    basis = neighbor_modes(lattice)
    np.testing.assert_allclose(basis @ basis.T, np.eye(6), atol=1e-12)
    upright = neighbor_modes(triangular_lattice(grow(dichalcogenide(), (40.0, 40.0))))
    first = {tuple(step): row for row, step in enumerate(lattice.neighbors)}
    order = [first[tuple(s)] for s in triangular_lattice(grow(dichalcogenide(), (40.0, 40.0))).neighbors]
    turned = upright.reshape(6, 6, 2) @ rotation(0.2).T
    np.testing.assert_allclose(basis.reshape(6, 6, 2)[:, order], turned, atol=1e-9)


@pytest.mark.parametrize("direction", [0, 1, 2])
def test_projections_are_recovered_from_positions(direction):
    """Neighbor vectors of the columns less those of the lattice, in the basis: what was planted, and only there."""
    after = chained(SHEET, 0.2, direction, diamond=0.0)
    lattice = triangular_lattice(SHEET)
    ours = np.flatnonzero(SHEET.sublattice == 0)
    around = np.stack([rows_at(after, after.index[ours, :2] + step, 0) for step in lattice.neighbors], 1)
    whole = (around >= 0).all(1)
    vectors = after.yx[around[whole]] - after.yx[ours[whole], None] - lattice.neighbors @ lattice.vectors
    scores = vectors.reshape(-1, 12) @ neighbor_modes(lattice).T
    planted = np.stack([after.planted[f"mode_{n}"] for n in range(1, 7)], 1)
    np.testing.assert_allclose(scores, planted[ours[whole]], atol=1e-9)
    assert np.isnan(planted[SHEET.sublattice == 1]).all()
    assert np.isnan(planted[ours[~whole]]).all()
    # The six scores hold all of the change, and most of it is in the mode of the direction.
    np.testing.assert_allclose((scores**2).sum(1), (vectors**2).sum((1, 2)), rtol=1e-9)
    assert np.abs(scores).mean(0).argmax() == direction


def test_principal_components_of_neighbors_are_the_modes_planted():
    """Three domains of chains under noise: the first components span the modes, and what is left is the noise."""
    wide = grow(dichalcogenide(), (160.0, 160.0))
    patches = Patches(((20.0, 20.0), (140.0, 20.0), (80.0, 140.0)), (0, 1, 2))
    after = chained(wide, 0.2, patches, diamond=0.0)
    noisy = after.displaced(np.random.default_rng(0).normal(0, 0.02, after.yx.shape))
    lattice = triangular_lattice(wide)
    ours = np.flatnonzero(np.isfinite(after.planted["mode_1"]))
    around = np.stack([rows_at(noisy, noisy.index[ours, :2] + step, 0) for step in lattice.neighbors], 1)
    vectors = (noisy.yx[around] - noisy.yx[ours, None]).reshape(len(ours), 12)
    variances, components = np.linalg.eigh(np.cov(vectors.T))
    inside = np.linalg.norm(components[:, -3:].T @ neighbor_modes(lattice).T, axis=1)
    np.testing.assert_allclose(inside, 1, atol=0.01)
    assert variances[-3] > 10 * variances[-4]
    np.testing.assert_array_equal(
        after.planted["chain_direction"], after.field_at("chain_direction", wide.yx)
    )


def test_chain_domains_and_their_walls():
    patches = Patches(((20.0, 20.0), (60.0, 60.0)), (0, 2))
    after = chained(SHEET, WallFade(patches, 5.0), patches)
    np.testing.assert_array_equal(after.planted["chain_direction"], patches(SHEET.yx))
    distance = np.abs(SHEET.yx.sum(1) - 80) / np.sqrt(2)
    np.testing.assert_allclose(after.planted["chain_amplitude_A"], np.tanh(distance / 5.0), atol=1e-9)
    drawn = random_patches((80.0, 80.0), 12, 3, np.random.default_rng(0))
    assert drawn == random_patches((80.0, 80.0), 12, 3, np.random.default_rng(0))
    assert set(drawn(SHEET.yx)) == {0, 1, 2}
    with pytest.raises(StemnetError, match="directions"):
        chained(SHEET, 0.1, 3)


def test_order_grows_with_the_local_share():
    rng = np.random.default_rng(1)
    odds = Step(0.1, 0.9, (0.0, 1.0), (0.0, 40.0), 6.0)(SHEET.yx)
    species = np.where((rng.random(len(SHEET)) < odds) & (SHEET.sublattice == 0), "Re", SHEET.species)
    mixed = type(SHEET)(SHEET.yx, species, SHEET.sublattice, SHEET.displacement, SHEET.thickness, SHEET.index)
    share = local_share(mixed, "Re", 8.0)
    middle = np.array([[40.0, 10.0], [40.0, 70.0]])
    assert share(middle) == pytest.approx([0.1, 0.9], abs=0.08)
    after = chained(mixed, Logistic(share, 0.5, 0.08, 0.21))
    amplitude = after.planted["chain_amplitude_A"]
    left, right = SHEET.yx[:, 1] < 20, SHEET.yx[:, 1] > 60
    assert amplitude[left].max() < 0.03
    assert amplitude[right].min() > 0.18
    ordered = np.argsort(share(SHEET.yx))
    assert (np.diff(amplitude[ordered]) >= -1e-12).all()
    with pytest.raises(StemnetError, match="Sublattice 4"):
        local_share(mixed, "Re", 8.0, sublattice=4)


def test_chains_need_a_triangular_lattice():
    with pytest.raises(StemnetError, match="triangular"):
        chained(OXIDE, 0.1)
