"""Laws of the image: how many electrons, where, and with what noise."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from few_columns import ROUND, fitted, scene_of, specimen_of
from hypothesis import given, settings
from hypothesis import strategies as st

from stemnet.simulation import rendering
from stemnet.simulation.crystal import ATOMIC_NUMBERS, perovskite
from stemnet.simulation.probe import Probe
from stemnet.simulation.rendering import expected, render
from stemnet.simulation.scene import REFERENCE_CROSS_SECTION, Microscope, stage
from stemnet.simulation.specimen import grow

PEAK_SHARE = 1e-4


def mean_image(*scenes) -> np.ndarray:
    images = expected(scenes).numpy().astype(float)
    return images[0] if len(scenes) == 1 else images


def test_whole_cells_receive_the_dose_times_the_cross_sections():
    """128 px of 0.125 A hold 4 x 4 cells of 4 A, whatever the origin: what leaves at one edge enters at the other."""
    microscope = Microscope(ROUND, sampling=0.125, dose=2e4, exponent=1.7, background=0.0)
    specimen = grow(perovskite(4.0), (16.0, 16.0), origin=(0.3, 0.7))
    image = mean_image(stage(specimen, microscope, (128, 128), np.random.default_rng(0)))
    z = ATOMIC_NUMBERS
    of_a_cell = z["Sr"] ** 1.7 + z["Ti"] ** 1.7 + 3 * z["O"] ** 1.7
    assert image.sum() == pytest.approx(16 * 2e4 * REFERENCE_CROSS_SECTION * of_a_cell / 42**1.7, rel=2e-3)


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
    rng = np.random.default_rng(1)
    electrons = rng.uniform(100, 5000, 12)
    image = mean_image(scene_of(rng.uniform(30, 98, (12, 2)), (128, 128), electrons=electrons))
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
        drawn = [replace(scene, seed=seed, read_noise=read_noise) for seed in range(60)]
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


@pytest.mark.parametrize(
    "errors",
    [
        {"jitter": 0.008, "jitter_correlation": 0.9},
        {"drift": (0.9, -1.2)},
        {"wander": 0.05},
        {"jitter": 0.004, "jitter_correlation": 0.5, "drift": (-0.6, 0.9), "wander": 0.02},
    ],
    ids=["jitter", "drift", "wander", "all"],
)
def test_the_truth_moves_with_the_pixels(errors):
    steps = np.arange(20.0, 110, 22)
    yx = np.stack(np.meshgrid(steps, steps, indexing="ij"), -1).reshape(-1, 2)
    yx += np.random.default_rng(4).uniform(-0.5, 0.5, yx.shape)
    scene = scene_of(yx, (128, 128), seed=5, **errors)
    image = mean_image(scene)
    found = np.array([fitted(image, place, scene.width)[:2] for place in scene.apparent])
    assert np.abs(found - scene.apparent).max() < 0.02
    assert np.abs(found - scene.yx).max() > 0.05


def test_tiles_join_without_a_seam(monkeypatch):
    rng = np.random.default_rng(6)
    yx, electrons = rng.uniform(-20, 148, (300, 2)), rng.uniform(100, 3000, 300)
    for tails, tolerance in ((0.0, 1e-3), (0.3, 0.01)):
        probe = Probe(200, 25, source_size=0.9, tails=tails)
        errors = {"jitter": 0.05, "drift": (1.0, 1.0)}
        scene = scene_of(yx, (128, 150), probe=probe, electrons=electrons, **errors)
        with monkeypatch.context() as patch:
            patch.setattr(rendering, "REACH", rendering.FAR_REACH)
            whole = mean_image(scene)
            patch.setattr(rendering, "TILE", 50)
            tiled = mean_image(scene)
        assert not np.array_equal(whole, tiled)
        np.testing.assert_allclose(tiled, whole, atol=tolerance * whole.max())


def test_a_scene_in_a_batch_is_the_scene_alone():
    rng = np.random.default_rng(7)
    scenes = [
        scene_of(
            rng.uniform(-10, 74, (count, 2)),
            probe=Probe(200, 25, source_size=size, tails=tails),
            jitter=0.03,
            background=0.2,
            seed=count,
        )
        for count, size, tails in (
            (0, 0.5, 0.0),
            (90, 1.4, 0.3),
            (1, 0.5, 0.0),
            (40, 0.8, 0.1),
            (25, 1.0, 0.0),
            (60, 0.6, 0.2),
        )
    ]
    together = mean_image(*scenes)
    for scene, image in zip(scenes, together, strict=True):
        alone = mean_image(scene)
        np.testing.assert_allclose(image, alone, atol=0.01 * alone.max())


def test_the_same_seed_makes_the_same_noise_and_another_seed_another():
    scene, other = (
        scene_of([[20, 30]], background=0.5, support=0.1, read_noise=1.0, seed=seed) for seed in (1, 2)
    )
    assert torch.equal(render([scene]), render([scene]))
    assert (render([scene]) != render([other])).float().mean() > 0.9


def test_filters_keep_the_mean_and_saturation_clips():
    scene = scene_of([[31, 32]], background=0.5)
    plain = render([scene])[0]
    smooth = render([replace(scene, lowpass=2.0)])[0]
    sharp = render([replace(scene, sharpen=1.0)])[0]
    clipped = render([replace(scene, saturation=5.0)])[0]
    assert smooth.mean() == pytest.approx(plain.mean().item(), rel=0.02)
    assert smooth.std() < plain.std() < sharp.std()
    assert torch.equal(clipped, plain.clamp_max(5.0))


def test_support_adds_texture_and_never_takes_electrons_away():
    scene = scene_of(np.zeros((0, 2)), (128, 128), background=2.0, support=1.0, support_length=0.6)
    image = render([scene])[0].numpy().astype(float)
    assert image.mean() > mean_image(scene).mean()
    assert image.var() == pytest.approx(image.mean() + scene.support**2, rel=0.15)
