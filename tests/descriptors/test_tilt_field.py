import numpy as np
import pytest

from stemnet.columns import Columns
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.octahedral_tilt import octahedral_tilt
from stemnet.descriptors.position_scatter import position_scatter
from stemnet.descriptors.tilt_field import predicted, tilt_field
from stemnet.errors import StemnetError

CELL = 30.0
ERROR = 0.3  # of anions [px]


def octahedra(seed=0, length=5.0, size=16, flat=False):
    """B columns, their anions turned by a smooth field of angles, A columns; and the angle at every B [rad]."""
    rng = np.random.default_rng(seed)
    index = np.stack(np.meshgrid(*[np.arange(size)] * 2, indexing="ij"), -1).reshape(-1, 2).astype(float)
    phase, waves = rng.uniform(0, 6.28, 6), rng.normal(size=(6, 2)) / length

    def amplitude(yx):
        return 0.07 + (0 if flat else 0.012) * np.cos(yx @ waves.T + phase).sum(axis=1)

    sign = 1 - 2 * (index.sum(axis=1) % 2)
    parts, label = [index, index + 0.5], [np.zeros(len(index)), np.ones(len(index))]
    for axis in (0, 1):
        way, across = np.eye(2)[axis] / 2, np.eye(2)[1 - axis] / 2
        middle = index + way
        # from +x towards +y: what lies further along x goes to +y, what lies further along y to -x
        turn = sign * amplitude(middle) * (1 if axis == 1 else -1)
        parts.append(middle + across * np.tan(turn)[:, None])
        label.append(np.full(len(index), 2 + axis))
    yx, label = np.concatenate(parts) * CELL + 20, np.concatenate(label).astype(int)
    sigma = np.where(label > 1, ERROR, 0.05)
    yx = yx + rng.normal(size=yx.shape) * sigma[:, None]
    fields = {"sigma_y": sigma, "sigma_x": sigma, "sublattice": label}
    side = int(size * CELL + 40)
    return Columns(yx, (side, side), None, fields), sign * amplitude(index)


LATTICE = Lattice(np.eye(2) * CELL, 4, 1.0)


def test_neighbors_sharpen_a_tilt_and_its_error_bar_is_honest():
    pulls, gains = [], []
    for seed in range(4):
        columns, true = octahedra(seed)
        alone = octahedral_tilt(columns, LATTICE, center=0)
        field = tilt_field(columns, LATTICE, center=0)
        assert field.names[:2] == ("tilt_field_rad", "tilt_field_amplitude_rad")
        np.testing.assert_array_equal(field.valid, alone.valid)
        rows = np.flatnonzero(field.valid)
        errors = [table.values[rows, 0] - true[rows] for table in (alone, field)]
        gains.append(np.std(errors[1]) / np.std(errors[0]))
        pulls.append(errors[1] / field.values[rows, 2])
    assert np.mean(gains) < 0.75
    assert 0.7 < np.concatenate(pulls).std() < 1.2


def test_octahedra_that_all_turn_alike_leave_the_error_of_their_mean():
    columns, true = octahedra(3, flat=True)
    field = tilt_field(columns, LATTICE, center=0)
    off = field.values[field.valid, 0] - true[np.flatnonzero(field.valid)]
    assert np.degrees(np.sqrt((off**2).mean())) < 0.25


def test_a_field_is_predicted_between_and_far_from_its_samples():
    yx = np.random.default_rng(0).uniform(0, 20, (200, 2))
    value, sigma = predicted(
        yx, 1 + 0.3 * np.sin(yx[:, 0] / 3), np.full(200, 1e-4), np.array([[10.0, 10], [300, 300]])
    )
    assert value[0] == pytest.approx(1 + 0.3 * np.sin(10 / 3), abs=0.03)
    assert value[1] == pytest.approx(1, abs=0.3)
    assert sigma[1] > 5 * sigma[0]


def test_without_anions_it_says_so():
    columns, _ = octahedra()
    cations = columns.select(columns["sublattice"] < 2)
    with pytest.raises(StemnetError, match="oxygen is seen"):
        tilt_field(cations, LATTICE)


def test_scatter_holds_errors_and_disorder_but_no_strain():
    columns, _ = octahedra()
    ideal = columns.yx
    strained = Columns(
        ideal + 0.02 * (ideal - 200) + np.stack([3 * np.sin(ideal[:, 1] / 150), 0 * ideal[:, 0]], axis=1),
        columns.shape,
        None,
        dict(columns.fields),
    )
    for one in (columns, strained):
        scatter = position_scatter(one, LATTICE)
        np.testing.assert_allclose(scatter[one["sublattice"] == 0][0], 0.05, rtol=0.25)
    few = columns.select(np.arange(6))
    assert np.isnan(position_scatter(few, LATTICE)).all()
