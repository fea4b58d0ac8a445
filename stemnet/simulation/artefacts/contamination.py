"""Carbon that has been cracked on the specimen: soft bright patches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.simulation.artefacts.kinds import Ground
from stemnet.simulation.artefacts.limits import POSITIVE, held


@dataclass(frozen=True)
class Contamination(Ground):
    """Random smooth patches.

    Parameters
    ----------
    share : float
        Their typical height, as a share of the brightest column's peak.
    """

    share: float = 0.05

    def __post_init__(self) -> None:
        held(self, share=POSITIVE)

    def knots(self, rng: np.random.Generator) -> np.ndarray:
        """Half-normal heights on a 9 x 9 grid."""
        return self.share * np.abs(rng.normal(0, 1, (9, 9)))
