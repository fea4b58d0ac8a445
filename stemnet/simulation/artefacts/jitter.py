"""Line jitter: scan lines that start in the wrong place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from stemnet.simulation.artefacts.kinds import ScanError
from stemnet.simulation.artefacts.limits import POSITIVE, held

ALONG_Y = 0.1
"""Lines stray along the slow axis by a tenth of what they do along the fast one."""


@dataclass(frozen=True)
class LineJitter(ScanError):
    """Random offsets of whole lines.

    Parameters
    ----------
    rms : float
        Along x [A]; along y a tenth of it.
    correlation : float
        Share of its offset that a line hands to the next, 0 to below 1.
    """

    rms: float = 0.05
    correlation: float = 0.0

    def __post_init__(self) -> None:
        held(self, rms=POSITIVE, correlation=(0.0, 0.9999))

    def offsets(
        self, shape: tuple[int, int], sampling: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, None]:
        """A first-order autoregressive walk of the lines."""
        fresh = rng.normal(0, 1, (shape[0], 2)) * np.sqrt(1 - self.correlation**2)
        walk = lfilter([1.0], [1.0, -self.correlation], fresh, axis=0)
        return walk * np.array([ALONG_Y, 1.0]) * (self.rms / sampling), None
