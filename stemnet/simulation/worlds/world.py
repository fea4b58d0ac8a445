"""A world: a specimen, the microscope it is under, and one sentence about it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stemnet.simulation.microscope import Microscope
from stemnet.simulation.scene import Scene, stage
from stemnet.simulation.simulator import FIELD_STEP, Simulation, simulate
from stemnet.simulation.specimen import Specimen

Shape = tuple[int, int]
SHAPE: Shape = (512, 512)
"""Rows and columns of an image, where nothing else is asked for [px]."""


@dataclass(frozen=True)
class World:
    """A measurement before it is made.

    Parameters
    ----------
    specimen : Specimen
        Everything that was planted is in it.
    microscope : Microscope
    shape : tuple of int
        Rows and columns of the image [px].
    about : str
        One sentence.
    """

    specimen: Specimen
    microscope: Microscope
    shape: Shape
    about: str

    def scene(self, seed: int) -> Scene:
        """The scene of this specimen under this microscope; all that is random but the counts comes from the seed."""
        return stage(self.specimen, self.microscope, self.shape, np.random.default_rng(seed))

    def simulation(self, seed: int, name: str = "simulation", field_step: int = FIELD_STEP) -> Simulation:
        """The image with its truth."""
        return simulate(
            self.specimen, self.microscope, self.shape, seed=seed, name=name, field_step=field_step
        )


def field_of_view(shape: Shape, sampling: float) -> np.ndarray:
    """Height and width [A] of an image of a shape [px] and a sampling [A/px], (2,)."""
    return np.array(shape) * sampling


def cropped(specimen: Specimen, size: np.ndarray, margin: float = 10.0) -> Specimen:
    """Leave out what lies further outside the field of view (height, width) [A] than a margin [A]."""

    def near(part: Specimen) -> np.ndarray:
        return np.all((part.yx > -margin) & (part.yx < size + margin), axis=1)

    vacant = specimen.vacant
    if vacant is not None:
        vacant = vacant.select(near(vacant))
    return replace(specimen.select(near(specimen)), vacant=vacant)
