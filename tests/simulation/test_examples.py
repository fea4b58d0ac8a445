"""The frozen examples: whole, reproducible, and what their README says."""

import hashlib
import importlib.util
import json
import shutil
import sys

import numpy as np
import pytest
import tifffile
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from stemnet import StemnetError, resources
from stemnet.simulation.examples import example_names, load_example
from stemnet.storage import read_columns_csv

FOLDER = resources.simulated_data()
MANIFEST = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
ENTRIES = {entry["name"]: entry for entry in MANIFEST["examples"]}
ALL = pytest.mark.parametrize("name", ENTRIES)


@pytest.fixture(scope="module")
def recipe():
    spec = importlib.util.spec_from_file_location("recipe", FOLDER / "recipe.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["recipe"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["recipe"]


def visible(columns, least=5.0):
    return columns.select(columns["signal_to_noise"] > least)


def test_the_manifest_names_every_file():
    hashes = {file: sha for entry in ENTRIES.values() for file, sha in entry["sha256"].items()}
    kept = {file.name for pattern in ("*.tif", "*.csv") for file in FOLDER.glob(pattern)}
    assert set(hashes) == kept
    for file, sha in hashes.items():
        assert hashlib.sha256((FOLDER / file).read_bytes()).hexdigest() == sha, file
    assert sum(file.stat().st_size for file in FOLDER.iterdir() if file.is_file()) < 5e6


def test_the_recipe_makes_them_again(recipe, tmp_path):
    recipe.make(tmp_path)
    assert recipe.compare(FOLDER, tmp_path) == []
    again = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))["examples"]
    assert [entry["microscope"] for entry in again] == [entry["microscope"] for entry in ENTRIES.values()]


def test_the_check_sees_a_truth_or_an_image_that_moved(recipe, tmp_path):
    for file in FOLDER.glob("*.*"):
        shutil.copy(file, tmp_path)
    table = tmp_path / "si110_dumbbells.truth.csv"
    lines = table.read_text().splitlines()
    y, rest = lines[1].split(",", 1)
    table.write_text("\n".join([lines[0], f"{float(y) + 0.01:.4f},{rest}", *lines[2:]]))
    image = tifffile.imread(tmp_path / "bifeo3_polar.tif")
    density = 1e8 / 0.16
    tifffile.imwrite(
        tmp_path / "bifeo3_polar.tif",
        np.roll(image, 1, 0),
        resolution=(density, density),
        resolutionunit="CENTIMETER",
    )
    assert recipe.compare(FOLDER, tmp_path) == [
        "bifeo3_polar.tif differs by more than counting noise",
        "si110_dumbbells.truth.csv differs",
    ]


@ALL
def test_an_example_comes_with_its_truth_and_conditions(name):
    example, entry = load_example(name), ENTRIES[name]
    assert example.micrograph.shape == example.columns.shape == tuple(entry["shape"])
    assert example.micrograph.sampling == pytest.approx(entry["microscope"]["sampling"], rel=1e-9)
    assert example.micrograph.metadata["dose"] == entry["microscope"]["dose"]
    assert example.micrograph.metadata["voltage"] == entry["microscope"]["probe"]["voltage"]
    assert example.micrograph.notes == ()
    assert len(example.columns) == entry["columns"]
    assert {"species", "sublattice", "displacement_y", "displacement_x", "signal_to_noise"} <= set(
        example.columns.fields
    )
    assert np.all((example.columns.yx >= -0.5) & (example.columns.yx < 511.5))
    assert len(visible(example.columns)) > 100


@ALL
def test_the_columns_sit_where_the_truth_says(name):
    """Moving the truth by half a pixel or more takes it off the summits."""
    example = load_example(name)
    yx = visible(example.columns).yx
    yx = yx[np.all((yx > 4) & (yx < 507), axis=1)]
    image = example.micrograph.image.astype(float)

    def height(dy, dx):
        return map_coordinates(image, (yx + np.array([dy, dx])).T, order=1).mean()

    steps = np.linspace(-2, 2, 9)
    for profile in ([height(s, 0) for s in steps], [height(0, s) for s in steps]):
        curve = np.polynomial.Polynomial.fit(steps, profile, 2)
        _, slope, bend = curve.convert().coef
        assert bend < 0
        assert abs(slope / (2 * bend)) < 0.12


@ALL
def test_vacancies_are_listed_with_what_is_left(name):
    path = FOLDER / f"{name}.vacancies.csv"
    assert path.exists() == (ENTRIES[name]["vacancies"] > 0)
    if not path.exists():
        return
    sites, columns = read_columns_csv(path, (512, 512)), load_example(name).columns
    distance, row = cKDTree(columns.yx).query(sites.yx)
    half = sites["occupancy"] == 0.5
    assert set(sites["occupancy"]) <= {0.0, 0.5}
    assert np.all(distance[half] < 1e-6)
    assert set(columns["species"][row[half]]) <= {"S", "Se"}
    spacing = np.median(cKDTree(columns.yx).query(columns.yx, k=2)[0][:, 1])
    assert np.all(distance[~half] > 0.7 * spacing)


def test_pbtio3_has_its_long_axis_along_y_then_along_x():
    columns = load_example("pbtio3_domains").columns
    columns = columns.select(columns["species"] == "Pb")
    pure = columns.select(np.abs(columns["tetragonality"] - 1) > 0.06)
    tree = cKDTree(columns.yx_angstrom)
    for domain, wanted in ((0, (4.15, 3.90)), (1, (3.90, 4.15))):
        chosen = pure.select(pure["domain"] == domain)
        assert len(chosen) > 100
        _, rows = tree.query(chosen.yx_angstrom, k=5)
        vectors = columns.yx_angstrom[rows[:, 1:]] - chosen.yx_angstrom[:, None]
        lengths = np.hypot(vectors[..., 0], vectors[..., 1])
        along_y = np.abs(vectors[..., 0]) > np.abs(vectors[..., 1])
        near = lengths < 4.4
        np.testing.assert_allclose(np.median(lengths[along_y & near]), wanted[0], atol=0.03)
        np.testing.assert_allclose(np.median(lengths[~along_y & near]), wanted[1], atol=0.03)


@pytest.mark.parametrize(
    ("name", "a_site", "b_site"), [("bifeo3_polar", "Bi", "FeO"), ("pbtio3_domains", "Pb", "TiO")]
)
def test_the_b_site_sits_off_its_cage_by_the_planted_polarization(name, a_site, b_site):
    columns = load_example(name).columns
    cage = columns.yx[columns["species"] == a_site]
    inner = np.all((columns.yx > 40) & (columns.yx < 472), axis=1)
    b_columns = columns.select((columns["species"] == b_site) & inner)
    distance, rows = cKDTree(cage).query(b_columns.yx, k=4)
    full = distance[:, 3] < 1.6 * np.median(distance)  # no vacancy among the four
    offset = (b_columns.yx - cage[rows].mean(1))[full]
    planted = np.column_stack([b_columns["polar_y_px"], b_columns["polar_x_px"]])[full]
    assert full.sum() > 200
    assert np.sqrt(np.mean((offset - planted) ** 2)) < 0.3
    assert np.corrcoef(offset.ravel(), planted.ravel())[0, 1] > 0.9
    both = [planted[b_columns["domain"][full] == domain].mean(0) for domain in (0, 1)]
    assert np.hypot(*(both[0] - both[1])) > 1.0


def test_wsse_turns_from_janus_to_selenide_along_x():
    columns = load_example("wsse_janus").columns
    chalcogen = columns.select(columns["sublattice"] == 1)
    left, right = chalcogen["top_selenium_share"] < 0.3, chalcogen["top_selenium_share"] > 0.7
    assert np.mean(chalcogen["species"][left] == "SSe") > 0.6
    assert np.mean(chalcogen["species"][right] == "Se2") > 0.6
    counts = {"S": 0, "S2": 0, "SSe": 1, "Se": 1, "Se2": 2}
    np.testing.assert_array_equal(chalcogen["selenium"], [counts[name] for name in chalcogen["species"]])


def test_mos2_ends_in_vacuum():
    example = load_example("mos2_defects")
    share = np.mean([np.any(example.columns["species"] == name) for name in ("Mo", "S2", "S", "Re")])
    assert share == 1
    empty = cKDTree(example.columns.yx).query([[150.0, 480.0]])[0][0]
    assert empty > 40
    assert example.micrograph.image[130:170, 460:500].mean() < 0.3 * example.micrograph.image[:, :200].mean()


def test_another_name_is_refused_with_the_names_there_are():
    assert example_names() == tuple(ENTRIES)
    with pytest.raises(StemnetError, match="pbtio3_domains"):
        load_example("unobtainium")
