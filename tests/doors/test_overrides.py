"""File names reach the config as typed; mistakes are answered in words."""

import os

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from stemnet import resources
from stemnet.doors.command_line import BARE
from stemnet.doors.overrides import checked, spelled
from stemnet.errors import StemnetError

NAMES = [
    "image (2).tif",
    "a,b.tif",
    "dose=300.tif",
    "it's.npy",
    'q"uote.npy',
    "'quoted'",
    "[1].npy",
    "[a,b]",
    "{c: 1}.npy",
    "Å_été.tif",
    "${oc.env:HOME}.tif",
    "$x.tif",
    "C:\\data\\scan.tif",
    "end\\",
    "\\'x.tif",
    "\\\\b'\\\\",
    "~home.tif",
    "+x.tif",
    "null",
    "true",
    "1.5",
    "#c",
    "*.tif",
    " lead and trail ",
    "a\tb",
    "a\nb",
]


def _read(arguments: list[str]):
    """What Hydra makes of the arguments, without the time that composing a whole config takes."""
    config = OmegaConf.create()
    for override in OverridesParser.create().parse_overrides(arguments):
        OmegaConf.update(config, override.key_or_group, override.value())
    return config


def _touch(name: str) -> bool:
    try:
        with open(name, "x"):
            return True
    except (OSError, ValueError):
        return False


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_exists_is_taken_literally(name: str, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert _touch(name)
    assert _touch("other one.tif")
    assert _read(spelled([f"input={name}"], "input")).input == name
    bare = _read(spelled([name, "latent=3", "other one.tif"], "input"))
    assert list(bare.input) == [name, "other one.tif"]
    assert bare.latent == 3


def test_the_whole_config_takes_the_names_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert all(_touch(name) for name in NAMES)
    with initialize_config_dir(str(resources.configs()), version_base="1.3"):
        assert list(compose("predict", overrides=spelled(NAMES, "input")).input) == NAMES


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=40)
)
def test_any_name_that_a_disk_takes_comes_back(name: str, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = os.path.join(str(tmp_path), name)
    if not os.path.exists(path) and not _touch(path):
        return
    assert _read(spelled([f"input={path}"], "input")).input == path
    assert list(_read(spelled([path], "input")).input) == [path]


@pytest.mark.parametrize("key", ["output", "checkpoint", "truth", "resume"])
def test_names_of_files_that_do_not_exist_yet_need_no_quotes(key: str):
    name = "new results (3), dose=3e4"
    assert _read(spelled([f"{key}={name}"], "input"))[key] == name


def test_folders_of_hydra_are_names_unless_they_interpolate():
    assert spelled(["hydra.run.dir=my run (2)"], None) == ["hydra.run.dir='my run (2)'"]
    assert spelled(["hydra.sweep.dir=a/${now:%Y}"], None) == ["hydra.sweep.dir=a/${now:%Y}"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("[a.tif, b.tif]", ["a.tif", "b.tif"]),
        ("['a, 1.tif', \"b (2).tif\"]", ["a, 1.tif", "b (2).tif"]),
        ("[it's.tif,b.tif]", ["it's.tif", "b.tif"]),
        ("'data/*.emd'", "data/*.emd"),
        ("data/*.emd", "data/*.emd"),
        ("null", None),
    ],
)
def test_lists_quotes_and_globs(typed: str, meant: object):
    got = _read(spelled([f"input={typed}"], "input")).input
    assert got == meant


def test_a_name_longer_than_a_disk_allows_is_no_traceback():
    name = "x" * 5000
    assert _read(spelled([f"input={name}"], "input")).input == name


def test_settings_pass_as_they_are_and_flags_follow_them():
    typed = [
        "latent=1,2",
        "-m",
        "descriptor=nearest",
        "--config-dir",
        "my configs",
        "embedding.vae.hidden=[8]",
    ]
    ordered = [
        "latent=1,2",
        "descriptor=nearest",
        "embedding.vae.hidden=[8]",
        "-m",
        "--config-dir",
        "my configs",
    ]
    assert spelled(typed, "input") == ordered


@pytest.mark.parametrize(
    ("config", "typed", "words"),
    [
        ("predict", ["wdith=3"], "Did you mean 'width'?"),
        ("predict", ["embedding.vae.hiddn=[8]"], "Did you mean 'embedding.vae.hidden'?"),
        ("predict", ["vae.beta=2"], "Did you mean 'embedding.vae.beta'?"),
        (
            "predict",
            ["embedding.nmf.tol=1"],
            "a setting of nmf, which was not chosen. Choose it by embedding=[nmf]",
        ),
        (
            "predict",
            ["embedding=[pca,tsne]"],
            "There is no embedding called 'tsne'. Choose one of: ica, nmf, pca, rvae, umap, vae.",
        ),
        (
            "predict",
            ["clustering=dbscan"],
            "There is no clustering called 'dbscan'. Choose one of: domains, gmm, hierarchical, kmeans.",
        ),
        ("predict", ["nothing.like.it=1"], "The settings are: checkpoint,"),
        (
            "predict",
            ["descriptor=nearst"],
            "There is no descriptor called 'nearst'. Choose one of: bond_orientation, coordination, nearest, "
            "neighbors, order_free, radius, voronoi, voronoi_area.",
        ),
        ("predict", ["clusters=[1"], "could not be read"),
        ("predict", ["latent=1,2"], "add -m"),
        ("predict", ["a.tif", "input=b.tif"], "give all of them one way"),
        ("train", ["experiment=smok"], "There is no experiment called 'smok'"),
        ("train", ["-m", "experiment=smoke,smok"], "There is no experiment called 'smok'"),
        ("train", ["-m", "loss=bce,hinge"], "There is no loss called 'hinge'"),
        ("train", ["a.tif"], "is not a setting"),
    ],
)
def test_a_mistake_is_answered_in_one_line(config: str, typed: list[str], words: str):
    with pytest.raises(StemnetError) as caught:
        checked(config, spelled(typed, BARE.get(config)))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("config", "typed"),
    [
        ("predict", ["-m", "latent=1,2,3", "clustering=kmeans,gmm"]),
        ("predict", ["embedding=[pca,nmf]", "embedding.nmf.n_components=4", "clustering=[]"]),
        ("predict", ["-m", "embedding=[pca],[pca,rvae]", "embedding.pca.n_components=1,2"]),
        ("gather", ["my sweep, 1", "numbers=[silhouette]"]),
        ("search", ["space=autoencoder", "+settings.latent=3", "space.vary.latent.low=2"]),
        ("predict", ["--help", "wdith=3"]),
        ("predict", ["--cfg", "job"]),
        ("train", ["model={base: 8, levels: 3}", "microscope.width=[2,4]", "hydra.run.dir=somewhere"]),
        ("train", ["-m", "learning_rate=range(1,3)"]),
    ],
)
def test_what_hydra_understands_is_not_refused(config: str, typed: list[str]):
    checked(config, spelled(typed, BARE.get(config)))
