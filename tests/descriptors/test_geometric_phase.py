from functools import cache

import numpy as np
import pytest

from stemnet.descriptors.geometric_phase import geometric_phase, strongest_reflections
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.strain import NAMES, strain
from stemnet.errors import StemnetError
from stemnet.simulation.crystal import perovskite
from stemnet.simulation.deformation import strained, with_strain
from stemnet.simulation.distortions.elastic import randomly_strained
from stemnet.simulation.growth import grow
from stemnet.simulation.microscope import Microscope
from stemnet.simulation.probe import Probe
from stemnet.simulation.simulator import simulate
from stemnet.simulation.specimen import rotation

SAMPLING, TURN, STEP = 0.15, 0.05, 8
GROWN = Lattice(3.905 / SAMPLING * rotation(TURN).T, 4, 1.0)
GRADIENT = np.array([[0.02, 0.01], [-0.004, -0.015]])


def fringes(gradient=((0.0, 0.0), (0.0, 0.0)), shape=(200, 240), period=12.0, turn=0.2):
    """An image of two plane waves under a homogeneous displacement gradient, and its undeformed lattice."""
    vectors = period * rotation(turn).T
    reciprocal = np.linalg.inv(vectors).T @ np.linalg.inv(np.eye(2) + np.array(gradient))
    yx = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
    return 3 + np.cos(2 * np.pi * yx @ reciprocal.T).sum(axis=-1), Lattice(vectors, 4, 1.0)


@cache
def srtio3():
    """SrTiO3, strained as a whole and by long random waves, imaged at a high dose."""
    size = 384 * SAMPLING
    specimen = grow(perovskite(), (size, size), orientation=TURN, thickness=117.0)
    specimen = strained(specimen, GRADIENT, (size / 2, size / 2))
    specimen = with_strain(randomly_strained(specimen, 0.004, 60.0, np.random.default_rng(0)))
    microscope = Microscope(Probe(300, 28), sampling=SAMPLING, dose=1e6)
    return simulate(specimen, microscope, (384, 384), seed=0, field_step=STEP)


def difference(found):
    """Measured less planted strain where it is valid, (5, M)."""
    fields = srtio3().fields
    yy, xx = fields["strain_yy"], fields["strain_xx"]
    truth = np.stack([yy, xx, fields["strain_yx"], fields["rotation_rad"], yy + xx])
    return (found.maps[:, ::STEP, ::STEP] - truth)[:, found.valid[::STEP, ::STEP]]


def test_homogeneous_strain_of_plane_waves_is_found_exactly():
    image, lattice = fringes(GRADIENT)
    found = geometric_phase(image, lattice, reference=lattice)
    plane = np.eye(2) + GRADIENT
    turn = np.arctan2(plane[1, 0] - plane[0, 1], np.trace(plane))
    stretch = plane @ rotation(turn).T
    expected = [stretch[0, 0] - 1, stretch[1, 1] - 1, stretch[0, 1], turn, np.trace(stretch) - 2]
    middle = found.maps[:, 90:110, 110:130]
    np.testing.assert_allclose(
        middle, np.broadcast_to(np.array(expected)[:, None, None], middle.shape), atol=1e-5
    )


def test_planted_strain_of_a_rendered_image_is_recovered_within_a_tenth_of_a_percent():
    found = geometric_phase(srtio3().micrograph.image, GROWN, reference=GROWN)
    off = difference(found)
    assert found.valid.mean() > 0.35
    assert (np.sqrt((off**2).mean(axis=1)) < 1e-3).all()
    assert np.abs(off.mean(axis=1)).max() < 2e-4


def test_it_agrees_with_strain_from_columns_in_value_and_sign():
    columns = srtio3().columns
    noise = np.random.default_rng(1).normal(0, 0.03, columns.yx.shape)
    columns = type(columns)(columns.yx + noise, columns.shape, SAMPLING)
    by_columns = strain(columns, GROWN, GROWN, smoothing=0.75)
    by_phase = geometric_phase(srtio3().micrograph.image, GROWN, reference=GROWN).at(columns.yx)
    both = by_columns.valid & by_phase.valid
    assert both.sum() > 200
    assert by_phase.names == by_columns.names == NAMES
    for one, other in zip(by_columns.values[both].T, by_phase.values[both].T, strict=True):
        assert np.sqrt(((one - other) ** 2).mean()) < 5e-4
        assert np.corrcoef(one, other)[0, 1] > 0.9


def test_the_reference_may_be_a_region():
    image, lattice = fringes(GRADIENT)
    plain, _ = fringes()
    both = np.where(np.arange(240) < 120, plain, image)
    region = np.zeros(image.shape, bool)
    region[:, :90] = True
    found = geometric_phase(both, lattice, reference=region)
    whole = geometric_phase(image, lattice, reference=lattice)
    assert np.abs(np.nanmean(found.maps[:, :, :80], axis=(1, 2))).max() < 1e-4
    np.testing.assert_allclose(
        np.nanmean(found.maps[:, :, 190:], axis=(1, 2)), np.nanmean(whole.maps, axis=(1, 2)), atol=1e-3
    )


def test_without_a_reference_the_mean_has_no_strain():
    image, lattice = fringes(GRADIENT)
    found = geometric_phase(image, lattice)
    assert np.abs(np.nanmean(found.maps, axis=(1, 2))).max() < 1e-5
    assert np.nanmax(np.abs(found.maps)) < 1e-3


def test_reflections_are_found_without_a_lattice():
    image = srtio3().micrograph.image
    for g in (strongest_reflections(image), strongest_reflections(image, GROWN)):
        order = g @ GROWN.vectors.T
        np.testing.assert_allclose(order, np.round(order), atol=0.15)
        assert abs(np.linalg.det(np.round(order))) >= 1
    found = geometric_phase(image, reference=GROWN)
    assert (np.sqrt((difference(found) ** 2).mean(axis=1)) < 1e-3).all()


def test_vacuum_is_not_valid():
    image, lattice = fringes(shape=(300, 300))
    image[:, 180:] = np.random.default_rng(0).normal(0, 0.05, (300, 120))
    found = geometric_phase(image, lattice)
    assert not found.valid[:, 200:].any()
    assert found.valid[100:200, 60:150].all()
    assert np.isnan(found.maps[:, ~found.valid]).all()
    assert found.amplitude[150, 100] > 0.9


def test_a_rotation_by_a_right_angle_and_swapped_axes_change_the_components_as_they_must():
    image, lattice = fringes(GRADIENT)
    image = image + 0.3 * np.sin(np.add.outer(np.arange(200) / 40, np.arange(240) / 60)) * image
    before = geometric_phase(image, lattice, reference=lattice).maps
    swap = Lattice(lattice.vectors[:, ::-1], 4, 1.0)
    after = geometric_phase(image.T, swap, reference=swap).maps
    expected = before[[1, 0, 2, 3, 4]] * np.array([1, 1, 1, -1, 1])[:, None, None]
    np.testing.assert_allclose(after, np.swapaxes(expected, 1, 2), atol=1e-9)
    # np.rot90 sends (y, x) to (W - 1 - x, y)
    turn = Lattice(lattice.vectors @ np.array([[0, -1], [1, 0]]).T, 4, 1.0)
    after = geometric_phase(np.rot90(image), turn, reference=turn).maps
    expected = before[[1, 0, 2, 3, 4]] * np.array([1, 1, -1, 1, 1])[:, None, None]
    np.testing.assert_allclose(after, np.rot90(expected, axes=(1, 2)), atol=1e-9)


def test_outside_the_valid_pixels_there_is_no_strain_at_a_column():
    image, lattice = fringes()
    table = geometric_phase(image, lattice).at(np.array([[100.0, 120.0], [1.0, 1.0], [-50.0, 0.0]]))
    assert table.valid.tolist() == [True, False, False]


def test_what_cannot_be_measured_is_said():
    image, lattice = fringes()
    noise = np.random.default_rng(0).normal(size=(200, 200))
    for call, word in (
        (lambda: geometric_phase(noise), "needs a crystal"),
        (lambda: geometric_phase(np.zeros((9, 9))), "flat"),
        (lambda: geometric_phase(np.zeros((2, 9, 9))), "one image"),
        (lambda: geometric_phase(image[:20, :20], lattice), "larger field of view"),
        (lambda: geometric_phase(image, lattice, width=0.0), "width"),
        (lambda: geometric_phase(image, vectors=[[0.1, 0.0], [0.2, 0.0]]), "not parallel|not two directions"),
        (lambda: geometric_phase(image, lattice, reference=np.zeros((2, 2), bool)), "200 x 240"),
        (lambda: geometric_phase(image, lattice, reference=np.zeros(image.shape, bool)), "No pixel"),
        (
            lambda: geometric_phase(image, lattice, reference=Lattice(1.3 * lattice.vectors, 4, 1.0)),
            "whole numbers",
        ),
    ):
        with pytest.raises(StemnetError, match=word):
            call()
