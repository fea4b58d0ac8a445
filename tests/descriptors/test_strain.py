import numpy as np
import pytest
from crystals import make_crystal
from strained_crystals import GRADIENT, GROWN, MIDDLE, SAMPLING, homogeneous, planted, srtio3

from stemnet.columns import Columns
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.reference import reference_lattice
from stemnet.descriptors.strain import NAMES, decomposed, strain
from stemnet.errors import StemnetError
from stemnet.simulation.deformation import strain_components
from stemnet.simulation.distortions.chemical import chemical_interface
from stemnet.simulation.distortions.elastic import bent, randomly_strained
from stemnet.simulation.quantities.fields import Step
from stemnet.simulation.specimen import rotation


def waves(specimen):
    return randomly_strained(homogeneous(specimen), 0.004, 60.0, np.random.default_rng(3))


def test_the_decomposition_is_the_simulators():
    gradients = np.eye(2) + np.random.default_rng(0).normal(0, 0.1, (50, 2, 2))
    np.testing.assert_allclose(decomposed(gradients), planted(strain_components(gradients)), atol=1e-12)


@pytest.mark.parametrize("name", ["square", "triangular", "oblique", "mos2", "si110"])
def test_planted_strain_of_any_lattice_is_found_exactly(name):
    yx, intensity, _, vectors, size = make_crystal(name)
    deformed = Columns(yx @ (np.eye(2) + GRADIENT).T, (int(size), int(size)), None, {"intensity": intensity})
    table = strain(deformed, reference=Lattice(vectors, 4, 1.0))
    assert table.names == NAMES
    assert table.valid.mean() > 0.5
    expected = decomposed(np.eye(2) + GRADIENT)
    np.testing.assert_allclose(table.complete, np.tile(expected, (table.valid.sum(), 1)), atol=1e-8)


@pytest.mark.parametrize("deform", [homogeneous, waves, lambda s: bent(s, 4000.0, through=MIDDLE)])
def test_planted_strain_is_recovered_within_a_tenth_of_a_percent(deform):
    columns, truth, _ = srtio3(deform)
    table = strain(columns, GROWN, GROWN)
    off = (table.values[:, :5] - truth)[table.valid]
    assert table.valid.sum() > 600
    # the dilatation is a sum of two
    assert (np.sqrt((off**2).mean(axis=0)) < [1e-3, 1e-3, 1e-3, 1e-3, 1.5e-3]).all()
    assert np.abs(off.mean(axis=0)).max() < 1e-4


def test_error_bars_are_honest_whatever_is_averaged():
    for smoothing in (0.0, 0.75):
        pulls = []
        for seed in range(4):
            columns, truth, _ = srtio3(homogeneous, seed=seed, sigma=0.1)
            table = strain(columns, GROWN, GROWN, smoothing=smoothing)
            assert table.names[5:] == tuple(f"sigma_{name}" for name in NAMES)
            pulls.append(((table.values[:, :5] - truth) / table.values[:, 5:])[table.valid])
        spread = np.concatenate(pulls).std(axis=0)
        assert ((spread > 0.85) & (spread < 1.15)).all(), spread


def test_smoothing_sharpens_what_is_smooth():
    columns, truth, _ = srtio3(waves)
    errors = [
        np.nanstd(strain(columns, GROWN, GROWN, smoothing=r).values[:, :5] - truth, axis=0)
        for r in (0.0, 0.75)
    ]
    assert (errors[1] < 0.4 * errors[0]).all()


def test_a_shift_of_a_sublattice_is_no_strain():
    columns, _, specimen = srtio3(homogeneous, errors=False)
    polar = Columns(columns.yx + np.outer(specimen.index[:, 2] == 1, [1.5, 0.7]), columns.shape, SAMPLING)
    before, after = strain(columns, GROWN, GROWN), strain(polar, GROWN, GROWN)
    np.testing.assert_allclose(before.values, after.values, atol=1e-9)


def test_the_reference_may_be_a_part_of_the_image_or_its_mean():
    wall = Step(0.0, 1.0, (0.0, 1.0), MIDDLE, 2.0)
    columns, truth, _ = srtio3(lambda s: chemical_interface(s, wall, 0.01))
    substrate = columns.yx[:, 1] * SAMPLING < 20
    by_part = strain(columns, GROWN, substrate)
    film = by_part.valid & (columns.yx[:, 1] * SAMPLING > 40)
    assert by_part.values[film, 1].mean() == pytest.approx(truth[film, 1].mean(), abs=2e-4)
    assert abs(by_part.values[substrate & by_part.valid, 1].mean()) < 2e-4
    by_mean = strain(columns, GROWN)
    assert np.abs(np.nanmean(by_mean.values[:, :5], axis=0)).max() < 1.5e-3


def test_a_distortion_of_the_scan_is_left_out_with_the_reference_that_follows_it():
    columns, _, _ = srtio3(lambda s: s)
    time = columns.yx[:, :1] / columns.shape[0]
    drifted = Columns(columns.yx + time**2 * [3.0, -4.0], columns.shape, SAMPLING)
    seen = strain(drifted, GROWN)
    corrected = strain(drifted, GROWN, reference_lattice(drifted, GROWN, order=2))
    assert np.nanstd(seen.values[:, 0]) > 2e-3
    assert (np.nanstd(corrected.values, axis=0) < 1e-3).all()


def test_edges_and_the_neighbors_of_a_vacancy_are_masked_and_rows_stay():
    columns, _, _ = srtio3(homogeneous)
    middle = int(np.argmin(np.hypot(*(columns.yx - 250.0).T)))
    rest = np.arange(len(columns)) != middle
    before, after = strain(columns, GROWN, GROWN), strain(columns.select(rest), GROWN, GROWN)
    lost = np.nonzero(rest)[0][before.valid[rest] & ~after.valid]
    apart = np.hypot(*(columns.yx[lost] - columns.yx[middle]).T)
    assert len(lost) == 4
    np.testing.assert_allclose(apart, 3.905 / SAMPLING, rtol=0.03)
    assert np.isnan(after.values[~after.valid]).all()
    assert not before.valid[np.argmin(columns.yx[:, 0])]


def test_every_frame_is_measured_by_itself():
    one, _, _ = srtio3(homogeneous)
    both = {name: np.tile(values, 2) for name, values in one.fields.items()}
    frame = np.repeat([0, 1], len(one))
    twice = Columns(np.concatenate([one.yx, one.yx + 4.0]), one.shape, SAMPLING, {**both, "frame": frame})
    expected = np.tile(strain(one, GROWN, GROWN).values, (2, 1))
    np.testing.assert_allclose(strain(twice, GROWN, GROWN).values, expected, atol=1e-9)


def test_permuted_columns_permute_the_rows():
    columns, _, _ = srtio3(waves, sigma=0.3)
    order = np.random.default_rng(0).permutation(len(columns))
    straight, shuffled = strain(columns, GROWN), strain(columns.select(order), GROWN)
    np.testing.assert_allclose(shuffled.values, straight.values[order], atol=1e-7)


def test_a_rotation_by_a_right_angle_and_swapped_axes_change_the_components_as_they_must():
    columns, _, _ = srtio3(waves, errors=False)
    before = strain(columns, GROWN, GROWN).values
    for turn, order, signs in (
        (rotation(np.pi / 2), [1, 0, 2, 3, 4], [1, 1, -1, 1, 1]),
        (np.eye(2)[::-1], [1, 0, 2, 3, 4], [1, 1, 1, -1, 1]),
    ):
        turned = Columns(columns.yx @ turn.T, columns.shape, SAMPLING)
        lattice = Lattice(GROWN.vectors @ turn.T, 4, 1.0)
        np.testing.assert_allclose(
            strain(turned, lattice, lattice).values, before[:, order] * signs, atol=1e-9
        )


def test_what_cannot_be_measured_is_said():
    columns, _, _ = srtio3(homogeneous)
    for call, word in (
        (lambda: strain(Columns(np.zeros((4, 2)), (9, 9))), "4 columns"),
        (
            lambda: strain(Columns(np.random.default_rng(0).uniform(0, 300, (300, 2)), (300, 300))),
            "no lattice",
        ),
        (lambda: strain(columns, GROWN, Lattice(1.5 * GROWN.vectors, 4, 1.0)), "fits none"),
        (lambda: strain(columns, GROWN, np.zeros(len(columns), bool)), "region has 0"),
        (lambda: strain(columns, GROWN, np.zeros(3, bool)), "one True or False"),
        (lambda: strain(columns, GROWN, smoothing=-1.0), "smoothing"),
        (lambda: strain(columns, reference=reference_lattice(columns.select(np.arange(500)), GROWN)), "500"),
    ):
        with pytest.raises(StemnetError, match=word):
            call()
