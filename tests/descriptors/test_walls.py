import numpy as np
import pytest
from polar_crystals import ERROR, QUARTER_TURN, SWAP, measured_example, scattered_wall

from stemnet.columns import Columns
from stemnet.descriptors.domains import find_domains
from stemnet.descriptors.polarization import polarization
from stemnet.descriptors.walls import fit_wall
from stemnet.errors import StemnetError
from stemnet.simulation.crystal import perovskite
from stemnet.simulation.distortions.polar import rhombohedral_twin
from stemnet.simulation.growth import grow

SAMPLING, EDGE = 0.16, 3.96  # [A/px], and the cell of BiFeO3 [A]


@pytest.mark.parametrize("turn", [np.pi, np.pi / 2, 1.0])
@pytest.mark.parametrize("normal", [0.4, 2.0, -1.2])
def test_a_planted_wall_is_fitted_within_its_errors(turn, normal):
    yx, vectors, s = scattered_wall(wall=40.0, turn=turn, normal=normal)
    sigma = np.full(vectors.shape, 0.1)
    domains = find_domains(vectors, sigma)
    assert len(domains) == 2
    wall = fit_wall(yx, vectors, domains, errors=sigma)
    sense = 1 if domains.label[s.argmax()] == 1 else -1
    off = wall.distance(yx) * sense - s
    assert np.abs(off.mean()) < 4 * wall.position_error < 8
    direction = np.arctan2(*(sense * wall.normal)) - normal
    assert abs((direction + np.pi) % (2 * np.pi) - np.pi) < 4 * wall.angle_error
    assert abs(wall.width - 40) < 4 * wall.width_error
    assert wall.turn == pytest.approx(turn, abs=0.1)
    assert wall.misfit == pytest.approx(1, abs=0.25)
    sigma[::50] = np.nan
    assert fit_wall(yx, vectors, domains, errors=sigma).cells == wall.cells - 8
    middle = (wall.before + wall.after) / 2
    assert np.abs(np.hypot(*(wall.after - middle)) - np.sin(turn / 2)) < 0.05


def test_standard_errors_are_the_scatter_of_repeated_walls():
    places, widths = [], []
    for seed in range(20):
        yx, vectors, s = scattered_wall(wall=40.0, seed=seed, error=0.2)
        sigma = np.full(vectors.shape, 0.2)
        wall = fit_wall(yx, vectors, find_domains(vectors, sigma), errors=sigma)
        sense = 1 if wall.distance(yx) @ s > 0 else -1
        near = np.abs(s) < 15
        places.append((wall.distance(yx) * sense - s)[near].mean() / wall.position_error)
        widths.append((wall.width - 40) / wall.width_error)
    print(f"pulls of place {np.std(places):.2f}, of width {np.std(widths):.2f}")
    assert 0.6 < np.std(places) < 1.6
    assert 0.6 < np.std(widths) < 1.6


@pytest.mark.parametrize(
    ("name", "between", "turn"),
    [
        ("pbtio3_domains", (0, 1), 90),
        ("bifeo3_closure", (0, 1), 180),
        ("bifeo3_closure", (0, 2), 90),
        ("bifeo3_closure", (1, 2), 90),
    ],
)
def test_walls_of_the_examples_are_where_they_were_planted(name, between, turn):
    found, planted, _ = measured_example(name)
    domains = find_domains(found.vectors, found.errors)
    wall = fit_wall(found.yx, found.vectors, domains, between, errors=found.errors)
    true = fit_wall(found.yx, np.where(found.valid[:, None], planted, np.nan), domains, between)
    off = float(true.distance(wall.through[None])[0])
    cell = np.sqrt(abs(np.linalg.det(found.lattice.vectors)))
    print(
        f"{name} {between}: off {off:+.2f} px = {off / cell:+.2f} cells (error bar {wall.position_error:.2f} px), "
        f"width {wall.width:.1f} +- {wall.width_error:.1f} px, planted {true.width:.1f}; turn "
        f"{np.degrees(wall.turn):.1f}, charge {wall.charge:+.3f}, misfit {wall.misfit:.2f}"
    )
    assert abs(off) < 0.5 * cell
    assert wall.position_error < 0.1 * cell
    assert abs(wall.width - true.width) < 0.4 * true.width
    assert np.degrees(wall.turn) == pytest.approx(turn, abs=6)
    assert abs(wall.charge) < 0.08
    assert abs(wall.normal @ true.normal) > np.cos(0.06)


@pytest.mark.parametrize(
    ("before", "after", "turn", "thickness"),
    [
        ((1, 1, 1), (-1, -1, -1), 180, 0.0),
        ((1, 1, 1), (-1, 1, -1), 90, 0.0),
        ((1, 1, 1), (-1, 1, 1), 90, 15.0),
    ],
    ids=["180", "109", "71 inclined"],
)
def test_walls_of_a_rhombohedral_ferroelectric(before, after, turn, thickness):
    size, through, half = 70.0, (36.0, 33.0), 2.5
    specimen = grow(perovskite(EDGE, "Bi", "Fe"), (size, size), origin=(0.2, 0.1))
    specimen = rhombohedral_twin(specimen, before, after, through, half, {1: 0.35}, thickness=thickness)
    inside = ((specimen.yx > 0) & (specimen.yx < size)).all(axis=1) & (specimen.sublattice < 2)
    rng = np.random.default_rng(0)
    sigma = np.full(inside.sum(), ERROR)
    yx = specimen.yx[inside] / SAMPLING + rng.normal(0, ERROR, (inside.sum(), 2))
    fields = {"sublattice": specimen.sublattice[inside], "sigma_y": sigma, "sigma_x": sigma}
    found = polarization(Columns(yx, (438, 438), SAMPLING, fields))
    domains = find_domains(found.vectors, found.errors)
    wall = fit_wall(found.yx, found.vectors, domains, errors=found.errors)
    off = float(wall.distance(np.array([through]) / SAMPLING)[0])
    print(
        f"{before} to {after}: off {off:+.2f} +- {wall.position_error:.2f} px (a cell is {EDGE / SAMPLING:.1f}), width "
        f"{wall.width:.1f} +- {wall.width_error:.1f}, planted {2 * half / SAMPLING:.1f}, "
        f"turn {np.degrees(wall.turn):.1f}"
    )
    assert len(domains) == 2
    assert abs(off) < 0.25 * EDGE / SAMPLING
    assert np.degrees(wall.turn) == pytest.approx(turn, abs=5)
    if not thickness:
        assert abs(wall.width - 2 * half / SAMPLING) < 4 * wall.width_error + 0.15 * 2 * half / SAMPLING
    else:  # the domains lie above each other
        assert wall.width > 2.5 * half / SAMPLING


def test_a_wall_does_not_depend_on_the_order_and_turns_with_the_image():
    found, _, _ = measured_example("bifeo3_closure")
    yx, vectors = found.yx, found.vectors
    wall = fit_wall(yx, vectors, find_domains(vectors, found.errors), errors=found.errors)
    order = np.random.default_rng(0).permutation(len(yx))
    shuffled = find_domains(vectors[order], found.errors[order])
    again = fit_wall(yx[order], vectors[order], shuffled, errors=found.errors[order])
    np.testing.assert_allclose(again.through, wall.through, atol=1e-3)
    for change in (QUARTER_TURN, SWAP):
        turned = find_domains(vectors @ change, found.errors)
        after = fit_wall(yx @ change, vectors @ change, turned, errors=found.errors)
        np.testing.assert_allclose(after.through, wall.through @ change, atol=0.02)
        np.testing.assert_allclose(after.normal, wall.normal @ change, atol=1e-3)
        assert after.width == pytest.approx(wall.width, rel=1e-2)
        assert after.position_error == pytest.approx(wall.position_error, rel=1e-2)


def test_a_wall_that_no_cell_lies_in_has_no_width_and_says_so():
    yx, vectors, s = scattered_wall(wall=1e-3, normal=0.0, shift=0.5, error=0.0)
    wall = fit_wall(yx, vectors, find_domains(vectors))
    assert np.isinf(wall.width_error)
    assert np.abs(wall.distance(yx[np.abs(s) < 13])).max() < 24


def test_stripes_are_no_straight_wall_but_the_cells_around_one_are():
    yx, _, s = scattered_wall(normal=0.0)
    rng = np.random.default_rng(1)
    vectors = np.where(np.abs(s)[:, None] < 80, [1.0, 0.0], [-1.0, 0.0]) + rng.normal(0, 0.1, yx.shape)
    domains = find_domains(vectors)
    with pytest.raises(StemnetError, match="No straight line parts domains 0 and 1"):
        fit_wall(yx, vectors, domains)
    wall = fit_wall(yx, vectors, domains, rows=s > 0)
    assert np.abs(wall.distance(yx[np.abs(s - 80) < 12])).max() < 24


def test_a_wall_needs_cells_of_both_and_domains_that_are_there():
    yx, vectors, s = scattered_wall()
    domains = find_domains(vectors)
    with pytest.raises(StemnetError, match="between domains 0 and 5"):
        fit_wall(yx, vectors, domains, (0, 5))
    with pytest.raises(StemnetError, match="a wall needs five of either"):
        fit_wall(yx, vectors, domains, rows=s < -50)
    one = find_domains(np.random.default_rng(9).normal(0, 0.1, (400, 2)))
    with pytest.raises(StemnetError, match="the number of domains is 1; a wall needs two"):
        fit_wall(yx, vectors, one)
