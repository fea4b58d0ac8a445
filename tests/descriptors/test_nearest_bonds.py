import numpy as np
import pytest

from stemnet.columns import Columns
from stemnet.descriptors.nearest_bonds import nearest_bonds
from stemnet.errors import StemnetError


def hexagonal(angle=0.0, spacing=10.0, side=200, sampling=None):
    n = np.arange(-40, 40)
    yx = spacing * (n[:, None, None] * [0, 1] + n[None, :, None] * [np.sqrt(0.75), 0.5]).reshape(-1, 2)
    c, s = np.cos(angle), np.sin(angle)
    yx = yx @ np.array([[c, -s], [s, c]]) + side / 2 + 0.3
    yx = yx[((yx >= 0) & (yx <= side - 1)).all(axis=1)]
    return Columns(yx, (side, side), sampling, {"intensity": np.full(len(yx), 7.0)})


@pytest.mark.parametrize("angle", [0.0, 0.2, 0.9])
def test_order_of_a_perfect_lattice_is_one_and_turns_with_it(angle):
    found = nearest_bonds(hexagonal(angle))
    rows = found.complete
    assert found.names == ("length_px", "length_spread_px", "order_cos_1", "order_sin_1", "intensity_1")
    np.testing.assert_allclose(rows[:, 0], 10)
    np.testing.assert_allclose(rows[:, [1, 4]], np.broadcast_to([0, 1], (len(rows), 2)), atol=1e-9)
    order = rows[:, 2] + 1j * rows[:, 3]
    np.testing.assert_allclose(np.abs(order), 1)
    np.testing.assert_allclose(np.angle(order * np.exp(-6j * angle)), 0, atol=1e-6)


def test_lengths_are_in_angstrom_where_the_sampling_is_known():
    found = nearest_bonds(hexagonal(sampling=0.2))
    assert found.names[0] == "length_A"
    np.testing.assert_allclose(found.complete[:, 0], 2)


def test_columns_at_the_edge_are_masked():
    columns = hexagonal()
    found = nearest_bonds(columns)
    edge = (columns.yx < 9).any(axis=1)
    assert not found.valid[edge].any()
    assert found.valid.mean() > 0.8
    assert np.isnan(found.values[~found.valid]).all()


def test_disorder_is_less_than_order():
    yx = np.random.default_rng(0).uniform(0, 200, (500, 2))
    rows = nearest_bonds(Columns(yx, (200, 200), None, {})).complete
    assert np.hypot(rows[:, 2], rows[:, 3]).mean() < 0.5


def test_too_few_columns_get_a_sentence():
    with pytest.raises(StemnetError, match="3 columns"):
        nearest_bonds(Columns(np.zeros((3, 2)), (9, 9), None, {}))
    frames = Columns(np.zeros((30, 2)), (9, 9), None, {"frame": np.arange(30) % 2})
    with pytest.raises(StemnetError, match="2 frames"):
        nearest_bonds(frames)
