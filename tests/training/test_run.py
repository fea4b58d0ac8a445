"""A run that was cut off and resumed is the run that was not."""

from pathlib import Path

import pytest
import torch
from small import data

from stemnet.errors import StemnetError
from stemnet.models import checkpoint
from stemnet.models.unet import UNet
from stemnet.training.losses import PeakBCE
from stemnet.training.run import fit, log_rows
from stemnet.training.targets import Targets
from stemnet.training.task import Segmentation

SPEC = {"_target_": "stemnet.models.unet.UNet", "base": 4, "levels": 2}
TRAINER = {
    "accelerator": "cpu",
    "devices": 1,
    "max_epochs": 3,
    "precision": "32-true",
    "gradient_clip_val": 1.0,
}


class PowerCut(Exception):
    pass


class CutOff(Segmentation):
    """Fails when the second epoch begins."""

    def on_train_epoch_start(self) -> None:
        if self.current_epoch == 1:
            raise PowerCut


def run(folder: Path, kind: type[Segmentation] = Segmentation, seed: int = 0, **changes) -> dict[str, float]:
    torch.manual_seed(seed)
    network = UNet(4, 2)
    arguments = {
        "network": network,
        "network_spec": SPEC,
        "data": data(),
        "task": kind(network, PeakBCE(), Targets()),
        "trainer": TRAINER,
        "folder": folder,
        "patience": 10,
        "working_width": 3.0,
        "domain": "a test",
        "config": {"seed": 0},
        "quiet": True,
    }
    return fit(**{**arguments, **changes})


def values(folder: Path, name: str) -> dict[int, float]:
    return {int(row["epoch"]): float(row[name]) for row in log_rows(folder) if row.get(name)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return run(folder), folder


def test_resuming_is_exact(whole, tmp_path):
    scores, folder = whole
    with pytest.raises(PowerCut):
        run(tmp_path, CutOff)
    last = tmp_path / "checkpoints" / "last.ckpt"
    assert torch.load(last, weights_only=True)["epoch"] == 0
    # It starts from other weights, which the checkpoint replaces.
    assert run(tmp_path, seed=99, resume=str(last)) == scores
    for name in ("val/f1", "val/rmse", "val/loss", "train/loss"):
        expected, got = values(folder, name), values(tmp_path, name)
        assert set(got) >= {1, 2}
        assert {epoch: expected[epoch] for epoch in got} == got, name
    one, other = (checkpoint.load(path / "weights.safetensors") for path in (folder, tmp_path))
    for name, tensor in one.network.state_dict().items():
        assert torch.equal(tensor, other.network.state_dict()[name]), name


def test_training_lowers_the_loss(whole):
    loss = values(whole[1], "train/loss")
    assert loss[2] < loss[0]


def test_the_best_epoch_is_exported_with_its_own_scores(whole):
    scores, folder = whole
    f1 = values(folder, "val/f1")
    assert scores["f1"] == pytest.approx(max(f1.values()), rel=1e-6)
    assert f1[scores["epoch"]] == pytest.approx(scores["f1"], rel=1e-6)
    card = checkpoint.load(folder / "weights.safetensors").card
    assert card.scores == scores
    assert card.threshold == scores["threshold"]
    assert card.width == (1.8, 3.5)


def test_what_cannot_be_resumed_is_said(tmp_path):
    (tmp_path / "text.ckpt").write_text("no checkpoint")
    for name, words in (("nowhere.ckpt", "There is no checkpoint"), ("text.ckpt", "is not a checkpoint")):
        with pytest.raises(StemnetError, match=words):
            run(tmp_path / "run", resume=str(tmp_path / name))


class Poisoned(Segmentation):
    """Weights that are no numbers from the second epoch on."""

    def on_train_epoch_start(self) -> None:
        if self.current_epoch == 1:
            with torch.no_grad():
                self.network.head.weight.fill_(torch.nan)


def test_a_loss_that_is_no_number_stops_the_run_and_the_last_good_epoch_stays(tmp_path):
    with pytest.raises(StemnetError, match=r"became nan in epoch 1; .*resume=.*last.ckpt and a lower"):
        run(tmp_path, Poisoned)
    state = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)
    assert state["epoch"] == 0
    assert all(torch.isfinite(tensor).all() for tensor in state["state_dict"].values())


def test_a_lower_learning_rate_counts_when_a_run_goes_on(whole, tmp_path):
    with pytest.raises(PowerCut):
        run(tmp_path, CutOff)
    rates = []

    class Watched(Segmentation):
        def on_train_batch_start(self, batch, index) -> None:
            rates.append(self.trainer.optimizers[0].param_groups[0]["lr"])

    torch.manual_seed(0)
    network = UNet(4, 2)
    task = Watched(network, PeakBCE(), Targets(), learning_rate=3e-4)
    run(tmp_path, network=network, task=task, resume=str(tmp_path / "checkpoints" / "last.ckpt"))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        torch.optim.AdamW(network.parameters(), lr=3e-4), 3e-4, total_steps=6, pct_start=0.1
    )
    expected = []
    for _ in range(5):
        schedule.optimizer.step()
        schedule.step()
        expected.append(schedule.get_last_lr()[0])
    # Of the first step after the resume the rate was set when the step before it ended.
    assert rates[1:] == pytest.approx(expected[2:])


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_that_goes_on_sees_the_examples_that_it_would_have_seen(workers, tmp_path):
    seen = []

    class Watched(Segmentation):
        def training_step(self, batch, index):
            seen.append([float(image.sum()) for image in batch.images])
            return super().training_step(batch, index)

    run(tmp_path / "whole", Watched, data=data(workers))
    expected, seen[:] = list(seen), []
    with pytest.raises(PowerCut):
        run(tmp_path / "cut", CutOff)
    run(
        tmp_path / "cut",
        Watched,
        data=data(workers),
        resume=str(tmp_path / "cut" / "checkpoints" / "last.ckpt"),
    )
    assert seen == expected[2:]
    assert len({number for batch in expected for number in batch}) == 18


def test_another_network_cannot_go_on(whole, tmp_path):
    torch.manual_seed(0)
    network = UNet(6, 2)
    task = Segmentation(network, PeakBCE(), Targets())
    with pytest.raises(StemnetError, match="holds another network"):
        run(tmp_path, network=network, task=task, resume=str(whole[1] / "checkpoints" / "last.ckpt"))


def test_the_log_of_a_run_of_many_parts_is_in_order(tmp_path):
    for part in (*range(1, 12), None):
        name = "metrics.csv" if part is None else f"metrics.part{part}.csv"
        (tmp_path / name).write_text(f"epoch\n{12 if part is None else part}\n")
    assert [int(row["epoch"]) for row in log_rows(tmp_path)] == list(range(1, 13))


def test_a_folder_with_a_checkpoint_of_a_scheduler_is_not_resumed_unasked(tmp_path, monkeypatch):
    """Lightning would load hpc_ckpt_1.ckpt from the working folder, whoever left it there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hpc_ckpt_1.ckpt").write_text("of another run")
    assert run(tmp_path / "run", trainer={**TRAINER, "max_epochs": 1})["epoch"] == 0


class Worsening(Segmentation):
    """Its first epoch is its best."""

    def on_validation_epoch_end(self) -> None:
        self.scores = {**self.tally.scores(), "f1": 1.0 - 0.1 * self.current_epoch}
        self.log("val/f1", self.scores["f1"])


def test_the_last_epoch_is_kept_though_it_is_not_the_best(tmp_path):
    assert run(tmp_path, Worsening)["epoch"] == 0
    for name, epoch in (("best", 0), ("last", 2)):
        state = torch.load(tmp_path / "checkpoints" / f"{name}.ckpt", weights_only=True)
        assert state["epoch"] == epoch, name
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["best.ckpt", "last.ckpt"]
    longer = run(
        tmp_path,
        Worsening,
        trainer={**TRAINER, "max_epochs": 4},
        resume=str(tmp_path / "checkpoints" / "last.ckpt"),
    )
    # The best of the first part is still known.
    assert longer["epoch"] == 0
    assert torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=True)["epoch"] == 3
