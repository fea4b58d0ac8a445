"""The whole chain: random examples for training, and single simulations by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch

from stemnet.columns import Columns
from stemnet.errors import StemnetError
from stemnet.micrograph import Micrograph
from stemnet.simulation.microscope import Microscope
from stemnet.simulation.priors import MicroscopePrior, Mixture, SpecimenPrior, dosed
from stemnet.simulation.rendering import render
from stemnet.simulation.scene import Scene, stage
from stemnet.simulation.specimen import Specimen

FIELD_STEP = 8
"""Planted fields are mapped at every eighth pixel where nothing else is asked for [px]."""


@dataclass(frozen=True)
class Simulation:
    """An image with its truth.

    Parameters
    ----------
    micrograph : Micrograph
        In electrons.
    columns : Columns
        True columns, with species, sublattice, displacement and what else was planted.
    vacancies : Columns, optional
        Whole columns that are missing, where they would appear.
    fields : mapping of str to ndarray, shape (ceil(H / field_step), ceil(W / field_step))
        Planted quantities as the image shows them: value (i, j) belongs to
        pixel (i field_step, j field_step).
    field_step : int
        [px]
    """

    micrograph: Micrograph
    columns: Columns
    vacancies: Columns | None = None
    fields: Mapping[str, np.ndarray] = field(default_factory=dict)
    field_step: int = 1


def simulate(
    specimen: Specimen,
    microscope: Microscope,
    shape: tuple[int, int],
    *,
    seed: int,
    name: str = "simulation",
    field_step: int = FIELD_STEP,
) -> Simulation:
    """Image a specimen.

    Parameters
    ----------
    specimen : Specimen
    microscope : Microscope
    shape : tuple of int
        Rows and columns [px].
    seed : int
    name : str
    field_step : int
        Distance of the points at which planted fields are mapped [px].

    Returns
    -------
    Simulation
    """
    scene = stage(specimen, microscope, shape, np.random.default_rng(seed))
    image = render([scene])[0].numpy()
    metadata = {
        "dose": microscope.dose,
        "voltage": microscope.probe.voltage,
        "semi_angle": microscope.probe.semi_angle,
    }
    micrograph = Micrograph(image, microscope.sampling, name, "simulated", metadata)
    return Simulation(
        micrograph, scene.columns(), scene.vacancies(), scene.field_maps(field_step), field_step
    )


ATTEMPTS = 4
"""Draws of an example before it is given up."""


@dataclass(frozen=True)
class Simulator:
    """Random examples: example i of a split at an epoch is a function of four integers alone.

    Parameters
    ----------
    specimen : SpecimenPrior or Mixture
    microscope : MicroscopePrior
    shape : tuple of int
        Rows and columns of every example [px].
    seed : int
    """

    specimen: SpecimenPrior | Mixture
    microscope: MicroscopePrior
    shape: tuple[int, int] = (128, 128)
    seed: int = 0

    def scene(self, split: int, epoch: int, index: int) -> Scene:
        """Draw example `index` of a split (0 training, 1 validation, 2 test) at an epoch."""
        for attempt in range(ATTEMPTS):
            # One in some hundred thousand draws is of columns that no pixel could resolve.
            again = [attempt] if attempt else []
            rng = np.random.default_rng([self.seed, split, epoch, index, *again])
            try:
                return self._drawn(rng)
            except StemnetError:
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError  # not reached: the last attempt returns or raises

    def _drawn(self, rng: np.random.Generator) -> Scene:
        microscope, width, electrons = self.microscope.draw(rng)
        shape = (int(self.shape[0]), int(self.shape[1]))
        field_of_view = (shape[0] * microscope.sampling, shape[1] * microscope.sampling)
        specimen = self.specimen.draw(rng, field_of_view, width)
        return stage(specimen, dosed(microscope, specimen, electrons), shape, rng)

    def images(self, scenes: list[Scene], device: torch.device | str = "cpu") -> torch.Tensor:
        """Render scenes, (B, H, W)."""
        return render(scenes, device)
