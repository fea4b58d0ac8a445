"""The detector's electronics: noise, gain, offset, saturation, digits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from torch import Tensor

from stemnet.simulation.artefacts.kinds import Draw, Response, View
from stemnet.simulation.artefacts.limits import ANY, POSITIVE, held


@dataclass(frozen=True)
class ReadNoise(Response):
    """Gaussian noise of every pixel, whatever its signal.

    Parameters
    ----------
    electrons : float
        Root mean square [e-].
    """

    electrons: float = 1.0
    stage: ClassVar[int] = 20

    def __post_init__(self) -> None:
        held(self, electrons=POSITIVE)

    def parameters(self, view: View) -> dict[str, float]:
        """The deviation."""
        return {"electrons": self.electrons}

    @staticmethod
    def apply(images: Tensor, parameters: Mapping[str, Tensor], draw: Draw) -> Tensor:
        """Add it."""
        return images + parameters["electrons"] * draw(True)


@dataclass(frozen=True)
class Gain(Response):
    """Electrons to the detector's units: value = offset + gain x electrons.

    Parameters
    ----------
    gain : float
        Units per electron.
    offset : float
        Dark level [units].
    """

    gain: float = 1.0
    offset: float = 0.0
    stage: ClassVar[int] = 30

    def __post_init__(self) -> None:
        held(self, gain=(1e-12, math.inf), offset=ANY)

    def parameters(self, view: View) -> dict[str, float]:
        """Both."""
        return {"gain": self.gain, "offset": self.offset}

    def onward(self, view: View) -> View:
        """The peak in units."""
        return replace(view, peak=self.offset + self.gain * view.peak)

    @staticmethod
    def apply(images: Tensor, parameters: Mapping[str, Tensor], draw: Draw) -> Tensor:
        """Scale and lift."""
        return parameters["offset"] + parameters["gain"] * images


@dataclass(frozen=True)
class Saturation(Response):
    """Nothing is brighter than this.

    Parameters
    ----------
    share : float
        Of the brightest expected peak.
    """

    share: float = 0.9
    stage: ClassVar[int] = 60

    def __post_init__(self) -> None:
        held(self, share=POSITIVE)

    def parameters(self, view: View) -> dict[str, float]:
        """The ceiling."""
        return {"ceiling": self.share * view.peak}

    @staticmethod
    def apply(images: Tensor, parameters: Mapping[str, Tensor], draw: Draw) -> Tensor:
        """Clip from above."""
        return images.minimum(parameters["ceiling"])


@dataclass(frozen=True)
class Digits(Response):
    """Whole numbers from 0 to 2^bits - 1, rounded down and clipped.

    Parameters
    ----------
    bits : int
    full : float
        The value, as a share of the brightest expected peak, that makes the
        largest number; 0 keeps the units as they are.
    """

    bits: int = 16
    full: float = 0.0
    stage: ClassVar[int] = 70

    def __post_init__(self) -> None:
        held(self, bits=(1, 32), full=POSITIVE)

    def parameters(self, view: View) -> dict[str, float]:
        """Largest number, and numbers per unit."""
        largest = 2.0**self.bits - 1
        scale = largest / max(self.full * view.peak, 1e-12) if self.full else 1.0
        return {"largest": largest, "scale": scale}

    @staticmethod
    def apply(images: Tensor, parameters: Mapping[str, Tensor], draw: Draw) -> Tensor:
        """Scale, round down, clip."""
        whole = (images * parameters["scale"]).floor()
        return whole.clamp_min(0).minimum(parameters["largest"])


def read_noise_of(responses: tuple[Response, ...]) -> float:
    """Root mean square of all read noise together [e-]."""
    return float(np.sqrt(sum(r.electrons**2 for r in responses if isinstance(r, ReadNoise))))
