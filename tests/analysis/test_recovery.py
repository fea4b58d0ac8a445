"""Probes, information and angles, on latents whose answers are known."""

import numpy as np
import pytest

from stemnet.analysis.recovery import (
    angle_errors,
    linear_probe,
    mutual_information,
    neighbor_probe,
    subspace_angle,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_probes_see_what_is_there_linear_or_not(rng):
    latent, other = rng.uniform(-1, 1, (2, 600, 2))
    linear = (latent @ [1.0, -2.0], other @ [1.0, -2.0])
    bent = (latent[:, 0] ** 2, other[:, 0] ** 2)
    assert linear_probe(latent, linear[0], other, linear[1]) == pytest.approx(1.0)
    assert neighbor_probe(latent, linear[0], other, linear[1]) > 0.97
    assert abs(linear_probe(latent, bent[0], other, bent[1])) < 0.05
    assert neighbor_probe(latent, bent[0], other, bent[1]) > 0.9
    assert neighbor_probe(latent, rng.normal(size=600), other, rng.normal(size=600)) < 0.05
    assert np.isnan(linear_probe(latent, np.ones(600), other, np.ones(600)))


def test_the_neighbor_probe_does_not_mind_scales(rng):
    latent, other = rng.normal(size=(2, 500, 2))
    scale = np.array([1.0, 1e4])
    plain = neighbor_probe(latent, latent[:, 0], other, other[:, 0])
    assert neighbor_probe(latent * scale, latent[:, 0], other * scale, other[:, 0]) == pytest.approx(plain)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_information_of_gaussians_is_that_of_their_correlation(rng, rho):
    x, y = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], 3000).T
    exact = -0.5 * np.log(1 - rho**2)
    found = mutual_information(x[:, None], y)
    print(rho, found, exact)
    assert found == pytest.approx(exact, abs=0.04)


def test_information_of_two_latents_adds_up(rng):
    latent = rng.normal(size=(3000, 2))
    noise = 0.5
    values = latent.sum(axis=1) + noise * rng.normal(size=3000)
    exact = 0.5 * np.log((2 + noise**2) / noise**2)
    assert mutual_information(latent, values) == pytest.approx(exact, rel=0.1)
    assert np.isnan(mutual_information(latent[:3], values[:3]))


def test_subspace_angle_is_that_of_the_directions(rng):
    modes = np.linalg.qr(rng.normal(size=(8, 3)))[0].T
    amplitude = rng.normal(size=(2000, 2))
    rows = amplitude @ modes[:2]
    assert subspace_angle(rows, amplitude @ [[1.0, 1.0], [0.0, 2.0]], amplitude) == pytest.approx(0, abs=1e-5)
    assert subspace_angle(rows, amplitude[:, :1], amplitude[:, :1]) == pytest.approx(0, abs=1e-5)
    third = rng.normal(size=2000)
    rows = rows + third[:, None] * modes[2]
    assert subspace_angle(rows, np.column_stack([amplitude[:, 0], third]), amplitude) > 85
    assert np.isnan(subspace_angle(rows, amplitude[:, :1], amplitude))


def test_angles_count_modulo_the_symmetry_and_without_what_each_kind_has_in_common(rng):
    planted = rng.uniform(-np.pi, np.pi, 300)
    fold, kind = np.repeat([4, 1, 3], 100), np.repeat([0, 1, 2], 100)
    own = np.array([0.3, -2.0, 1.0])[kind] + 2 * np.pi / fold * rng.integers(0, 4, 300)
    off = 0.02 * rng.normal(size=300)
    found = angle_errors(planted + own + off, planted, fold, kind)
    np.testing.assert_allclose(found.std(), off.std(), rtol=0.03)
    assert np.abs(angle_errors(planted + own + off, planted)).max() > 0.5
