"""``predict.py`` from the command line: everything is written, and a bad input stops nothing but itself."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import stemnet
from stemnet.detection.matching import match
from stemnet.simulation.crystal import perovskite
from stemnet.simulation.growth import grow
from stemnet.simulation.microscope import Microscope
from stemnet.simulation.simulator import simulate
from stemnet.storage import read_columns_csv, read_result, write_columns_csv

ROOT = Path(__file__).resolve().parents[2]
SHAPE = (160, 176)


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "predict.py"), *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, env=environment)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def simulation():
    """SrTiO3 [001] without its oxygen: 8 x 9 cells, bright enough that every column must be found."""
    sampling = 0.2
    field_of_view = (SHAPE[0] * sampling, SHAPE[1] * sampling)
    specimen = grow(perovskite(), field_of_view, orientation=0.1)
    specimen = specimen.select(specimen.species != "O")
    microscope = Microscope(sampling=sampling, dose=3e5, background=0.2)
    return simulate(specimen, microscope, SHAPE, seed=3, name="srtio3")


@pytest.fixture(scope="module")
def good(simulation, tmp_path_factory):
    """One good input with its truth beside it, run alone: its result folder."""
    folder = tmp_path_factory.mktemp("one input")
    np.save(folder / "scan, dose=3e5 (1).npy", simulation.micrograph.image)
    write_columns_csv(folder / "scan, dose=3e5 (1).truth.csv", simulation.columns)
    done = run("input=scan, dose=3e5 (1).npy", "output=my results", "sampling=0.2", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    (inside,) = [path for path in (folder / "my results").iterdir() if path.is_dir()]
    return inside


def test_every_result_file_is_there(good: Path):
    written = {path.name for path in good.iterdir()}
    assert {
        "columns.csv",
        "columns.xyz",
        "result.h5",
        "comparison.csv",
        "metrics.json",
        "index.html",
    } <= written
    assert {"columns.png", "side_by_side.png", "pca.png", "vae.png", "clusters.png"} <= written
    page = (good / "index.html").read_text(encoding="utf-8")
    assert all(name in page for name in written - {"index.html"})


def test_the_header_is_the_promised_one(good: Path):
    header = (good / "columns.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header.startswith(
        "y_px,x_px,y_A,x_A,score,intensity,width_px,frame,sigma_y_px,sigma_x_px,sublattice"
    )


def test_what_was_planted_is_found(good: Path, simulation):
    found = read_columns_csv(good / "columns.csv", shape=SHAPE)
    result = match(found.yx, simulation.columns.yx, 2.0, shape=SHAPE, border=6)
    assert result.f1 > 0.98
    assert result.rmse < 0.15
    assert found.sampling == pytest.approx(0.2)


def test_all_files_tell_of_the_same_columns(good: Path):
    table, result = read_columns_csv(good / "columns.csv", shape=SHAPE), read_result(good / "result.h5")
    metrics = json.loads((good / "metrics.json").read_text(encoding="utf-8"))
    count = len(table)
    assert len(result.columns) == metrics["columns"] == count
    assert int((good / "columns.xyz").read_text(encoding="utf-8").splitlines()[0]) == count
    np.testing.assert_allclose(result.columns.yx, table.yx, rtol=1e-9)
    assert result.micrograph.image.shape == result.probability.shape == SHAPE
    for method, labels in result.clusterings.items():
        np.testing.assert_array_equal(labels, table[method])
    for method, latent in result.embeddings.items():
        for number, values in enumerate(latent.T):
            np.testing.assert_allclose(values, table[f"{method}_{number}"], rtol=1e-5, atol=1e-6)


def test_the_record_says_where_it_came_from(good: Path):
    result = read_result(good / "result.h5")
    metrics = json.loads((good / "metrics.json").read_text(encoding="utf-8"))
    assert {"input_sha256", "weights_sha256", "config", "versions", "seed"} <= set(result.provenance)
    assert metrics["sampling"] == {"A_per_px": 0.2, "from": "user"}
    assert metrics["scores_against_truth"]["f1"] > 0.95
    assert {row["method"] for row in rows_of(good / "comparison.csv")} >= {"pca", "vae", "kmeans_vectors"}


@pytest.fixture(scope="module")
def batch(simulation, tmp_path_factory):
    """Everything that can be wrong with an input, and two good ones among it, in one run."""
    folder = tmp_path_factory.mktemp("batch")
    image = simulation.micrograph.image
    (folder / "empty.tif").touch()
    (folder / "text.tif").write_text("not an image at all\n")
    (folder / "text.dm4").write_text("x" * 300)
    arrays = {
        "line.npy": np.ones(512),
        "cube.npy": np.ones((3, 4, 5, 6)),
        "object.npy": np.array([{}, []], dtype=object),
        "complex.npy": image.astype(complex) + 1j,
        "constant.npy": np.ones((256, 256)),
        "tiny.npy": np.ones((2, 2)),
        "noise.npy": np.random.default_rng(0).normal(0, 1, (96, 96)),
        "stack.npy": np.stack([image[:96, :96], image[:96, :96]]),
    }
    nan = image[:96, :96].astype(float)
    nan[3, 4], nan[9, 9], nan[40:60, 40:60] = np.inf, -np.inf, np.nan
    for name, array in {**arrays, "nan.npy": nan}.items():
        np.save(folder / name, array)
    inputs = ["missing.tif", *sorted(path.name for path in folder.iterdir())]
    done = run(*inputs, "output=out", "figures=false", cwd=folder)
    return (
        done,
        {row["input"]: row for row in rows_of(folder / "out" / "summary.csv")},
        folder / "out",
        inputs,
    )


BAD = [
    "missing.tif",
    "empty.tif",
    "text.tif",
    "text.dm4",
    "line.npy",
    "cube.npy",
    "object.npy",
    "complex.npy",
    "tiny.npy",
]


def test_a_batch_goes_on_past_bad_inputs(batch):
    done, summary, out, inputs = batch
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert list(summary) == inputs
    assert {name for name, row in summary.items() if row["status"] == "failed"} == set(BAD)
    for name in ("stack", "nan", "noise", "constant"):
        assert (out / name / "columns.csv").exists()


@pytest.mark.parametrize("name", BAD)
def test_each_failure_is_one_sentence_that_names_the_input(batch, name: str):
    done, summary, _, _ = batch
    message = summary[name]["message"]
    assert Path(name).stem in message
    assert len(message) > 30
    assert message.count("\n") == 0
    assert f"stemnet: {message}" in done.stderr.splitlines()


def test_where_there_is_nothing_nothing_is_found(batch):
    _, summary, _, _ = batch
    assert summary["constant.npy"]["columns"] == "0"
    assert int(summary["noise.npy"]["columns"]) <= 2
    for name in ("constant.npy", "noise.npy"):
        assert summary[name]["status"] == "low confidence"
        assert summary[name]["message"]


def test_frames_of_a_stack_keep_their_numbers(batch):
    _, _, out, _ = batch
    found = read_columns_csv(out / "stack" / "columns.csv", shape=(96, 96))
    first, second = (found.yx[found["frame"] == frame] for frame in (0, 1))
    assert len(first) == len(second) > 30
    np.testing.assert_allclose(first, second, atol=1e-6)
    np.testing.assert_array_equal(np.unique(found["frame"]), [0, 1])


def test_pixels_without_a_number_cost_only_their_columns(batch):
    _, _, out, _ = batch
    whole = read_columns_csv(out / "stack" / "columns.csv", shape=(96, 96))
    whole = whole.yx[whole["frame"] == 0]
    holed = read_columns_csv(out / "nan" / "columns.csv", shape=(96, 96)).yx
    far = np.abs(whole - 50).max(1) > 20
    assert match(holed, whole[far], 1.0).recall > 0.97


def test_the_version_is_ours(tmp_path):
    assert run("--version", cwd=tmp_path).stdout == f"stemnet {stemnet.__version__}\n"


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("wdith=3", "Did you mean 'width'?"),
        ("checkpoint=stack.npy", "is not a stemnet weights file"),
        ("output=stack.npy", "cannot be made a folder"),
    ],
)
def test_a_run_that_cannot_begin_says_why(batch, argument: str, words: str):
    folder = batch[2].parent
    done = run("input=stack.npy", argument, cwd=folder)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert words in done.stderr
