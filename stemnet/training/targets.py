"""What the network should answer, and how much each pixel matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from stemnet.columns import Columns
from stemnet.simulation.scene import Scene

WEAK = 0.3
"""Columns below this share of the bright ones' intensity are weak beside them."""


def _weak(truth: Columns) -> np.ndarray:
    """Mask of the columns that are weak beside the bright ones, (N,)."""
    if not len(truth):
        return np.zeros(0, dtype=bool)
    return np.asarray(truth["intensity"] < WEAK * np.quantile(truth["intensity"], 0.9))


@dataclass(frozen=True)
class Targets:
    """Soft peaks on true columns.

    A binary mask's centroid errs by a tenth of a pixel and more; a soft peak
    carries the position between the pixels.

    Parameters
    ----------
    share : float
        Sigma of a peak, as a share of the column's width.
    sigma : tuple of float
        Least and largest sigma of a peak [px].
    visible : float
        Signal-to-noise from which a column must be found; below it, its pixels
        do not count: no network should be taught to see what is not there.
    contrast : float
        Columns weaker than this share of the brightest do not count either.
    weak : float
        Pixels on weak columns count ``1 + weak`` times: they are few, and beside
        bright ones a network that ignores them is nearly always right.
    """

    share: float = 0.4
    sigma: tuple[float, float] = (0.9, 2.4)
    visible: float = 5.0
    contrast: float = 0.02
    weak: float = 0.0

    def must_be_found(self, truth: Columns) -> np.ndarray:
        """Mask of the columns that can be seen, shape (N,)."""
        if not len(truth):
            return np.zeros(0, dtype=bool)
        bright = truth["intensity"] >= self.contrast * truth["intensity"].max()
        return bright & (truth["signal_to_noise"] >= self.visible)

    def __call__(self, scenes: Sequence[Scene], device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
        """Draw targets.

        Parameters
        ----------
        scenes : sequence of Scene
            All of one shape.
        device : torch.device or str

        Returns
        -------
        target : Tensor, shape (B, H, W)
            1 on columns, falling off as a Gaussian.
        weight : Tensor, shape (B, H, W)
            0 around columns that cannot be seen, ``1 + weak`` on weak ones, 1 elsewhere.
        """
        truths = [scene.columns() for scene in scenes]
        seen = [self.must_be_found(truth) for truth in truths]
        shape = scenes[0].shape
        target = self._peaks(truths, seen, shape, 1.0, device)
        hidden = self._peaks(truths, [~mask for mask in seen], shape, 2.0, device)
        weight = torch.where((hidden > 0.4) & (target < 0.1), 0.0, 1.0)
        if self.weak:
            rows = [mask & _weak(truth) for mask, truth in zip(seen, truths, strict=True)]
            weight = weight * (1 + self.weak * self._peaks(truths, rows, shape, 1.5, device))
        return target, weight

    def _peaks(
        self,
        truths: Sequence[Columns],
        rows: Sequence[np.ndarray],
        shape: tuple[int, int],
        factor: float,
        device: torch.device | str,
    ) -> Tensor:
        height, width = shape
        image = np.repeat(np.arange(len(truths)), [mask.sum() for mask in rows])
        canvas = torch.zeros(len(truths) * height * width, device=device)
        if len(image):
            yx = np.concatenate([truth.yx[mask] for truth, mask in zip(truths, rows, strict=True)])
            widths = np.concatenate([truth["width"][mask] for truth, mask in zip(truths, rows, strict=True)])
            sigma = np.clip(self.share * widths, *self.sigma) * factor
            radius = int(np.ceil(3 * sigma.max()))
            steps = np.arange(-radius, radius + 1)
            y = np.rint(yx[:, 0]).astype(int)[:, None] + steps
            x = np.rint(yx[:, 1]).astype(int)[:, None] + steps
            fall_y = np.exp(-0.5 * ((y - yx[:, :1]) / sigma[:, None]) ** 2) * ((y >= 0) & (y < height))
            fall_x = np.exp(-0.5 * ((x - yx[:, 1:]) / sigma[:, None]) ** 2) * ((x >= 0) & (x < width))
            place = (image[:, None] * height + y.clip(0, height - 1))[:, :, None] * width
            place = place + x.clip(0, width - 1)[:, None, :]
            value = (fall_y[:, :, None] * fall_x[:, None, :]).astype(np.float32)
            canvas.scatter_reduce_(
                0,
                torch.as_tensor(place.ravel(), device=device),
                torch.as_tensor(value.ravel(), device=device),
                "amax",
            )
        return canvas.view(len(truths), height, width)
