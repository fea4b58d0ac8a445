"""Random displacements."""

from __future__ import annotations

import numpy as np

from stemnet.simulation.specimen import Specimen


def thermal_disorder(specimen: Specimen, rms: float, rng: np.random.Generator) -> Specimen:
    """Displace every column at random: static disorder of `rms` [A] an axis."""
    return specimen.displaced(rng.normal(0, rms, specimen.yx.shape))
