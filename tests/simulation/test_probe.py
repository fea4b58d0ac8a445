"""The probe: wavelength, transfer function, width."""

import math

import numpy as np
import pytest
from few_columns import fitted, scene_of
from hypothesis import given, settings
from hypothesis import strategies as st

from stemnet import StemnetError
from stemnet.simulation import probe as probes_module
from stemnet.simulation.probe import FWHM, TABLE, Probe, core_width, marginal, transfer, wavelength
from stemnet.simulation.probe import aberration as lengths
from stemnet.simulation.rendering import expected

probes = st.builds(
    Probe,
    voltage=st.sampled_from([60.0, 80.0, 100.0, 200.0, 300.0]),
    semi_angle=st.floats(15, 40),
    defocus=st.floats(-100, 100),
    astigmatism=st.floats(0, 60),
    astigmatism_angle=st.floats(0, np.pi),
    coma=st.floats(0, 1500),
    coma_angle=st.floats(0, 2 * np.pi),
    cs=st.floats(-1e5, 1e5),
)


@pytest.mark.parametrize(("voltage", "picometers"), [(60, 4.87), (100, 3.70), (200, 2.51), (300, 1.97)])
def test_wavelengths_are_the_tabulated_ones(voltage, picometers):
    assert 100 * wavelength(voltage) == pytest.approx(picometers, abs=0.005)


@settings(deadline=None, max_examples=30)
@given(probes)
def test_the_transfer_function_is_one_at_rest_and_nowhere_more(probe):
    table, limit = transfer(probe)
    size = len(table) - 1
    assert table.shape == (size + 1, size + 1)
    assert size % TABLE == 0
    assert table[size // 2, size // 2] == pytest.approx(1)
    assert np.abs(table).max() <= 1 + 1e-5
    # A real image: opposite frequencies are conjugate.
    np.testing.assert_allclose(table[1:-1, 1:-1], np.conj(table[1:-1, 1:-1][::-1, ::-1]), atol=1e-5)
    # Nothing passes beyond twice the aperture.
    k = np.linspace(-limit, limit, size + 1)
    assert limit == pytest.approx(2 * probe.semi_angle * 1e-3 / wavelength(probe.voltage))
    assert np.abs(table[np.hypot(k[:, None], k[None, :]) > 1.07 * limit]).max() < 1e-5


@settings(deadline=None, max_examples=30)
@given(probes)
def test_aberrations_only_weaken_the_transfer(probe):
    size = len(transfer(probe)[0]) - 1
    with pytest.MonkeyPatch.context() as patch:
        # On a table as large as the aberrated probe's.
        patch.setattr(probes_module, "_table_size", lambda probe: size)
        clean = transfer.__wrapped__(Probe(probe.voltage, probe.semi_angle))[0]
    assert np.all(np.abs(transfer(probe)[0]) <= np.abs(clean) + 1e-5)


@settings(deadline=None, max_examples=2)
@given(st.floats(10, 60), st.floats(60, 150))
def test_a_focal_spread_is_an_average_of_intensities_over_focus(defocus, spread):
    probe = Probe(80, 30, defocus=defocus, defocus_spread=spread)
    size = len(transfer(probe)[0]) - 1
    focus = np.linspace(-4, 4, 81)
    sharp = [transfer(Probe(80, 30, defocus=defocus + spread * z))[0] for z in focus]
    # Smaller tables of probes near focus are read at the points of the larger one.
    place = np.linspace(-1, 1, size + 1)
    lines = [np.interp(place, np.linspace(-1, 1, len(t)), t[len(t) // 2].real) for t in sharp]
    weight = np.exp(-(focus**2) / 2)
    np.testing.assert_allclose(transfer(probe)[0][size // 2].real, weight @ lines / weight.sum(), atol=0.04)


@pytest.mark.parametrize(
    ("aberration", "fold"), [("astigmatism", 2), ("coma", 1), ("threefold", 3), ("star", 2), ("fourfold", 4)]
)
def test_an_aberration_has_the_symmetry_of_its_name(aberration, fold):
    theta = 0.02
    phi = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    probe = Probe(200, 25, **{aberration: 100.0, f"{aberration}_angle": 0.4})
    length = lengths(probe, theta * np.sin(phi), theta * np.cos(phi))
    strongest = np.argmax(np.abs(np.fft.rfft(length))[1:]) + 1
    assert strongest == fold
    assert phi[np.argmax(length)] % (2 * np.pi / fold) == pytest.approx(0.4 % (2 * np.pi / fold), abs=0.03)


def test_spherical_aberrations_grow_with_the_fourth_and_sixth_power():
    for name, power in (("cs", 4), ("c5", 6)):
        one, two = (
            lengths(Probe(200, 25, **{name: 1e5}), np.array([t]), np.zeros(1))[0] for t in (0.01, 0.02)
        )
        assert two / one == pytest.approx(2**power)


def test_the_marginal_is_the_light_of_the_rows():
    probe = Probe(200, 25, defocus=20, source_size=0.8)
    scene = scene_of([[40.0, 40.0]], (80, 80), probe=probe, sampling=0.1)
    rows = expected([scene])[0].numpy().astype(float).sum(1)
    distance, light = scene.profile
    seen = np.interp(np.abs(np.arange(80) - 40.0), distance, light, right=0.0)
    # The faint tails of the probe, below a ten-thousandth on the way down, are cut off.
    np.testing.assert_allclose(rows / rows.max(), seen, atol=6e-3)


def test_an_ideal_probe_has_the_transfer_function_of_a_round_aperture():
    table, _ = transfer(Probe(200, 25))
    share = np.abs(np.linspace(-1, 1, TABLE + 1))
    wanted = 2 / np.pi * (np.arccos(share) - share * np.sqrt(1 - share**2))
    np.testing.assert_allclose(table[TABLE // 2].real, wanted, atol=0.02)
    np.testing.assert_allclose(table[:, TABLE // 2].real, wanted, atol=0.02)


@pytest.mark.parametrize(("voltage", "semi_angle"), [(60, 34), (100, 30), (200, 25), (300, 22)])
@pytest.mark.parametrize("coma", [300.0, 1500.0])
@pytest.mark.parametrize("angle", [0.3, 2.0])
def test_coma_leaves_the_center_in_place(voltage, semi_angle, coma, angle):
    scene = scene_of(
        [[31.3, 32.4]], probe=Probe(voltage, semi_angle, coma=coma, coma_angle=angle), sampling=0.1
    )
    found = fitted(expected([scene])[0].numpy(), (31.3, 32.4), scene.width)
    assert np.abs(found[:2] - [31.3, 32.4]).max() < 0.03 * scene.width


@pytest.mark.parametrize("source", [0.5, 1.0, 1.5])
def test_source_and_smearing_widen_in_quadrature(source):
    def sigma(size, smearing):
        scene = scene_of(
            [[40.0, 40.0]], (80, 80), probe=Probe(200, 25, source_size=size), sampling=0.12, smearing=smearing
        )
        return 0.12 * fitted(expected([scene])[0].numpy(), (40, 40), 1.2 * scene.width)[2]

    added = source / FWHM
    assert sigma(source, 0.08) == pytest.approx(np.hypot(sigma(0.0, 0.08), added), rel=0.04)
    assert sigma(0.0, added) == pytest.approx(sigma(source, 0.0), rel=1e-3)


def test_the_width_is_that_of_a_gaussian_when_the_source_decides():
    probe = Probe(300, 60, source_size=1.5)
    assert core_width(*transfer(probe), probe.source_size, 0.0) == pytest.approx(1.5 / FWHM, rel=0.05)


@pytest.mark.parametrize("source", [4.0, 12.0])
def test_a_wide_source_decides_width_and_profile(source):
    """Wider than the field of the smallest table."""
    probe, sigma = Probe(200, 25, source_size=source), source / FWHM
    table, limit = transfer(probe)
    width = core_width(table, limit, source, 0.0)
    assert width == pytest.approx(np.hypot(sigma, core_width(table, limit, 0.0, 0.0)), rel=0.05)
    distance, light = marginal(table, limit, sigma, width)
    assert distance[-1] > 4 * sigma
    np.testing.assert_allclose(light, np.exp(-((distance / width) ** 2) / 2), atol=0.02)


@pytest.mark.parametrize(
    "wrong",
    [
        {"voltage": 0.0},
        {"semi_angle": 0.0},
        {"semi_angle": 300.0},
        {"source_size": -1.0},
        {"defocus": 1e4},
        {"cs": 1e7},
        {"source_size": 500.0},
        {"defocus": math.nan},
        {"defocus": "much"},
        {"coma_angle": math.inf},
    ],
)
def test_an_impossible_probe_is_refused(wrong):
    with pytest.raises(StemnetError, match="give"):
        Probe(**wrong)
