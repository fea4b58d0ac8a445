"""A simulator, a network and data small enough to train in a test."""

import torch

from stemnet.detection.normalization import Normalization
from stemnet.simulation.crystal import dichalcogenide, perovskite
from stemnet.simulation.priors import MicroscopePrior, SpecimenPrior
from stemnet.simulation.simulator import Simulator
from stemnet.training.data import Batch, SimulatedData
from stemnet.training.targets import Targets


def simulator(seed: int = 5, side: int = 48) -> Simulator:
    """Crystals and empty images, a few artefacts."""
    specimen = SpecimenPrior([perovskite(), dichalcogenide()], {"crystal": 0.8, "empty": 0.2})
    return Simulator(specimen, MicroscopePrior(width=(1.8, 3.5), electrons=(500, 20000)), (side, side), seed)


def data(workers: int = 0, **changes: int) -> SimulatedData:
    """Two batches of three an epoch."""
    return SimulatedData(
        simulator(),
        Targets(),
        Normalization(),
        **{"batch_size": 3, "batches": 2, "validation": 4, **changes},
        workers=workers,
    )


def same_batch(some: Batch, other: Batch) -> bool:
    """Whether two batches hold the same pixels, bit for bit."""
    return all(torch.equal(one, two) for one, two in zip(some[:3], other[:3], strict=True))
