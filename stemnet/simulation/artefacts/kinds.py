"""The four kinds of artefact, by where in the chain they act."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

Draw = Callable[[bool], Tensor]
"""Gives standard normal numbers, one a pixel (True) or one a row (False), each image's from its own generator."""


class ScanError(ABC):
    """Where the beam was when it should have been on the grid.

    Pixel (i, j) is taken at (i + dy, j + dx); the truth moves with the pixels.
    """

    @abstractmethod
    def offsets(
        self, shape: tuple[int, int], sampling: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Offsets of the beam on the specimen.

        Parameters
        ----------
        shape : tuple of int
            Rows and columns of the image.
        sampling : float
            [A/px]
        rng : numpy.random.Generator

        Returns
        -------
        rows : ndarray, shape (H, 2)
            What whole rows share, (dy, dx) [px].
        within : ndarray or None, shape (2, 1 or H, 1 or W)
            What varies along a row besides, dy and dx [px].
        """


class Ground(ABC):
    """Electrons that no column scatters, varying slowly over the frame."""

    @abstractmethod
    def knots(self, rng: np.random.Generator) -> np.ndarray:
        """Values (9, 9) on a coarse grid over the frame, as shares of the brightest column's peak."""


class Texture(ABC):
    """A random support: filtered white noise, carried by the scan as the columns are."""

    @abstractmethod
    def grain(self) -> tuple[float, float]:
        """Root mean square, as a share of the brightest column's peak, and correlation length [A]."""


@dataclass(frozen=True)
class View:
    """What a `Response` may need to know of the image: its brightest peak and the width of its columns.

    Parameters
    ----------
    peak : float
        Expected electrons per pixel on top of the brightest column, ground included.
    width : float
        Sigma of a column [px].
    """

    peak: float
    width: float


class Response(ABC):
    """A change of the image; below stage 0 before the electrons are counted, above it after."""

    stage: ClassVar[int]

    @abstractmethod
    def parameters(self, view: View) -> dict[str, float]:
        """Numbers that `apply` needs for one image."""

    def onward(self, view: View) -> View:
        """What the next response sees."""
        return view

    @staticmethod
    @abstractmethod
    def apply(images: Tensor, parameters: Mapping[str, Tensor], draw: Draw) -> Tensor:
        """Change images (B, H, W); every parameter has shape (B, 1, 1)."""
