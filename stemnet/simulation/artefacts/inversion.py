"""Inverted contrast: dark columns on a bright ground, as in (annular) bright field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from stemnet.simulation.artefacts.kinds import Draw, Response, View
from stemnet.simulation.artefacts.limits import held


@dataclass(frozen=True)
class Inversion(Response):
    """What the columns scatter is missing from the image.

    An imitation of annular bright field, not a theory of it: interference,
    which makes real ABF contrast turn with thickness and focus, is not there.

    Parameters
    ----------
    depth : float
        How much darker the darkest column is than the ground, 0 to 1.
    """

    depth: float = 0.4
    stage: ClassVar[int] = -10

    def __post_init__(self) -> None:
        held(self, depth=(1e-3, 1.0))

    def parameters(self, view: View) -> dict[str, float]:
        """Depth and the brightest expected value."""
        return {"depth": self.depth, "peak": max(view.peak, 1e-12)}

    def onward(self, view: View) -> View:
        """The ground is the brightest now."""
        return replace(view, peak=view.peak / self.depth)

    @staticmethod
    def apply(images: Tensor, parameters: Mapping[str, Tensor], draw: Draw) -> Tensor:
        """Peak / depth is the ground, from which the expected image is taken."""
        return (parameters["peak"] / parameters["depth"] - images).clamp_min(0)
