"""The frozen examples: whole, reproducible, and read as their README says."""

import hashlib
import importlib.util
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial import cKDTree

from stemnet import StemnetError, resources
from stemnet.simulation.examples import example_names, load_example, movie_names

FOLDER = resources.simulated_data()
MANIFEST = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
ENTRIES = {entry["name"]: entry for entry in MANIFEST["examples"]}
MOVIES = {entry["name"]: entry for entry in MANIFEST["movies"]}
ALL = pytest.mark.parametrize("name", ENTRIES)


def script(name: str):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def recipe():
    yield script("recipe")
    del sys.modules["recipe"]


@pytest.fixture(scope="module")
def compare():
    yield script("comparing").compare
    del sys.modules["comparing"]


def visible(columns, least=5.0):
    return columns.select(columns["signal_to_noise"] > least)


def test_the_manifest_names_every_file():
    hashes = {
        file: sha for entry in (*ENTRIES.values(), *MOVIES.values()) for file, sha in entry["sha256"].items()
    }
    kept = {file.name for pattern in ("*.tif", "*.csv", "*.npz") for file in FOLDER.glob(pattern)}
    assert set(hashes) == kept
    for file, sha in hashes.items():
        assert hashlib.sha256((FOLDER / file).read_bytes()).hexdigest() == sha, file


def test_the_folder_is_small():
    sizes = [file.stat().st_size for file in FOLDER.iterdir() if file.is_file()]
    assert max(sizes) < 1.5e6
    assert sum(sizes) < 12e6


def test_the_recipe_makes_them_again(recipe, compare, tmp_path):
    recipe.make(tmp_path)
    assert compare(FOLDER, tmp_path, [*ENTRIES, *MOVIES]) == []
    made = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    again = made["examples"] + made["movies"]
    for key in ("microscope", "planted", "world", "columns"):
        assert [entry[key] for entry in again] == [
            entry[key] for entry in (*ENTRIES.values(), *MOVIES.values())
        ]


def test_the_check_sees_a_truth_a_field_or_an_image_that_moved(compare, tmp_path):
    for file in FOLDER.glob("*.*"):
        shutil.copy(file, tmp_path)
    table = tmp_path / "si110_dumbbells.truth.csv"
    lines = table.read_text().splitlines()
    y, rest = lines[1].split(",", 1)
    table.write_text("\n".join([lines[0], f"{float(y) + 0.01:.4f},{rest}", *lines[2:]]))
    with np.load(FOLDER / "mvteo_m2.fields.npz") as stored:
        fields = dict(stored)
    np.savez(tmp_path / "mvteo_m2.fields.npz", **{**fields, "polar_y_A": np.roll(fields["polar_y_A"], 1, 0)})
    path = tmp_path / "bifeo3_closure.tif"
    density = 1e8 / load_example("bifeo3_closure").micrograph.sampling
    shifted = np.roll(tifffile.imread(path), 1, 0)
    tifffile.imwrite(path, shifted, resolution=(density, density), resolutionunit="CENTIMETER")
    assert compare(FOLDER, tmp_path, list(ENTRIES)) == [
        "bifeo3_closure.tif differs by more than counting noise",
        "mvteo_m2.fields.npz differs",
        "si110_dumbbells.truth.csv differs",
    ]


def test_the_same_world_is_made_at_another_size(recipe, tmp_path):
    chosen = [example for example in recipe.EXAMPLES if example.name in ("remos2_55", "bifeo3_closure")]
    recipe.make(tmp_path, (768, 640), tuple(chosen))
    for example in chosen:
        large, small = load_example(example.name, tmp_path), load_example(example.name)
        assert large.micrograph.shape == large.columns.shape == (768, 640)
        assert large.fields.keys() == small.fields.keys()
        density = len(large.columns) / (768 * 640) / len(small.columns) * 512 * 512
        assert density == pytest.approx(1, abs=0.06)


@ALL
def test_an_example_comes_with_its_truth_and_conditions(name):
    example, entry = load_example(name), ENTRIES[name]
    assert example.micrograph.shape == example.columns.shape == tuple(entry["shape"])
    assert example.micrograph.sampling == pytest.approx(entry["microscope"]["sampling"], rel=1e-9)
    assert example.micrograph.metadata["dose"] == entry["microscope"]["dose"]
    assert example.micrograph.metadata["voltage"] == entry["microscope"]["probe"]["voltage"]
    assert example.micrograph.notes == ()
    assert len(example.columns) == entry["columns"]
    assert len(example.vacancies) == entry["vacancies"]
    assert {"species", "sublattice", "cell_i", "site", "displacement_y", "displacement_x"} <= set(
        example.columns.fields
    )
    assert np.all((example.columns.yx >= -0.5) & (example.columns.yx < 511.5))
    assert len(visible(example.columns)) > 100


@ALL
def test_everything_planted_is_there_and_explained(name):
    example, entry = load_example(name), ENTRIES[name]
    readme = (Path(FOLDER) / "README.md").read_text(encoding="utf-8")
    assert set(example.fields) == {key for key, told in entry["planted"].items() if told["field"]}
    # A table leaves out a column that is empty throughout, as `defect` is where there is none.
    missing = set(entry["planted"]) - set(example.columns.fields)
    assert missing <= {"defect"} | {key for key, told in entry["planted"].items() if told["field"]}
    for key, told in entry["planted"].items():
        assert told["meaning"]
        assert f"`{key}`" in readme or key.startswith(("mode_", "strain_", "spread_")), key
    for field in example.fields.values():
        assert field.shape == (64, 64) == tuple(-(-n // example.field_step) for n in example.micrograph.shape)
        assert np.isfinite(field).all()
    assert f"`{name}`" in readme


@ALL
def test_the_columns_sit_where_the_truth_says(name):
    """Moving the truth by half a pixel or more takes it off the summits; of an inverted image, out of the hollows."""
    example = load_example(name)
    yx = visible(example.columns).yx
    yx = yx[np.all((yx > 4) & (yx < 507), axis=1)]
    image = gaussian_filter(example.micrograph.image.astype(float), 2) * (-1 if name.endswith("abf") else 1)

    def height(dy, dx):
        return map_coordinates(image, (yx + np.array([dy, dx])).T, order=1).mean()

    steps = np.linspace(-2, 2, 9)
    for profile in ([height(s, 0) for s in steps], [height(0, s) for s in steps]):
        curve = np.polynomial.Polynomial.fit(steps, profile, 2)
        _, slope, bend = curve.convert().coef
        assert bend < 0
        assert abs(slope / (2 * bend)) < 0.12


@ALL
def test_vacancies_are_gaps_between_the_columns(name):
    example = load_example(name)
    path = FOLDER / f"{name}.vacancies.csv"
    assert path.exists() == (len(example.vacancies) > 0)
    if len(example.vacancies):
        distance, _ = cKDTree(example.columns.yx).query(example.vacancies.yx)
        spacing = np.median(cKDTree(example.columns.yx).query(example.columns.yx, k=2)[0][:, 1])
        assert np.all(distance > 0.7 * spacing)
        assert set(example.vacancies["species"]) <= set(example.columns["species"]) | {"S2"}


@pytest.mark.parametrize(
    ("name", "cage", "center", "corners", "moves"),
    [
        ("bifeo3_closure", "Bi", "FeO", 4, 1.0),
        ("pbtio3_domains", "Pb", "TiO", 4, 1.0),
    ],
)
def test_the_center_sits_off_its_cage_by_the_planted_polarization(name, cage, center, corners, moves):
    """As the image shows it, scan errors included."""
    columns = load_example(name).columns
    corner = columns.yx[columns["species"] == cage]
    inner = np.all((columns.yx > 40) & (columns.yx < 472), axis=1)
    centers = columns.select((columns["species"] == center) & inner)
    _, rows = cKDTree(corner).query(centers.yx, k=corners)
    offset = (centers.yx - corner[rows].mean(1)) * columns.sampling
    planted = np.column_stack([centers["polar_y_A"], centers["polar_x_A"]])
    assert len(centers) > 200
    assert np.sqrt(np.mean((offset - planted) ** 2)) < 0.05
    assert np.corrcoef(offset.ravel(), planted.ravel())[0, 1] > 0.9
    both = [planted[centers["domain"] == domain].mean(0) for domain in (0, 1)]
    assert np.hypot(*(both[0] - both[1])) > 0.16 * moves


@pytest.mark.parametrize("name", MOVIES)
def test_a_movie_comes_with_the_tracks_of_its_columns(name):
    movie, entry = load_example(name), MOVIES[name]
    readme = (Path(FOLDER) / "README.md").read_text(encoding="utf-8")
    columns, count = movie.columns, entry["frames"]
    assert movie.micrograph.image.shape == (count, *entry["shape"])
    assert movie.micrograph.sampling == pytest.approx(entry["microscope"]["sampling"], rel=1e-9)
    assert movie.micrograph.metadata["frame_time"] == entry["frame_time"]
    assert movie.micrograph.notes == ()
    assert len(columns) == entry["columns"]
    assert set(np.unique(columns["frame"])) == set(range(count))
    for key, told in entry["planted"].items():
        assert told["meaning"]
        assert f"`{key}`" in readme, key
    assert f"`{name}`" in readme
    assert set(entry["planted"]) - set(columns.fields) <= {"defect"}
    for frame in (0, count // 2, count - 1):
        mine = visible(columns.select(columns["frame"] == frame)).yx
        image = gaussian_filter(movie.micrograph.image[frame].astype(float), 1)
        there, beside = (map_coordinates(image, (mine + off).T, order=1).mean() for off in (0.0, 3.0))
        assert there > 1.3 * beside


def test_the_series_of_alloys_is_of_one_microscope():
    microscopes = [entry["microscope"] for name, entry in ENTRIES.items() if name.startswith("remos2")]
    assert len(microscopes) == 4
    assert all(microscope == microscopes[0] for microscope in microscopes)


def test_the_two_images_of_one_specimen_show_the_same_columns_at_the_same_places():
    one, other = (load_example(name).columns for name in ("srtio3_tilt_strain", "srtio3_tilt_strain_abf"))
    distance, row = cKDTree(one.yx).query(other.yx)
    same = distance < 0.1
    assert same.mean() > 0.99
    np.testing.assert_array_equal(one["species"][row[same]], other["species"][same])
    np.testing.assert_array_equal(one["tilt_rad"][row[same]], other["tilt_rad"][same])
    # Oxygen is seen in the one, hardly in the other.
    oxygen = [np.median(c["signal_to_noise"][c["species"] == "O"]) for c in (one, other)]
    assert oxygen[1] > 5


def test_another_name_is_refused_with_the_names_there_are():
    assert example_names() == tuple(ENTRIES)
    assert example_names()[0] == "pbtio3_domains"
    assert movie_names() == tuple(MOVIES)
    with pytest.raises(StemnetError, match="pbtio3_domains"):
        load_example("unobtainium")
