import numpy as np
import pytest
from crystals import make_crystal

from stemnet.columns import Columns
from stemnet.descriptors.dislocations import find_dislocations
from stemnet.descriptors.lattice import Lattice, find_lattice
from stemnet.descriptors.local_misfit import local_misfit
from stemnet.errors import StemnetError
from stemnet.simulation.defects.dislocations import EdgeDislocation


def lattice_points(vectors, side=400.0):
    cells = np.stack(np.meshgrid(*[np.arange(-40, 41)] * 2, indexing="ij"), -1).reshape(-1, 2)
    return cells @ vectors + side / 2


def inside(yx, side=400.0):
    return yx[((yx > 0) & (yx < side)).all(axis=1)]


HEXAGONAL = np.array([[0.0, 20.0], [17.3205, 10.0]])
SQUARE = np.array([[0.0, 20.0], [20.0, 0.0]])


# a diagonal vector of a square lattice parts into two, and is none here
PLANTED = [(HEXAGONAL, step) for step in ((1, 0), (-1, 0), (0, 1), (-1, 1))]
PLANTED += [(SQUARE, step) for step in ((1, 0), (-1, 0), (0, -1))]


@pytest.mark.parametrize(("vectors", "step"), PLANTED)
@pytest.mark.parametrize("angle", [0.0, 0.4])
def test_a_planted_dislocation_has_its_place_and_its_vector(vectors, step, angle):
    c, s = np.cos(angle), np.sin(angle)
    turned = vectors @ np.array([[c, -s], [s, c]])
    burgers = np.array(step) @ turned
    core = (207.0, 193.0)
    yx = lattice_points(turned)
    yx = inside(yx + EdgeDislocation(core, tuple(burgers), radius=5.0)(yx))
    yx = yx + np.random.default_rng(0).normal(0, 0.5, yx.shape)
    found = find_dislocations(yx, turned)
    print("dislocation off its place by", np.round(found.yx - core, 1).tolist(), "px of a cell of 20")
    assert len(found) == 1
    np.testing.assert_array_equal(found.steps[0], step)
    np.testing.assert_allclose(found.burgers[0], burgers)
    assert np.hypot(*(found.yx[0] - core)) < 20


def test_vacancies_interstitials_strain_and_noise_are_no_dislocations():
    rng = np.random.default_rng(3)
    yx = inside(lattice_points(HEXAGONAL))
    bent = yx + 12 * np.sin(yx[:, ::-1] / 90)
    noisy = bent + rng.normal(0, 1.2, yx.shape)
    holes = noisy[rng.random(len(noisy)) > 0.05]
    extra = np.concatenate([holes, holes[rng.choice(len(holes), 6, replace=False)] + [6.0, 9.0]])
    for positions in (bent, noisy, holes, extra):
        assert len(find_dislocations(positions, HEXAGONAL)) == 0


def test_too_few_columns_have_no_dislocation():
    assert len(find_dislocations(np.zeros((0, 2)), HEXAGONAL)) == 0
    assert len(find_dislocations(np.array([[0.0, 0.0], [0.0, 20.0], [0.0, 40.0]]), HEXAGONAL)) == 0


def test_no_strain_misfits_and_a_displaced_column_does():
    yx, intensity, _, _, size = make_crystal("mos2", cells=18, noise=0.02, strain=0.02)
    middle = np.hypot(*(yx - size / 2).T).argmin()
    yx[middle] += [0.0, 3.0]
    columns = Columns(yx, (int(size), int(size)), 0.1, {"intensity": intensity})
    lattice = find_lattice(yx, intensity)
    table = local_misfit(columns, lattice=lattice)
    assert table.names == ("misfit_A", "misfit_sigma")
    score = table.values[:, 1]
    # of six vectors that all lack d, the root of the mean square is d
    assert table.values[middle, 0] == pytest.approx(0.3, abs=0.06)
    assert np.nanargmax(score) == middle
    near = np.hypot(*(yx - yx[middle]).T) < 2 * np.linalg.norm(lattice.vectors[0])
    print(
        f"misfit of the displaced column {score[middle]:.1f}, of all others at most {np.nanmax(score[~near]):.1f}"
    )
    assert score[middle] > 8 > 5 > np.nanmax(score[~near])
    shear = np.array([[1.02, 0.05], [-0.03, 0.97]])
    sheared = Columns(yx @ shear + 20, (int(size * 1.2), int(size * 1.2)), 0.1, {"intensity": intensity})
    turned = Lattice(lattice.vectors @ shear, lattice.k, 1.0)
    again = local_misfit(sheared, lattice=turned)
    both = table.valid & again.valid
    assert both.sum() > 100
    # the scatter is sheared with the lattice, by a few percent
    np.testing.assert_allclose(again.values[both, 0], table.values[both, 0], rtol=0.15)


def test_misfit_needs_a_lattice():
    yx = np.random.default_rng(0).uniform(0, 200, (60, 2))
    with pytest.raises(StemnetError, match="follow no lattice"):
        local_misfit(Columns(yx, (200, 200), None))
