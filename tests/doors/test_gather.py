"""A sweep's folders in one table: means over seeds, and nothing left out in silence."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from stemnet.doors.gathering import gather_from
from stemnet.doors.sweep_runs import read_sweep, run_folders
from stemnet.doors.sweep_tables import means_of, numbers_of
from stemnet.errors import StemnetError
from stemnet.models.checkpoint import Card, save
from stemnet.models.unet import UNet

ERRORS = {("1", "0"): 0.3, ("1", "1"): 0.5, ("2", "0"): 0.2, ("2", "1"): 0.2}


def predicted(folder: Path, overrides: list[str], error: float, image: str = "scan") -> None:
    """What predict.py leaves of one input, as far as it is gathered."""
    result = folder / image
    result.mkdir(parents=True)
    metrics = {"input": f"{image}.tif", "overrides": [*overrides, f"output='{folder}'", "hydra.verbose=true"]}
    (result / "metrics.json").write_text(json.dumps(metrics))
    rows = ["method,unit,error_held_out,silhouette,truth_ari_domain"]
    rows += [f"pca,A,{error},0.5,0.9", f"kmeans_angles,rad,{error / 10},0.1,nan"]
    (result / "comparison.csv").write_text("\n".join(rows) + "\n")


def trained(folder: Path, overrides: list[str], f1: float | None) -> None:
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "overrides.yaml").write_text("".join(f"- {one}\n" for one in overrides))
    if f1 is not None:
        network = {"_target_": "stemnet.models.unet.UNet", "base": 4, "levels": 1}
        card = Card(network, {}, (1, 2), 1.5, (0.1, 0.2), 0.5, "", {"f1": f1, "rmse": 0.4})
        save(folder / "weights.safetensors", UNet(base=4, levels=1), card)


@pytest.fixture
def sweep(tmp_path):
    for number, ((latent, seed), error) in enumerate(ERRORS.items()):
        predicted(tmp_path / str(number), [f"latent={latent}", f"seed={seed}"], error)
    return tmp_path


def gathered(folder: Path, capsys, **settings) -> str:
    gather_from(OmegaConf.create({"folder": str(folder), "over": ["seed"], "numbers": None, **settings}))
    return capsys.readouterr().out


def test_mean_and_spread_are_over_the_seeds(sweep, capsys):
    said = gathered(sweep, capsys)
    with (sweep / "sweep_means.csv").open() as file:
        means = {(row["latent"], row["method"]): row for row in csv.DictReader(file)}
    assert len(means) == 4
    first = means["1", "pca"]
    assert (first["runs"], float(first["error_held_out"])) == ("2", pytest.approx(0.4))
    assert float(first["error_held_out_sd"]) == pytest.approx(np.std([0.3, 0.5], ddof=1), rel=1e-6)
    assert float(means["2", "pca"]["error_held_out_sd"]) == 0
    assert means["1", "kmeans_angles"]["truth_ari_domain"] == ""
    with (sweep / "sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["run"] for row in rows] == ["0", "0", "1", "1", "2", "2", "3", "3"]
    assert "0.4 ± 0.1" in said
    assert "4 runs, which differ in latent, seed" in said
    assert "Left out" not in said
    assert (sweep / "sweep.png").stat().st_size > 10_000
    # a second time nothing of the first is taken for a run
    assert gathered(sweep, capsys) == said


def test_what_is_missing_is_named(sweep, capsys):
    (sweep / "4").mkdir()
    (sweep / "5" / "scan").mkdir(parents=True)
    (sweep / "5" / "scan" / "columns.csv").touch()
    predicted(sweep / "6", ["latent=3", "seed=0"], 0.1, image="other")
    (sweep / "6" / "summary.csv").write_text("input,status,message\nscan.tif,failed,It is empty.\n")
    plan = {"hydra": {"overrides": {"task": ["latent=1,2,3", "seed=0,1,2", "figures=false"]}}}
    (sweep / "multirun.yaml").write_text(OmegaConf.to_yaml(plan))
    said = [
        line.removeprefix("Left out: ") for line in gathered(sweep, capsys).splitlines() if "Left out" in line
    ]
    print("\n".join(said))
    assert "Run 4 did not finish: it left no results." in said
    assert "Run 5 did not finish scan." in said
    assert "Run 6 failed on scan.tif: It is empty." in said
    assert "Of 9 runs these never began: 7, 8." in said
    assert any("Run 0 has no results of other" in sentence for sentence in said)


def test_trainings_are_gathered_by_their_scores(tmp_path, capsys):
    for number, (seed, f1) in enumerate([(1, 0.8), (2, 0.9), (3, None)]):
        trained(tmp_path / str(number), ["experiment=smoke", f"seed={seed}", "hydra.sweep.dir=x"], f1)
    said = gathered(tmp_path, capsys)
    assert "0.85 ± 0.07" in said
    assert "Left out: Run 2 (experiment=smoke seed=3 hydra.sweep.dir=x) was not trained to its end." in said


def test_runs_of_several_sweeps_are_refused(sweep, capsys):
    predicted(sweep / "4", ["latent=1", "clustering=gmm"], 0.1)
    with pytest.raises(
        StemnetError, match=r"several sweeps: 0, 1, 2, 3 set latent, seed; 4 set clustering, latent"
    ):
        read_sweep(sweep)
    trained(sweep / "5", ["seed=1"], 0.8)
    with pytest.raises(StemnetError, match=r"runs of predict\.py and of train\.py"):
        gathered(sweep, capsys)


def test_where_there_is_no_run_that_is_said(tmp_path):
    with pytest.raises(StemnetError, match="holds no finished run"):
        read_sweep(tmp_path)
    (tmp_path / "0").mkdir()
    with pytest.raises(StemnetError, match="Run 0 did not finish"):
        read_sweep(tmp_path)
    with pytest.raises(StemnetError, match="There is no folder"):
        read_sweep(tmp_path / "nowhere")
    with pytest.raises(StemnetError, match="0 folders were named"):
        gather_from(OmegaConf.create({"folder": None}))


def test_one_run_alone_has_no_spread(tmp_path):
    predicted(tmp_path, ["latent=1"], 0.3)
    found = read_sweep(tmp_path)
    assert found.varied == ()
    assert np.isnan(means_of(found, ["seed"])[0]["error_held_out_sd"])


def test_numbers_are_the_usual_ones_or_those_asked_for(sweep):
    found = read_sweep(sweep)
    assert numbers_of(found) == ["error_held_out", "silhouette", "truth_ari_domain"]
    assert numbers_of(found, ["silhouette"]) == ["silhouette"]
    with pytest.raises(StemnetError, match="numbers=f1 is none that the runs have"):
        numbers_of(found, ["f1"])


def test_runs_come_in_the_order_of_their_numbers(tmp_path):
    for number in (10, 9, 2):
        predicted(tmp_path / str(number), [f"latent={number}"], 0.1)
    assert [path.name for path in run_folders(tmp_path)] == ["2", "9", "10"]
