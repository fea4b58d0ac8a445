"""Flicker of the beam current from line to line: cold field emission, a nervous high tension."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from stemnet.simulation.artefacts.kinds import Draw, Response, View
from stemnet.simulation.artefacts.limits import POSITIVE, held


@dataclass(frozen=True)
class Flicker(Response):
    """Lines of another brightness.

    Parameters
    ----------
    share : float
        Root mean square of a line's relative brightness.
    """

    share: float = 0.02
    stage: ClassVar[int] = -20

    def __post_init__(self) -> None:
        held(self, share=POSITIVE)

    def parameters(self, view: View) -> dict[str, float]:
        """The share."""
        return {"share": self.share}

    @staticmethod
    def apply(images: Tensor, parameters: Mapping[str, Tensor], draw: Draw) -> Tensor:
        """Multiply each row by 1 + share x a normal number."""
        return images * (1 + parameters["share"] * draw(False)).clamp_min(0)
