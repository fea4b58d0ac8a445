"""What every world says of itself, held against its image and its maps."""

import numpy as np
import pytest
from drawn_worlds import ALL, SEEDS, SHAPE, WORLDS, scene, world
from scipy.ndimage import gaussian_filter, map_coordinates, maximum_filter, minimum_filter

from stemnet.simulation.rendering import expected, render
from stemnet.simulation.worlds.meanings import MEANINGS


@ALL
def test_a_world_is_a_function_of_its_seed(name):
    one, same = (WORLDS[name](np.random.default_rng(7), shape=(160, 160)) for _ in range(2))
    other = WORLDS[name](np.random.default_rng(8), shape=(160, 160))
    np.testing.assert_array_equal(one.specimen.yx, same.specimen.yx)
    assert one.specimen.yx.shape != other.specimen.yx.shape or not np.allclose(
        one.specimen.yx, other.specimen.yx
    )
    a, b = (w.simulation(3) for w in (one, same))
    np.testing.assert_array_equal(a.micrograph.image, b.micrograph.image)
    assert a.fields.keys() == one.specimen.fields.keys()
    assert a.vacancies.shape == (160, 160)


@ALL
def test_every_planted_name_has_a_meaning(name):
    specimen = world(name).specimen
    assert {*specimen.planted, *specimen.fields} <= set(MEANINGS)
    for key in {*specimen.planted, *specimen.fields}:
        ending = key.rsplit("_", 1)[-1]
        assert MEANINGS[key][0] == {"A": "A", "rad": "rad", "A2": "A^2"}.get(ending, MEANINGS[key][0])


@ALL
@SEEDS
def test_the_field_at_a_columns_pixel_is_the_columns_value(name, seed):
    made, staged = world(name, seed), scene(name, seed)
    columns = staged.columns()
    maps = staged.field_maps(4)
    rows = np.rint(columns.yx / 4).astype(int).clip(0, np.array(SHAPE) // 4 - 1)
    assert maps.keys() == made.specimen.fields.keys()
    for key, field in maps.items():
        mapped, planted = field[rows[:, 0], rows[:, 1]], columns[key].astype(float)
        # A map is read up to 2 pixels away and where the column is, a value was planted at its site: they may differ
        # as far as the field varies within 4 pixels.
        play = (maximum_filter(field, 3) - minimum_filter(field, 3))[rows[:, 0], rows[:, 1]]
        away = np.all((columns.yx > 5) & (columns.yx < np.array(SHAPE) - 6), axis=1)
        scale = np.nanmax(np.abs(planted)) + 1e-9
        good = np.abs(mapped - planted) <= play + 1e-3 * scale
        if (
            key in ("strain_yy", "strain_xx", "strain_yx", "rotation_rad", "core_distance_A")
            and name == "dislocations"
        ):
            away &= columns["core_distance_A"] > 6
        assert np.mean(good[away]) > 0.99, key


@ALL
@SEEDS
def test_columns_sit_on_summits(name, seed):
    """Moving the truth by a fraction of a pixel takes it off the summits, or the hollows of an inverted image."""
    made = world(name, seed)
    example = made.simulation(seed)
    columns = example.columns.select(example.columns["signal_to_noise"] > 5)
    yx = columns.yx[np.all((columns.yx > 4) & (columns.yx < np.array(SHAPE) - 5), axis=1)]
    image = gaussian_filter(example.micrograph.image.astype(float), 2) * (-1 if name.endswith("abf") else 1)
    steps = np.linspace(-2, 2, 9)
    for axis in (0, 1):
        profile = [map_coordinates(image, (yx + s * np.eye(2)[axis]).T, order=1).mean() for s in steps]
        _, slope, bend = np.polynomial.Polynomial.fit(steps, profile, 2).convert().coef
        assert bend < 0
        assert abs(slope / (2 * bend)) < 0.15


# The expected image knows neither a support nor an inversion.
COUNTED = sorted(set(WORLDS) - {"sparse_on_carbon", "au_nanoparticle", "srtio3_tilt_strain_abf"})


@pytest.mark.parametrize("name", COUNTED)
def test_pixels_are_counts_of_electrons(name):
    """About what is expected in each, with the variance of Poisson's law: its mean."""
    staged = scene(name)
    image, mean = (make([staged])[0].numpy().astype(float) for make in (render, expected))
    np.testing.assert_array_equal(image, np.rint(image))
    assert image.min() >= 0
    score = (image - mean) / np.sqrt(mean.clip(1e-3))
    chosen = mean > 1
    assert chosen.mean() > 0.1
    # Lines flicker where the microscope says so; that is noise on top.
    assert np.std(score[chosen]) == pytest.approx(1, abs=0.06)
    assert abs(np.mean(score[chosen])) < 0.03


# --- MoS2-ReS2 --------------------------------------------------------------------------------------------------
