"""Simulations on the fly, seeded per example."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from stemnet.detection.normalization import Normalization
from stemnet.simulation.scene import Scene
from stemnet.simulation.simulator import Simulator
from stemnet.training.targets import Targets

TRAINING, VALIDATION = 0, 1


class Scenes(Dataset):
    """Scenes by (epoch, index): the same whether made by the main process or by any worker."""

    def __init__(self, simulator: Simulator, split: int) -> None:
        self.simulator = simulator
        self.split = split

    def __getitem__(self, key: tuple[int, int]) -> Scene:
        """Draw one scene."""
        epoch, index = key
        return self.simulator.scene(self.split, epoch, index)


class EpochSampler(Sampler[tuple[int, int]]):
    """Indices with the epoch they belong to, so that no worker has to be told the epoch."""

    def __init__(self, length: int, fixed: bool, epoch: int = 0) -> None:
        self.length = length
        self.fixed = fixed
        self.epoch = epoch

    def set_epoch(self, epoch: int) -> None:
        """Called by the trainer when an epoch begins."""
        self.epoch = 0 if self.fixed else epoch

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter([(self.epoch, index) for index in range(self.length)])


def _left_to_the_trainer(worker: int) -> None:
    """Let the trainer alone obey a scheduler that tells a whole group of processes to stop.

    It ends its workers itself; one that obeyed before it would look to it like
    one that was killed.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


class Batch(NamedTuple):
    """What a network is trained on, or judged by.

    Attributes
    ----------
    images : Tensor, shape (B, 1, H, W)
        Normalized.
    target, weight : Tensor, shape (B, H, W)
    scenes : tuple of Scene, length B
        Whose columns are the truth; of training batches none, which saves
        their way from the workers.
    """

    images: Tensor
    target: Tensor
    weight: Tensor
    scenes: tuple[Scene, ...]


@dataclass(frozen=True)
class Rendered:
    """Scenes to a batch: images with their noise, targets and weights.

    On the processor that made the scenes, not on the one that trains: of an
    example of 160 px rendering is a third of the work, most of it many small
    steps, which a GPU would wait for (`benchmarks/training.py`). The images are
    then the same whatever trains on them.

    Parameters
    ----------
    simulator : Simulator
    targets : Targets
    normalization : Normalization
    keep : bool
        Whether the scenes travel along.
    """

    simulator: Simulator
    targets: Targets
    normalization: Normalization
    keep: bool

    def __call__(self, scenes: list[Scene]) -> Batch:
        """Render."""
        images = self.normalization(self.simulator.images(scenes))
        return Batch(images[:, None], *self.targets(scenes), tuple(scenes) if self.keep else ())


class SimulatedData(LightningDataModule):
    """Training and validation simulations.

    All is made by the loader, in workers if there are any.

    Parameters
    ----------
    simulator : Simulator
    targets : Targets
    normalization : Normalization
    batch_size : int
    batches : int
        Training batches an epoch.
    validation : int
        Validation examples, the same at every epoch.
    workers : int
        Processes that simulate; 0 does it in the main process.
    """

    def __init__(
        self,
        simulator: Simulator,
        targets: Targets,
        normalization: Normalization,
        batch_size: int = 16,
        batches: int = 100,
        validation: int = 128,
        workers: int = 0,
    ) -> None:
        super().__init__()
        self.simulator = simulator
        self.targets = targets
        self.normalization = normalization
        self.batch_size = batch_size
        self.batches = batches
        self.validation = validation
        self.workers = workers
        # Of a run that goes on, set before it does: workers fetch ahead as soon as they are there, which is before
        # the trainer tells the epoch.
        self.first_epoch = 0

    def train_dataloader(self) -> DataLoader:
        """Fresh simulations at every epoch."""
        return self._loader(TRAINING, self.batches * self.batch_size, fixed=False)

    def val_dataloader(self) -> DataLoader:
        """The same simulations at every epoch."""
        return self._loader(VALIDATION, self.validation, fixed=True)

    def _loader(self, split: int, length: int, fixed: bool) -> DataLoader:
        return DataLoader(
            Scenes(self.simulator, split),
            batch_size=self.batch_size,
            sampler=EpochSampler(length, fixed, 0 if fixed else self.first_epoch),
            collate_fn=Rendered(self.simulator, self.targets, self.normalization, keep=split == VALIDATION),
            # Only seeds the workers, which draw nothing from it; without it the global state would move.
            generator=torch.Generator(),
            num_workers=self.workers,
            worker_init_fn=_left_to_the_trainer,
            persistent_workers=self.workers > 0,
        )

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Move the tensors; the scenes stay where they are."""
        images, target, weight, scenes = batch
        return Batch(images.to(device), target.to(device), weight.to(device), scenes)
