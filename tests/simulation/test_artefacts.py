"""Responses of the detector and of what follows it, supports, and the configs that name them."""

import math

import numpy as np
import pytest
import torch
from few_columns import scene_of
from hydra.utils import instantiate
from omegaconf import OmegaConf
from scipy.stats import norm

from stemnet import StemnetError, resources
from stemnet.simulation.artefacts.afterglow import Afterglow
from stemnet.simulation.artefacts.contamination import Contamination
from stemnet.simulation.artefacts.drift import Drift, Wander
from stemnet.simulation.artefacts.filtering import Filtering
from stemnet.simulation.artefacts.flicker import Flicker
from stemnet.simulation.artefacts.flyback import Flyback
from stemnet.simulation.artefacts.hum import Hum
from stemnet.simulation.artefacts.inversion import Inversion
from stemnet.simulation.artefacts.jitter import LineJitter
from stemnet.simulation.artefacts.kinds import Ground, Response, ScanError, Texture, View
from stemnet.simulation.artefacts.readout import Digits, Gain, ReadNoise, Saturation
from stemnet.simulation.artefacts.support import Support
from stemnet.simulation.microscope import Microscope
from stemnet.simulation.rendering import expected, render

VIEW = View(peak=50.0, width=3.0)


def applied(response, images, seed=0):
    """Apply a response to images (B, H, W) as rendering does."""
    generator = torch.Generator().manual_seed(seed)

    def draw(wide):
        return torch.randn((*images.shape[:2], images.shape[2] if wide else 1), generator=generator)

    parameters = {
        name: torch.full((len(images), 1, 1), float(value))
        for name, value in response.parameters(VIEW).items()
    }
    return response.apply(images, parameters, draw)


def test_read_noise_adds_its_variance():
    image = applied(ReadNoise(2.5), torch.zeros(1, 200, 200))
    assert image.std().item() == pytest.approx(2.5, rel=0.03)
    assert image.mean().item() == pytest.approx(0, abs=0.06)


def test_afterglow_trails_along_the_fast_axis_and_keeps_the_electrons():
    counts = torch.zeros(1, 3, 10)
    counts[0, 1, 4] = 100.0
    wanted = torch.zeros(1, 3, 10)
    wanted[0, 1, 4:7] = torch.tensor([80.0, 14.0, 6.0])
    image = applied(Afterglow(0.2), counts)
    assert torch.allclose(image, wanted)
    lag = (image * torch.arange(10)).sum() / image.sum() - 4
    assert lag.item() == pytest.approx(Afterglow(0.2).lag)


def test_flicker_is_one_factor_a_line():
    image = applied(Flicker(0.1), torch.full((1, 400, 30), 7.0))[0]
    assert torch.allclose(image, image[:, :1].expand(-1, 30))
    assert (image[:, 0] / 7).std().item() == pytest.approx(0.1, rel=0.12)


def test_gain_and_digits_make_whole_numbers_of_the_detector():
    image = torch.tensor([[[0.0, 1.26, 50.0, 200.0, -3.0]]])
    lifted = applied(Gain(4.0, 10.0), image)
    assert torch.allclose(lifted, torch.tensor([10.0, 15.04, 210.0, 810.0, -2.0]))
    assert applied(Digits(8), lifted).flatten().tolist() == [10, 15, 210, 255, 0]
    assert applied(Digits(8, full=1.0), image).flatten().tolist() == [0, 6, 255, 255, 0]


def test_saturation_clips_at_its_share_of_the_peak():
    assert applied(Saturation(0.5), torch.tensor([[[10.0, 24.0, 26.0]]])).flatten().tolist() == [10, 24, 25]


def test_filters_keep_the_mean():
    image = torch.rand(2, 64, 64, generator=torch.Generator().manual_seed(1)) + 1
    smooth, sharp = applied(Filtering(2.0), image), applied(Filtering(0.0, 1.0), image)
    for filtered in (smooth, sharp):
        assert filtered.mean().item() == pytest.approx(image.mean().item(), rel=0.02)
    assert smooth.std() < image.std() < sharp.std()


def test_a_low_pass_filter_widens_columns_in_quadrature():
    image = torch.zeros(1, 65, 65)
    image[0, 32, 32] = 1.0
    filtered = applied(Filtering(3.0), image)[0].double()
    place = torch.arange(65) - 32.0
    assert (filtered.sum(0) * place**2).sum().sqrt().item() == pytest.approx(3.0, rel=1e-3)


def test_a_high_pass_filter_takes_the_slow_ground_and_leaves_the_mean_and_the_columns():
    down = torch.arange(160.0)[:, None].expand(160, 160)
    ground, columns = torch.cos(2 * torch.pi * down / 160), torch.cos(2 * torch.pi * down / 8)
    filtered = applied(Filtering(0.0, highpass=10.0), (5 + ground + columns)[None])[0]
    assert filtered.mean().item() == pytest.approx(5.0, rel=0.05)
    middle = filtered[40:120, 40:120] - filtered[40:120, 40:120].mean()
    wave = columns[40:120, 40:120]
    assert (middle * wave).mean() / (wave**2).mean() == pytest.approx(1.0, abs=0.01)
    # What a Gaussian of 10 px passes of a period of 160 px is 0.926.
    assert (middle - wave).abs().max() < 0.15
    none = applied(Filtering(1.0), columns[None])
    assert torch.equal(none, applied(Filtering(1.0, highpass=0.0), columns[None]))


def test_inversion_turns_columns_dark_and_counts_the_electrons_that_are_left():
    scene = scene_of([[32, 32]], background=0.2, artefacts=(Inversion(0.4),))
    image, mean = render([scene])[0].numpy(), expected([scene])[0].numpy()
    assert np.unravel_index(np.argmin(_smooth(image)), image.shape) == pytest.approx((32, 32), abs=2)
    level = scene.view.peak / 0.4
    np.testing.assert_allclose(_smooth(image), _smooth(level - mean), atol=5 * np.sqrt(level) / 8)
    assert image[32, 32] == pytest.approx(level - mean.max(), abs=5 * np.sqrt(level))


def _smooth(image):
    return applied(Filtering(2.0), torch.tensor(image)[None])[0].numpy()


def test_contamination_is_a_positive_share_of_the_peak():
    knots = Contamination(0.3).knots(np.random.default_rng(0))
    assert knots.shape == (9, 9)
    assert (knots >= 0).all()
    assert knots.mean() == pytest.approx(0.3 * np.sqrt(2 / np.pi), rel=0.2)


@pytest.mark.parametrize("length", [0.3, 0.9])
@pytest.mark.parametrize("astray", [(), ("jitter",)])
def test_a_support_has_its_variance_mean_and_correlation_length(length, astray):
    from stemnet.simulation.artefacts.jitter import LineJitter

    artefacts = (Support(2.0, length), *(LineJitter(1e-4) for _ in astray))
    scenes = [
        scene_of(np.zeros((0, 2)), (256, 256), background=20.0, artefacts=artefacts, seed=i)
        for i in range(24)
    ]
    # Many electrons: counting noise is a thousandth of the texture's variance.
    scenes = [_brighter(scene, 1e4) for scene in scenes]
    image = render(scenes).double()
    support = scenes[0].support
    texture = (image - scenes[0].knots.mean() - 2 * support) / support
    assert texture.mean().item() == pytest.approx(0, abs=0.05)
    # A normal number cut at two deviations below its mean, where there is no scattering left.
    low, density = norm.cdf(-2), norm.pdf(-2)
    assert texture.square().mean().sqrt().item() == pytest.approx(
        np.sqrt(1 - low - 2 * density + 4 * low), rel=0.02
    )
    # A Gaussian filter of sigma s gives a correlation of exp(-d^2 / 4 s^2).
    distance = round(2 * length / 0.15)
    alike = (texture * texture.roll(distance, -1))[..., distance:].mean().item()
    assert alike == pytest.approx(np.exp(-((distance * 0.15 / (2 * length)) ** 2)), abs=0.05)


def _brighter(scene, factor):
    from dataclasses import replace

    return replace(scene, knots=scene.knots * factor, support=scene.support * factor)


def test_every_artefact_has_a_config_and_every_config_an_artefact():
    made = [
        instantiate(OmegaConf.load(path), _convert_="all")
        for path in sorted((resources.configs() / "artefact").glob("*.yaml"))
    ]
    classes = {kind for base in (ScanError, Ground, Texture, Response) for kind in base.__subclasses__()}
    assert {type(artefact) for artefact in made} == {
        kind for kind in classes if kind.__module__.startswith("stemnet.simulation.artefacts.")
    }


def test_what_comes_after_an_inversion_or_a_gain_sees_its_units():
    """Nothing is brighter than the ground of an inverted image: a ceiling above it changes nothing."""
    plain, capped, low = (
        render([_inverted((Inversion(0.4), Gain(3.0, 5.0), *more))])[0]
        for more in ((), (Saturation(1.2),), (Saturation(0.9),))
    )
    assert torch.equal(plain, capped)
    assert low.max() < plain.max()
    assert low.max().item() == pytest.approx(0.9 * (5 + 3 * _inverted(()).view.peak / 0.4), rel=1e-3)


def _inverted(artefacts):
    """So many electrons that their noise is far below the distance of the ceilings."""
    return scene_of([[32, 32]], background=0.2, dose=1e8, artefacts=artefacts)


def test_the_bright_ground_of_an_inverted_image_is_noise_to_its_columns():
    bright, dark = (
        scene_of([[32, 32]], background=0.2, artefacts=artefacts) for artefacts in ((), (Inversion(0.2),))
    )
    assert dark.signal_to_noise()[0] < 0.7 * bright.signal_to_noise()[0]


@pytest.mark.parametrize(
    ("made", "wrong"),
    [
        (Afterglow, {"share": 1.5}),
        (Contamination, {"share": -0.1}),
        (Digits, {"bits": 0}),
        (Digits, {"full": -1.0}),
        (Drift, {"y": math.nan}),
        (Filtering, {"lowpass": -1.0}),
        (Flicker, {"share": -0.1}),
        (Flyback, {"decay": 0.0}),
        (Gain, {"gain": 0.0}),
        (Hum, {"dwell": -1.0}),
        (Inversion, {"depth": 0.0}),
        (LineJitter, {"correlation": 1.0}),
        (LineJitter, {"rms": "much"}),
        (ReadNoise, {"electrons": -1.0}),
        (Saturation, {"share": math.inf}),
        (Support, {"length": -1.0}),
        (Wander, {"rms": -0.1}),
    ],
)
def test_an_impossible_artefact_is_refused(made, wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(
        StemnetError, match=f"{made.__name__} was asked for with {name}={value!r}; give a number"
    ):
        made(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sampling": 0.0},
        {"sampling": math.inf},
        {"dose": -1.0},
        {"dose": math.nan},
        {"dose": "many"},
        {"cross_section": 0.0},
        {"background": -0.1},
        {"smearing": math.nan},
        {"gradient": -1.0},
        {"exponent": math.inf},
    ],
)
def test_an_impossible_microscope_is_refused(wrong):
    with pytest.raises(StemnetError, match="asked for"):
        Microscope(**wrong)
