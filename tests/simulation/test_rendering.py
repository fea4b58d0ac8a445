"""Laws of the image: how many electrons, where, and with what noise."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from few_columns import ROUND, fitted, scene_of, specimen_of
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.interpolate import RegularGridInterpolator

from stemnet.simulation.artefacts.afterglow import Afterglow
from stemnet.simulation.artefacts.drift import Drift, Wander
from stemnet.simulation.artefacts.flicker import Flicker
from stemnet.simulation.artefacts.flyback import Flyback
from stemnet.simulation.artefacts.hum import Hum
from stemnet.simulation.artefacts.jitter import LineJitter
from stemnet.simulation.artefacts.readout import ReadNoise
from stemnet.simulation.artefacts.support import Support
from stemnet.simulation.crystal import ATOMIC_NUMBERS, perovskite
from stemnet.simulation.growth import grow
from stemnet.simulation.microscope import REFERENCE_CROSS_SECTION, Microscope
from stemnet.simulation.probe import Probe, aberration, wavelength
from stemnet.simulation.rendering import _grid_of, expected, render
from stemnet.simulation.scene import stage
from stemnet.simulation.specimen import rotation

PEAK_SHARE = 1e-4


def mean_image(*scenes) -> np.ndarray:
    images = expected(scenes).numpy().astype(float)
    return images[0] if len(scenes) == 1 else images


def test_whole_cells_receive_the_dose_times_the_cross_sections():
    """1024 px of 0.125 A hold 32 x 32 cells of 4 A, whatever the origin: what leaves at one edge enters at the other.

    All but the faint rings of columns more than five widths outside, which are left out, and of which a larger
    frame misses less.
    """
    microscope = Microscope(ROUND, sampling=0.125, dose=2e4, exponent=1.7, background=0.0)
    specimen = grow(perovskite(4.0), (128.0, 128.0), origin=(0.3, 0.7))
    image = mean_image(stage(specimen, microscope, (1024, 1024), np.random.default_rng(0)))
    z = ATOMIC_NUMBERS
    of_a_cell = z["Sr"] ** 1.7 + z["Ti"] ** 1.7 + 3 * z["O"] ** 1.7
    wanted = 1024 * 2e4 * REFERENCE_CROSS_SECTION * of_a_cell / 42**1.7
    assert image.sum() == pytest.approx(wanted, rel=2e-3)


@pytest.mark.parametrize("exponent", [1.5, 2.0])
def test_a_column_scatters_as_its_atomic_number_to_the_exponent(exponent):
    totals = []
    for name in ("Mo", "S2", "W"):
        specimen = replace(specimen_of([[32, 32]]), species=np.array([name]))
        microscope = Microscope(ROUND, 0.15, dose=1e4, exponent=exponent, background=0.0)
        totals.append(mean_image(stage(specimen, microscope, (64, 64), np.random.default_rng(0))).sum())
    assert totals[1] / totals[0] == pytest.approx(2 * (16 / 42) ** exponent, rel=1e-4)
    assert totals[2] / totals[0] == pytest.approx((74 / 42) ** exponent, rel=1e-4)


def test_electrons_of_the_columns_inside_sum_to_the_image():
    """In a frame that holds the rings of an ideal probe too."""
    rng = np.random.default_rng(1)
    electrons = rng.uniform(100, 5000, 12)
    image = mean_image(scene_of(rng.uniform(94, 162, (12, 2)), (256, 256), electrons=electrons))
    assert image.sum() == pytest.approx(electrons.sum(), rel=5e-3)


def test_a_column_outside_sends_in_its_tail_only():
    inside = mean_image(scene_of([[32.0, 2.0]]))
    outside = mean_image(scene_of([[32.0, -2.0]]))
    np.testing.assert_allclose(outside[:, :40], inside[:, 4:44], atol=2e-3 * inside.max())


def test_the_background_is_a_share_of_the_brightest_peak():
    scene = scene_of(np.zeros((0, 2)), background=0.3)
    peak = 1e4 * REFERENCE_CROSS_SECTION / (2 * np.pi * scene.width**2)
    np.testing.assert_allclose(mean_image(scene), 0.3 * peak, rtol=1e-5)


def test_counts_have_the_variance_of_their_mean_and_read_noise_adds_its_own():
    scene = scene_of([[20, 30], [40.4, 33.3]], background=0.5)
    mean = mean_image(scene)
    for read_noise in (0.0, 3.0):
        drawn = [replace(scene, seed=seed, responses=(ReadNoise(read_noise),)) for seed in range(60)]
        images = render(drawn).numpy().astype(float)
        assert images.mean() == pytest.approx(mean.mean(), rel=0.01)
        assert images.var(axis=0, ddof=1).mean() == pytest.approx(mean.mean() + read_noise**2, rel=0.02)
        bright = mean > 0.5 * mean.max()
        shot = images[:, bright].var(axis=0, ddof=1).mean() - read_noise**2
        assert shot == pytest.approx(mean[bright].mean(), rel=0.15)


def test_counts_are_whole_numbers():
    image = render([scene_of([[20, 30]], background=0.5)])[0]
    assert torch.equal(image, image.round())
    assert image.min() >= 0


@settings(deadline=None, max_examples=15)
@given(st.integers(-12, 12), st.integers(-12, 12), st.floats(-0.5, 0.5))
def test_moving_the_specimen_by_whole_pixels_moves_the_image(down, right, part):
    yx = np.array([[30.2, 28.7], [33.9, 35.1 + part]])
    probe = Probe(100, 28, defocus=40, astigmatism=30, astigmatism_angle=0.4, coma=500, coma_angle=1.0)
    still = mean_image(scene_of(yx, probe=probe))
    moved = mean_image(scene_of(yx + np.array([down, right]), probe=probe))
    inner = slice(16, 48)
    np.testing.assert_allclose(
        moved[16 + down : 48 + down, 16 + right : 48 + right],
        still[inner, inner],
        atol=PEAK_SHARE * still.max(),
    )


@settings(deadline=None, max_examples=15)
@given(st.floats(31, 32), st.floats(31, 32), st.sampled_from([0.08, 0.15, 0.25]))
def test_a_column_appears_where_it_was_put(y, x, sampling):
    scene = scene_of([[y, x]], sampling=sampling)
    found = fitted(mean_image(scene), (y, x), scene.width)
    np.testing.assert_allclose(found[:2], [y, x], atol=1e-3)
    assert found[2] == pytest.approx(scene.width, rel=0.15)


def test_a_rotated_specimen_makes_the_rotated_image():
    rng = np.random.default_rng(3)
    yx, electrons = rng.uniform(-5, 69, (30, 2)), rng.uniform(100, 3000, 30)
    turned = np.stack([63 - yx[:, 1], yx[:, 0]], 1)
    one, other = (mean_image(scene_of(points, electrons=electrons)) for points in (yx, turned))
    np.testing.assert_allclose(other, np.rot90(one), atol=PEAK_SHARE * one.max())


@settings(deadline=None, max_examples=15)
@given(st.floats(0, 2 * np.pi), st.floats(-3, 3), st.floats(-3, 3))
def test_turning_and_moving_the_specimen_turns_and_moves_truth_and_image_alike(angle, down, right):
    steps = np.arange(-40.0, 41, 20)
    yx = np.stack(np.meshgrid(steps, steps, indexing="ij"), -1).reshape(-1, 2)
    turned = yx @ rotation(angle).T + np.array([63.5 + down, 63.5 + right])
    inside = np.all((turned > 12) & (turned < 115), axis=1)
    scene = scene_of(turned, (128, 128), electrons=np.linspace(500, 1500, len(yx)))
    image = mean_image(scene)
    found = np.array([fitted(image, place, scene.width)[:2] for place in turned[inside]])
    np.testing.assert_allclose(found, turned[inside], atol=0.02)
    np.testing.assert_allclose(scene.apparent, turned, atol=1e-9)


@settings(deadline=None, max_examples=15)
@given(st.floats(0.3, 1.2), st.floats(0.0, 0.2), st.floats(0, 80), st.sampled_from([60.0, 200.0]))
@example(0.3, 0.0, 40.0, 200.0)
@example(0.5, 0.0, 63.0, 60.0)
def test_blur_keeps_the_electrons(source, smearing, defocus, voltage):
    """In a frame of 48 A: half a percent of a probe of 60 kV lies beyond 38 A even in focus."""
    probe = Probe(voltage, 25, defocus=defocus, source_size=source)
    image = mean_image(scene_of([[159.6, 160.2]], (320, 320), probe=probe, smearing=smearing))
    assert image.sum() == pytest.approx(1000.0, rel=0.01)


def light_within(probe: Probe, half: float) -> float:
    """Share of a sharp source's probe in a square of sides 2 x half [A], by a transform eight times as wide as most."""
    lam, points = wavelength(probe.voltage), 512
    cutoff = probe.semi_angle * 1e-3 / lam
    pitch = 1 / (4 * cutoff)
    k = np.fft.fftfreq(points, pitch)
    ky, kx = k[:, None], k[None, :]
    chi = 2 * np.pi / lam * aberration(probe, lam * ky, lam * kx)
    chi += np.pi * lam * probe.defocus * (ky**2 + kx**2)
    wave = np.fft.ifft2((np.hypot(ky, kx) <= cutoff) * np.exp(-1j * chi))
    intensity = np.abs(wave) ** 2
    within = np.clip((half - np.abs(np.fft.fftfreq(points, 1 / points)) * pitch) / pitch + 0.5, 0, 1)
    return within @ intensity @ within / intensity.sum()


@settings(deadline=None, max_examples=10)
@given(
    st.builds(
        Probe,
        voltage=st.sampled_from([60.0, 80.0, 100.0, 200.0, 300.0]),
        semi_angle=st.floats(18, 36),
        defocus=st.floats(-80, 80),
        astigmatism=st.floats(0, 40),
        astigmatism_angle=st.floats(0, 3),
        cs=st.floats(-2e4, 2e4),
        source_size=st.floats(0.2, 1.2),
    ),
    st.floats(0.08, 0.3),
)
@example(Probe(200, 25, defocus=40, source_size=0.3), 0.15)
@example(Probe(300, 30, defocus=-60, astigmatism=40, source_size=0.2), 0.3)
def test_the_frame_holds_the_light_that_the_probe_sends_there(probe, sampling):
    image = mean_image(scene_of([[79.6, 79.7]], (160, 160), probe=probe, sampling=sampling, smearing=0.0))
    assert image.sum() == pytest.approx(1000 * light_within(probe, 80 * sampling), rel=0.01)


@settings(deadline=None, max_examples=15)
@given(st.floats(2e3, 2e5), st.floats(0.08, 0.2), st.floats(0.0, 0.5))
def test_mean_counts_are_dose_times_pixel_area_times_the_share_that_is_scattered(dose, sampling, background):
    """The share belongs to the specimen: neither dose nor sampling changes it."""
    field = 24.0
    size = round(field / sampling)
    settings = {"dose": dose, "background": 0.0}
    microscope = Microscope(Probe(200, 25, source_size=0.9), field / size, **settings)
    specimen = grow(perovskite(4.0), (field, field), origin=(0.25, 0.25))
    scene = stage(specimen, microscope, (size, size), np.random.default_rng(0))
    scene = replace(scene, knots=np.full((9, 9), background * dose * (field / size) ** 2 * 1e-3))
    z = ATOMIC_NUMBERS
    cell = (z["Sr"] ** 1.7 + z["Ti"] ** 1.7 + 3 * z["O"] ** 1.7) / 42**1.7 * REFERENCE_CROSS_SECTION
    share = cell / 16.0 + background * 1e-3
    counts = render([replace(scene, seed=seed) for seed in range(2)]).double()
    wanted = dose * (field / size) ** 2 * share
    noise = np.sqrt(wanted / counts.numel())
    assert counts.mean().item() == pytest.approx(wanted, rel=0.012, abs=5 * noise)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_expects_the_same_image():
    scene = scene_of(np.random.default_rng(1).uniform(0, 128, (100, 2)), (128, 128), artefacts=ASTRAY["all"])
    here, there = (expected([scene], device).cpu() for device in ("cpu", "cuda"))
    torch.testing.assert_close(here, there, rtol=0, atol=1e-5 * float(here.max()))


@pytest.mark.parametrize("angle", [0.0, 0.7, 2.9])
def test_aberrations_turn_with_their_angles(angle):
    """np.rot90 takes a direction (dy, dx) to (-dx, dy): its angle from x towards y falls by a right angle."""

    def image(turn):
        probe = Probe(
            200,
            25,
            defocus=60,
            astigmatism=60,
            astigmatism_angle=angle + turn,
            coma=800,
            coma_angle=angle + turn,
        )
        return mean_image(scene_of([[31.5, 31.5]], probe=probe))

    np.testing.assert_allclose(image(-np.pi / 2), np.rot90(image(0.0)), atol=0.01 * image(0.0).max())
    assert np.abs(image(np.pi / 4) - image(0.0)).max() > 0.05 * image(0.0).max()


ASTRAY = {
    "jitter": (LineJitter(0.01, 0.9),),
    "drift": (Drift(0.9, -1.2),),
    "wander": (Wander(0.05),),
    "flyback": (Flyback(0.4, 0.3),),
    "hum": (Hum(0.03, 0.06, 50.0, dwell=2.0, pause=10.0),),
    "afterglow": (Afterglow(0.1),),
    "all": (
        LineJitter(0.005, 0.5),
        Drift(-0.6, 0.9),
        Wander(0.02),
        Flyback(-0.3, 0.4),
        Hum(0.01, 0.04, dwell=2.0),
    ),
}


@pytest.mark.parametrize("artefacts", ASTRAY.values(), ids=ASTRAY)
def test_the_truth_moves_with_the_pixels(artefacts):
    steps = np.arange(20.0, 110, 22)
    yx = np.stack(np.meshgrid(steps, steps, indexing="ij"), -1).reshape(-1, 2)
    yx += np.random.default_rng(4).uniform(-0.5, 0.5, yx.shape)
    scene = scene_of(yx, (128, 128), seed=5, artefacts=artefacts)
    image = mean_image(scene)
    if scene.responses:
        response = scene.responses[0]
        parameters = {"share": torch.tensor(response.share)}
        image = response.apply(torch.tensor(image)[None], parameters, None)[0].numpy()
    found = np.array([fitted(image, place, scene.width)[:2] for place in scene.apparent])
    assert np.abs(found - scene.apparent).max() < 0.02
    assert np.abs(found - scene.yx).max() > 0.05


@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_the_truth_is_where_a_fit_finds_columns_under_strong_jitter(correlation):
    """Neighboring lines apart by a third of a pixel."""
    yx = np.array([[30.3, 40.6], [31.0, 88.2], [89.7, 41.9], [90.4, 90.0]])
    errors = (LineJitter(0.05, correlation), Drift(0.8, 0.4))
    scene = scene_of(yx, (128, 128), probe=Probe(200, 25, source_size=1.2), seed=6, artefacts=errors)
    image = mean_image(scene)
    found = np.array([fitted(image, place, scene.width)[:2] for place in scene.apparent])
    np.testing.assert_allclose(scene.apparent, found, atol=0.02)


def dense(scene) -> np.ndarray:
    """The image by summing every column's wave at every frequency, in float64, where the beam was.

    Up to two periods a pixel, whatever grid the scene is drawn on, and in a field of the same size.
    """
    grid = _grid_of(scene)
    rows, cols = (int(4 * side / grid.fine) for side in (grid.rows, grid.cols))
    ky, kx = np.fft.fftfreq(rows, 0.25), np.fft.fftfreq(cols, 0.25)
    axis = np.linspace(-scene.otf_limit, scene.otf_limit, len(scene.otf))
    table = RegularGridInterpolator((axis, axis), scene.otf.astype(complex), bounds_error=False, fill_value=0)
    k2 = ky[:, None] ** 2 + kx**2
    otf = table(np.stack(np.meshgrid(ky, kx, indexing="ij"), -1)) * np.exp(
        -2 * (np.pi * scene.blur) ** 2 * k2
    )
    otf = (1 - scene.tails) * otf + scene.tails * np.exp(-2 * np.pi * 2.2 * scene.width * np.sqrt(k2))
    down = np.exp(-2j * np.pi * np.outer(ky, scene.yx[:, 0])) * scene.electrons
    spectrum = (down @ np.exp(-2j * np.pi * np.outer(scene.yx[:, 1], kx))) * otf
    spectrum *= 16 / (rows * cols)
    image = np.zeros(scene.shape)
    for i in range(scene.shape[0]):
        stray = scene.raster.at(np.full(scene.shape[1], i), np.arange(scene.shape[1]))
        lines = np.exp(2j * np.pi * np.outer(i + stray[0], ky)) @ spectrum
        image[i] = (
            (lines * np.exp(2j * np.pi * np.outer(np.arange(scene.shape[1]) + stray[1], kx))).sum(1).real
        )
    return image.clip(0)


@pytest.mark.parametrize("artefacts", [(), *ASTRAY.values()], ids=["straight", *ASTRAY])
@pytest.mark.parametrize("sampling", [0.08, 0.16, 0.3])
def test_the_image_is_the_dense_sum_of_the_columns(artefacts, sampling):
    """At 0.3 A/px the probe passes some 1e-3 beyond what the pixels resolve; that is what differs there."""
    rng = np.random.default_rng(8)
    probe = Probe(200, 25, defocus=30, coma=300, coma_angle=0.3, source_size=0.8, tails=0.1)
    yx = rng.uniform(4, 44, (20, 2))
    scene = scene_of(yx, (48, 48), probe=probe, sampling=sampling, artefacts=artefacts)
    scene = replace(scene, responses=())
    wanted = dense(scene)
    np.testing.assert_allclose(mean_image(scene), wanted, atol=1.5e-3 * wanted.max())


def test_a_scene_in_a_batch_is_the_scene_alone_bit_for_bit():
    rng = np.random.default_rng(7)
    cases = (
        (0, 0.5, 0.0, ()),
        (90, 1.4, 0.3, (LineJitter(0.03),)),
        (1, 0.5, 0.0, (Flyback(0.2),)),
        (40, 0.8, 0.1, (Support(0.2, 1.0), ReadNoise(1.0))),
        (25, 1.0, 0.0, (Hum(0.1, 0.1), Flicker(0.05))),
        (60, 0.6, 0.2, (Support(0.1, 0.5), LineJitter(0.02), Afterglow(0.1))),
    )
    scenes = [
        scene_of(
            rng.uniform(-10, 74, (count, 2)),
            probe=Probe(200, 25, source_size=size, tails=tails),
            background=0.2,
            seed=count,
            artefacts=artefacts,
        )
        for count, size, tails, artefacts in cases
    ]
    for image, scene in zip(render(scenes), scenes, strict=True):
        assert torch.equal(image, render([scene])[0])


def test_a_large_frame_is_its_parts():
    rng = np.random.default_rng(6)
    yx, electrons = rng.uniform(-20, 920, (9000, 2)), rng.uniform(100, 3000, 9000)
    whole = mean_image(scene_of(yx, (900, 900), electrons=electrons))
    part = mean_image(scene_of(yx - [500, 300], (200, 200), electrons=electrons))
    # The faint rings of columns more than five widths outside a frame are left out.
    np.testing.assert_allclose(whole[500:700, 300:500], part, atol=3e-3 * whole.max())


def test_the_same_seed_makes_the_same_noise_and_another_seed_another():
    scene, other = (
        scene_of([[20, 30]], background=0.5, artefacts=(Support(0.1), ReadNoise(1.0)), seed=seed)
        for seed in (1, 2)
    )
    assert torch.equal(render([scene]), render([scene]))
    assert (render([scene]) != render([other])).float().mean() > 0.9


def test_support_adds_texture_and_never_takes_electrons_away():
    scene = scene_of(np.zeros((0, 2)), (128, 128), background=3.0, artefacts=(Support(1.0, 0.6),))
    image = render([scene])[0].numpy().astype(float)
    assert image.mean() > mean_image(scene).mean()
    assert image.var() == pytest.approx(image.mean() + scene.support**2, rel=0.15)


def test_equal_knots_make_a_flat_field_and_a_ramp_stays_a_ramp():
    def ground(knots):
        scene = replace(scene_of(np.zeros((0, 2)), (40, 81)), knots=knots)
        return torch.tensor(mean_image(scene), dtype=torch.float32)

    assert torch.allclose(ground(np.full((9, 9), 3.0)), torch.tensor(3.0), atol=1e-5)
    ramp = ground(np.broadcast_to(np.linspace(0, 8, 9), (9, 9)))
    wanted = torch.linspace(0, 8, 81).expand(40, 81)
    assert torch.allclose(ramp[:, ::10], wanted[:, ::10], atol=1e-5)
    assert torch.allclose(ramp, wanted, atol=0.1)
