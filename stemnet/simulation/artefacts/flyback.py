"""Flyback: the beam still settles when a line begins."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stemnet.simulation.artefacts.kinds import ScanError
from stemnet.simulation.artefacts.limits import ANY, held


@dataclass(frozen=True)
class Flyback(ScanError):
    """The left side of the frame is stretched or squeezed, alike in all rows.

    Parameters
    ----------
    shift : float
        Offset at the first pixel of a line [A].
    decay : float
        Length over which it falls to 1/e, as a share of the line.
    """

    shift: float = 1.0
    decay: float = 0.05

    def __post_init__(self) -> None:
        held(self, shift=ANY, decay=(1e-6, math.inf))

    def offsets(
        self, shape: tuple[int, int], sampling: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """An exponential along x."""
        along = self.shift / sampling * np.exp(-np.arange(shape[1]) / (self.decay * shape[1]))
        return np.zeros((shape[0], 2)), np.stack([np.zeros_like(along), along])[:, None, :]
