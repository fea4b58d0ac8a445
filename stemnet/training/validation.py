"""Judging a network's peaks by matching them to the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from stemnet.detection.localization import locate
from stemnet.detection.matching import match
from stemnet.detection.normalization import Normalization
from stemnet.simulation.scene import Scene
from stemnet.simulation.simulator import Simulator
from stemnet.training.targets import Targets

THRESHOLDS = np.linspace(0.1, 0.8, 15)
TEST = 2


@dataclass
class Tally:
    """Counts gathered over validation examples at a range of thresholds.

    Columns that cannot be seen are neither missed nor, when found, false.

    Parameters
    ----------
    thresholds : ndarray, shape (K,)
    """

    thresholds: np.ndarray

    def __post_init__(self) -> None:
        count = len(self.thresholds)
        self.hit = np.zeros(count)
        self.false = np.zeros(count)
        self.missed = np.zeros(count)
        self.square = np.zeros(count)

    def add(
        self, found: np.ndarray, score: np.ndarray, truth: np.ndarray, visible: np.ndarray, radius: float
    ) -> None:
        """Count one example.

        Parameters
        ----------
        found : ndarray, shape (N, 2)
            Peaks [px].
        score : ndarray, shape (N,)
        truth : ndarray, shape (M, 2)
        visible : ndarray of bool, shape (M,)
        radius : float
            Largest distance of a match [px].
        """
        for k, threshold in enumerate(self.thresholds):
            kept = found[score >= threshold]
            pairs = match(kept, truth, radius).pairs
            needed = pairs[visible[pairs[:, 1]]]
            self.hit[k] += len(needed)
            self.false[k] += len(kept) - len(pairs)
            self.missed[k] += visible.sum() - len(needed)
            self.square[k] += ((kept[needed[:, 0]] - truth[needed[:, 1]]) ** 2).sum()

    @property
    def f1(self) -> np.ndarray:
        """F1 at each threshold, shape (K,)."""
        return 2 * self.hit / np.maximum(2 * self.hit + self.false + self.missed, 1)

    @property
    def best(self) -> int:
        """Index of the threshold with the highest F1; the middle one of those equally good."""
        good = np.flatnonzero(self.f1 >= self.f1.max() - 1e-3)
        return int(good[len(good) // 2])

    def scores(self) -> dict[str, float]:
        """F1, precision, recall, RMSE per axis [px] and threshold, at the best threshold."""
        k = self.best
        return {
            "f1": float(self.f1[k]),
            "precision": float(self.hit[k] / max(self.hit[k] + self.false[k], 1)),
            "recall": float(self.hit[k] / max(self.hit[k] + self.missed[k], 1)),
            "rmse": float(np.sqrt(self.square[k] / max(2 * self.hit[k], 1))),
            "threshold": float(self.thresholds[k]),
        }


def count(
    tally: Tally, logits: Tensor, scenes: Sequence[Scene], targets: Targets, match_share: float = 1.0
) -> None:
    """Count the peaks of a batch.

    Parameters
    ----------
    tally : Tally
        Is added to.
    logits : Tensor, shape (B, H, W)
    scenes : sequence of Scene, length B
    targets : Targets
        Decides which columns must be found.
    match_share : float
        A peak matches a column closer than this many widths.
    """
    found = locate(logits.float().sigmoid(), float(tally.thresholds[0]))
    image, yx, score = (part.cpu().numpy() for part in found)
    for number, scene in enumerate(scenes):
        truth, mine = scene.columns(), image == number
        tally.add(
            yx[mine].astype(float),
            score[mine],
            truth.yx,
            targets.must_be_found(truth),
            match_share * float(np.hypot(scene.width, scene.lowpass)),
        )


@dataclass(frozen=True)
class HeldOut:
    """Simulations of the test split: neither trained on nor used to choose an epoch.

    Parameters
    ----------
    name : str
        What they show, in one word, for the names of scores.
    simulator : Simulator
    examples : int
    """

    name: str
    simulator: Simulator
    examples: int = 128

    def scores(
        self, network: nn.Module, targets: Targets, normalization: Normalization, batch: int = 16
    ) -> dict[str, float]:
        """Scores of a network on the CPU, as of `Tally.scores`, each at the best threshold of its own."""
        tally = Tally(THRESHOLDS)
        training = network.training
        network.eval()
        with torch.inference_mode():
            for start in range(0, self.examples, batch):
                indices = range(start, min(start + batch, self.examples))
                scenes = [self.simulator.scene(TEST, 0, index) for index in indices]
                images = normalization(self.simulator.images(scenes))[:, None]
                images = images.contiguous(memory_format=torch.channels_last)
                count(tally, network(images)[:, 0], scenes, targets)
        network.train(training)
        return tally.scores()
