import numpy as np
import pytest
from crystals import CRYSTALS, make_crystal

from stemnet.columns import Columns
from stemnet.descriptors import Motif, assign_sublattices, find_lattice, find_motif, resemblance
from stemnet.errors import StemnetError


def ideal(name, scale=1.0):
    vectors, sites, _ = CRYSTALS[name]
    sites = np.array(sites, float)
    return Motif(scale * np.array(vectors, float), sites[:, :2], sites[:, 2], name)


def found_in(name, **options):
    yx, intensity, _, _, _ = make_crystal(name, **options)
    columns = Columns(yx, (1000, 1000), None, {"intensity": intensity})
    lattice = find_lattice(yx, intensity)
    return find_motif(columns.with_fields(sublattice=assign_sublattices(columns, lattice)), lattice)


DIFFERENT = ["perovskite001", "perovskite110", "honeycomb", "mos2", "si110"]


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_motif_resembles_its_own_crystal_and_no_other(name):
    motif = found_in(name, noise=0.04, vacancies=0.05, strain=0.02, seed=3)
    assert [other for other in DIFFERENT if resemblance(motif, ideal(other, 3.0))] == [name]


@pytest.mark.parametrize("name", DIFFERENT)
def test_turning_mirroring_another_basis_and_another_origin_change_nothing(name):
    motif, known = found_in(name, noise=0.02), ideal(name, 3.9)
    expected = resemblance(motif, known)
    turn = np.array([[0.6, 0.8], [0.8, -0.6]])  # a rotation and a mirror
    basis = np.array([[2, 1], [1, 1]])
    other = Motif(
        basis @ known.vectors @ turn,
        known.places @ np.linalg.inv(basis) + 0.3,
        known.brightness[:],
        known.name,
    )
    again = resemblance(motif, other)
    assert again.sampling == pytest.approx(expected.sampling)
    assert again.misfit == pytest.approx(expected.misfit, abs=0.01)


def test_the_sampling_is_the_ratio_of_the_cells_and_shear_shows_as_two_of_them():
    known = ideal("perovskite001", 3.905)
    result = resemblance(ideal("perovskite001", 40.0), known)
    assert result.sampling == pytest.approx(3.905 / 40.0)
    assert result.stretch == pytest.approx(0, abs=1e-9)
    drifted = Motif(known.vectors * 10 @ np.diag([1.04, 1.0]), known.places, known.brightness)
    result = resemblance(drifted, known)
    assert result.high == pytest.approx(0.1)
    assert result.low == pytest.approx(0.1 / 1.04)


def test_brightness_tells_crystals_of_one_geometry_apart():
    alike, unlike = ideal("honeycomb"), ideal("mos2")
    assert resemblance(alike, unlike) is None
    assert resemblance(unlike, alike) is None
    thick = Motif(unlike.vectors, unlike.places, unlike.brightness**0.6)
    assert resemblance(thick, unlike) is not None


def test_a_motif_without_columns_is_refused():
    with pytest.raises(StemnetError, match="one of each per column"):
        Motif(np.eye(2), np.zeros((2, 2)), np.ones(1))
