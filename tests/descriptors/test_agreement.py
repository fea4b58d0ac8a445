import numpy as np
import pytest
from polar_crystals import SPACING, cell_places

from stemnet.descriptors.agreement import neighbor_agreement, row_agreement
from stemnet.descriptors.lattice import Lattice


def square(angle):
    """The lattice of `cell_places`."""
    return Lattice(
        SPACING * np.array([[np.sin(angle), np.cos(angle)], [np.cos(angle), -np.sin(angle)]]), 4, 1.0
    )


@pytest.mark.parametrize("angle", [0.0, 0.4, np.pi / 4])
def test_rows_agree_in_a_wave_and_not_in_noise_nor_in_the_jitter_of_lines(angle):
    _, yx = cell_places(angle=angle)
    lattice = square(angle)
    line = np.unique(np.floor(yx[:, 0] / SPACING), return_inverse=True)[1]
    rng, sigma = np.random.default_rng(1), np.full(yx.shape, 0.1)
    noise = rng.normal(0, 0.1, yx.shape)
    jitter = np.interp(yx[:, 0], np.arange(-400, 400, 10.0), rng.normal(0, 0.5, 80))[:, None]
    shared, chance = row_agreement(yx, noise + 0.1 * np.sin(yx / 80), sigma, lattice, line)
    assert shared > 0.2
    assert chance < 1e-3
    assert row_agreement(yx, noise, sigma, lattice, line)[1] > 0.01
    assert row_agreement(yx, noise + jitter, sigma, lattice, line)[1] > 0.01
    assert row_agreement(yx[:3], noise[:3], sigma[:3], lattice, line[:3]) == (0.0, 1.0)


def test_next_cells_agree_where_vectors_are_uniform_and_disagree_where_they_alternate():
    cells, yx = cell_places(angle=0.1)
    uniform = np.tile([0.3, -0.2], (len(yx), 1))
    rows = (-1.0) ** cells[:, :1] * uniform
    lattice = square(0.1)
    assert neighbor_agreement(yx, uniform, lattice) == pytest.approx(1)
    assert neighbor_agreement(yx, rows, lattice) == pytest.approx(-1)
    noise = np.random.default_rng(0).normal(size=yx.shape)
    assert abs(neighbor_agreement(yx, noise, lattice)) < 0.15
    assert np.isnan(neighbor_agreement(yx[:1], noise[:1], lattice))
