"""``train.py`` from the command line: it trains, stops, goes on, sweeps and exports."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from stemnet.models import checkpoint

ROOT = Path(__file__).resolve().parents[2]
SMALL = [
    "experiment=smoke",
    "quiet=true",
    "batches=2",
    "batch_size=2",
    "validation=4",
    "model={base: 4, levels: 2}",
]


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "train.py"), *SMALL, *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, env=environment)


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
    assert card.network == {"_target_": "stemnet.models.unet.UNet", "base": 4, "levels": 2}
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
        ("patch=63", "give a multiple of 2"),
        ("epochs=many", "give a whole number"),
    ],
)
def test_a_run_that_cannot_begin_says_why(argument: str, words: str, tmp_path):
    done = run(argument, "hydra.run.dir=run", cwd=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert words in done.stderr
