"""``train.py`` from the command line: it trains, stops, goes on, sweeps and exports."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from stemnet.models import checkpoint
from stemnet.simulation.library import FOLDER as CRYSTALS

ROOT = Path(__file__).resolve().parents[2]
SMALL = [
    "experiment=smoke",
    "quiet=true",
    "batches=2",
    "batch_size=2",
    "validation=4",
    "model={base: 4, levels: 2}",
]


ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def command(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "train.py"), *arguments]


def run(*arguments: str, cwd: Path, small: tuple[str, ...] = tuple(SMALL)) -> subprocess.CompletedProcess:
    return subprocess.run(
        command(*small, *arguments), cwd=cwd, capture_output=True, text=True, timeout=300, env=ENVIRONMENT
    )


def epochs_of(*logs: Path) -> list[int]:
    rows = [row for log in logs for row in csv.DictReader(log.read_text(encoding="utf-8").splitlines())]
    return [int(row["epoch"]) for row in rows if row["val/f1"]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of one epoch that then goes on for another, in a folder whose name needs quoting."""
    folder = tmp_path_factory.mktemp("training")
    first = run("epochs=1", "hydra.run.dir=my run", cwd=folder)
    assert first.returncode == 0, first.stderr
    weights = (folder / "my run" / "weights.safetensors").read_bytes()
    second = run("epochs=2", "hydra.run.dir=my run", "resume=my run/checkpoints/last.ckpt", cwd=folder)
    assert second.returncode == 0, second.stderr
    return first, second, folder / "my run", weights


def test_it_says_how_well_it_went_and_where_the_weights_are(runs):
    for done in runs[:2]:
        assert "Traceback" not in done.stderr
        assert done.stdout.startswith("F1 0.")
        assert "my run/weights.safetensors" in done.stdout.splitlines()[-1]


def test_a_run_leaves_what_is_needed_later(runs):
    folder = runs[2]
    for name in (
        "weights.safetensors",
        "metrics.csv",
        "training.png",
        "checkpoints/best.ckpt",
        "checkpoints/last.ckpt",
    ):
        assert (folder / name).stat().st_size > 0, name
    assert (folder / "config" / "config.yaml").is_file()


def test_resuming_goes_on_where_it_stopped(runs):
    folder, weights = runs[2], runs[3]
    assert epochs_of(folder / "metrics.part1.csv", folder / "metrics.csv") == [0, 1]
    state = torch.load(folder / "checkpoints" / "last.ckpt", map_location="cpu", weights_only=True)
    assert state["global_step"] == 4
    assert (folder / "weights.safetensors").read_bytes() != weights


def test_the_exported_file_is_all_that_predicting_needs(runs):
    loaded = checkpoint.load(runs[2] / "weights.safetensors")
    card = loaded.card
    size = {"base": 4, "levels": 2, "block": 2, "most": None}
    assert card.network == {"_target_": "stemnet.models.unet.UNet", **size}
    assert card.config["epochs"] == 2
    assert card.domain == "a smoke test"
    assert 0 < card.threshold < 1
    assert card.width[0] < card.working_width < card.width[1]
    assert 0 < card.sampling[0] < card.sampling[1]
    assert {"f1", "rmse", "epoch"} <= set(card.scores)
    with torch.inference_mode():
        assert loaded.network(torch.zeros(1, 1, 16, 16)).shape == (1, 1, 16, 16)
    json.dumps(card.config)


def test_a_sweep_leaves_a_folder_a_run(tmp_path):
    done = run("-m", "epochs=1", "seed=1,2", "hydra.sweep.dir=sweep", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    files = [tmp_path / "sweep" / str(number) / "weights.safetensors" for number in (0, 1)]
    assert [checkpoint.load(file).card.config["seed"] for file in files] == [1, 2]
    assert files[0].read_bytes() != files[1].read_bytes()


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("resume=nowhere/last.ckpt", "There is no checkpoint nowhere/last.ckpt"),
        ("patch=63", "give a multiple of 4"),
        ("epochs=many", "give a whole number"),
        ("axis=110", "without a crystal"),
        ("remember=1", "from 0 to below 1"),
        ("crystal=nowhere.cif", "neither a crystal of the library nor a file"),
        ("initial=nowhere.safetensors", "Give initial=<file>.safetensors"),
        ("initial=shipped", "leave model out"),
    ],
)
def test_a_run_that_cannot_begin_says_why(argument: str, words: str, tmp_path):
    done = run(argument, "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert words in done.stderr


@pytest.mark.skipif(
    torch.cuda.is_available() or torch.backends.mps.is_available(), reason="there is a GPU here"
)
def test_a_gpu_that_is_not_there_is_named(tmp_path):
    done = run("trainer=gpu", "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert "torch finds none here. Give trainer=cpu_bf16" in done.stderr


def test_a_run_that_a_scheduler_stops_goes_on_to_the_same_weights(tmp_path):
    """The whole group is told to stop, as a scheduler does: the worker that makes specimens too."""
    longer = ["epochs=3", "batches=16", "workers=1", "threads=2"]
    whole = run(*longer, "hydra.run.dir=whole", cwd=tmp_path)
    assert whole.returncode == 0, whole.stderr
    process = subprocess.Popen(
        command(*SMALL, *longer, "hydra.run.dir=cut"),
        cwd=tmp_path,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    last = tmp_path / "cut" / "checkpoints" / "last.ckpt"
    limit = time.monotonic() + 200
    while not last.exists() and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGTERM)
    _, said = process.communicate(timeout=100)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert said.strip().splitlines()[-1].startswith("stemnet: interrupted; resume=")
    assert torch.load(last, map_location="cpu", weights_only=True)["epoch"] < 2
    rest = run(*longer, "hydra.run.dir=cut", "resume=cut/checkpoints/last.ckpt", cwd=tmp_path)
    assert rest.returncode == 0, rest.stderr
    one, other = (
        torch.load(tmp_path / name / "checkpoints" / "last.ckpt", map_location="cpu", weights_only=True)
        for name in ("whole", "cut")
    )
    assert one["epoch"] == other["epoch"] == 2
    for name, tensor in one["state_dict"].items():
        assert torch.equal(tensor, other["state_dict"][name]), name


@pytest.fixture(scope="module")
def tuned(runs, tmp_path_factory):
    """The weights of the small run, tuned on a CIF of the user's."""
    folder = tmp_path_factory.mktemp("tuning")
    shutil.copy(CRYSTALS / "TiO2.cif", folder / "my crystal.cif")
    shutil.copy(runs[2] / "weights.safetensors", folder / "mine.safetensors")
    small = (
        "experiment=finetune",
        "quiet=true",
        "epochs=1",
        "batches=2",
        "batch_size=2",
        "validation=4",
        "patch=64",
    )
    settings = ["crystal=my crystal.cif", "axis=[1,1,0]", "initial=mine.safetensors", "hydra.run.dir=tuned"]
    done = run(*settings, cwd=folder, small=small)
    assert done.returncode == 0, done.stderr
    return done, folder


def test_tuning_says_what_it_gained_and_lost_and_what_comes_next(tuned):
    lines = tuned[0].stdout.splitlines()
    assert lines[0].split() == ["F1", "before", "after", "RMSE", "before", "after", "[px]"]
    assert lines[1].startswith("my crystal [110]")
    assert lines[2].startswith("everything else")
    assert any("forgotten" in line for line in lines)
    assert lines[-1].startswith("Next: python predict.py input=scan.dm4 checkpoint=")
    assert lines[-1].endswith("tuned/weights.safetensors")


def test_tuned_weights_have_the_network_of_those_they_come_from_and_say_so(tuned):
    folder = tuned[1]
    first, loaded = (
        checkpoint.load(folder / name) for name in ("mine.safetensors", "tuned/weights.safetensors")
    )
    card = loaded.card
    assert card.network == first.card.network
    assert card.domain == "a smoke test; tuned on my crystal [110]"
    assert card.config["initial"] == f"sha256 {first.sha256}"
    assert card.config["crystal"] == "my crystal.cif"
    for name in ("crystal", "everything"):
        assert {f"{name}_f1_before", f"{name}_f1_after", f"{name}_rmse_after"} <= set(card.scores)
    before, after = first.network.state_dict(), loaded.network.state_dict()
    moved = max(
        float((before[name] - after[name]).abs().max()) for name in before if name.endswith("0.weight")
    )
    # Two steps of a low learning rate away from where it began, not from random weights.
    assert 0 < moved < 0.01


def test_tuning_needs_a_crystal(tmp_path):
    done = run("hydra.run.dir=run", cwd=tmp_path, small=("experiment=finetune",))
    assert done.returncode == 1
    assert "Give crystal=my.cif" in done.stderr
