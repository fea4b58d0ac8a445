"""Chemical strain follows Vegard on average, and elasticity everywhere else."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stemnet import StemnetError
from stemnet.simulation.crystal import perovskite
from stemnet.simulation.deformation import STRAIN_FIELDS, gradient
from stemnet.simulation.distortions.chemical import (
    chemical_displacement,
    chemical_interface,
    chemically_strained,
    relaxed_eigenstrain,
)
from stemnet.simulation.distortions.elastic import Inclusion, inclusion_strain
from stemnet.simulation.growth import grow
from stemnet.simulation.quantities.fields import Constant, Disc, Step, WaveSum, random_quantity

CRYSTAL = grow(perovskite(), (100.0, 100.0))


def derivative(values, axis, spacing):
    """Of periodic values (H, W), exact for their Fourier series."""
    k = 2j * np.pi * np.fft.fftfreq(values.shape[axis], spacing)
    k[values.shape[axis] // 2] = 0
    shape = [1, 1]
    shape[axis] = -1
    return np.fft.ifft(k.reshape(shape) * np.fft.fft(values, axis=axis), axis=axis).real


@pytest.mark.parametrize("poisson", [0.0, 0.3, 0.45])
def test_the_answer_to_an_eigenstrain_is_in_equilibrium(poisson):
    rng = np.random.default_rng(2)
    yx = np.stack(np.meshgrid(np.arange(48) * 2.0, np.arange(60) * 2.0, indexing="ij"), -1)
    turns = 2 * np.pi * yx / np.array([96.0, 120.0])
    c = sum(
        a * np.cos(turns[..., 0] * m + turns[..., 1] * n + p)
        for a, m, n, p in rng.normal(size=(6, 4)) * [0.01, 0, 0, 1]
        + np.c_[np.zeros(6), rng.integers(0, 5, (6, 2)), np.zeros(6)]
    )
    tensor = np.array([[1.0, 0.2], [0.2, 0.4]])
    own = (c - c.mean())[..., None, None] * tensor
    u = relaxed_eigenstrain(own, 2.0, poisson)
    grad = np.stack([np.stack([derivative(u[..., i], j, 2.0) for j in (0, 1)], -1) for i in (0, 1)], -2)
    elastic = (grad + grad.swapaxes(-1, -2)) / 2 - own
    lame = 2 * poisson / (1 - poisson)
    stress = 2 * elastic + lame * np.trace(elastic, axis1=2, axis2=3)[..., None, None] * np.eye(2)
    force = [sum(derivative(stress[..., i, j], j, 2.0) for j in (0, 1)) for i in (0, 1)]
    scale = np.abs(derivative(own[..., 0, 0], 0, 2.0)).max()
    np.testing.assert_allclose(force, 0, atol=1e-9 * scale)
    assert np.abs(u).max() > 1e-3
    np.testing.assert_allclose(u.mean((0, 1)), 0, atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.0, 0.45), st.floats(-0.05, 0.05))
def test_waves_of_composition_expand_across_and_are_held_along(poisson, expansion):
    """One dimension: the strain across is (1 + poisson) times the stress-free one, that along is the mean."""
    c = WaveSum(0.5, ((0.0, 2 * np.pi / 50),), (0.3,), (0.0,))
    by = chemical_displacement(c, (0.0, 0.0), (100.0, 100.0), expansion, 0.5, poisson=poisson, spacing=1.0)
    places = np.random.default_rng(0).uniform(15, 85, (200, 2))
    x = places[:, 1] * 2 * np.pi / 50
    wanted = (1 + poisson) * expansion * 0.3 * np.sin(x) * 50 / (2 * np.pi)
    moved = by(places) - by(np.array([[50.0, 50.0]]))
    np.testing.assert_allclose(moved[:, 1], wanted, atol=2e-4 * abs(expansion) * 50 + 1e-9)
    np.testing.assert_allclose(moved[:, 0], 0, atol=2e-4 * abs(expansion) * 50 + 1e-9)


def test_a_uniform_composition_follows_vegard():
    for free, wanted in ((True, 0.04 * 0.3), (False, 0.0)):
        after = chemically_strained(CRYSTAL, Constant(0.8), 0.04, 0.5, free=free)
        np.testing.assert_allclose(after.planted["strain_yy"], wanted, atol=1e-9)
        np.testing.assert_allclose(after.planted["strain_xx"], wanted, atol=1e-9)
        np.testing.assert_allclose(after.planted["composition"], 0.8)


@pytest.mark.parametrize("expansion", [0.05, ((0.05, 0.0), (0.0, -0.01))])
def test_the_mean_strain_follows_vegard(expansion):
    """Over the box the mean of the strain is the mean of the stress-free strain."""
    c = random_quantity(0.4, 0.15, 15.0, np.random.default_rng(4), low=0.0, high=1.0)
    by = chemical_displacement(c, (0.0, 0.0), (100.0, 100.0), expansion, 0.2, spacing=1.0)
    edge = np.stack(np.meshgrid(np.arange(101.0), np.arange(101.0), indexing="ij"), -1)
    mean = (c(edge.reshape(-1, 2)).reshape(101, 101)[1:, 1:] - 0.2).mean()
    u = by(edge.reshape(-1, 2)).reshape(101, 101, 2)
    tensor = np.array(expansion) if isinstance(expansion, tuple) else expansion * np.eye(2)
    np.testing.assert_allclose((u[-1] - u[0]).mean(0)[0] / 100, tensor[0, 0] * mean, atol=1e-3 * 0.5)
    np.testing.assert_allclose((u[:, -1] - u[:, 0]).mean(0)[1] / 100, tensor[1, 1] * mean, atol=1e-3 * 0.5)


def test_a_disc_of_other_composition_is_an_inclusion():
    poisson, radius, middle = 0.3, 25.0, (200.0, 200.0)
    c = Disc(1.0, 0.0, middle, radius, 0.8)
    by = chemical_displacement(
        c, (0.0, 0.0), (400.0, 400.0), 0.02, 0.0, poisson=poisson, spacing=1.0, free=False
    )
    closed = Inclusion(middle, radius, inclusion_strain(0.02, poisson))
    phi = np.linspace(0, 6, 25)
    for away in (8.0, 15.0, 40.0, 60.0):
        places = np.array(middle) + away * np.stack([np.sin(phi), np.cos(phi)], 1)
        # The box is held at its edge: its images press back by the disc's share of the area.
        allowed = 0.02 * (radius / 200) ** 2 * away * 1.5 + 2e-3
        np.testing.assert_allclose(by(places), closed(places), atol=allowed)


@given(st.floats(-np.pi, np.pi), st.floats(3.0, 10.0))
@settings(max_examples=15, deadline=None)
def test_an_interface_expands_along_its_normal_alone(angle, width):
    normal = (float(np.sin(angle)), float(np.cos(angle)))
    c = Step(0.0, 1.0, normal, (50.0, 50.0), width)
    after = chemical_interface(CRYSTAL, c, 0.03, poisson=0.25)
    f = gradient(after.flow, CRYSTAL.yx)
    n, t = np.array(normal), np.array([normal[1], -normal[0]])
    np.testing.assert_allclose(f @ t, np.tile(t, (len(f), 1)), atol=1e-8)
    np.testing.assert_allclose((f @ n) @ n - 1, 1.25 * 0.03 * after.planted["composition"], atol=1e-8)


def test_solved_and_closed_interfaces_agree():
    c = Step(0.2, 0.8, (0.0, 1.0), (0.0, 50.0), 6.0)
    closed = chemical_interface(CRYSTAL, c, 0.04, poisson=0.3)
    solved = chemically_strained(CRYSTAL, c, 0.04, 0.2, poisson=0.3, spacing=1.0, margin=40.0, free=False)
    mid = np.abs(CRYSTAL.yx[:, 1] - 50) < 40
    one, other = closed.planted["strain_xx"][mid], solved.planted["strain_xx"][mid]
    # Held as a whole, the solved one differs by a constant.
    np.testing.assert_allclose(one - one.mean(), other - other.mean(), atol=5e-4)
    np.testing.assert_allclose(solved.planted["strain_yy"][mid], 0, atol=5e-4)


def test_what_is_planted_is_what_the_fields_say_and_travels():
    c = random_quantity(0.5, 0.2, 12.0, np.random.default_rng(0), low=0.0, high=1.0)
    after = chemically_strained(CRYSTAL, c, 0.05, 0.5)
    assert 0 <= after.planted["composition"].min() < after.planted["composition"].max() <= 1
    sent = pickle.loads(pickle.dumps(after))
    for name in ("composition", *STRAIN_FIELDS):
        np.testing.assert_allclose(after.planted[name], after.field_at(name, after.yx), atol=1e-7)
        np.testing.assert_array_equal(sent.field_at(name, after.yx), after.field_at(name, after.yx))
    np.testing.assert_allclose(after.origin_of(after.yx), CRYSTAL.yx, atol=1e-8)
    same = chemically_strained(CRYSTAL, c, 0.0, 0.5)
    np.testing.assert_allclose(same.yx, CRYSTAL.yx, atol=1e-12)
    # Richer places are larger.
    area = after.planted["strain_yy"] + after.planted["strain_xx"]
    assert np.corrcoef(area, after.planted["composition"])[0, 1] > 0.9


def test_random_quantities_have_their_mean_rms_and_correlation_length():
    rng = np.random.default_rng(3)
    quantity = random_quantity(0.3, 0.1, 20.0, rng, waves=400)
    here = rng.uniform(0, 4000, (5000, 2))
    values = quantity(here)
    assert values.mean() == pytest.approx(0.3, abs=0.02)
    assert values.std() == pytest.approx(0.1, rel=0.1)
    for r in (10.0, 20.0, 30.0):
        shared = np.corrcoef(values, quantity(here + np.array([0.0, r])))[0, 1]
        assert shared == pytest.approx(np.exp(-(r**2) / 800), abs=0.08)


def test_nonsense_is_refused():
    with pytest.raises(StemnetError, match="Poisson"):
        chemically_strained(CRYSTAL, Constant(0.5), 0.05, 0.5, poisson=1.0)
    with pytest.raises(StemnetError, match="grid"):
        chemically_strained(CRYSTAL, Constant(0.5), 0.05, 0.5, spacing=0.02)
