"""The shipped weights and the whole road from image to columns, told nothing."""

from functools import lru_cache

import numpy as np
import pytest
import torch

from stemnet import resources
from stemnet.detection.matching import match
from stemnet.detection.segmenter import Detection, Settings, find_columns
from stemnet.errors import StemnetError
from stemnet.micrograph import Micrograph
from stemnet.models.checkpoint import Checkpoint, load
from stemnet.simulation.crystal import dichalcogenide, perovskite
from stemnet.simulation.growth import grow
from stemnet.simulation.microscope import Microscope
from stemnet.simulation.simulator import Simulation, simulate

SHAPE = (136, 150)


@lru_cache
def weights() -> Checkpoint:
    return load(resources.weights())


@lru_cache
def simulation(crystal: str, sampling: float = 0.16, dose: float = 2e5) -> Simulation:
    field_of_view = (SHAPE[0] * sampling, SHAPE[1] * sampling)
    cell = {"perovskite": perovskite(), "mos2": dichalcogenide()}[crystal]
    specimen = grow(cell, field_of_view, orientation=0.2, origin=(0.3, 0.4))
    specimen = specimen.select(specimen.species != "O")
    return simulate(specimen, Microscope(sampling=sampling, dose=dose, background=0.2), SHAPE, seed=0)


def found_in(image: np.ndarray, settings: Settings | None = None) -> Detection:
    return find_columns(Micrograph(image), weights(), settings)


@lru_cache
def plain() -> Detection:
    return found_in(simulation("mos2").micrograph.image)


def same_columns(
    found: np.ndarray, expected: np.ndarray, shape: tuple[int, int], tolerance: float, share: float = 0.99
) -> None:
    """All but a few at the border, within a tolerance [px]."""
    result = match(found, expected, 1.0, shape=shape, border=8)
    assert result.f1 > share
    assert result.rmse < tolerance


@pytest.mark.parametrize("sampling", [0.09, 0.16, 0.3])
@pytest.mark.parametrize("crystal", ["perovskite", "mos2"])
def test_columns_of_any_size_are_found_where_they_are(crystal: str, sampling: float):
    simulated = simulation(crystal, sampling)
    truth, found = simulated.columns, found_in(simulated.micrograph.image)
    width = truth["width"][0]
    result = match(found.columns.yx, truth.yx, 0.7 * width, shape=SHAPE, border=2 * width)
    assert result.f1 > 0.97
    assert result.rmse < 0.12 * width
    assert abs(result.bias_y) + abs(result.bias_x) < 0.06 * width
    assert np.median(found.columns["width"]) == pytest.approx(width, rel=0.15)
    assert found.confident
    assert not found.dark
    assert found.probability.shape == (1, *SHAPE)


def test_every_column_has_every_field():
    columns = plain().columns
    inner = ((columns.yx > 5) & (columns.yx < np.array(SHAPE) - 6)).all(1)
    for name in ("score", "intensity", "width", "sigma_y", "sigma_x", "significance", "frame"):
        assert np.isfinite(columns[name][inner]).all(), name
    assert ((columns["score"] > 0) & (columns["score"] <= 1)).all()
    assert (columns["sigma_y"][inner] > 0).all()
    assert (np.diff(columns.yx[:, 0]) >= 0).all()


def test_standard_errors_are_of_the_size_of_the_errors():
    truth, columns = simulation("mos2").columns, plain().columns
    pairs = match(columns.yx, truth.yx, 1.5, shape=SHAPE, border=8).pairs
    inner = ((truth.yx > 8) & (truth.yx < np.array(SHAPE) - 9)).all(1)
    pairs = pairs[inner[pairs[:, 1]]]
    pull = (columns.yx[pairs[:, 0], 0] - truth.yx[pairs[:, 1], 0]) / columns["sigma_y"][pairs[:, 0]]
    assert 0.6 < np.sqrt(np.mean(pull**2)) < 1.7


@pytest.mark.parametrize("kind", ["normal", "poisson"])
def test_noise_holds_no_columns(kind: str):
    rng = np.random.default_rng(4)
    image = rng.normal(0, 1, (160, 160)) if kind == "normal" else rng.poisson(3.0, (160, 160))
    found = found_in(image.astype(float))
    assert len(found.columns) <= 2
    assert not found.confident
    assert found.reasons


def test_the_same_image_gives_the_same_columns_and_leaves_the_generators_alone():
    before, legacy = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    again = found_in(simulation("mos2").micrograph.image)
    np.testing.assert_array_equal(again.columns.yx, plain().columns.yx)
    assert torch.equal(torch.random.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], legacy)  # noqa: NPY002


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 500.0), (30.0, 0.0), (1e-3, -2.0)])
def test_gain_and_offset_of_the_detector_move_no_column(gain: float, offset: float):
    image = simulation("mos2").micrograph.image
    same_columns(found_in(gain * image + offset).columns.yx, plain().columns.yx, SHAPE, 0.03)


def test_a_part_of_the_image_holds_the_same_columns():
    part = found_in(simulation("mos2").micrograph.image[6:, 9:])
    inner = plain().columns.yx - [6, 9]
    same_columns(part.columns.yx, inner[(inner > -0.5).all(1)], (SHAPE[0] - 6, SHAPE[1] - 9), 0.03)


def test_a_transposed_image_holds_transposed_columns():
    turned = found_in(simulation("mos2").micrograph.image.T)
    same_columns(turned.columns.yx[:, ::-1], plain().columns.yx, SHAPE, 0.05)


def test_pixels_without_a_number_cost_only_their_columns():
    image = simulation("mos2").micrograph.image.copy()
    image[50:75, 60:90] = np.nan
    image[100, 20] = np.nan
    yx, whole = found_in(image).columns.yx, plain().columns.yx

    def far(points: np.ndarray) -> np.ndarray:
        return points[((points < [42, 52]) | (points > [83, 98])).any(1)]

    same_columns(far(yx), far(whole), SHAPE, 0.05)
    assert not ((yx > [54, 64]) & (yx < [71, 86])).all(1).any()


def test_dark_columns_are_found_and_said_to_be_dark():
    image = simulation("mos2").micrograph.image
    found = found_in(image.max() - image)
    assert found.dark
    assert any("dark" in note for note in found.notes)
    same_columns(found.columns.yx, plain().columns.yx, SHAPE, 0.1)


def test_frames_are_treated_alike_and_numbered():
    image = simulation("mos2").micrograph.image
    rng = np.random.default_rng(0)
    blanks = [rng.poisson(18.295734405517578, SHAPE) for _ in range(8)]
    found = find_columns(
        Micrograph(np.stack([image, *blanks, image])), weights(), Settings(width=plain().width)
    )
    columns = found.columns
    np.testing.assert_array_equal(columns.yx[columns["frame"] == 0], columns.yx[columns["frame"] == 9])
    same_columns(columns.yx[columns["frame"] == 0], plain().columns.yx, SHAPE, 0.05)
    # Frames of nothing but noise, at the width of the others.
    false = [(columns["frame"] == number).sum() for number in range(1, 9)]
    assert false[0] <= 3
    assert np.mean(false) <= 3
    assert max(false) <= 8
    assert not found.confident
    assert found.probability.shape == (10, *SHAPE)


def test_settings_are_followed():
    image = simulation("mos2").micrograph.image
    strict = found_in(image, Settings(significance=40.0))
    assert len(strict.columns) < len(plain().columns)
    assert (strict.columns["significance"] >= 40.0).all()
    rough = found_in(image, Settings(refine=False))
    assert np.isnan(rough.columns["sigma_y"]).all()
    same_columns(rough.columns.yx, plain().columns.yx, SHAPE, 0.5, share=0.95)
    assert found_in(image, Settings(width=3.3)).width == 3.3


def test_what_holds_nothing_is_said_to():
    for image in (np.full((64, 64), 7.0), np.full((64, 64), np.nan)):
        found = found_in(image)
        assert len(found.columns) == 0
        assert not found.confident
        assert len(found.reasons) == 1
    with pytest.raises(StemnetError, match=r"8 x 40 pixels; columns need at least"):
        found_in(np.ones((8, 40)))
