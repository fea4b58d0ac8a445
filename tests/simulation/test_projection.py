"""Zone axes: nothing is lost, everything lies where geometry says, and the setting does not matter."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stemnet import StemnetError
from stemnet.simulation.crystal import composition, cubic_metal, dichalcogenide, perovskite, zinc_blende
from stemnet.simulation.lattice import completed, reduced
from stemnet.simulation.library import crystal as library
from stemnet.simulation.library import structure as known
from stemnet.simulation.projection import project
from stemnet.simulation.structure import Structure
from stemnet.simulation.zone_axis import written, zone_axis

ELEMENTS = ("O", "Si", "Mo", "Pb")
axes = st.tuples(*[st.integers(-3, 3)] * 3).filter(any)
seeds = st.integers(0, 10**6)


def random_structure(seed: int) -> Structure:
    """A triclinic cell with a few atoms, some of them on mixed sites."""
    rng = np.random.default_rng(seed)
    cell = np.diag(rng.uniform(3, 7, 3)) + rng.uniform(-1.2, 1.2, (3, 3))
    atoms = int(rng.integers(1, 7))
    contents = tuple(
        {"Mo": 0.7, "V": 0.3} if rng.random() < 0.2 else {str(rng.choice(ELEMENTS)): 1.0}
        for _ in range(atoms)
    )
    return Structure("random", cell, rng.random((atoms, 3)), contents, np.arange(atoms))


def total(species) -> dict[str, float]:
    atoms: dict[str, float] = {}
    for name in species:
        for element, count in composition(name).items():
            atoms[element] = atoms.get(element, 0.0) + count
    return atoms


def density(crystal) -> dict[str, float]:
    """Atoms of each element per area and period (per area for a sheet)."""
    per = abs(np.linalg.det(np.array(crystal.cell))) * (crystal.period or 1.0)
    return {element: count / per for element, count in total(crystal.species).items()}


def surroundings(crystal, reach: float = 11.0) -> list[tuple[str, dict[str, np.ndarray]]]:
    """Each column's species, and the distances to the columns of every species around it."""
    cell, sites = np.array(crystal.cell), np.array(crystal.sites)
    far = int(np.ceil(reach / np.linalg.svd(cell)[1].min())) + 1
    steps = np.stack(np.meshgrid(*[np.arange(-far, far + 1)] * 2, indexing="ij"), -1).reshape(-1, 2)
    around = []
    for name, site in zip(crystal.species, sites, strict=True):
        vectors = (sites[None] - site + steps[:, None]) @ cell
        lengths = np.hypot(vectors[..., 0], vectors[..., 1])
        near = {}
        for other in sorted(set(crystal.species)):
            found = np.sort(lengths[:, np.array(crystal.species) == other].ravel())
            near[other] = found[found < reach]
        around.append((name, near))
    return around


def same(one, other) -> bool:
    if (one[0], set(one[1])) != (other[0], set(other[1])):
        return False
    for name, distances in one[1].items():
        count = min(len(distances), len(other[1][name]))
        # Columns at the very end of the reach may be in one list and not in the other.
        if abs(len(distances) - len(other[1][name])) > 0.2 * count + 6:
            return False
        if not np.allclose(distances[:count], other[1][name][:count], atol=2e-3):
            return False
    return True


def assert_alike(first, second):
    """The same columns up to a rotation, a shift and a mirror."""
    assert density(first) == pytest.approx(density(second), rel=1e-3)
    here, there = surroundings(first), surroundings(second)
    for ones, others in ((here, there), (there, here)):
        assert all(any(same(one, other) for other in others) for one in ones)


@given(axes, seeds)
@settings(max_examples=25)
def test_no_atom_is_lost(axis, seed):
    structure = random_structure(seed)
    crystal = project(structure, axis)
    expected = {element: count / structure.volume for element, count in structure.composition.items()}
    assert density(crystal) == pytest.approx(expected, rel=1e-3)


@given(axes, axes, seeds)
@settings(max_examples=25)
def test_columns_lie_where_the_beam_meets_the_image(axis, up, seed):
    # Geometry by hand: y is away from `up`, x to the right of it as seen along the beam.
    assume(np.any(np.cross(axis, up)))
    structure = random_structure(seed)
    crystal = project(structure, axis, up=up, merge=1e-6)
    beam = np.array(axis) @ structure.cell
    z = beam / np.linalg.norm(beam)
    y = -np.array(up) @ structure.cell
    y = (y - y @ z * z) / np.linalg.norm(y - y @ z * z)
    frame = np.stack([y, np.cross(y, z)], axis=1)
    inverse = np.linalg.inv(np.array(crystal.cell))
    lattice = structure.cell @ frame @ inverse
    np.testing.assert_allclose(lattice, np.round(lattice), atol=1e-6)
    apart = (structure.fractional @ structure.cell @ frame @ inverse)[:, None] - np.array(crystal.sites)
    off = np.abs(apart - np.round(apart)).max(-1)
    assert off.min(1).max() < 1e-6
    held = [total([crystal.species[n]]) for n in off.argmin(1)]
    assert all(set(atom) <= set(column) for atom, column in zip(structure.contents, held, strict=True))


@given(axes, seeds)
@settings(max_examples=25)
def test_the_cell_is_short_and_lies_as_stated(axis, seed):
    first, second = np.array(project(random_structure(seed), axis).cell)
    assert first[0] == pytest.approx(0, abs=1e-9)
    assert first[1] > 0
    assert second[0] > 0
    assert first @ first <= second @ second * (1 + 1e-9)
    assert abs(first @ second) <= first @ first / 2 * (1 + 1e-4)


@given(axes, seeds)
@settings(max_examples=20)
def test_the_setting_does_not_matter(axis, seed):
    structure = random_structure(seed)
    rng = np.random.default_rng(seed)
    change = np.eye(3, dtype=int)[rng.permutation(3)]
    change[0] += rng.integers(-1, 2) * change[1]
    change[2] -= change[0]
    back = np.linalg.inv(change)
    other = Structure(
        "other", change @ structure.cell, structure.fractional @ back, structure.contents, structure.kinds
    )
    moved = np.round(np.array(axis) @ back).astype(int)
    assert_alike(project(structure, axis, merge=1e-6), project(other, moved.tolist(), merge=1e-6))


@given(axes, seeds, st.tuples(*[st.integers(1, 3)] * 3))
@settings(max_examples=20)
def test_a_supercell_is_seen_through(axis, seed, times):
    structure = random_structure(seed)
    steps = np.stack(np.meshgrid(*[np.arange(n) for n in times], indexing="ij"), -1).reshape(-1, 3)
    large = Structure(
        "large",
        np.diag(times) @ structure.cell,
        ((structure.fractional[None] + steps[:, None]) / times).reshape(-1, 3),
        structure.contents * len(steps),
        np.tile(structure.kinds, len(steps)),
    )
    whole = np.array(axis) * np.lcm.reduce(times) // np.array(times)
    crystal = project(large, whole.tolist(), merge=1e-6)
    expected = project(structure, axis, merge=1e-6)
    assert crystal.period == pytest.approx(expected.period)
    assert len(crystal.sites) == len(expected.sites)
    assert_alike(crystal, expected)


@given(axes)
def test_a_direction_is_completed_to_a_basis_of_the_lattice(axis):
    vector = np.array(axis) // np.gcd.reduce(axis)
    basis = completed(vector)
    assert abs(round(np.linalg.det(basis))) == 1
    assert np.array_equal(basis[2], vector)


@given(st.tuples(*[st.floats(-9, 9)] * 4))
def test_the_reduced_vectors_are_the_shortest(numbers):
    plane = np.array(numbers).reshape(2, 2)
    assume(abs(np.linalg.det(plane)) > 0.1)
    first, second = reduced(*plane)
    assert abs(np.linalg.det([first, second])) == pytest.approx(abs(np.linalg.det(plane)), rel=1e-6)
    for step in (second + first, second - first):
        assert np.linalg.norm(step) >= np.linalg.norm(second) * (1 - 1e-6)


CUBIC = {"Au": 4.0786, "Fe": 2.8664}


@pytest.mark.parametrize("axis", ["001", "110", "111"])
@pytest.mark.parametrize(("metal", "centering"), [("Au", "fcc"), ("Fe", "bcc")])
def test_metals_are_those_written_by_hand(metal, centering, axis):
    hand = cubic_metal(CUBIC[metal], metal, centering, axis, "")
    crystal = library(metal, axis)
    assert crystal.period == pytest.approx(hand.period)
    assert crystal.nearest_spacing == pytest.approx(hand.nearest_spacing)
    assert_alike(crystal, hand)


@pytest.mark.parametrize(
    ("name", "axis", "hand"),
    [
        ("Si", "110", zinc_blende(5.431)),
        ("GaAs", "1-10", zinc_blende(5.6533, "Ga", "As")),
        ("SrTiO3", "001", perovskite()),
        ("SrTiO3", "110", perovskite(axis="110")),
        ("MoS2", None, dichalcogenide(a=3.16)),
        ("WSSe", None, dichalcogenide("W", "Se", "S", a=3.218)),
    ],
)
def test_crystals_are_those_written_by_hand(name, axis, hand):
    crystal = library(name, axis)
    assert crystal.period == (None if hand.period is None else pytest.approx(hand.period))
    assert crystal.nearest_spacing == pytest.approx(hand.nearest_spacing, rel=1e-4)
    if name == "WSSe":
        assert sorted(crystal.species) == ["SeS", "W"]
    else:
        assert_alike(crystal, hand)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("SrTiO3", ("100", "010", "001", "00-1")),
        ("Si", ("110", "1-10", "101", "0-11")),
        ("GaN", ("11-20", "2-1-10", "-12-10")),
        ("Ti", ("10-10", "01-10", "-1100")),
        ("TiO2", ("110", "1-10")),
        ("BiFeO3", ("2 4 1", "-4 -2 1", "2 -2 1")),
    ],
)
def test_equivalent_axes_show_the_same(name, family):
    for axis in family[1:]:
        assert_alike(library(name, family[0]), library(name, axis))


def test_four_indices_are_three_others():
    cell = known("GaN").cell
    assert zone_axis("11-20", cell) == (1, 1, 0)
    assert zone_axis("10-10", cell) == (2, 1, 0)
    assert zone_axis((1, -2, 1, 3), cell) == (0, -1, 1)
    assert zone_axis("0001", cell) == (0, 0, 1)
    # By hand: the direction is u a1 + v a2 + t a3 + w c with a3 = -(a1 + a2).
    u, v, t, w = 2, -1, -1, 3
    a, b, c = cell
    along = u * a + v * b - t * (a + b) + w * c
    assert np.linalg.norm(np.cross(along, np.array(zone_axis("2-1-13", cell)) @ cell)) == pytest.approx(
        0, abs=1e-9
    )


@pytest.mark.parametrize(
    "axis", ["1-10", "[1 -1 0]", "1,-1,0", "[1-10]", (1, -1, 0), [2, -2, 0], np.array([1, -1, 0])]
)
def test_an_axis_may_be_written_in_many_ways(axis):
    assert zone_axis(axis, np.eye(3)) == (1, -1, 0)


def test_an_axis_is_named_as_it_was_given():
    assert written("11-20") == "[11-20]"
    assert written((10, 1, 0)) == "[10 1 0]"
    assert library("GaN", "11-20").name == "GaN [11-20]"


def test_wurtzite_shows_its_dumbbells():
    crystal = library("GaN", "11-20")
    assert crystal.period == pytest.approx(3.190)
    assert crystal.species == ("Ga", "Ga", "N", "N")
    # Bonds that are not along c, foreshortened: a / (2 sqrt 3) across, (1/2 - u) c along c.
    assert crystal.nearest_spacing == pytest.approx(np.hypot(3.190 / 2 / np.sqrt(3), 0.123 * 5.189), abs=1e-3)
    assert library("GaN", "0001").species == ("GaN",) * 2


def test_rutile_shows_its_titanium_and_oxygen():
    crystal = library("TiO2", "001")
    assert crystal.species == ("Ti",) * 2 + ("O",) * 4
    assert crystal.period == pytest.approx(2.959)
    distances = surroundings(crystal)[0][1]
    assert distances["Ti"][1] == pytest.approx(4.593 / np.sqrt(2), abs=1e-3)
    assert distances["O"][0] == pytest.approx((0.5 - 0.3051) * np.sqrt(2) * 4.593, abs=1e-3)


def test_a_screw_axis_makes_the_projected_cell_smaller():
    # Diamond along [001]: four layers of a period fall on one square lattice, a quarter of the cell's atoms each.
    crystal = library("Si", "001")
    assert crystal.species == ("Si",)
    assert crystal.cell[0][1] == pytest.approx(5.431 / np.sqrt(8))
    assert crystal.period == pytest.approx(5.431)


def line_of_atoms(*offsets: float) -> Structure:
    """Atoms at different heights of a cubic cell, a little off the same column."""
    places = [[off / 10, 0, n / len(offsets)] for n, off in enumerate(offsets)]
    return Structure(
        "line", 10 * np.eye(3), np.array(places), ({"Pb": 1.0},) * len(offsets), np.arange(len(offsets))
    )


def test_atoms_merge_up_to_a_distance_and_no_chain_runs_away():
    assert project(line_of_atoms(0, 0.3), "001").species == ("Pb2",)
    assert project(line_of_atoms(0, 0.4), "001").species == ("Pb", "Pb")
    assert project(line_of_atoms(0, 0.4), "001", merge=0.5).species == ("Pb2",)
    chain = project(line_of_atoms(*np.arange(8) * 0.3), "001")
    assert total(chain.species) == {"Pb": 8}
    assert max(composition(name)["Pb"] for name in chain.species) == 2


def test_columns_across_the_edge_of_the_cell_merge_too():
    crystal = project(line_of_atoms(-0.1, 0.1), "001")
    assert crystal.species == ("Pb2",)
    assert np.allclose(crystal.sites, 0, atol=1e-9)


def test_a_column_stands_at_the_weighted_mean():
    atoms = ({"Pb": 1.0}, {"O": 1.0})
    places = np.array([[0.1, 0, 0], [0.13, 0, 0.5]])
    crystal = project(Structure("pair", np.diag([10.0, 11, 3]), places, atoms, np.arange(2)), "001")
    lead, oxygen = 82**1.7, 8**1.7
    assert crystal.species == ("PbO",)
    assert crystal.sites[0][0] == pytest.approx((0.1 * lead + 0.13 * oxygen) / (lead + oxygen))


def test_sublattices_are_contents_on_the_same_sites_brightest_first():
    crystal = library("SrTiO3", "001")
    assert dict(zip(crystal.species, crystal.sublattices, strict=True)) == {"Sr": 0, "TiO": 1, "O": 2}
    assert library("MoSe2").species == ("Se2", "Mo")
    # Two oxygen sites of tetragonal titanates are not the same site.
    assert library("PbTiO3", "100").sublattices == (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("name", "axis", "words"),
    [
        ("Si", "000", "zero"),
        ("Si", (0.5, 0, 1), "whole numbers"),
        ("Si", "1a0", "whole numbers"),
        ("Si", "10", "whole numbers"),
        ("Si", "", "whole numbers"),
        ("Si", (1, None, 0), "whole numbers"),
        ("Si", 110, "in quotes"),
        ("Si", "11-20", "need a hexagonal cell"),
        ("GaN", "1120", "add up to zero"),
        ("Si", "15 14 13", "lower indices"),
        ("graphene", "110", "single sheet"),
    ],
)
def test_no_zone_axis_is_refused_in_words(name, axis, words):
    with pytest.raises(StemnetError, match=words):
        library(name, axis)


def test_up_along_the_beam_is_refused_in_words():
    with pytest.raises(StemnetError, match="along the beam"):
        library("Si", "110", up="220")


@pytest.mark.parametrize(("axis", "down"), [("001", 1), ("00-1", -1)])
def test_the_image_is_what_is_seen_along_the_beam(axis, down):
    # a to the right and b down while the beam goes along c; from behind, b points up.
    atoms = ({"Pb": 1.0}, {"O": 1.0})
    structure = Structure(
        "pair", np.diag([4.0, 5, 6]), np.array([[0, 0, 0], [0.25, 0.1, 0]]), atoms, np.arange(2)
    )
    crystal = project(structure, axis)
    y, x = (np.array(crystal.sites[1]) - np.array(crystal.sites[0])) @ np.array(crystal.cell)
    assert x == pytest.approx(1.0)
    assert (y - down * 0.5) / 5 == pytest.approx(round((y - down * 0.5) / 5), abs=1e-9)
