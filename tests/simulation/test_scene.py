"""Staging: what is drawn, in pixels and electrons, and the truth it yields."""

from dataclasses import dataclass

import numpy as np
import pytest
from few_columns import scene_of, specimen_of

from stemnet import StemnetError
from stemnet.simulation.artefacts.afterglow import Afterglow
from stemnet.simulation.artefacts.contamination import Contamination
from stemnet.simulation.artefacts.drift import Drift, Wander
from stemnet.simulation.artefacts.jitter import LineJitter
from stemnet.simulation.artefacts.readout import ReadNoise
from stemnet.simulation.deformation import strained, with_strain
from stemnet.simulation.microscope import REFERENCE_CROSS_SECTION, Microscope
from stemnet.simulation.probe import Probe
from stemnet.simulation.rendering import expected
from stemnet.simulation.scene import stage


@dataclass(frozen=True)
class Ramp:
    slope: float

    def __call__(self, yx):
        return self.slope * yx[:, 1]


def test_electrons_are_dose_times_cross_section():
    scene = scene_of([[10, 10], [30, 30]], electrons=[500.0, 2000.0])
    np.testing.assert_allclose(scene.electrons, [500.0, 2000.0])
    double = scene_of([[10, 10]], electrons=500.0, dose=2e4)
    assert double.electrons[0] == pytest.approx(1000.0)
    assert pytest.approx(100.0) == 1e4 * REFERENCE_CROSS_SECTION


def test_the_truth_holds_the_columns_in_the_frame_and_all_that_was_planted():
    yx = [[-0.6, 5], [-0.4, 5], [63.4, 63.4], [63.6, 10], [20, 30], [70, 70]]
    specimen = specimen_of(yx).displaced(np.full((6, 2), 0.0)).with_planted(domain=np.arange(6))
    columns = stage(specimen, Microscope(Probe(), 0.15), (64, 64), np.random.default_rng(0)).columns()
    np.testing.assert_array_equal(columns["domain"], [1, 2, 4])
    np.testing.assert_allclose(columns.yx, np.array(yx)[[1, 2, 4]])
    assert columns.sampling == 0.15
    assert columns.shape == (64, 64)
    assert set(columns["species"]) == {"Mo"}


def test_displacements_are_given_in_pixels():
    specimen = specimen_of([[20, 30]]).displaced(np.array([[0.3, -0.15]]))
    columns = stage(specimen, Microscope(Probe(), 0.15), (64, 64), np.random.default_rng(0)).columns()
    assert columns["displacement_y"][0] == pytest.approx(2.0)
    assert columns["displacement_x"][0] == pytest.approx(-1.0)
    np.testing.assert_allclose(columns.yx, [[22.0, 29.0]])


def test_vacant_sites_appear_where_their_columns_would():
    scene = scene_of(
        [[20, 30], [50, 10]], artefacts=(Drift(0.6, -0.9), LineJitter(0.05), Wander(0.1), Afterglow(0.1))
    )
    np.testing.assert_allclose(scene.appearing(scene.specimen.yx), scene.apparent)


def test_signal_to_noise_grows_as_the_root_of_the_dose_and_falls_with_background():
    def ratio(**settings):
        return scene_of([[30, 30]], **settings).signal_to_noise()[0]

    assert ratio(dose=4e4) == pytest.approx(2 * ratio(), rel=1e-6)
    assert ratio(background=0.5) < 0.9 * ratio()
    assert ratio(artefacts=(ReadNoise(2.0),)) < 0.9 * ratio()


def test_signal_to_noise_is_what_a_matched_filter_measures():
    """Amplitude over its standard error, least squares with known shape on a known background."""
    scene = scene_of([[31.5, 31.5]], electrons=300.0, background=30.0)
    empty = scene_of(np.zeros((0, 2)), electrons=300.0, background=30.0)
    mean = expected([scene, empty]).numpy().astype(float)
    template = mean[0] - scene.knots.mean()
    variance = mean[0].mean()
    wanted = np.sqrt((template**2).sum() / variance)
    assert scene.signal_to_noise()[0] == pytest.approx(wanted, rel=0.25)


def test_weak_columns_drown_beside_bright_ones():
    alone, beside = (
        scene_of([[30, 30]], electrons=[300.0]),
        scene_of([[30, 30], [30, 36]], electrons=[300.0, 3000.0]),
    )
    assert beside.signal_to_noise()[0] < 0.5 * alone.signal_to_noise()[0]


def test_a_gradient_of_thickness_ramps_the_columns():
    steps = np.arange(4.0, 124, 8)
    yx = np.stack(np.meshgrid(steps, steps, indexing="ij"), -1).reshape(-1, 2)
    scene = scene_of(yx, (128, 128), gradient=0.5)
    design = np.column_stack([yx / 128 - 0.5, np.ones(len(yx))])
    slope = np.linalg.lstsq(design, scene.electrons / 1000, rcond=None)[0]
    assert np.hypot(*slope[:2]) == pytest.approx(0.5, rel=1e-6)


def test_a_scene_is_a_function_of_its_generator():
    settings = {"artefacts": (LineJitter(0.05), Drift(0.3, 0.3), Contamination(0.2), Wander(0.1))}
    one, same, other = (scene_of([[30, 30]], seed=seed, **settings) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.raster.rows, same.raster.rows)
    np.testing.assert_array_equal(one.knots, same.knots)
    assert one.seed == same.seed != other.seed
    assert not np.array_equal(one.raster.rows, other.raster.rows)


@pytest.mark.parametrize("wrong", [{"sampling": 0.0}, {"dose": -1.0}])
def test_an_impossible_microscope_is_refused(wrong):
    with pytest.raises(StemnetError, match="positive"):
        Microscope(**wrong)


def test_something_else_than_an_artefact_is_refused():
    with pytest.raises(StemnetError, match="LineJitter"):
        Microscope(artefacts=("jitter",))


def test_pixels_coarser_than_half_the_spacing_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(StemnetError, match=r"1\.5 A apart.*give 0\.75 A/px"):
        stage(
            specimen_of(np.mgrid[:9, :9].reshape(2, -1).T * 10.0),
            Microscope(Probe(), 0.8),
            (20, 20),
            rng,
        )


def test_maps_of_planted_fields_show_what_the_columns_have_and_move_with_the_scan():
    steps = np.arange(2.0, 126, 6)
    yx = np.stack(np.meshgrid(steps, steps, indexing="ij"), -1).reshape(-1, 2)
    specimen = with_strain(strained(specimen_of(yx), np.array([[0.01, 0.0], [0.02, -0.005]])))
    specimen = specimen.with_field("ramp", Ramp(0.3))
    artefacts = (Drift(1.5, -2.0), LineJitter(0.1, 0.5))
    scene = stage(
        specimen, Microscope(Probe(), 0.15, artefacts=artefacts), (128, 128), np.random.default_rng(1)
    )
    maps, columns = scene.field_maps(), scene.columns()
    assert maps["ramp"].shape == (128, 128)
    assert scene.field_maps(step=5)["ramp"].shape == (26, 26)
    np.testing.assert_array_equal(scene.field_maps(step=5)["ramp"], maps["ramp"][::5, ::5])
    np.testing.assert_allclose(maps["strain_yy"], columns["strain_yy"].mean(), atol=1e-5)
    inner = np.all((columns.yx > 3) & (columns.yx < 124), axis=1)
    row, col = np.rint(columns.yx[inner]).astype(int).T
    # One pixel is 0.3 x 0.15 A of the ramp; lines that jitter by 0.7 px read neighboring values.
    assert np.abs(maps["ramp"][row, col] - columns["ramp"][inner]).max() < 0.045 * 2.5


def test_vacancies_are_listed_where_their_columns_would_appear():
    specimen = specimen_of([[20, 30], [50, 10], [90, 10]])
    microscope = Microscope(Probe(), 0.15, artefacts=(Drift(0.6, -0.9),))
    scene = stage(specimen, microscope, (64, 64), np.random.default_rng(0))
    holed = stage(
        specimen.without(np.array([True, False, True])), microscope, (64, 64), np.random.default_rng(0)
    )
    np.testing.assert_allclose(holed.vacancies().yx, scene.columns().yx[:1])
    assert holed.vacancies()["species"].tolist() == ["Mo"]
    assert len(scene.vacancies()) == 0


@pytest.mark.parametrize("shape", [(0, 10), (-3, 10), (32.0, 32.0)])
def test_an_image_without_pixels_is_refused(shape):
    with pytest.raises(StemnetError, match="whole numbers of 1 or more"):
        scene_of([[1, 1]], shape)
