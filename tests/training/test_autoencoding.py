"""The Lightning road and the quiet fit are one: the same weights, whole, cut off and resumed."""

from pathlib import Path

import numpy as np
import pytest
import torch

from stemnet.analysis import VariationalAutoencoder
from stemnet.analysis.vae_rows import prepared
from stemnet.analysis.vae_start import network, started
from stemnet.errors import StemnetError
from stemnet.models.elbo import Course
from stemnet.models.schedule import Schedule
from stemnet.training.autoencoding import Autoencoding, ByLightning
from stemnet.training.run import log_rows

TRAINER = {"accelerator": "cpu", "devices": 1, "precision": "32-true"}


def curved(n=900, seed=0):
    """Rows (n, 12) on a closed curve, with noise."""
    world, rng = np.random.default_rng(7), np.random.default_rng(seed)
    t = rng.uniform(0, 2 * np.pi, n)
    curve = np.stack([np.cos(t), np.sin(t), np.cos(2 * t), np.sin(2 * t)], axis=1)
    return curve @ world.normal(size=(4, 12)) + 0.1 * rng.normal(size=(n, 12))


def by_lightning(folder: Path, resume: Path | None = None, **trainer) -> ByLightning:
    return ByLightning({**TRAINER, **trainer}, folder, str(resume) if resume else None, quiet=True)


def same_weights(one: VariationalAutoencoder, other: VariationalAutoencoder) -> float:
    """Largest difference of any weight."""
    pairs = zip(one.model_.state_dict().values(), other.model_.state_dict().values(), strict=True)
    return max(float((a - b).abs().max()) for a, b in pairs if a.numel())


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"invariance": "rotation"},
        {"n_classes": 2, "beta": 2.0, "warm_up": 2, "free_nats": 0.05},
        {"learning_rate": 0.02, "patience": 2, "max_epochs": 40},
        {"epoch_batches": None, "batch_size": 100, "held_rows": 50, "weight_decay": 0.1},
    ],
    ids=["plain", "rotation", "classes", "stopped early", "whole passes"],
)
def test_the_same_rows_seed_and_schedule_give_the_same_weights_both_ways(options, tmp_path):
    X = curved()
    settings = {"max_epochs": 6, **options}
    quiet = VariationalAutoencoder(**settings).fit(X)
    large = VariationalAutoencoder(**settings).fit_by(by_lightning(tmp_path), X)
    assert large.n_iter_ == quiet.n_iter_
    assert large.validation_score_ == pytest.approx(quiet.validation_score_, abs=1e-5)
    assert same_weights(quiet, large) < 1e-6
    np.testing.assert_allclose(large.transform(X), quiet.transform(X), atol=1e-6)
    assert len(log_rows(tmp_path)) == quiet.n_iter_
    if "patience" in options:
        assert quiet.n_iter_ < 40


def test_a_start_that_no_step_improves_on_is_kept_both_ways(tmp_path):
    X = np.random.default_rng(0).normal(size=(400, 4)) @ np.random.default_rng(1).normal(size=(4, 8))
    settings = {"learning_rate": 5.0, "max_epochs": 4, "patience": 2}
    quiet = VariationalAutoencoder(**settings).fit(X)
    large = VariationalAutoencoder(**settings).fit_by(by_lightning(tmp_path), X)
    assert quiet.stayed_linear_
    assert large.stayed_linear_
    assert large.n_iter_ == quiet.n_iter_
    assert same_weights(quiet, large) == 0


class PowerCut(Exception):
    pass


@pytest.mark.parametrize("invariance", [None, "rotation"])
def test_a_run_that_was_cut_off_ends_with_the_same_weights(invariance, tmp_path, monkeypatch):
    X = curved()
    settings = {"invariance": invariance, "max_epochs": 6}
    whole = VariationalAutoencoder(**settings).fit_by(by_lightning(tmp_path / "whole"), X)
    begin = Course.begin

    def cut(course: Course, epoch: int) -> None:
        if epoch == 4:
            raise PowerCut
        begin(course, epoch)

    monkeypatch.setattr(Course, "begin", cut)
    with pytest.raises(PowerCut):
        VariationalAutoencoder(**settings).fit_by(by_lightning(tmp_path / "cut"), X)
    monkeypatch.undo()
    last = tmp_path / "cut" / "checkpoints" / "last.ckpt"
    assert torch.load(last, weights_only=True)["epoch"] == 2
    rest = VariationalAutoencoder(**settings).fit_by(by_lightning(tmp_path / "cut", last), X)
    assert same_weights(whole, rest) == 0
    assert (rest.validation_score_, rest.n_iter_) == (whole.validation_score_, 6)
    logs = [
        {int(row["epoch"]): (row["train/loss"], row["val/elbo"]) for row in log_rows(tmp_path / name)}
        for name in ("whole", "cut")
    ]
    assert logs[0] == logs[1]


def test_the_best_of_the_first_part_is_still_the_best_in_another_folder(tmp_path):
    """Steps that only worsen it: what is best was reached before the resume."""
    X = curved()
    first = VariationalAutoencoder(max_epochs=6).fit_by(by_lightning(tmp_path / "first"), X)
    last = tmp_path / "first" / "checkpoints" / "last.ckpt"
    wild = {"learning_rate": 3.0, "max_epochs": 8}
    rest = VariationalAutoencoder(**wild).fit_by(by_lightning(tmp_path / "rest", last), X)
    assert rest.n_iter_ == 8
    assert rest.validation_score_ == first.validation_score_
    assert same_weights(first, rest) == 0


def test_a_checkpoint_of_another_device_is_taken_up(tmp_path, capsys):
    """Of a GPU: all tensors are mapped to the processor, and its generator has a state of 16 bytes."""
    X = curved()
    settings = {"max_epochs": 30}
    whole = VariationalAutoencoder(**settings).fit_by(by_lightning(tmp_path / "whole"), X)
    first = VariationalAutoencoder(max_epochs=10).fit_by(by_lightning(tmp_path / "first"), X)
    last = tmp_path / "first" / "checkpoints" / "last.ckpt"
    state = torch.load(last, weights_only=True)
    state["course"]["generator"] = torch.zeros(16, dtype=torch.uint8)
    torch.save(state, tmp_path / "other.ckpt")
    capsys.readouterr()
    rest, again = (
        VariationalAutoencoder(**settings).fit_by(by_lightning(tmp_path / name, tmp_path / "other.ckpt"), X)
        for name in ("rest", "again")
    )
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2
    assert said[0].startswith("Note: The checkpoint was written on another kind of device")
    assert same_weights(rest, again) == 0
    assert same_weights(rest, whole) > 0
    print("bound", first.validation_score_, "to", rest.validation_score_, "in one", whole.validation_score_)
    assert rest.validation_score_ > first.validation_score_ + 0.5
    assert rest.validation_score_ == pytest.approx(whole.validation_score_, abs=0.3)


def test_rows_that_were_found_anew_are_those_of_before(tmp_path):
    X = curved()
    VariationalAutoencoder(max_epochs=2).fit_by(by_lightning(tmp_path), X)
    last = tmp_path / "checkpoints" / "last.ckpt"
    anew = X + 1e-3 * np.random.default_rng(0).normal(size=X.shape)
    assert VariationalAutoencoder(max_epochs=4).fit_by(by_lightning(tmp_path / "a", last), anew).n_iter_ == 4


def test_what_cannot_be_resumed_is_said(tmp_path):
    X = curved()
    VariationalAutoencoder(max_epochs=2).fit_by(by_lightning(tmp_path), X)
    last = tmp_path / "checkpoints" / "last.ckpt"
    with pytest.raises(StemnetError, match="trained on other rows"):
        VariationalAutoencoder(max_epochs=3).fit_by(by_lightning(tmp_path / "a", last), curved(seed=1))
    with pytest.raises(StemnetError, match="holds another network"):
        VariationalAutoencoder(3, max_epochs=3).fit_by(by_lightning(tmp_path / "b", last), X)
    with pytest.raises(StemnetError, match="There is no checkpoint"):
        VariationalAutoencoder(max_epochs=3).fit_by(by_lightning(tmp_path / "c", tmp_path / "no.ckpt"), X)


def test_a_bound_that_is_no_number_stops_the_run(tmp_path):
    with pytest.raises(StemnetError, match="became nan in epoch 0; nothing was kept before"):
        VariationalAutoencoder(learning_rate=1e30, max_epochs=3).fit_by(by_lightning(tmp_path), curved())


def test_more_devices_than_one_are_refused(tmp_path):
    with pytest.raises(StemnetError, match=r"on 2 devices; it takes one. Give trainer.devices=1"):
        VariationalAutoencoder(max_epochs=3).fit_by(by_lightning(tmp_path, devices=2), curved())


@pytest.mark.parametrize("invariance", [None, "rotation", "rotation+scale"])
def test_half_precision_leaves_all_but_the_perceptrons_exact(invariance):
    """At the linear start the perceptrons say no more than a bias; without it the bound must be the very same."""
    X = curved(200)
    ready = prepared(X, X.shape[1:], invariance, "gaussian")
    rows = ready(X)
    model = started(
        network(ready, str(invariance), rows.shape[1], (2, (16,), 0, 0)), rows, np.full(200, -1), 0
    )
    rows, noise = (
        torch.from_numpy(rows).float(),
        torch.randn(200, 2, generator=torch.Generator().manual_seed(0)),
    )
    with torch.no_grad():
        model.encoder[-1].bias.zero_()
        exact = model(rows, noise)
        with torch.autocast("cpu", torch.bfloat16):
            halved = model(rows, noise)
    for one, other in zip(exact, halved, strict=True):
        assert other.dtype == torch.float32
        assert torch.equal(one, other)


def test_half_precision_trains_to_the_same_bound(tmp_path):
    X = curved()
    settings = {"invariance": "rotation", "max_epochs": 12}
    full = VariationalAutoencoder(**settings).fit_by(by_lightning(tmp_path / "32"), X)
    half = VariationalAutoencoder(**settings).fit_by(by_lightning(tmp_path / "16", precision="bf16-mixed"), X)
    print("held-out bound", full.validation_score_, "bf16", half.validation_score_)
    assert same_weights(full, half) > 0
    assert half.validation_score_ == pytest.approx(full.validation_score_, abs=0.15)


def test_a_pass_without_a_limit_visits_every_row_that_is_not_held_out_once():
    rows = torch.arange(1000.0)[:, None]
    course = Course(rows, 1, Schedule(1, 64, 1e-3, 0.15, 5, epoch_batches=None), 0, "cpu")
    seen = []

    def model(batch, noise):
        seen.extend(batch[:, 0].tolist())
        return batch[:, 0], noise

    course.begin(1)
    for number in Autoencoding(torch.nn.Linear(1, 1), course).train_dataloader():
        course.loss(model, number)
    assert sorted(seen + course.held[:, 0].tolist()) == list(range(1000))
    assert len(course.held) == 150
