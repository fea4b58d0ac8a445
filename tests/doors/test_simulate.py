"""``python -m stemnet.simulation``: a dataset from the command line, and one sentence where there can be none."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir

from stemnet import resources
from stemnet.doors.simulating import simulate_from
from stemnet.errors import StemnetError
from stemnet.simulation.dataset import read_dataset

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("shape=[64,80]", "specimen=monolayers", "microscope=clean", "threads=1")
COMMAND = [sys.executable, "-m", "stemnet.simulation"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, env=ENVIRONMENT
    )


def made(path: Path, *overrides: str) -> Path:
    """The same without a process of its own."""
    before = torch.get_num_threads()
    with initialize_config_dir(str(resources.configs()), version_base="1.3"):
        config = compose("simulate", overrides=[*SMALL, f"output='{path}'", "quiet=true", *overrides])
    try:
        simulate_from(config)
    finally:
        torch.set_num_threads(before)
    return path


def test_a_dataset_from_the_command_line(tmp_path):
    done = run("output=my set.h5", "count=5", "seed=7", *SMALL, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("5 images of 64 x 80 px with")
    assert len(done.stdout.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["my set.h5"]
    dataset = read_dataset(tmp_path / "my set.h5")
    assert len(dataset) == 5
    assert dataset.settings["seed"] == 7
    assert dataset.settings["specimen"]["_target_"].endswith("SpecimenPrior")
    assert "workers" not in dataset.settings
    again = made(tmp_path / "again.h5", "count=5", "seed=7", "workers=2")
    for one, other in zip(dataset, read_dataset(again), strict=True):
        assert np.array_equal(one.micrograph.image, other.micrograph.image)
        assert np.array_equal(one.columns.yx, other.columns.yx)
    refused = run("output=my set.h5", *SMALL, cwd=tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.startswith("stemnet: my set.h5 exists already.")
    assert len(refused.stderr.splitlines()) == 1


def test_help_and_a_misspelt_setting(tmp_path):
    shown = run("--help", cwd=tmp_path)
    assert shown.returncode == 0
    assert "crystal=SrTiO3 axis=110" in shown.stdout
    wrong = run("cyrstal=Si", cwd=tmp_path)
    assert wrong.returncode == 1
    assert wrong.stderr == "stemnet: There is no setting 'cyrstal'. Did you mean 'crystal'?\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_what_it_made_and_can_be_gone_on_with(tmp_path, ending):
    settings = ["output=set.h5", "count=100000", *SMALL]
    process = subprocess.Popen(
        [*COMMAND, *settings], cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True
    )
    path, deadline = tmp_path / "set.h5", time.monotonic() + 60
    while not (path.is_file() and path.stat().st_size > 2**20) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(ending)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    count = len(read_dataset(path))
    assert 0 < count < 100000
    assert f"set.h5 holds {count} of 100000 images and is whole" in said
    assert "Traceback" not in said
    last = read_dataset(path)[-1]
    assert len(last.columns.yx) == len(last.columns["species"])
    made(path, f"count={count + 2}", "continue=true")
    fresh = read_dataset(made(tmp_path / "fresh.h5", "count=3"))
    assert len(read_dataset(path)) == count + 2
    assert np.array_equal(read_dataset(path)[2].micrograph.image, fresh[2].micrograph.image)


def test_one_crystal_with_masks_and_a_cif_of_ones_own(tmp_path):
    settings = ("count=2", "axis=110", "sampling=0.1", "dose=1e4", "masks=sublattice", "dtype=uint16")
    known = made(tmp_path / "known.h5", "crystal=SrTiO3", *settings)
    cif = tmp_path / "my crystal, (1).cif"
    library = ROOT / "stemnet" / "simulation" / "crystals" / "SrTiO3.cif"
    cif.write_text(library.read_text(encoding="utf-8"), encoding="utf-8")
    own = made(tmp_path / "own.h5", f"crystal='{cif}'", *settings)
    for one, other in zip(read_dataset(known), read_dataset(own), strict=True):
        assert np.array_equal(one.micrograph.image, other.micrograph.image)
        assert one.micrograph.sampling == 0.1
        assert one.micrograph.metadata["dose"] == 1e4
    with h5py.File(known) as file:
        assert file["images"].dtype == np.uint16
        assert file["masks"].shape == (2, 64, 80)
        assert set(np.unique(file["masks"])) <= {0, 1, 2, 3}


def test_a_movie_and_a_folder(tmp_path):
    movie = made(tmp_path / "movie.h5", "frames=4", "crystal=MoS2", "sampling=0.2", "movie.drift=[0.2,0.1]")
    film = read_dataset(movie).movie()
    assert film.micrograph.image.shape == (4, 64, 80)
    assert film.columns["track"].min() >= 0
    drift = np.unique(film.columns["drift_y_A"][film.columns["frame"] == 3])
    assert drift == pytest.approx(0.6, abs=0.5)
    folder = made(tmp_path / "folder", "count=3")
    assert sorted(path.name for path in folder.glob("*.tif")) == [f"{i:06d}.tif" for i in range(3)]
    made(folder, "count=4", "continue=true")
    assert len(list(folder.glob("*.truth.csv"))) == 4
    assert json.loads((folder / "settings.json").read_text())["split"] == 0
    with pytest.raises(StemnetError, match="exists already"):
        made(folder, "count=5")
    made(folder, "count=2", "overwrite=true")
    assert len(list(folder.glob("*.truth.csv"))) == 2


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["count=0"], "count=0 was given; give a whole number of at least 1"),
        (["dose=-1"], "dose=-1 was given; give a positive number"),
        (["shape=[64]"], r"give \[rows, columns\]"),
        (["shape=8"], r"give \[rows, columns\]"),
        (["dtype=int8"], "give float32 or uint16"),
        (["masks=round"], "give column, sublattice or soft"),
        (["crystal=SrTiO9"], "neither a crystal of the library nor a file; choose one of"),
        (["crystal=SrTiO3", "axis=000"], "axis|zone"),
        (["axis=110"], "without a crystal"),
        (["crystal=MoS2", "thickness=100"], "is a sheet"),
        (["world=nowhere"], "There is no world called 'nowhere'. Choose one of: .*mos2_defects"),
        (["world=mos2_defects", "crystal=Si"], "give one of them"),
        (["crystal=SrTiO3", "sampling=2"], "would not be resolved"),
        (["shape=[1000000,1000000]"], "GiB of memory"),
        (["split=3"], "give 0, 1 or 2"),
        (["frames=2", "seconds=0"], "give a positive number"),
    ],
)
def test_one_sentence_for_what_cannot_be_and_no_file(tmp_path, overrides, words):
    with pytest.raises(StemnetError, match=words):
        made(tmp_path / "set.h5", *overrides)
    assert not list(tmp_path.iterdir())


def test_only_the_same_settings_go_on(tmp_path):
    path = made(tmp_path / "set.h5", "count=2")
    with pytest.raises(StemnetError, match="made with seed=0, and 1 is asked for"):
        made(path, "count=4", "seed=1", "continue=true")
    (tmp_path / "notes.h5").write_text("mine")
    with pytest.raises(StemnetError, match="cannot be read as a dataset"):
        made(tmp_path / "notes.h5", "continue=true")
    with pytest.raises(StemnetError, match="exists already"):
        made(tmp_path / "notes.h5")
    assert (tmp_path / "notes.h5").read_text() == "mine"
    with pytest.raises(StemnetError, match="names nothing"):
        made(path, "output=null")
    (tmp_path / "plain").write_text("x")
    with pytest.raises(StemnetError, match="is a file; give a folder"):
        made(tmp_path / "plain")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StemnetError, match="opened for writing"):
        made(tmp_path / "set.h5")
