"""Every config composes, makes what it names, and says what its settings mean."""

import inspect
import re
from pathlib import Path

import lightning.pytorch as pl
import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf
from sklearn.base import BaseEstimator

from stemnet import resources
from stemnet.doors.overrides import keys_of
from stemnet.doors.predicting import methods_of
from stemnet.doors.searching import typed_settings
from stemnet.doors.values import PREDICT, SIMULATE, TRAIN, TRAIN_VAE, checked_values
from stemnet.errors import StemnetError
from stemnet.models.checkpoint import NETWORKS
from stemnet.simulation.microscope import Artefact
from stemnet.simulation.simulator import Simulator
from stemnet.training.targets import Targets

FOLDER = resources.configs()
# Where a group hangs in which door's config.
PLACES = {
    "specimen": ("train", "specimen", "specimen"),
    "microscope": ("train", "microscope", "microscope"),
    "model": ("train", "model", "model"),
    "loss": ("train", "loss", "loss"),
    "task": ("train", "task", None),
    "trainer": ("train", "trainer", "trainer"),
    "descriptor": ("predict", "descriptor", "descriptor"),
    "embedding": ("predict", "embedding", "embedding"),
    "clustering": ("predict", "clustering", "clustering"),
    "study": ("predict", "study", "study"),
    "space": ("search", "space", "space"),
    "artefact": ("simulate", "+artefact@artefact", "artefact"),
}
CHOICES = [
    (path.parent.name, path.stem)
    for path in sorted(FOLDER.glob("*/*.yaml"))
    if path.parent.name != "experiment"
]
EXPERIMENTS = sorted(path.stem for path in (FOLDER / "experiment").glob("*.yaml"))
FILES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.yaml"))


def composed(door: str, *overrides: str):
    with initialize_config_dir(str(FOLDER), version_base="1.3"):
        return compose(door, overrides=list(overrides))


def test_every_group_has_a_place():
    assert {group for group, _ in CHOICES} == set(PLACES)


@pytest.mark.parametrize(("group", "name"), CHOICES)
def test_a_choice_composes_and_makes_what_it_names(group: str, name: str):
    door, override, key = PLACES[group]
    chosen = composed(door, f"{override}={name}")
    chosen = chosen[key or {"vae": "autoencoder", "segmentation": "simulator"}[name]]
    OmegaConf.resolve(chosen)
    if group in ("embedding", "clustering"):
        assert list(chosen) == [name]
        chosen = chosen[name]
        library = chosen["_target_"].split(".")[0]
        pytest.importorskip(library, reason=f"{library} is an optional extra")
    if group == "study":
        chosen = chosen.method
    if group == "trainer":
        assert set(chosen) <= set(inspect.signature(pl.Trainer).parameters)
        return
    made = instantiate(chosen, _convert_="all")
    if group == "model":
        assert chosen["_target_"] in NETWORKS
        assert sum(parameter.numel() for parameter in made.parameters()) > 0
    elif group == "artefact":
        assert isinstance(made, Artefact)
    elif group in ("embedding", "clustering") or name == "vae":
        assert isinstance(made, BaseEstimator)
        made.set_params(**made.get_params())
    elif group == "space":
        trial = OmegaConf.to_container(composed(made.door, *typed_settings(made.settings)))
        assert set(made.vary) <= set(keys_of(trial))
    elif group == "task":
        assert isinstance(made, Simulator)
    else:
        assert callable(made) or hasattr(made, "draw")


@pytest.mark.parametrize("experiment", [None, *EXPERIMENTS])
def test_an_experiment_makes_a_simulator_and_targets(experiment: str | None):
    config = composed("train", *([f"experiment={experiment}"] if experiment else []))
    checked_values(config, TRAIN)
    simulator = instantiate(config.simulator, _convert_="all")
    assert isinstance(simulator, Simulator)
    scene = simulator.scene(0, 0, 0)
    assert scene.shape == (config.patch, config.patch)
    targets = instantiate(config.targets, _convert_="all")
    assert isinstance(targets, Targets)
    # Weights to start from say it too.
    assert config.domain or config.initial
    assert config.microscope.width[0] <= config.working_width <= config.microscope.width[1]
    assert config.patch % instantiate(config.model).stride == 0


def test_the_predicting_defaults_are_of_their_kinds():
    checked_values(composed("predict"), PREDICT)


def test_the_defaults_of_training_an_autoencoder_are_of_their_kinds_and_clip_no_gradient():
    config = composed("train", "task=vae", "trainer=gpu")
    checked_values(config, TRAIN_VAE)
    assert config.trainer.gradient_clip_val is None
    assert "specimen" not in config


def test_the_simulating_defaults_are_of_their_kinds():
    checked_values(composed("simulate"), SIMULATE)


@pytest.mark.parametrize("file", FILES)
def test_every_setting_says_what_it_means(file: str):
    text = (FOLDER / file).read_text(encoding="utf-8").split("\nhydra:\n")[0]
    lines = text.splitlines()
    assert lines[0].startswith("#"), f"{file} does not begin by saying what it is"
    if file.startswith("experiment/"):
        return  # differences only; train.yaml says what they mean
    silent = []
    for before, line in zip(["", *lines], lines, strict=False):
        setting = re.fullmatch(r"\s*(\w+):\s*([^#]*?)\s*(#.*)?", line)
        if not setting or setting[1].startswith("_") or setting[1] == "defaults":
            continue
        holds_nothing_new = not setting[2] or "${" in setting[2]
        if not (holds_nothing_new or setting[3] or before.lstrip().startswith("#")):
            silent.append(line)
    assert not silent, f"{file}: say what these mean: {silent}"


def test_no_experiment_sets_what_does_not_exist():
    known = set(composed("train"))
    for name in EXPERIMENTS:
        keys = set(yaml.safe_load((Path(FOLDER) / "experiment" / f"{name}.yaml").read_text(encoding="utf-8")))
        assert keys - {"defaults"} <= known


def test_every_method_takes_latent_and_seed_from_the_command():
    names = sorted(path.stem for path in (FOLDER / "embedding").glob("*.yaml"))
    config = composed(
        "predict", f"embedding=[{','.join(names)}]", "latent=3", "seed=7", "clustering=[kmeans,gmm]"
    )
    assert sorted(config.embedding) == names
    assert {call.n_components for call in config.embedding.values()} == {3}
    calls = [*config.embedding.values(), *config.clustering.values()]
    assert {call.random_state for call in calls} == {7}


def test_a_method_whose_library_is_missing_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "umap" else name)
    with pytest.raises(StemnetError, match=r"library 'umap' is not installed.*pip install 'stemnet\[umap\]'"):
        methods_of(composed("predict", "embedding=[pca,umap]"), "embedding")
    assert list(methods_of(composed("predict"), "embedding")) == ["pca", "vae"]
    assert methods_of(composed("predict", "clustering=[]"), "clustering") == {}
