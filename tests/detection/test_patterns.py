"""Random textures look like columns and hold none; lattices of the lowest dose are no texture."""

import numpy as np
import pytest
from scipy import ndimage

from stemnet import resources
from stemnet.detection.column_model import render_columns
from stemnet.detection.patterns import pattern
from stemnet.detection.segmenter import find_columns
from stemnet.micrograph import Micrograph
from stemnet.models.checkpoint import load

SHAPE, WIDTH = (384, 384), 3.0


def lattice(spacing: float, contrast: float, dose: float, seed: int) -> np.ndarray:
    axis = np.arange(3.0, SHAPE[0], spacing)
    yx = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    mean = 1 + contrast * render_columns(SHAPE, yx, np.ones(len(yx)), WIDTH)
    return np.random.default_rng(seed).poisson(dose * mean).astype(float)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("times", [3, 4, 6])
def test_magnified_noise_is_a_texture(times: int, seed: int):
    noise = np.random.default_rng(seed).normal(0, 1, (SHAPE[0] // times,) * 2)
    assert pattern(ndimage.zoom(noise, times, order=3), 0.65 * times) == "texture"


@pytest.mark.parametrize("seed", range(3))
def test_an_amorphous_film_is_a_texture(seed: int):
    rng = np.random.default_rng(seed)
    film = ndimage.gaussian_filter(rng.normal(0, 1, SHAPE), WIDTH)
    assert pattern(rng.poisson(60 + 9 * film / film.std()), WIDTH) == "texture"


@pytest.mark.parametrize("spacing", [9.0, 12.0, 20.0])
@pytest.mark.parametrize(("contrast", "dose"), [(0.5, 3.0), (3.0, 0.5), (1.0, 100.0)])
def test_a_lattice_is_none_however_noisy(spacing: float, contrast: float, dose: float):
    image = lattice(spacing, contrast, dose, 0)
    assert pattern(image, WIDTH) == "columns"
    assert pattern(-image, WIDTH) == "columns"


def test_disordered_atoms_are_none():
    rng = np.random.default_rng(1)
    yx = rng.uniform(0, SHAPE[0], (150, 2))
    atoms = rng.poisson(5 * (1 + render_columns(SHAPE, yx, np.ones(len(yx)), WIDTH)))
    assert pattern(atoms, WIDTH) == "columns"


def test_what_is_not_measured_counts_neither_way():
    image = lattice(12.0, 1.0, 5.0, 0)
    image[:, :80] = np.nan
    assert pattern(image, WIDTH) == "columns"


def test_too_small_an_area_is_not_judged():
    film = ndimage.gaussian_filter(np.random.default_rng(2).normal(0, 1, (64, 64)), WIDTH)
    assert pattern(film, WIDTH) == "columns"


def test_no_column_is_found_in_magnified_noise_and_the_reason_is_said():
    noise = ndimage.zoom(np.random.default_rng(5).normal(10, 1, (96, 96)), 4, order=3)
    found = find_columns(Micrograph(noise), load(resources.weights()))
    assert len(found.columns) == 0
    assert not found.confident
    assert "random texture" in found.reasons[0]
