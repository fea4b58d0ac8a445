"""Where a specimen ends."""

from __future__ import annotations

import numpy as np

from stemnet.simulation.specimen import Specimen


def cut(specimen: Specimen, inside: np.ndarray) -> Specimen:
    """End the specimen at an edge: keep the columns where `inside` (N,) is True; nothing is vacant beyond."""
    return specimen.select(inside)
