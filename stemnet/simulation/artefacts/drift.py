"""Slow motion of the specimen while a frame is taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.simulation.artefacts.kinds import ScanError
from stemnet.simulation.artefacts.limits import ANY, POSITIVE, held


@dataclass(frozen=True)
class Drift(ScanError):
    """A constant drift: shear and stretch of the frame.

    Parameters
    ----------
    y, x : float
        Over the whole frame [A].
    """

    y: float = 0.0
    x: float = 0.0

    def __post_init__(self) -> None:
        held(self, y=ANY, x=ANY)

    def offsets(
        self, shape: tuple[int, int], sampling: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, None]:
        """Linear in the row, zero in the middle row."""
        time = np.linspace(-0.5, 0.5, shape[0])
        return time[:, None] * np.array([self.y, self.x]) / sampling, None


@dataclass(frozen=True)
class Wander(ScanError):
    """A drift that changes its mind: three slow waves a frame.

    Parameters
    ----------
    rms : float
        An axis [A].
    """

    rms: float = 0.1

    def __post_init__(self) -> None:
        held(self, rms=POSITIVE)

    def offsets(
        self, shape: tuple[int, int], sampling: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, None]:
        """Waves of 0.7, 1.3 and 2.1 periods a frame, in random phase."""
        time = np.linspace(-0.5, 0.5, shape[0])
        cycles = np.array([0.7, 1.3, 2.1])
        phase = rng.uniform(0, 2 * np.pi, (3, 2))
        waves = np.sin(2 * np.pi * cycles[None, :, None] * time[:, None, None] + phase)
        return waves.sum(1) * (self.rms / sampling * np.sqrt(2 / 3)), None
