"""The numbers that the multislice benchmark reads from images, on images whose numbers are known."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stemnet.simulation.crystal import scattering
from stemnet.simulation.depth import brightness

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from multislice_analysis import (
    decay_fit,
    fit_columns,
    fitted_exponent,
    implied_exponent,
    likeness,
    peak_place,
    periodic_image,
    scaled_to,
)
from multislice_specimens import annulus, representatives, signals, silicon, single_atom

ABTEM = importlib.util.find_spec("abtem") is not None


def gaussians(yx: np.ndarray, volumes: np.ndarray, widths: np.ndarray, n: int, sampling: float) -> np.ndarray:
    grid = np.arange(n) * sampling
    y, x = np.meshgrid(grid, grid, indexing="ij")
    far2 = (y[..., None] - yx[:, 0]) ** 2 + (x[..., None] - yx[:, 1]) ** 2
    return (volumes / (2 * np.pi * widths**2) * np.exp(-far2 / (2 * widths**2))).sum(-1)


@settings(max_examples=15)
@given(st.integers(0, 3), st.integers(0, 3), st.floats(0, 6.28), st.floats(0, 0.5))
def test_a_wave_is_interpolated_exactly_and_blurred_by_its_own_factor(p, q, phase, sigma):
    cell = (4.0, 5.0)

    def wave(y, x):
        return np.cos(2 * np.pi * (p * y / cell[0] + q * x / cell[1]) + phase)

    y, x = np.meshgrid(np.arange(8) * cell[0] / 8, np.arange(10) * cell[1] / 10, indexing="ij")
    where_y, where_x = np.array([0.1, 2.7, 9.3]), np.array([-1.2, 3.33])
    seen = periodic_image(wave(y, x), cell, where_y, where_x, sigma)
    factor = np.exp(-2 * (np.pi * sigma) ** 2 * ((p / cell[0]) ** 2 + (q / cell[1]) ** 2))
    assert np.allclose(seen, factor * wave(where_y[:, None], where_x[None, :]), atol=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.5, 4), st.floats(0.3, 0.6), st.floats(0.3, 0.6), st.floats(0, 0.5))
def test_volumes_widths_and_background_are_found(ratio, first, second, background):
    grid = np.arange(-4, 10.1, 2.0)
    yx = np.stack(np.meshgrid(grid, grid, indexing="ij"), -1).reshape(-1, 2)
    kind = (np.abs(yx.sum(1) / 2) % 2).astype(int)
    volumes, widths = np.array([ratio, 1.0])[kind], np.array([first, second])[kind]
    image = gaussians(yx, volumes, widths, 60, 0.1) + background
    fit = fit_columns(image, 0.1, yx, kind, (0, 1))
    assert np.allclose(fit.volume, [ratio, 1.0], rtol=1e-4)
    assert np.allclose(fit.width, [first, second], rtol=1e-4)
    assert fit.background == pytest.approx(background, abs=1e-4)


@given(st.floats(0.5, 3.0))
def test_the_exponent_that_made_a_ratio_is_found(n):
    one, other = scattering(["Sr", "TiO"], n)
    assert implied_exponent(one / other, "Sr", "TiO") == pytest.approx(n, abs=1e-6)


def test_a_ratio_that_no_exponent_makes_is_not_a_number():
    assert np.isnan(implied_exponent(-1.0, "Sr", "TiO"))
    assert np.isnan(implied_exponent(1e6, "Sr", "TiO"))


def test_the_slope_of_a_power_law_is_its_exponent():
    z = np.array([6.0, 14.0, 42.0, 74.0])
    assert fitted_exponent(z, 3e-4 * z**1.73) == pytest.approx(1.73)


def test_scale_and_offset_are_found_and_do_not_change_the_likeness():
    image = np.random.default_rng(0).normal(size=(20, 20))
    factor, offset, left = scaled_to(image, 2.5 * image + 0.3)
    assert (factor, offset) == pytest.approx((2.5, 0.3))
    assert left < 1e-12
    assert likeness(image, 2.5 * image + 0.3) == pytest.approx(1.0)


@settings(max_examples=15)
@given(st.floats(-0.8, 0.8), st.floats(0, 2))
def test_a_peak_is_found_where_it_is(shift, background):
    x = np.arange(-3, 6, 0.02)
    profile = np.exp(-((x - 1.5 - shift) ** 2) / (2 * 0.45**2)) + background
    assert peak_place(profile, x, 1.5) == pytest.approx(1.5 + shift, abs=1e-4)


@settings(max_examples=15)
@given(st.floats(1e-3, 0.05), st.floats(1e-5, 1.0))
def test_the_decay_with_depth_is_found(mu, slope):
    thickness = np.linspace(20, 400, 20)
    found = decay_fit(thickness, slope * brightness(mu, thickness))
    assert found[:2] == pytest.approx((slope, mu), rel=1e-3)
    assert found[2] < 1e-3


def test_an_eighth_of_a_square_cell_stands_for_all_of_it():
    label = representatives((14, 14), ("mirror y", "mirror x", "swap"))
    assert len(np.unique(label)) == 8 * 9 // 2
    y, x = np.unravel_index(label, (14, 14))
    assert np.array_equal(label, label[y, x])
    assert np.array_equal(label, label.T)
    assert np.array_equal(label[1:], label[1:][::-1])


def test_symmetries_of_a_cell_map_its_columns_onto_each_other():
    what = silicon((1,))
    label = representatives(what.beams, what.symmetries)
    at = {label[round(y * what.beams[0]), round(x * what.beams[1])] for _, y, x, _ in what.atoms}
    assert len(at) == 1


@pytest.mark.skipif(not ABTEM, reason="abTEM is not installed: pip install 'stemnet[abtem]'")
def test_an_atom_scatters_most_where_the_beam_hits_it_and_is_computed_once(tmp_path):
    atom = replace(single_atom("Mo", 200.0), beams=(6, 6), pixels=(180, 180), cell=(8.0, 8.0, 2.0))
    share, cpu = signals(atom, 0, tmp_path)
    assert share.sum(-1) == pytest.approx(1.0, abs=0.01)
    high = annulus(share, 60, 150)[0]
    assert np.unravel_index(high.argmax(), high.shape) == (3, 3)
    assert high[3, 3] > 20 * high[0, 0]
    again, before = signals(atom, 0, tmp_path)
    assert np.array_equal(again, share)
    assert before == cpu
