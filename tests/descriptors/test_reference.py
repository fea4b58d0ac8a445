import numpy as np
import pytest
from crystals import make_crystal, spans_same

from stemnet.columns import Columns
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.reference import reference_lattice
from stemnet.errors import StemnetError
from stemnet.simulation.specimen import rotation


def crystal(name="perovskite001", **options):
    yx, intensity, label, vectors, size = make_crystal(name, **options)
    return Columns(yx, (int(size), int(size)), None, {"intensity": intensity}), label, vectors


@pytest.mark.parametrize("name", ["square", "perovskite001", "mos2", "si110"])
def test_a_perfect_crystal_is_its_own_reference(name):
    columns, label, vectors = crystal(name)
    found = reference_lattice(columns)
    assert found.valid.mean() > 0.98
    np.testing.assert_allclose(found.displacement[found.valid], 0, atol=1e-6)
    np.testing.assert_allclose((found.ideal + found.displacement)[found.valid], columns.yx[found.valid])
    assert found.vectors.shape == (1, 2, 2)
    assert spans_same(found.vectors[0], vectors, 1e-6)
    assert len(np.unique(found.sublattice[found.valid])) == len(np.unique(label))


def test_outliers_have_no_say():
    columns, label, vectors = crystal(cells=20, noise=0.01, false=0.05)
    rng = np.random.default_rng(1)
    shifted = (rng.uniform(size=len(columns)) < 0.15) & (label >= 0)
    pushed = Columns(columns.yx + 1.5 * shifted[:, None], columns.shape, None, columns.fields)
    found = reference_lattice(pushed)
    assert spans_same(found.vectors[0], vectors, 2e-4)
    quiet, moved = found.valid & ~shifted & (label >= 0), found.valid & shifted
    # a fit without weights is off by 15 % of the shift, 0.22 px
    assert np.abs(found.displacement[quiet].mean(axis=0)).max() < 0.03
    np.testing.assert_allclose(found.displacement[moved].mean(axis=0), [1.5, 1.5], atol=0.05)
    assert not found.fitted[moved].any()
    assert found.spread[0] == pytest.approx(0.01 * 12.0, rel=0.25)


def test_a_column_found_twice_leaves_its_place_to_the_nearer_one():
    columns, _, _ = crystal(noise=0.01)
    middle = np.argmin(np.hypot(*(columns.yx - np.mean(columns.shape) / 2).T))
    twice = Columns(
        np.concatenate([columns.yx, columns.yx[[middle]] + 1.5]),
        columns.shape,
        None,
        {"intensity": np.append(columns["intensity"], columns["intensity"][middle])},
    )
    found = reference_lattice(twice)
    assert found.valid[middle]
    assert found.grain[-1] == -1
    assert np.isnan(found.ideal[-1]).all()


def test_each_sublattice_has_an_origin_of_its_own():
    columns, label, vectors = crystal(cells=20)
    polar = Columns(columns.yx + np.outer(label == 1, [0.8, -0.5]), columns.shape, None, columns.fields)
    found = reference_lattice(polar)
    np.testing.assert_allclose(found.displacement[found.valid], 0, atol=1e-6)
    assert spans_same(found.vectors[0], vectors, 1e-6)


def test_a_drift_that_grows_is_taken_out_by_the_second_order_alone():
    columns, _, _ = crystal(cells=24, noise=0.005)
    time = columns.yx[:, :1] / columns.shape[0]
    drifted = Columns(columns.yx + time**2 * [2.0, 3.0], columns.shape, None, columns.fields)
    straight, bent = reference_lattice(drifted, order=1), reference_lattice(drifted, order=2)
    inside = straight.valid & bent.valid
    assert np.std(straight.displacement[inside]) > 0.15
    assert np.std(bent.displacement[inside]) == pytest.approx(0.005 * 12.0, rel=0.05)


def test_order_zero_keeps_the_lattice_that_is_given():
    columns, _, vectors = crystal("square", cells=20, noise=0.01)
    stretched = Lattice(1.002 * vectors, 4, 1.0)
    found = reference_lattice(columns, stretched, order=0)
    np.testing.assert_array_equal(found.vectors[0], stretched.vectors)
    u = found.displacement[found.valid]
    slope = np.linalg.lstsq(np.column_stack([found.ideal[found.valid], np.ones(len(u))]), u, rcond=None)[0]
    np.testing.assert_allclose(slope[:2], -0.002 * np.eye(2), atol=2e-4)


def test_every_grain_has_its_own_lattice():
    left, _, one = crystal("square", cells=30, noise=0.01, angle=0.1)
    right, _, other = crystal("square", cells=30, noise=0.01, angle=0.7, seed=1)
    edge = 0.6 * left.shape[1]
    here, there = left.yx[:, 1] < edge - 4, right.yx[:, 1] > edge + 4
    both = Columns(np.concatenate([left.yx[here], right.yx[there]]), left.shape)
    found = reference_lattice(both)
    assert len(found.vectors) == 2
    for g, (vectors, rows) in enumerate(
        zip((one, other), np.split(np.arange(len(both)), [here.sum()]), strict=True)
    ):
        assert spans_same(found.vectors[g], vectors, 2e-3)
        assert (found.grain[rows] == g).mean() > 0.9
    assert np.nanstd(found.displacement) < 0.2


def test_frames_are_fitted_by_themselves():
    columns, _, _ = crystal("mos2", noise=0.01)
    twice = Columns(
        np.concatenate([columns.yx, 1.01 * columns.yx]),
        columns.shape,
        None,
        {"intensity": np.tile(columns["intensity"], 2), "frame": np.repeat([0, 1], len(columns))},
    )
    found = reference_lattice(twice)
    np.testing.assert_allclose(found.vectors[1], 1.01 * found.vectors[0], rtol=1e-6)
    assert set(found.grain[: len(columns)]) <= {0, -1}
    assert set(found.grain[len(columns) :]) <= {1, -1}


def test_permuted_columns_permute_the_rows():
    columns, _, _ = crystal(noise=0.03, vacancies=0.03, false=0.03)
    order = np.random.default_rng(0).permutation(len(columns))
    straight, shuffled = reference_lattice(columns), reference_lattice(columns.select(order))
    np.testing.assert_array_equal(shuffled.grain, straight.grain[order])
    np.testing.assert_allclose(shuffled.displacement, straight.displacement[order], atol=1e-6)


@pytest.mark.parametrize(
    "turn", [rotation(np.pi / 2), np.array([[0.0, 1.0], [1.0, 0.0]])], ids=["rotation", "axes"]
)
def test_a_rotated_image_or_one_with_swapped_axes_has_the_same_displacements(turn):
    columns, _, _ = crystal(noise=0.03)
    turned = Columns(columns.yx @ turn.T, columns.shape, None, columns.fields)
    before, after = reference_lattice(columns), reference_lattice(turned)
    np.testing.assert_array_equal(before.grain, after.grain)
    np.testing.assert_allclose(before.displacement @ turn.T, after.displacement, atol=1e-6)


@pytest.mark.parametrize(
    ("yx", "options", "word"),
    [
        (np.zeros((3, 2)), {}, "3 columns"),
        (np.random.default_rng(0).uniform(0, 300, (400, 2)), {}, "no lattice"),
        (np.zeros((20, 2)), {"order": 3}, "order 3"),
    ],
)
def test_what_cannot_be_fitted_is_said(yx, options, word):
    with pytest.raises(StemnetError, match=word):
        reference_lattice(Columns(yx, (300, 300)), **options)
