import numpy as np
import pytest
from alloys import SERIES, alloy, metals

from stemnet.columns import Columns
from stemnet.descriptors.composition import local_composition
from stemnet.descriptors.neighbors import lattice_of
from stemnet.descriptors.shells import lattice_shells, radius_shell
from stemnet.errors import StemnetError


@pytest.mark.parametrize("name", SERIES)
def test_shells_of_a_triangular_sublattice(name):
    _, _, shells = metals(name)
    np.testing.assert_array_equal(shells.size, [6, 6, 6])
    np.testing.assert_allclose(shells.distance / shells.distance[0], [1, np.sqrt(3), 2], rtol=0.01)


def test_a_radius_counts_what_lattice_vectors_count():
    columns, probability, shells = metals("remos2_55")
    near = radius_shell(columns, 1.35 * shells.distance[0])
    one = local_composition(columns, probability, shells, up_to=1, least=1.0)
    other = local_composition(columns, probability, near, least=1.0)
    both = one.valid & other.valid
    assert both.mean() > 0.25
    np.testing.assert_allclose(one.values[both], other.values[both])


def test_columns_of_different_frames_are_never_neighbors():
    columns, _, shells, _ = alloy(0.5, 0.1, 0)
    n = len(columns)
    frames = {"sublattice": np.zeros(2 * n, int), "frame": np.repeat([0, 1], n)}
    both = Columns(np.concatenate([columns.yx, columns.yx + 1.0]), columns.shape, columns.sampling, frames)
    found = lattice_shells(both, lattice_of(columns))
    assert len(found.first) == 2 * len(shells.first)
    for one in (found, radius_shell(both, 60.0)):
        np.testing.assert_array_equal(one.first // n, one.second // n)


def test_what_has_no_neighbors_gets_a_sentence():
    columns, _, _ = metals("remos2_05")
    with pytest.raises(StemnetError, match="0 shells"):
        lattice_shells(columns, lattice_of(columns.select(columns["sublattice"] == 0)), count=0)
    with pytest.raises(StemnetError, match="within 1 px"):
        radius_shell(columns, 1.0)
    with pytest.raises(StemnetError, match="has 0 columns"):
        radius_shell(columns, 40.0, sublattice=7)
