"""Mains hum: stray fields that move the beam in step with the power line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.simulation.artefacts.kinds import ScanError
from stemnet.simulation.artefacts.limits import ANY, POSITIVE, held


@dataclass(frozen=True)
class Hum(ScanError):
    """A sine in time, seen as slanted waves by the scan.

    Parameters
    ----------
    y, x : float
        Amplitudes [A].
    frequency : float
        [Hz]
    dwell : float
        Time on a pixel [us].
    pause : float
        Time between two lines [us].
    """

    y: float = 0.0
    x: float = 0.2
    frequency: float = 50.0
    dwell: float = 8.0
    pause: float = 100.0

    def __post_init__(self) -> None:
        held(self, y=ANY, x=ANY, frequency=POSITIVE, dwell=POSITIVE, pause=POSITIVE)

    def offsets(
        self, shape: tuple[int, int], sampling: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """A sine of the time at which each pixel is taken, in random phase an axis."""
        turns = 2 * np.pi * self.frequency * 1e-6
        row = turns * (shape[1] * self.dwell + self.pause) * np.arange(shape[0])[:, None]
        pixel = turns * self.dwell * np.arange(shape[1])[None, :]
        waves = []
        for amplitude, phase in zip((self.y, self.x), rng.uniform(0, 2 * np.pi, 2), strict=True):
            # sin(a + b) from sines of rows and of columns alone.
            wave = np.sin(row + phase) * np.cos(pixel) + np.cos(row + phase) * np.sin(pixel)
            waves.append(amplitude / sampling * wave)
        return np.zeros((shape[0], 2)), np.stack(waves)
