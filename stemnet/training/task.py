"""The training step and its validation, as a thin Lightning module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from stemnet.training.data import Batch
from stemnet.training.lightning_run import Diverged
from stemnet.training.targets import Targets
from stemnet.training.validation import THRESHOLDS, Tally, count


class Segmentation(LightningModule):
    """Train a network to mark atom columns.

    Parameters
    ----------
    network : nn.Module
    loss : callable
        Of (logits, target, weight).
    targets : Targets
        Decides which columns must be found.
    learning_rate : float
        Peak of a one-cycle schedule (Smith and Topin, 2019).
    weight_decay : float
    match_share : float
        A peak matches a column closer than this many widths.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: Callable[[Tensor, Tensor, Tensor], Tensor],
        targets: Targets,
        learning_rate: float = 3e-3,
        weight_decay: float = 1e-4,
        match_share: float = 1.0,
    ) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.loss = loss
        self.targets = targets
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.match_share = match_share
        self.tally = Tally(THRESHOLDS)
        self.scores: dict[str, float] = {}

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Loss of one batch."""
        loss = self._loss(batch)[0]
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=len(batch.images))
        return loss

    def on_validation_epoch_start(self) -> None:
        """Begin counting."""
        self.tally = Tally(THRESHOLDS)

    def validation_step(self, batch: Batch, index: int) -> None:
        """Loss and matches of one batch."""
        loss, logits = self._loss(batch)
        self.log("val/loss", loss, on_epoch=True, batch_size=len(batch.images))
        count(self.tally, logits, batch.scenes, self.targets, self.match_share)

    def on_validation_epoch_end(self) -> None:
        """Log F1 and RMSE at the best threshold, which is the calibrated one."""
        self.scores = self.tally.scores()
        for name, value in self.scores.items():
            self.log(f"val/{name}", value, prog_bar=name in ("f1", "rmse"))

    def configure_optimizers(self) -> Any:
        """AdamW under a one-cycle schedule over the whole run."""
        optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=self.learning_rate,
            total_steps=max(2, int(self.trainer.estimated_stepping_batches)),
            pct_start=0.1,
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        """Keep the scores with the state they belong to."""
        checkpoint["scores"] = dict(self.scores)

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        """Take the scores back; schedule and learning rate are this run's, not what the last one meant."""
        self.scores = dict(checkpoint.get("scores", {}))
        for schedule in checkpoint.get("lr_schedulers", []):
            schedule.pop("total_steps", None)
            schedule.pop("_schedule_phases", None)
        for optimizer in checkpoint.get("optimizer_states", []):
            for group in optimizer["param_groups"]:
                if group["max_lr"] != self.learning_rate:
                    factor = self.learning_rate / group["max_lr"]
                    group.update(
                        {key: group[key] * factor for key in ("lr", "initial_lr", "max_lr", "min_lr")}
                    )

    def _loss(self, batch: Batch) -> tuple[Tensor, Tensor]:
        logits = self.network(batch.images.contiguous(memory_format=torch.channels_last))[:, 0]
        loss = self.loss(logits.float(), batch.target, batch.weight)
        # Raised before the epoch's checkpoint is written: what lies on the disk stays good.
        if not torch.isfinite(loss):
            raise Diverged(f"The loss became {loss.item():g} in epoch {self.current_epoch}")
        return loss, logits
