"""What training may meet: every draw is a possible micrograph."""

import numpy as np
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf
from scipy.spatial import cKDTree

from stemnet import StemnetError, resources
from stemnet.simulation.priors import MicroscopePrior, SpecimenPrior
from stemnet.simulation.rendering import expected, render
from stemnet.simulation.simulator import Simulator

SHAPE = (96, 96)


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    """The priors of the shipped weights."""
    parts = [
        instantiate(OmegaConf.load(resources.configs() / group / "universal.yaml"), _convert_="all")
        for group in ("specimen", "microscope")
    ]
    return Simulator(*parts, shape=SHAPE, seed=11)


@pytest.fixture(scope="module")
def scenes(simulator):
    return [simulator.scene(0, 0, index) for index in range(200)]


def test_every_image_is_finite_with_electrons_in_it(scenes):
    for start in range(0, 200, 50):
        part = scenes[start : start + 50]
        images, means = render(part), expected(part)
        assert images.isfinite().all()
        assert (means >= 0).all()
        assert (means.mean((1, 2)) > 0).all()
        assert (images.mean((1, 2)) > 0).all()


def test_samplings_and_widths_are_those_of_micrographs(scenes, simulator):
    sampling = np.array([scene.sampling for scene in scenes])
    assert 0.03 < sampling.min() < 0.1 < 0.25 < sampling.max() < 0.8
    low, high = simulator.microscope.width
    width = np.array([scene.width for scene in scenes])
    assert np.all((width > 0.999 * low) & (width < 1.001 * high))


def test_the_brightest_column_has_the_electrons_drawn(simulator, scenes):
    low, high = simulator.microscope.electrons
    brightest = np.array(
        [scene.electrons.max() for scene in scenes if len(scene.electrons) and not np.ptp(scene.knots)]
    )
    assert len(brightest) > 50
    assert np.all((brightest > 0.99 * low) & (brightest < 1.01 * high))
    assert brightest.max() / brightest.min() > 50


def test_every_kind_of_specimen_turns_up(scenes):
    counts = np.array([len(scene.columns()) for scene in scenes])
    assert (counts == 0).sum() >= 3
    assert ((counts > 0) & (counts < 10)).sum() >= 3
    assert (counts > 50).sum() >= 50
    assert {-1, 0, 1} <= {int(s) for scene in scenes for s in np.unique(scene.specimen.sublattice)}


def test_columns_are_far_enough_apart_to_tell(scenes, simulator):
    closest = simulator.specimen.closest
    ratios = []
    for scene in scenes:
        if len(scene.yx) > 1:
            ratios.append(cKDTree(scene.yx).query(scene.yx, k=2)[0][:, 1].min() / scene.width)
    assert np.min(ratios) > 0.5 * closest
    assert np.median(ratios) > closest


def test_the_truth_lies_in_the_frame(scenes):
    for scene in scenes:
        columns = scene.columns()
        assert columns.shape == SHAPE
        assert np.all((columns.yx >= -0.5) & (columns.yx < np.array(SHAPE) - 0.5))
        assert all(np.isfinite(v).all() for v in columns.fields.values() if v.dtype.kind == "f")


def test_an_unknown_kind_is_refused():
    prior = SpecimenPrior((), {"liquid": 1.0})
    with pytest.raises(StemnetError, match="liquid"):
        prior.draw(np.random.default_rng(0), (10.0, 10.0), 0.4)


def test_a_microscope_without_artefacts_has_none():
    prior = MicroscopePrior(rough=0.0)
    for seed in range(20):
        microscope, _, _ = prior.draw(np.random.default_rng(seed))
        assert microscope.artefacts == ()
        assert microscope.gradient == 0.0


def test_every_artefact_turns_up_when_all_are_asked_for():
    prior = MicroscopePrior(rough=1.0)
    kinds = {
        type(artefact).__name__
        for seed in range(40)
        for artefact in prior.draw(np.random.default_rng(seed))[0].artefacts
    }
    assert kinds == {
        "Afterglow", "Contamination", "Drift", "Filtering", "Flicker", "Flyback", "Hum", "LineJitter", "ReadNoise",
        "Saturation", "Support", "Wander",
    }  # fmt: skip
