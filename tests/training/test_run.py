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
