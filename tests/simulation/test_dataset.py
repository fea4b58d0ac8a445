"""Datasets: what is read back is what was made, whoever made it, and wherever it was cut off."""

from dataclasses import dataclass, replace

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stemnet.columns import Columns
from stemnet.errors import StemnetError
from stemnet.reading import read_micrograph
from stemnet.simulation.crystal import dichalcogenide
from stemnet.simulation.dataset import read_dataset
from stemnet.simulation.dataset_file import Contents, DatasetFile
from stemnet.simulation.dataset_folder import DatasetFolder
from stemnet.simulation.deformation import strained, with_strain
from stemnet.simulation.growth import grow
from stemnet.simulation.library import crystal
from stemnet.simulation.masks import mask_of
from stemnet.simulation.microscope import Microscope
from stemnet.simulation.probe import Probe
from stemnet.simulation.rendering import render
from stemnet.simulation.scene import stage
from stemnet.simulation.sources import (
    Drawn,
    Example,
    Motions,
    Movies,
    NamedWorld,
    OneCrystal,
    Stills,
    Subject,
)
from stemnet.simulation.specimen import nothing
from stemnet.simulation.streaming import batches, write_dataset
from stemnet.storage import read_columns_csv

torch.set_num_threads(1)
SHAPE = (64, 80)


@dataclass(frozen=True)
class Fixed:
    """Draws nothing: a well-behaved microscope."""

    sampling: float = 0.2

    def draw(self, rng):
        microscope = Microscope(Probe(80, 30, source_size=0.8), sampling=self.sampling)
        return microscope, 0.4, float(rng.uniform(300, 3000))


@dataclass(frozen=True)
class Varied:
    """Images that differ in what is planted: none, strain, a label, or no column at all."""

    def __call__(self, rng, room=0.0):
        field_of_view = (SHAPE[0] * 0.2, SHAPE[1] * 0.2)
        specimen = grow(dichalcogenide(), field_of_view, origin=tuple(rng.uniform(0, 1, 2)))
        kind = int(rng.integers(4))
        if kind == 1:
            specimen = with_strain(strained(specimen, rng.uniform(-0.02, 0.02, (2, 2))))
        elif kind == 2:
            label = np.where(specimen.yx[:, 0] > 6, "below", "")
            specimen = specimen.with_planted(label=label, sign=np.where(label == "", -1, 1))
            specimen = specimen.without(rng.random(len(specimen)) < 0.1)
        elif kind == 3:
            specimen = nothing()
        return Subject(specimen, Microscope(Probe(80, 30), sampling=0.2, dose=1e4), SHAPE)


VARIED = Stills(Varied(), seed=5)
ONE = Stills(Drawn(OneCrystal(dichalcogenide(), vacancy=0.1), Fixed(), SHAPE), seed=1)


def written(path, source, count, contents=None, *, start=0, size=3, workers=0, writer=DatasetFile):
    sink = writer(path, contents or Contents(), {"seed": 0}, resume=start > 0)
    for examples in batches(source, start, count, size, workers):
        sink.append(render([example.scene for example in examples]).numpy(), examples)
    sink.close()
    return path


def datasets_of(path) -> dict[str, np.ndarray]:
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, node: found.update({name: node[()]}) if isinstance(node, h5py.Dataset) else None
        )
    return found


def assert_same(first, second):
    one, other = datasets_of(first), datasets_of(second)
    assert set(one) == set(other)
    for name, values in one.items():
        np.testing.assert_array_equal(values, other[name], err_msg=name)


def assert_equal_columns(found: Columns, true: Columns):
    assert np.array_equal(found.yx, true.yx)
    assert (found.shape, found.sampling) == (true.shape, true.sampling)
    for name, values in true.fields.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


def test_what_is_read_is_what_was_made(tmp_path):
    contents = Contents(field_step=7, masks="soft")
    dataset = read_dataset(written(tmp_path / "set.h5", VARIED, 12, contents))
    assert len(dataset) == 12
    assert dataset.settings == {"seed": 0}
    kinds = set()
    for number, simulation in enumerate(dataset):
        scene = VARIED.example(number).scene
        assert np.array_equal(simulation.micrograph.image, render([scene])[0].numpy())
        assert_equal_columns(simulation.columns, scene.columns())
        assert_equal_columns(simulation.vacancies, scene.vacancies())
        maps = scene.field_maps(7)
        assert set(simulation.fields) == set(maps)
        assert simulation.field_step == 7
        for name, values in maps.items():
            assert np.array_equal(simulation.fields[name], values)
        assert np.array_equal(dataset.mask(number), mask_of(scene.columns(), "soft"))
        assert simulation.micrograph.metadata["dose"] == 1e4
        assert simulation.micrograph.metadata["voltage"] == 80
        kinds.add((len(scene.columns()) > 0, bool(maps), "label" in scene.specimen.planted))
    assert len(kinds) == 4
    assert np.array_equal(dataset[-1].micrograph.image, dataset[11].micrograph.image)
    with pytest.raises(IndexError):
        dataset[12]


def test_rows_between_offsets_belong_to_an_image_and_what_it_lacks_is_filled(tmp_path):
    path = written(tmp_path / "set.h5", VARIED, 12)
    scenes = [VARIED.example(number).scene for number in range(12)]
    with h5py.File(path) as file:
        offset = file["columns/offset"][()]
        assert np.array_equal(np.diff(offset), [len(scene.columns()) for scene in scenes])
        for name, data in file["columns"].items():
            assert name == "offset" or len(data) == offset[-1]
        for number, scene in enumerate(scenes):
            rows = slice(offset[number], offset[number + 1])
            if "label" not in scene.specimen.planted:
                assert (file["columns/sign"][rows] == -1).all()
                assert set(file["columns/label"].asstr()[rows]) <= {""}
            if "strain_yy" not in scene.specimen.planted:
                assert np.isnan(file["columns/strain_yy"][rows]).all()
        assert file["columns/yx"].attrs["unit"] == "px"
        assert file["parameters/sampling"].attrs["unit"] == "A/px"
        assert "pixel (i, j) has its center" in file.attrs["conventions"]


def test_one_call_writes_a_dataset(tmp_path):
    write_dataset(tmp_path / "call.h5", VARIED, 5, Contents(masks="soft"), batch=2)
    call = datasets_of(tmp_path / "call.h5")
    steps = datasets_of(written(tmp_path / "steps.h5", VARIED, 5, Contents(masks="soft")))
    assert b"Stills" in call.pop("settings")
    assert set(call) == set(steps) - {"settings"}
    assert np.array_equal(call["images"], steps["images"])


@pytest.mark.parametrize("source", [VARIED, ONE], ids=["varied", "one crystal"])
def test_workers_and_batches_change_no_bit(tmp_path, source):
    first = written(tmp_path / "0.h5", source, 7, size=7)
    assert_same(first, written(tmp_path / "1.h5", source, 7, size=2))
    assert_same(first, written(tmp_path / "2.h5", source, 7, size=3, workers=2))


def test_an_image_is_a_function_of_seed_split_and_index_alone():
    source = Stills(Varied(), seed=5)
    again = replace(source)
    for number in (4, 0, 2):
        assert np.array_equal(source.example(number).scene.yx, again.example(number).scene.yx)
    others = [replace(ONE, seed=2), replace(ONE, split=1)]
    for other in others:
        assert not np.array_equal(other.example(0).scene.yx, ONE.example(0).scene.yx)


def test_drawn_examples_are_those_of_training():
    from hydra import compose, initialize_config_dir
    from hydra.utils import instantiate

    from stemnet import resources

    with initialize_config_dir(str(resources.configs()), version_base="1.3"):
        config = compose("train", overrides=["specimen=monolayers", "patch=64"])
    simulator = instantiate(config.simulator, _convert_="all")
    stills = Stills(Drawn(simulator.specimen, simulator.microscope, (64, 64)), simulator.seed, split=1)
    for index in range(3):
        ours, theirs = stills.example(index).scene, simulator.scene(1, 0, index)
        assert torch.equal(render([ours]), render([theirs]))


@settings(max_examples=10)
@given(st.integers(1, 6), st.integers(1, 3))
def test_a_dataset_that_is_gone_on_with_is_the_one_made_at_once(tmp_path_factory, cut, size):
    folder = tmp_path_factory.mktemp("set")
    contents = Contents(masks="column", field_step=16)
    written(folder / "parts.h5", VARIED, cut, contents, size=size)
    written(folder / "parts.h5", VARIED, 7, contents, start=cut, size=size)
    assert_same(written(folder / "whole.h5", VARIED, 7, contents), folder / "parts.h5")


def test_a_batch_that_was_being_written_when_the_power_failed_is_forgotten(tmp_path, monkeypatch):
    path = written(tmp_path / "set.h5", VARIED, 4, Contents(masks="column"))
    sink = DatasetFile(path, Contents(masks="column"), {}, resume=True)
    examples = [VARIED.example(4), VARIED.example(5)]
    whole = DatasetFile._table

    def failing(self, table, parts):
        if table == "columns":
            raise KeyboardInterrupt
        whole(self, table, parts)

    with monkeypatch.context() as patch:
        patch.setattr(DatasetFile, "_table", failing)
        with pytest.raises(KeyboardInterrupt):
            sink.append(render([example.scene for example in examples]).numpy(), examples)
    sink.close()
    assert len(read_dataset(path)) == 4
    assert np.array_equal(read_dataset(path)[3].columns.yx, VARIED.example(3).scene.columns().yx)
    written(path, VARIED, 6, Contents(masks="column"), start=4)
    assert_same(path, written(tmp_path / "whole.h5", VARIED, 6, Contents(masks="column")))


def test_whole_electrons_are_kept_exactly_in_sixteen_bits_and_others_to_a_step(tmp_path):
    dataset = read_dataset(written(tmp_path / "set.h5", ONE, 3, Contents(dtype="uint16")))
    for number in range(3):
        image = render([ONE.example(number).scene])[0].numpy()
        assert np.array_equal(image, np.rint(image))
        assert np.array_equal(dataset[number].micrograph.image, image)
    from stemnet.simulation.artefacts.readout import ReadNoise

    microscope = Microscope(sampling=0.2, dose=1e4, artefacts=(ReadNoise(0.7),))
    scene = stage(grow(dichalcogenide(), (12, 16)), microscope, SHAPE, np.random.default_rng(0))
    sink = DatasetFile(tmp_path / "noisy.h5", Contents(dtype="uint16"), {})
    image = render([scene]).numpy()
    sink.append(image, [Example(scene, microscope, {"index": 0})])
    sink.close()
    back = read_dataset(tmp_path / "noisy.h5")[0].micrograph.image
    assert np.abs(back - image[0]).max() <= 0.51 * np.ptp(image) / 65535
    assert image.min() < 0


def test_masks_show_the_nearest_column():
    columns = Columns(
        [[5.0, 5.0], [5.0, 11.0], [-0.4, 19.3]],
        (24, 20),
        0.2,
        {"width": np.full(3, 2.0), "sublattice": np.array([0, 2, -1])},
    )
    pixels = np.stack(np.meshgrid(np.arange(24), np.arange(20), indexing="ij"), -1)
    away = np.sqrt(((pixels[:, :, None] - columns.yx) ** 2).sum(-1))
    near = away.min(-1)
    assert np.array_equal(mask_of(columns, "column", 1.5), near <= 3)
    labels = np.where(near <= 3.99, np.array([1, 3, 1])[away.argmin(-1)], 0)
    tie = np.isclose(away[..., 0], away[..., 1])
    assert np.array_equal(mask_of(columns, "sublattice", 1.995)[~tie], labels[~tie])
    soft = mask_of(columns, "soft", 1.0)
    inside = near < 7
    assert np.allclose(soft[inside], np.exp(-(near[inside] ** 2) / 8), atol=1e-6)
    assert not mask_of(columns.select(np.zeros(3, dtype=bool)), "soft").any()
    with pytest.raises(StemnetError, match="choose column, sublattice, soft"):
        mask_of(columns, "species")


def test_a_folder_holds_the_same_for_tools_that_read_pictures_and_tables(tmp_path):
    contents = Contents(dtype="uint16", masks="column", field_step=8)
    path = written(tmp_path / "set", VARIED, 5, contents, writer=DatasetFolder)
    for number in range(5):
        scene = VARIED.example(number).scene
        micrograph = read_micrograph(path / f"{number:06d}.tif")
        assert np.array_equal(micrograph.image, render([scene])[0].numpy())
        assert micrograph.sampling == pytest.approx(0.2, rel=1e-4)
        true = scene.columns()
        read = read_columns_csv(path / f"{number:06d}.truth.csv", true.shape)
        assert np.allclose(read.yx, true.yx, atol=1e-6)
        assert (path / f"{number:06d}.vacancies.csv").exists() == (len(scene.vacancies()) > 0)
        assert (path / "fields" / f"{number:06d}.npz").exists() == bool(scene.specimen.fields)
        mask = read_micrograph(path / "masks" / f"{number:06d}.tif").image
        assert np.array_equal(mask, mask_of(true, "column"))
    sink = DatasetFolder(path, contents, {}, resume=True)
    assert len(sink) == 5


MOVIES = Movies(
    Drawn(OneCrystal(dichalcogenide(), vacancy=0.05), Fixed(), SHAPE),
    seed=3,
    split=0,
    frames=4,
    motions=Motions((0.3, -0.2), 0.1, adatoms=0.05, hop_rate=1.0, vacancy_rate=0.5),
    seconds=0.5,
)


def test_a_movie_file_holds_frames_and_tracks(tmp_path):
    path = written(tmp_path / "movies.h5", MOVIES, 8, size=3)
    assert_same(path, written(tmp_path / "by others.h5", replace(MOVIES, _last={}), 8, size=4, workers=2))
    dataset = read_dataset(path)
    for number in range(2):
        film, movie = dataset.movie(number), MOVIES.movie(number)
        assert film.micrograph.image.shape == (4, *SHAPE)
        for frame in range(4):
            rows = film.columns["frame"] == frame
            true = movie.columns(movie.scene(frame), frame)
            assert np.array_equal(film.columns.yx[rows], true.yx)
            assert np.array_equal(film.columns["track"][rows], true["track"])
        assert set(film.columns["track"]) - {-1} == set(film.columns["track"])
    assert not np.array_equal(*(dataset.movie(number).micrograph.image for number in range(2)))
    with h5py.File(path) as file:
        assert np.array_equal(file["parameters/frame"][()], [0, 1, 2, 3] * 2)
        assert np.array_equal(file["parameters/movie"][()], [0] * 4 + [1] * 4)
        assert np.allclose(file["parameters/time"][:4], [0, 0.5, 1, 1.5])
    with pytest.raises(StemnetError, match="no movie 2"):
        dataset.movie(2)


def test_there_is_specimen_wherever_a_movie_drifts():
    fast = replace(MOVIES, motions=Motions((0.0, 30.0)), _last={})
    movie = fast.movie(0)
    assert np.abs(movie.drift).max() == pytest.approx(45)
    for frame in (0, 3):
        columns = movie.scene(frame).columns()
        cells = [np.histogram2d(*columns.yx.T, bins=(2, 2), range=[(0, SHAPE[0]), (0, SHAPE[1])])[0]]
        assert np.min(cells) > 5


def test_a_crystal_keeps_its_lattice_and_a_dose_and_a_sampling_are_what_was_asked_for():
    grown = crystal("SrTiO3", "110")
    source = Stills(Drawn(OneCrystal(grown, 100.0), Fixed(), SHAPE, sampling=0.1, dose=5e3), 0)
    for number in range(3):
        example = source.example(number)
        assert (example.microscope.sampling, example.microscope.dose) == (0.1, 5e3)
        heavy = example.scene.specimen.yx[example.scene.specimen.sublattice == 0]
        nearest = np.hypot(*(heavy[1:] - heavy[0]).T).min()
        assert nearest == pytest.approx(np.hypot(*np.array(grown.cell).T).min(), rel=1e-6)
    fixed = Drawn(OneCrystal(grown, orientation=0.0), Fixed(), SHAPE)
    specimen = fixed(np.random.default_rng(0)).specimen
    first = specimen.select(specimen.sublattice == 0)
    row = first.yx[first.index[:, 0] == first.index[0, 0]] - first.yx[0]
    (y, x) = np.array(grown.cell[1])
    assert len(row) > 3
    assert np.allclose(row[:, 0] * x, row[:, 1] * y, atol=1e-9)


def test_a_world_comes_by_name_with_its_own_microscope():
    source = Stills(NamedWorld("mos2_defects", (48, 64), dose=1e4), 0)
    example = source.example(0)
    assert example.scene.shape == (48, 64)
    assert example.microscope.dose == 1e4
    with pytest.raises(StemnetError, match=r"no world called 'mos3'.*mos2_defects"):
        NamedWorld("mos3")


def test_an_example_that_cannot_be_made_is_named():
    coarse = Stills(Drawn(OneCrystal(dichalcogenide()), Fixed(3.0), SHAPE), 0)
    for workers in (0, 1):
        with pytest.raises(StemnetError, match=r"Image 0 could not be made.*sampling of 3"):
            list(batches(coarse, 0, 2, 2, workers))


def test_what_is_no_dataset_is_refused(tmp_path):
    with pytest.raises(StemnetError, match="no file"):
        read_dataset(tmp_path / "absent.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["image"] = np.zeros(3)
    with pytest.raises(StemnetError, match="no stemnet dataset"):
        read_dataset(tmp_path / "other.h5")
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(StemnetError, match="cannot be read"):
        read_dataset(tmp_path / "text.h5")
    with pytest.raises(StemnetError, match="opened for writing"):
        DatasetFile(tmp_path / "text.h5" / "below.h5", Contents(), {})
    with pytest.raises(StemnetError, match="no masks"):
        read_dataset(written(tmp_path / "bare.h5", ONE, 1)).mask(0)
