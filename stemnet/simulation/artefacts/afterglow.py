"""Afterglow: a scintillator that is slow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from stemnet.simulation.artefacts.kinds import Draw, Response, View
from stemnet.simulation.artefacts.limits import held


@dataclass(frozen=True)
class Afterglow(Response):
    """Each pixel leaves a share of its signal to the next two along the line.

    Columns appear later than they are by `lag`, and so does the truth.

    Parameters
    ----------
    share : float
        0 to 1.
    """

    share: float = 0.05
    stage: ClassVar[int] = 10

    def __post_init__(self) -> None:
        held(self, share=(0.0, 1.0))

    @property
    def lag(self) -> float:
        """How far the image of a column moves along x [px]."""
        return (0.7 * 1 + 0.3 * 2) * self.share

    def parameters(self, view: View) -> dict[str, float]:
        """The share."""
        return {"share": self.share}

    @staticmethod
    def apply(images: Tensor, parameters: Mapping[str, Tensor], draw: Draw) -> Tensor:
        """Seven tenths of the share go to the next pixel, three tenths to the one after."""
        late = torch.nn.functional.pad(images, (2, 0))
        glow = parameters["share"]
        return images * (1 - glow) + glow * (0.7 * late[..., 1:-1] + 0.3 * late[..., :-2])
