"""Edge dislocations: circuits, strain, half planes, walls."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from stemnet import StemnetError
from stemnet.simulation.crystal import cubic_metal, dichalcogenide, perovskite
from stemnet.simulation.defects.dislocations import EdgeDislocation, dislocated
from stemnet.simulation.defects.walls import TiltWall, low_angle_boundary
from stemnet.simulation.deformation import gradient
from stemnet.simulation.growth import grow

GOLD = cubic_metal(4.078, "Au", "fcc", "001", "Au")
FIELD = (90.0, 90.0)
MIDDLE = (45.0, 45.0)


def circuit(specimen, cell, center, half):
    """Go round a center from x to y by nearest columns, one lattice step after the other; the sum of ideal steps."""
    ours = specimen.yx[specimen.sublattice == 0]
    tree = cKDTree(ours)
    start = np.array(center) - half * cell.sum(0)
    here = tree.query(start)[1]
    first = here
    total = np.zeros(2)
    # From x to y: the first step is turned into the second one that way.
    one, other = cell if cell[0, 1] * cell[1, 0] > cell[0, 0] * cell[1, 1] else cell[::-1]
    for step in (one, other, -one, -other):
        for _ in range(2 * half):
            distance, row = tree.query(ours[here] + step)
            assert distance < 0.4 * np.hypot(*step)
            here = row
            total += step
    # Whole steps that still lead back to the start in the real crystal.
    gap = np.round((ours[first] - ours[here]) @ np.linalg.inv(cell))
    assert np.hypot(*(ours[here] + gap @ cell - ours[first])) < 0.35 * np.hypot(*cell[0])
    return total + gap @ cell


@settings(deadline=None, max_examples=15)
@given(
    st.sampled_from([perovskite(), GOLD, dichalcogenide()]),
    st.sampled_from([(1, 0), (0, 1), (-1, 0), (0, -1), (1, 1)]),
    st.integers(5, 8),
)
def test_a_circuit_fails_to_close_by_the_burgers_vector(crystal, steps, half):
    cell = np.array(crystal.cell)
    burgers = np.array(steps) @ cell
    made = dislocated(grow(crystal, FIELD, margin=30.0), [MIDDLE], [tuple(burgers)])
    np.testing.assert_allclose(circuit(made, cell, MIDDLE, half), -burgers, atol=1e-9)
    far = np.array([45.0, 81.0])
    np.testing.assert_allclose(circuit(made, cell, far, 3), 0, atol=1e-9)


def test_an_endless_wall_is_the_sum_of_its_dislocations():
    burgers, spacing = (1.2, 2.5), 20.0
    climb = np.array([burgers[1], -burgers[0]]) / np.hypot(*burgers)
    numbers = np.arange(-3000, 3001)
    places = np.random.default_rng(0).uniform(-30, 30, (12, 2))
    wall = gradient((TiltWall((1.0, 2.0), burgers, spacing),), places) - np.eye(2)
    one = [
        gradient(
            (EdgeDislocation(tuple(np.array([1.0, 2.0]) + n * spacing * climb), burgers, radius=1e-6),),
            places,
        )
        - np.eye(2)
        for n in numbers
    ]
    np.testing.assert_allclose(wall, np.sum(one, axis=0), atol=2e-4)


def test_a_dipole_closes_around_both():
    b = np.array([0.0, 3.905])
    made = dislocated(
        grow(perovskite(), FIELD, margin=30.0), [(45.0, 30.0), (45.0, 60.0)], [tuple(b), tuple(-b)]
    )
    cell = np.array(perovskite().cell)
    np.testing.assert_allclose(circuit(made, cell, MIDDLE, 9), 0, atol=1e-9)
    np.testing.assert_allclose(circuit(made, cell, (45.0, 30.0), 3), -b, atol=1e-9)


def test_the_half_plane_is_on_the_side_that_the_docstring_says():
    made = dislocated(grow(GOLD, FIELD, margin=30.0), [MIDDLE], [(0.0, 2.039)])
    row = made.index[:, 0] - made.index[:, 0].min()
    height = np.bincount(row, made.yx[:, 0]) / np.bincount(row)
    # Mean number in a row of 80 A, wherever it begins.
    begins = np.linspace(4.0, 4.0 + 2.039, 12, endpoint=False)
    number = np.mean(
        [np.bincount(row[np.abs(made.yx[:, 1] - x - 40) < 40], minlength=len(height)) for x in begins], axis=0
    )
    # +x turned from x to y is +y: downwards. The displacements at the ends of the rows, 20 A off, say half a column.
    below, above = (number[np.abs(height - y) < 3].mean() for y in (65, 25))
    ends = np.array([[20.0, -40.0], [20.0, 40.0], [-20.0, -40.0], [-20.0, 40.0]])
    moved = EdgeDislocation((0.0, 0.0), (0.0, 2.039))(ends)[:, 1]
    more = (moved[0] - moved[1] - moved[2] + moved[3]) / 2.039
    assert more > 0.4
    assert below - above == pytest.approx(more, abs=0.1)
    inner = np.all((made.yx > 5) & (made.yx < 85), axis=1)
    assert inner.sum() == pytest.approx(80 * 80 / 2.039**2, abs=25)


@settings(deadline=None, max_examples=15)
@given(st.floats(0, 2 * np.pi), st.floats(0.0, 0.45), st.floats(0, 2 * np.pi))
def test_the_field_is_volterras(angle, poisson, around):
    burgers = 3.0 * np.array([np.sin(angle), np.cos(angle)])
    field = EdgeDislocation((0.0, 0.0), tuple(burgers), poisson)
    turn = angle + around
    direction = np.array([np.sin(turn), np.cos(turn)])
    if abs(abs(around - np.pi)) < 0.02:
        return
    places = np.array([30.0, 300.0])[:, None] * direction
    strain = gradient((field,), places) - np.eye(2)
    # Strain falls as 1 / r, its trace is that of plane strain: -b (1 - 2 nu) sin / (2 pi (1 - nu) r).
    np.testing.assert_allclose(strain[0] * 30, strain[1] * 300, atol=2e-3)
    trace = -3.0 * (1 - 2 * poisson) * np.sin(around) / (2 * np.pi * (1 - poisson) * 300)
    np.testing.assert_allclose(np.trace(strain[1]), trace, atol=1e-6)
    # The jump along the cut is the Burgers vector; beside it, on both sides, the crystal is whole.
    behind = -20 * burgers / 3.0
    climb = np.array([burgers[1], -burgers[0]]) / 3.0
    above, below = field(np.stack([behind + 1e-9 * climb, behind - 1e-9 * climb]))
    np.testing.assert_allclose(above - below, burgers, atol=1e-6)


def test_the_field_is_in_equilibrium():
    poisson = 0.3
    field = EdgeDislocation((0.0, 0.0), (0.0, 3.0), poisson, radius=1e-6)
    h = 0.05
    places = np.random.default_rng(0).uniform(5, 20, (50, 2))

    def second(i, j):
        a, b = np.eye(2)[i] * h, np.eye(2)[j] * h
        four = field(places + a + b) - field(places + a - b) - field(places - a + b) + field(places - a - b)
        return four / (4 * h**2)

    laplace = second(0, 0) + second(1, 1)
    divergence = np.stack([second(k, 0)[:, 0] + second(k, 1)[:, 1] for k in (0, 1)], 1)
    # Navier: (1 - 2 nu) laplace u + grad div u = 0.
    np.testing.assert_allclose((1 - 2 * poisson) * laplace + divergence, 0, atol=1e-5)
    assert np.abs(laplace).max() > 1e-3


def test_cores_keep_their_columns_apart_and_all_else_stays():
    perfect = grow(perovskite(), FIELD, margin=30.0)
    made = dislocated(perfect, [MIDDLE], [(0.0, 3.905)], closest=1.3)
    assert 0 <= len(perfect) - len(made) < 6
    assert cKDTree(made.yx).query(made.yx, k=2)[0][:, 1].min() >= 1.3 - 1e-9
    np.testing.assert_allclose(np.mean(made.displacement, axis=0), 0, atol=0.01)


def test_strain_is_planted_where_columns_are():
    made = dislocated(grow(perovskite(), FIELD, margin=30.0), [MIDDLE], [(3.905, 0.0)])
    for name in made.fields:
        far = made.planted["core_distance_A"] > 6
        read = made.field_at(name, made.yx[far])
        np.testing.assert_allclose(read, made.planted[name][far], atol=1e-5)
    near = made.planted["core_distance_A"] < 15
    # By the half plane it is squeezed, on the other side it is stretched: +y turned from x to y is -x.
    left, right = (near & (side * (made.yx[:, 1] - 45) > 4) for side in (-1, 1))
    assert made.planted["strain_yy"][left].mean() < -0.01
    assert made.planted["strain_yy"][right].mean() > 0.01


@pytest.mark.parametrize("angle", [0.06, 0.14])
def test_a_wall_turns_the_crystal_by_its_angle(angle):
    made = low_angle_boundary(grow(GOLD, FIELD, margin=45.0), angle, (0.0, 4.078 / 2), through=MIDDLE)
    inner = np.all((made.yx > 0) & (made.yx < 90), axis=1)
    turn = made.planted["rotation_rad"]
    left, right = (inner & (side * (made.yx[:, 1] - 45) > 28) for side in (-1, 1))
    measured = turn[right].mean() - turn[left].mean()
    assert abs(measured) == pytest.approx(angle, rel=0.01)
    assert np.abs(made.planted["strain_xx"][left | right]).max() < 0.005
    assert inner.sum() == pytest.approx(90**2 / (4.078 / 2) ** 2, rel=0.02)


def test_vectors_that_are_none_of_the_lattice_are_refused():
    perfect = grow(perovskite(), FIELD)
    with pytest.raises(StemnetError, match="not a lattice vector"):
        dislocated(perfect, [MIDDLE], [(0.0, 2.0)])
    with pytest.raises(StemnetError, match="one for each"):
        dislocated(perfect, [MIDDLE], [])
    with pytest.raises(StemnetError, match="tilt_boundary"):
        low_angle_boundary(perfect, 0.6, (0.0, 3.905), through=MIDDLE)
    assert len(dislocated(perfect, [MIDDLE], [(0.0, 1.9525)], perfect=False)) > 0
