"""What holds for every format: values, errors, names, notes."""

import logging
import os
import shutil
import warnings

import h5py
import numpy as np
import pytest
import tifffile
from file_writers import SHARED, lattice, write_hyperspy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from stemnet import StemnetError
from stemnet.reading import read_micrograph
from stemnet.reading.formats import READERS

DTYPES = ["?", "u1", "<u2", ">u2", "<i2", ">i4", "<u4", "<i8", "<f2", "<f4", ">f4", "<f8", ">f8"]


def save_h5(path, array):
    with h5py.File(path, "w") as file:
        file["somewhere/pixels"] = array


WRITERS = {
    "a.npy": np.save,
    "a.npz": lambda path, array: np.savez(path, image=array),
    "a.tif": tifffile.imwrite,
    "a.h5": save_h5,
}


@st.composite
def arrays(draw):
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    shape = draw(st.tuples(st.integers(8, 12), st.integers(8, 12)))
    values = None
    if dtype.kind == "f":  # finite as float32
        width = min(8 * dtype.itemsize, 32)
        values = st.floats(width=width, allow_nan=False, allow_infinity=False)
    return draw(hnp.arrays(dtype, shape, elements=values))


@pytest.mark.parametrize("file", WRITERS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(array=arrays())
def test_every_finite_image_comes_back(tmp_path, file, array):
    if file == "a.tif" and array.dtype == bool:
        array = array.astype("u1")  # tifffile packs bits only in another mode
    WRITERS[file](tmp_path / file, array)
    read = read_micrograph(tmp_path / file).image
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, array.astype(np.float32))


@pytest.mark.parametrize("dtype", ["?", "u1", "u2", "i4", "f4"])
@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", None])
def test_compressed_tiff_comes_back(tmp_path, dtype, compression):
    image = (lattice() > 110) if dtype == "?" else lattice(dtype=dtype)
    Image.fromarray(image).save(tmp_path / "a.tif", compression=compression)
    np.testing.assert_array_equal(read_micrograph(tmp_path / "a.tif").image, image.astype(np.float32))


def test_uint32_above_two_billion(tmp_path):
    image = lattice(dtype="u4") + np.uint32(3_000_000_000)
    tifffile.imwrite(tmp_path / "a.tif", image)
    np.save(tmp_path / "a.npy", image)
    for file in ("a.tif", "a.npy"):
        np.testing.assert_allclose(read_micrograph(tmp_path / file).image, image.astype(float), rtol=1e-7)


def test_stack_is_kept(tmp_path):
    stack = np.stack([lattice() + 1000 * i for i in range(5)])
    for file in ("a.npy", "a.npz", "a.tif", "a.h5"):
        WRITERS[file](tmp_path / file, stack)
        np.testing.assert_array_equal(read_micrograph(tmp_path / file).image, stack)


def test_compressed_stack_is_kept(tmp_path):
    frames = [Image.fromarray(lattice(dtype="u2") + i) for i in range(3)]
    frames[0].save(tmp_path / "a.tif", compression="tiff_lzw", save_all=True, append_images=frames[1:])
    expected = np.stack([np.asarray(frame) for frame in frames])
    np.testing.assert_array_equal(read_micrograph(tmp_path / "a.tif").image, expected)


def test_unmeasured_pixels_become_nan_and_are_counted(tmp_path):
    image = lattice()
    image[1, 2], image[3, 4], image[5, 6] = np.nan, np.inf, -np.inf
    np.save(tmp_path / "a.npy", image)
    read = read_micrograph(tmp_path / "a.npy")
    assert {tuple(pair) for pair in np.argwhere(np.isnan(read.image))} == {(1, 2), (3, 4), (5, 6)}
    assert any(note.startswith("3 of 1920 pixels") for note in read.notes)


def test_float64_beyond_float32_is_not_infinite(tmp_path):
    image = lattice(dtype="f8")
    image[0, 0] = 1e300
    np.save(tmp_path / "a.npy", image)
    assert np.isnan(read_micrograph(tmp_path / "a.npy").image[0, 0])


def test_constant_image_is_read(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((32, 32)))
    assert read_micrograph(tmp_path / "a.npy").image.std() == 0


@pytest.mark.parametrize(
    ("array", "word"),
    [
        (np.ones(512), "spectrum"),
        (np.ones((1, 512)), "spectrum"),
        (np.ones((2, 2)), "too small"),
        (np.ones((40, 3)), "too small"),
        (np.ones((3, 4, 5, 6)), "4-D"),
        (np.ones((12, 12, 16, 16)), "4-D"),
        (np.ones((20, 20)) * 1j, "complex"),
        (np.full((20, 20), np.nan), "finite"),
        (np.full((20, 20), "a"), "not of numbers"),
        (np.array([{}, []], dtype=object), "objects"),
        (np.float64(3), "single number"),
        (np.ones((0, 20)), "empty|too early"),
    ],
)
def test_what_is_no_image_is_named(tmp_path, array, word):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(StemnetError, match=word):
        read_micrograph(tmp_path / "a.npy")


def test_sides_of_length_one_do_not_count(tmp_path):
    np.save(tmp_path / "a.npy", lattice()[None, :, :, None])
    np.testing.assert_array_equal(read_micrograph(tmp_path / "a.npy").image, lattice())


@pytest.mark.parametrize("suffix", READERS)
@pytest.mark.parametrize("content", [b"", b"x", b"not an image at all\n" * 30, bytes(2000)])
def test_a_file_of_another_kind_is_one_clear_error(tmp_path, suffix, content):
    if READERS[suffix].name in ("TIA SER", "TIA EMI", "MRC", "Panta Rhei", "Semper", "Ripple", "Bruker BCF"):
        pytest.importorskip("rsciio")
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(StemnetError) as raised:
        read_micrograph(path)
    assert path.name in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("file", WRITERS)
@pytest.mark.parametrize("part", [0.3, 0.9])
def test_a_truncated_file_is_one_clear_error(tmp_path, file, part):
    WRITERS[file](tmp_path / file, lattice())
    whole = (tmp_path / file).read_bytes()
    (tmp_path / file).write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(StemnetError, match=f"{file} could not be read"):
        read_micrograph(tmp_path / file)


def test_missing_file_folder_and_unknown_format(tmp_path):
    (tmp_path / "notes.xyz").write_text("hello")
    (tmp_path / "folder.tif").mkdir()
    for name, word in [
        ("gone.tif", "is not a file"),
        ("folder.tif", "is a folder"),
        ("notes.xyz", r"Readable: \.tif"),
    ]:
        with pytest.raises(StemnetError, match=word):
            read_micrograph(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_forbidden_file(tmp_path):
    np.save(tmp_path / "a.npy", lattice())
    (tmp_path / "a.npy").chmod(0)
    with pytest.raises(StemnetError, match="permission"):
        read_micrograph(tmp_path / "a.npy")


def test_content_decides_where_the_name_is_wrong(tmp_path):
    Image.fromarray(lattice(dtype="u1")).save(tmp_path / "a.png")
    for wrong in ("a.tif", "a.dm4", "a"):
        shutil.copy(tmp_path / "a.png", tmp_path / wrong)
        read = read_micrograph(tmp_path / wrong)
        np.testing.assert_array_equal(read.image, lattice(dtype="u1"))
        assert f"{wrong} is read as PNG" in read.notes[0]


@pytest.mark.parametrize(
    "name", ["a b (2).npy", "a,b=c.npy", "[1]*?.npy", "Å µ 原子 é.npy", "si110_9.8pm.npy", " .npy", "a.NPY"]
)
def test_any_name_is_read(tmp_path, name):
    with open(tmp_path / name, "wb") as file:
        np.save(file, lattice())
    read = read_micrograph(tmp_path / name)
    assert read.name == name[:-4]
    assert read.source == str(tmp_path / name)


def test_given_sampling_wins_and_the_difference_is_told(tmp_path):
    write_hyperspy(tmp_path / "a.hspy", {"a": (lattice(), [(0.01, "nm", False)] * 2)})
    assert read_micrograph(tmp_path / "a.hspy").sampling == pytest.approx(0.1)
    read = read_micrograph(tmp_path / "a.hspy", sampling=0.2)
    assert read.sampling == 0.2
    assert any("0.1 A/px" in note for note in read.notes)
    assert not read_micrograph(tmp_path / "a.hspy", sampling=0.1001).notes


@pytest.mark.parametrize("sampling", [0, -1, np.nan, np.inf, "wide"])
def test_impossible_sampling_is_refused(tmp_path, sampling):
    np.save(tmp_path / "a.npy", lattice())
    with pytest.raises(StemnetError, match="positive number"):
        read_micrograph(tmp_path / "a.npy", sampling=sampling)


@pytest.mark.filterwarnings("error")
def test_readers_stay_quiet_and_leave_settings_alone(tmp_path, monkeypatch, capfd):
    def noisy(path):
        warnings.warn("deprecated", stacklevel=1)
        logging.getLogger("tifffile").error("odd tag")
        raise RuntimeError("bad\nmore")

    monkeypatch.setitem(READERS, ".noisy", READERS[".npy"]._replace(name="noise", read=noisy, starts=()))
    (tmp_path / "a.noisy").write_bytes(b"x")
    with pytest.raises(StemnetError, match=r"as noise: bad\. "):
        read_micrograph(tmp_path / "a.noisy")
    assert capfd.readouterr() == ("", "")
    assert logging.root.manager.disable == logging.NOTSET


REAL = {  # file -> shape, sampling [A/px]
    "mos2_se_implanted_superstem.dm3": ((1024, 1024), 0.1270),
    "mos2_v_doped_9nm.npy": ((512, 512), 0.1758),
    "mos2_re05.tiff": ((761, 762), None),
    "mos2_re48.tiff": ((687, 772), None),
    "srtio3_100_ncem.ser": ((1024, 1024), 0.1001),
    "batio3_100_jeol.dm4": ((413, 469), 0.2966),
    "perovskite_110_adf.hdf5": ((400, 380), None),
    "si110_dumbbell_9.8pm.png": ((512, 512), None),
    "au_nanoparticle_velox.emd": ((2048, 2048), 0.0750),
}


@pytest.mark.skipif(not (SHARED / "data").is_dir(), reason="the shared micrographs are not here")
@pytest.mark.parametrize("file", REAL)
def test_real_micrographs(file):
    if file.endswith((".dm3", ".dm4", ".ser", ".emd")):
        pytest.importorskip("rsciio")
    shape, sampling = REAL[file]
    read = read_micrograph(SHARED / "data" / "real" / file)
    assert read.image.shape == shape
    assert np.isfinite(read.image).all()
    assert read.image.std() > 0
    assert read.sampling is None if sampling is None else read.sampling == pytest.approx(sampling, abs=1e-4)


@pytest.mark.skipif(not (SHARED / "data").is_dir(), reason="the shared micrographs are not here")
def test_real_arrays_and_labelled_images():
    for path in sorted((SHARED / "data" / "labelled").rglob("*.tif")):
        read = read_micrograph(path)
        assert read.shape == (512, 512)
        assert read.sampling == pytest.approx(0.293, abs=1e-3)
    for path in sorted((SHARED / "data" / "simulated_by_others").glob("*.npz")):
        assert read_micrograph(path).image.shape in ((192, 192), (5, 100, 100))
