"""The whole chain: seeds, workers, single simulations."""

import numpy as np
import pytest
import torch
from few_columns import ROUND, specimen_of

from stemnet.detection.normalization import Normalization
from stemnet.simulation.artefacts.drift import Drift
from stemnet.simulation.crystal import dichalcogenide, perovskite
from stemnet.simulation.microscope import Microscope
from stemnet.simulation.priors import MicroscopePrior, SpecimenPrior
from stemnet.simulation.simulator import Simulator, simulate
from stemnet.training.data import SimulatedData
from stemnet.training.targets import Targets

PRIOR = SpecimenPrior((perovskite(), dichalcogenide()), {"crystal": 0.6, "lattice": 0.2, "disordered": 0.2})
SIMULATOR = Simulator(PRIOR, MicroscopePrior(), shape=(64, 64), seed=3)


@pytest.fixture
def kept_state():
    """torch's own DataLoader draws a seed from the global generator for its workers, which we never use."""
    with torch.random.fork_rng(devices=[]):
        yield


def same(one, other) -> bool:
    return (
        one.seed == other.seed
        and np.array_equal(one.yx, other.yx)
        and np.array_equal(one.apparent, other.apparent)
        and np.array_equal(one.electrons, other.electrons)
        and np.array_equal(one.raster.rows, other.raster.rows)
        and np.array_equal(one.knots, other.knots)
    )


def test_a_scene_is_a_function_of_seed_split_epoch_and_index():
    again = Simulator(PRIOR, MicroscopePrior(), shape=(64, 64), seed=3)
    assert same(SIMULATOR.scene(1, 2, 5), again.scene(1, 2, 5))
    other_seed = Simulator(PRIOR, MicroscopePrior(), shape=(64, 64), seed=4)
    others = [
        SIMULATOR.scene(0, 2, 5),
        SIMULATOR.scene(1, 3, 5),
        SIMULATOR.scene(1, 2, 6),
        other_seed.scene(1, 2, 5),
    ]
    assert len({scene.seed for scene in [SIMULATOR.scene(1, 2, 5), *others]}) == 5


def test_the_same_scenes_make_the_same_images():
    scenes = [SIMULATOR.scene(0, 0, index) for index in range(4)]
    assert torch.equal(SIMULATOR.images(scenes), SIMULATOR.images(scenes))


@pytest.mark.usefixtures("kept_state")
def test_workers_change_nothing():
    batches = {}
    for workers in (0, 2):
        data = SimulatedData(
            SIMULATOR, Targets(), Normalization(), batch_size=4, batches=2, validation=4, workers=workers
        )
        loader = data.train_dataloader()
        loader.sampler.set_epoch(7)
        batches[workers] = list(loader)
    assert len(batches[0]) == len(batches[2]) == 2
    for alone, helped in zip(batches[0], batches[2], strict=True):
        assert all(torch.equal(one, other) for one, other in zip(alone[:3], helped[:3], strict=True))


@pytest.mark.usefixtures("kept_state")
def test_training_and_validation_never_share_an_example():
    data = SimulatedData(SIMULATOR, Targets(), Normalization(), batch_size=4, batches=2, validation=8)
    seeds = [
        {loader.dataset[key].seed for key in loader.sampler}
        for loader in (data.train_dataloader(), data.val_dataloader())
    ]
    assert len(seeds[0]) == len(seeds[1]) == 8
    assert not seeds[0] & seeds[1]


def test_simulate_gives_an_image_with_its_truth_and_conditions():
    microscope = Microscope(ROUND, 0.15, dose=1e4, background=0.2, artefacts=(Drift(0.5, 0.5),))
    made = simulate(specimen_of([[20, 30], [40, 12]]), microscope, (64, 50), seed=1, name="two")
    assert made.micrograph.image.shape == (64, 50) == made.columns.shape
    assert made.micrograph.sampling == made.columns.sampling == 0.15
    assert made.micrograph.metadata == {"dose": 1e4, "voltage": 200, "semi_angle": 25}
    again = simulate(specimen_of([[20, 30], [40, 12]]), microscope, (64, 50), seed=1)
    np.testing.assert_array_equal(made.micrograph.image, again.micrograph.image)
    np.testing.assert_array_equal(made.columns.yx, again.columns.yx)
    other = simulate(specimen_of([[20, 30], [40, 12]]), microscope, (64, 50), seed=2)
    assert not np.array_equal(made.micrograph.image, other.micrograph.image)


@pytest.mark.parametrize("shape", [(32, 48), (33, 31), (8, 8)])
def test_any_shape_can_be_made(shape):
    simulator = Simulator(PRIOR, MicroscopePrior(), shape=shape)
    assert simulator.images([simulator.scene(0, 0, 0)]).shape == (1, *shape)
