from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from stemnet import Columns, Micrograph, StemnetError
from stemnet.descriptors.table import Descriptors
from stemnet.storage import read_result, write_result


def example(n=7, frames=1, sampling=0.1):
    rng = np.random.default_rng(n)
    image = rng.random((frames, 24, 30)).squeeze(axis=0) if frames == 1 else rng.random((frames, 24, 30))
    image[..., 3, 4] = np.nan
    valid = np.arange(n) % 3 != 0
    fields = {
        "score": rng.random(n).astype(np.float32),
        "sigma_y": np.where(valid, 0.1, np.nan),
        "frame": np.arange(n) % frames,
        "species": np.array(["W", "Sé"] * n)[:n],
    }
    values = np.where(valid[:, None], rng.normal(size=(n, 4)), np.nan)
    yx = rng.random((n, 2)) * 20
    return SimpleNamespace(
        micrograph=Micrograph(image, sampling, "a.tif", "dir/a.tif", {"dose": 300.0}, ("grey now",)),
        columns=Columns(yx, (24, 30), sampling, fields),
        probability=rng.random(image.shape),
        descriptors={"neighbors": Descriptors(values, ("r0y_A", "r0x_A", "r1y_A", "r1x_A"), yx, valid)},
        embeddings={"pca": values[:, :2]},
        clusterings={"kmeans (vectors)": np.where(valid, 1, -1)},
        provenance={"sha256": "ab" * 32, "config": {"k": np.int64(4), "x": float("nan")}},
    )


@pytest.mark.parametrize("n", [0, 7])
@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("sampling", [None, 0.1])
def test_everything_comes_back(tmp_path, n, frames, sampling):
    given = example(n, frames, sampling)
    write_result(tmp_path / "result.h5", **vars(given))
    back = read_result(tmp_path / "result.h5")

    np.testing.assert_array_equal(back.micrograph.image, given.micrograph.image)
    for name in ("sampling", "name", "source", "metadata", "notes"):
        assert getattr(back.micrograph, name) == getattr(given.micrograph, name)
    np.testing.assert_array_equal(back.columns.yx, given.columns.yx)
    assert (back.columns.shape, back.columns.sampling) == ((24, 30), sampling)
    assert set(back.columns.fields) == set(given.columns.fields)
    for name, values in given.columns.fields.items():
        np.testing.assert_array_equal(back.columns[name], values)
        assert back.columns[name].dtype.kind == values.dtype.kind
    np.testing.assert_allclose(back.probability, given.probability, atol=5e-4)
    table = Descriptors(**back.descriptors["neighbors"])
    np.testing.assert_array_equal(table.values, given.descriptors["neighbors"].values)
    np.testing.assert_array_equal(table.valid, given.descriptors["neighbors"].valid)
    assert (table.names, table.row) == (given.descriptors["neighbors"].names, "column")
    np.testing.assert_array_equal(back.embeddings["pca"], given.embeddings["pca"])
    np.testing.assert_array_equal(back.clusterings["kmeans (vectors)"], given.clusterings["kmeans (vectors)"])
    assert back.provenance == {"sha256": "ab" * 32, "config": {"k": 4, "x": None}}


def test_image_and_columns_are_enough(tmp_path):
    given = example()
    write_result(tmp_path / "result.h5", given.micrograph, given.columns)
    back = read_result(tmp_path / "result.h5")
    assert back.probability is None
    assert (back.descriptors, back.embeddings, back.clusterings, back.provenance) == ({}, {}, {}, {})


def test_units_are_attributes_another_reader_finds(tmp_path):
    write_result(tmp_path / "result.h5", **vars(example()))
    with h5py.File(tmp_path / "result.h5") as file:
        assert file["image"].attrs["sampling_A_per_px"] == 0.1
        assert file["columns/yx"].attrs["unit"] == "px"
        assert file["columns/sigma_y"].attrs["unit"] == "px"
        assert file["descriptors/neighbors/values"].attrs["unit"] == "A"
        assert file["probability"].dtype == np.float16
        assert file["image"].compression == "gzip"


def test_a_config_longer_than_an_attribute_may_be(tmp_path):
    given = example()
    write_result(
        tmp_path / "result.h5", given.micrograph, given.columns, provenance={"config": "x" * 200_000}
    )
    assert len(read_result(tmp_path / "result.h5").provenance["config"]) == 200_000


def test_a_cut_off_write_leaves_the_former_result(tmp_path):
    given = example()
    write_result(tmp_path / "result.h5", **vars(given))
    with pytest.raises(AttributeError):
        write_result(tmp_path / "result.h5", given.micrograph, given.columns, descriptors={"x": object()})
    assert read_result(tmp_path / "result.h5").provenance["config"]["k"] == 4
    assert [path.name for path in tmp_path.iterdir()] == ["result.h5"]


def other_hdf5(path):
    h5py.File(path, "w").close()


def later_format(path):
    write_result(path, example().micrograph, example().columns)
    with h5py.File(path, "a") as file:
        file.attrs["format_version"] = 99


def half(path):
    write_result(path, example().micrograph, example().columns)
    path.write_bytes(path.read_bytes()[:3000])


def robbed(path):
    write_result(path, example().micrograph, example().columns)
    with h5py.File(path, "a") as file:
        del file["columns"]


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda path: None, "no file"),
        (lambda path: path.write_text("not HDF5"), "cannot be read"),
        (other_hdf5, "no stemnet result"),
        (later_format, "newer stemnet"),
        (half, "cannot be read"),
        (robbed, "cannot be read"),
    ],
)
def test_what_is_no_result_is_refused_in_words(tmp_path, spoil, word):
    spoil(tmp_path / "result.h5")
    with pytest.raises(StemnetError, match=word):
        read_result(tmp_path / "result.h5")
