"""From an image to places that the network takes for columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor
from torch.nn import functional

from stemnet.detection.localization import locate
from stemnet.detection.normalization import Normalization
from stemnet.detection.resampling import without_spikes, zoomed
from stemnet.detection.tiling import apply_tiled
from stemnet.models.checkpoint import Checkpoint
from stemnet.models.inference import InferenceUNet, quick_precision

LEAVE_ALONE = (0.8, 1.3)
"""Zooms in this range are not worth the resampling."""
APART = 1.3
"""Candidates closer than this many widths are one: there is no dip between columns so close."""
VIEWS = (1, 2, 4, 8)
"""Numbers of mirrored and turned views that may be asked for."""


@dataclass(frozen=True)
class Candidates:
    """Peaks of the network's answer.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        [px of the image]
    score : ndarray, shape (N,)
        Probability at the peak.
    spread : ndarray, shape (N,)
        Standard deviation of the score among the views; NaN where there is one view.
    probability : Tensor, shape (h, w)
        The network's map at its own scale.
    """

    yx: np.ndarray
    score: np.ndarray
    spread: np.ndarray
    probability: Tensor

    def __len__(self) -> int:
        return len(self.yx)

    def map_at(self, shape: tuple[int, int]) -> np.ndarray:
        """The probability at the image's own size, (H, W)."""
        shown = self.probability
        if shown.shape != torch.Size(shape):
            shown = functional.interpolate(shown[None, None], size=shape, mode="bilinear")[0, 0]
        return shown.cpu().numpy()


class Finder:
    """A network at work on images of one kind.

    Parameters
    ----------
    checkpoint : Checkpoint
    views : int
        Mirrored and turned views of the image that are averaged: 1, 2, 4 or 8.
    device : torch.device or str
    """

    def __init__(self, checkpoint: Checkpoint, views: int = 1, device: torch.device | str = "cpu") -> None:
        network = InferenceUNet(checkpoint.network, quick_precision(device))  # type: ignore[arg-type]
        self.network = network.to(device)
        self.card = checkpoint.card
        self.normalization = Normalization(**checkpoint.card.normalization)  # type: ignore[arg-type]
        self.views = views
        self.device = device

    def zoom(self, width: float) -> float:
        """Factor that brings columns of a width [px] to the network's working width."""
        zoom = self.card.working_width / width
        return 1.0 if LEAVE_ALONE[0] < zoom < LEAVE_ALONE[1] else float(zoom)

    def __call__(
        self,
        image: np.ndarray,
        width: float,
        least: float,
        progress: Callable[[int, int], None] | None = None,
    ) -> Candidates:
        """Find the peaks of one frame.

        Parameters
        ----------
        image : ndarray, shape (H, W)
            Bright columns; NaN where nothing was measured.
        width : float
            Sigma of a column [px].
        least : float
            Probability below which a peak is not reported.
        progress : callable, optional
            Called with (tiles done, tiles in all).

        Returns
        -------
        Candidates
        """
        prepared, factors = self._prepared(image, width)
        mean, square = self._seen(prepared, progress)
        del prepared
        _, centres, score = locate(mean[None], least)
        spread = torch.full_like(score, torch.nan)
        if square is not None:
            row, col = (centres.round().long().T[axis].clamp(0, mean.shape[axis] - 1) for axis in (0, 1))
            spread = (square[row, col] - mean[row, col] ** 2).clamp_min(0).sqrt()
        yx = (centres.cpu().numpy().astype(np.float64) + 0.5) / np.array(factors) - 0.5
        inside = within(yx, image.shape)
        inside &= _foremost(yx, score.cpu().numpy(), APART * width)
        return Candidates(
            yx[inside],
            score.cpu().numpy().astype(np.float64)[inside],
            spread.cpu().numpy().astype(np.float64)[inside],
            mean,
        )

    def _prepared(self, image: np.ndarray, width: float) -> tuple[Tensor, tuple[float, float]]:
        """The image (h, w) as the network is to see it, and the factors by which rows and columns were scaled."""
        pixels = torch.as_tensor(np.ascontiguousarray(image), dtype=torch.float32, device=self.device)
        scaled, factors = zoomed(without_spikes(pixels), self.zoom(width))
        return self.normalization(scaled[None])[0], factors

    def _seen(
        self, prepared: Tensor, progress: Callable[[int, int], None] | None
    ) -> tuple[Tensor, Tensor | None]:
        """Means of the views' probabilities (h, w), and of their squares where there are several views."""
        mean = self._view(prepared, 0, progress)
        if self.views == 1:
            return mean, None
        square = mean**2
        for number in range(1, self.views):
            seen = self._view(prepared, number, progress)
            mean += seen
            square += seen**2
        return mean.div_(self.views), square.div_(self.views)

    def _view(self, prepared: Tensor, number: int, progress: Callable[[int, int], None] | None) -> Tensor:
        """Probabilities (h, w) of one view, turned back."""
        counted = _counted(progress, number, self.views)
        return _turned_back(apply_tiled(self.network, _turned(prepared, number), progress=counted), number)


def within(yx: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Whether positions lie on a pixel of the image, (N,)."""
    return np.all((yx >= -0.5) & (yx <= np.array(shape) - 0.5), axis=1)


def _foremost(yx: np.ndarray, score: np.ndarray, radius: float) -> np.ndarray:
    """Whether no better candidate lies within a radius [px], (N,)."""
    pairs = cKDTree(yx).query_pairs(radius, output_type="ndarray") if len(yx) else np.zeros((0, 2), int)
    first, second = pairs.T
    foremost = np.ones(len(yx), dtype=bool)
    foremost[np.where(score[first] < score[second], first, second)] = False
    return foremost


def _turned(image: Tensor, number: int) -> Tensor:
    """View `number` of an image: two mirrors, then their quarter turns."""
    flipped = image.flip(1) if number % 2 else image
    return torch.rot90(flipped, (2 * (number // 2) + number // 4) % 4)


def _turned_back(image: Tensor, number: int) -> Tensor:
    turned = torch.rot90(image, -((2 * (number // 2) + number // 4) % 4))
    return turned.flip(1) if number % 2 else turned


def _counted(
    progress: Callable[[int, int], None] | None, view: int, views: int
) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, tiles: progress(view * tiles + done, views * tiles)
