"""``train.py task=vae`` from the command line: trained, resumed, swept, gathered, and used by ``predict.py``."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile
from test_pooling import crystal, written

from stemnet import storage
from stemnet.analysis import VariationalAutoencoder
from stemnet.descriptors import neighbor_vectors
from stemnet.doors import command_line

QUICK = ["task=vae", "input=results", "quiet=true", "epochs=4"]


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def run(door: str, *arguments: str, cwd: Path) -> Done:
    """A command, in this process: importing torch a dozen times would take longer than all of it."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(cwd)
        patch.setattr(sys, "argv", [door, *arguments])
        try:
            getattr(command_line, door)()
        except SystemExit as end:
            code = int(end.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three results of predicting, and a run that was trained on them."""
    folder = tmp_path_factory.mktemp("vae")
    for number in range(3):
        written(folder / "results", crystal(f"image {number}", seed=number, side=200))
    done = run("train", *QUICK, "output=my run", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    (folder / "said").write_text(done.stdout)
    return folder


def test_it_says_what_was_pooled_how_well_it_does_and_what_comes_next(folder):
    lines = (folder / "said").read_text().splitlines()
    assert [line.split(":")[0] for line in lines[:3]] == ["image 0", "image 1", "image 2"]
    assert lines[3].startswith("ELBO ")
    assert "that no training saw" in lines[3]
    assert "my run/weights.safetensors" in lines[4]
    assert "embedding.vae.weights='" in lines[5]
    for name in ("metrics.csv", "training.png", "checkpoints/best.ckpt", "config/config.yaml"):
        assert (folder / "my run" / name).stat().st_size > 0, name


def test_the_card_says_how_rows_are_made_and_nothing_of_this_machine(folder):
    card = VariationalAutoencoder.load(folder / "my run" / "weights.safetensors").card_
    assert card.names == neighbor_vectors(crystal().columns).names
    assert card.rows["descriptor"]["order"] == "template"
    assert card.config["inputs"] == ["image 0", "image 1", "image 2"]
    assert not {"input", "output", "resume"} & set(card.config)
    # one of three images was put aside
    assert card.scores["rows_test"] < card.scores["rows_train"]
    assert np.isfinite(card.scores["elbo"])


def test_the_weights_are_those_of_a_fit_in_memory(folder):
    made = VariationalAutoencoder.load(folder / "my run" / "weights.safetensors")
    rows = [
        neighbor_vectors(storage.read_result(path).columns).complete
        for path in sorted((folder / "results").rglob("result.h5"))
    ]
    aside = np.random.default_rng([0, 1]).permutation(3)[0]
    train = np.concatenate([one for number, one in enumerate(rows) if number != aside])
    again = VariationalAutoencoder(**made.get_params()).fit(train)
    np.testing.assert_allclose(again.transform(train), made.transform(train), atol=1e-5)
    assert again.score(rows[aside]) == pytest.approx(made.card_.scores["elbo"], abs=1e-5)


def test_a_run_goes_on(folder):
    whole = run("train", *QUICK, "epochs=6", "output=whole", cwd=folder)
    assert whole.returncode == 0, whole.stderr
    resume = "resume=my run/checkpoints/last.ckpt"
    rest = run("train", *QUICK, "epochs=6", "output=rest", resume, cwd=folder)
    assert rest.returncode == 0, rest.stderr
    assert whole.stdout.splitlines()[3] == rest.stdout.splitlines()[3]


def test_a_sweep_is_gathered(folder):
    done = run("train", "-m", *QUICK, "epochs=2", "latent=1,2", "beta=1,4", "output=sweep", cwd=folder)
    assert done.returncode == 0, done.stderr
    table = run("gather", "sweep", cwd=folder)
    assert table.returncode == 0, table.stderr
    head = table.stdout.splitlines()[0].split()
    assert head[:2] == ["latent", "beta"]
    assert {"elbo", "error_held_out", "error_held_out_pca"} <= set(head)
    assert "4 runs, which differ in latent, beta" in table.stdout


def test_new_images_are_embedded_by_what_was_trained(folder):
    image = crystal("new", seed=9, side=200).micrograph.frames[0]
    noisy = np.random.default_rng(0).poisson(200 * image + 5).astype(np.float32)
    tifffile.imwrite(folder / "new.tif", noisy)
    done = run(
        "predict",
        "input=new.tif",
        "output=embedded",
        "sampling=0.2",
        "embedding=[pca,vae]",
        "embedding.vae.weights=my run/weights.safetensors",
        "figures=false",
        "latent=1",
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    result = storage.read_result(folder / "embedded" / "new" / "result.h5")
    made = VariationalAutoencoder.load(folder / "my run" / "weights.safetensors")
    described = result.descriptors["neighbor_vectors"]
    valid = described["valid"]
    assert valid.sum() > 50
    # the size of the latent is the file's
    np.testing.assert_array_equal(result.embeddings["vae"][valid], made.transform(described["values"][valid]))
    assert result.embeddings["pca"].shape[1] == 1


@pytest.mark.parametrize(("invariance", "name"), [("null", "vae"), ("rotation", "rvae")])
def test_windows_are_trained_on_and_columns_embedded_by_theirs(invariance, name, folder):
    run_folder = f"windows {name}"
    settings = ["rows=windows", "size=48", "step=6", f"invariance={invariance}", f"output={run_folder}"]
    done = run("train", *QUICK, *settings, cwd=folder)
    assert done.returncode == 0, done.stderr
    # 26 windows a side
    assert "image 0: 196 columns, 676 rows." in done.stdout
    assert "Note: windows" not in done.stdout
    made = VariationalAutoencoder.load(folder / run_folder / "weights.safetensors")
    assert made.card_.rows["size"] == 48
    assert made.card_.rows["maps"] is (invariance != "null")
    image = crystal("new", seed=9, side=200).micrograph.frames[0]
    tifffile.imwrite(
        folder / "turned.tif", np.random.default_rng(0).poisson(200 * image + 5).astype(np.float32)
    )
    done = run(
        "predict",
        "input=turned.tif",
        f"output=embedded {name}",
        "sampling=0.2",
        f"embedding=[pca,{name}]",
        f"embedding.{name}.weights={run_folder}/weights.safetensors",
        f"figures={name == 'rvae'}",
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    result = storage.read_result(folder / f"embedded {name}" / "turned" / "result.h5")
    latent = result.embeddings[name]
    known = np.isfinite(latent).all(axis=1)
    columns = result.columns.yx
    inside = ((columns > 28) & (columns < 171)).all(axis=1)
    assert len(latent) == len(columns)
    assert known[inside].all()
    assert not known[(columns < 18).any(axis=1)].any()


def test_windows_of_one_image_are_told_to_overlap(folder):
    done = run(
        "train", *QUICK, "input=results/image 0/result.h5", "rows=windows", "step=6", "output=one", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    assert "Note: windows of an image overlap" in done.stdout


@pytest.mark.parametrize(
    ("script", "arguments", "words"),
    [
        ("train", ["input=nowhere.tif"], "nowhere.tif"),
        ("train", ["input=results/image 0/result.h5", "test_by=images"], "which leaves none to train on"),
        ("train", ["invariance=mirror"], "invariance='mirror' is not known"),
        ("train", ["latent=0"], "give a whole number of at least 1"),
        ("train", ["rows=pixels"], "give vectors, patches or windows"),
        ("train", ["resume=no.ckpt"], "There is no checkpoint no.ckpt"),
        ("train", ["specimen=universal"], "'specimen' is a choice that these settings do not have"),
        ("train", ["laten=3"], "Did you mean 'latent'?"),
        ("predict", ["embedding.vae.weights=no.safetensors"], "There is no weights file no.safetensors"),
        (
            "predict",
            ["checkpoint=my run/weights.safetensors"],
            "holds an autoencoder, which finds no columns",
        ),
    ],
)
def test_a_run_that_cannot_begin_says_why(script, arguments, words, folder):
    more = ["task=vae", "quiet=true", "output=bad"] if script == "train" else ["output=bad"]
    if script == "train" and not any(one.startswith("input=") for one in arguments):
        more.append("input=results")
    done = run(script, *more, *arguments, cwd=folder)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert words in done.stderr


def test_help_tells_of_the_autoencoder(tmp_path):
    for arguments, words in (((), "task=vae input=[a.dm4,b.h5]"), (("task=vae",), "invariance: null")):
        done = run("train", "--help", *arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert words in done.stdout
