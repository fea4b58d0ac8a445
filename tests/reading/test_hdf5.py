"""HDF5 in the layouts of HyperSpy, EMD, NSID, stemnet and everybody else."""

import h5py
import numpy as np
import pytest
from file_writers import lattice, write_emd, write_hyperspy, write_nsid

from stemnet import Columns, Micrograph, StemnetError
from stemnet.reading import read_micrograph
from stemnet.storage import write_result

NM = [(0.01, "nm", False)] * 2


@pytest.mark.parametrize("dtype", ["f2", "f4", ">f8", "u2", "i4"])
@pytest.mark.parametrize("file", ["a.hspy", "a.hdf5", "a.h5"])
def test_hyperspy(tmp_path, file, dtype):
    write_hyperspy(tmp_path / file, {"survey": (lattice(dtype=dtype), NM)}, voltage=200.0)
    read = read_micrograph(tmp_path / file)
    np.testing.assert_array_equal(read.image, lattice(dtype=dtype).astype(np.float32))
    assert read.sampling == pytest.approx(0.1)
    assert read.metadata["voltage"] == 200.0
    assert read.metadata["semi_angle"] == 25.0
    assert not read.notes


@pytest.mark.parametrize(
    ("scale", "unit"),
    [(0.0093, None), (0.0093, "<undefined>"), (1.0, None), (1.0, ""), (0.0, "nm"), (-1, "nm")],
)
def test_hyperspy_without_a_usable_pixel_size(tmp_path, scale, unit):
    write_hyperspy(tmp_path / "a.hspy", {"a": (lattice(), [(scale, unit, False)] * 2)})
    read = read_micrograph(tmp_path / "a.hspy")
    assert read.sampling is None
    assert any("no pixel size" in note for note in read.notes)
    assert any("0.0093 without a unit" in note for note in read.notes) == (scale == 0.0093)


def test_hyperspy_stack(tmp_path):
    stack = np.stack([lattice() + i for i in range(3)])
    write_hyperspy(tmp_path / "a.hspy", {"a": (stack, [(1.0, "s", True), *NM])})
    read = read_micrograph(tmp_path / "a.hspy")
    np.testing.assert_array_equal(read.image, stack)
    assert read.sampling == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("shape", "axes", "word"),
    [
        ((64,), [(0.5, "eV", False)], "spectrum"),
        ((16, 64), [(0.1, "nm", True), (0.5, "eV", False)], "spectr"),
        ((16, 16, 64), [(0.1, "nm", True), (0.1, "nm", True), (0.5, "eV", False)], "spectr"),
        ((16, 16, 64), [(0.1, "nm", True), (0.1, "nm", True), (1.0, "", False)], "spectra"),
        ((64, 64), [(0.1, "1/nm", False)] * 2, "diffraction"),
        ((64, 64), [(0.1, "mrad", False)] * 2, "diffraction"),
        ((8, 8, 16, 16), [(0.1, "nm", True)] * 2 + [(0.1, "1/nm", False)] * 2, "4-D"),
    ],
)
def test_hyperspy_that_is_no_image(tmp_path, shape, axes, word):
    write_hyperspy(tmp_path / "a.hspy", {"a": (np.ones(shape, "f4"), axes)})
    with pytest.raises(StemnetError, match=word):
        read_micrograph(tmp_path / "a.hspy")


def test_image_is_found_among_spectrum_and_transform(tmp_path):
    signals = {
        "EELS": (np.ones((16, 16, 99)), [(0.1, "nm", True), (0.1, "nm", True), (1, "eV", False)]),
        "FFT": (np.ones((64, 64), "c8"), [(0.1, "1/nm", False)] * 2),
        "HAADF": (lattice(), NM),
    }
    write_hyperspy(tmp_path / "a.hspy", signals)
    read = read_micrograph(tmp_path / "a.hspy")
    np.testing.assert_array_equal(read.image, lattice())
    assert not read.notes


def test_colors_stored_as_records(tmp_path):
    rgb = np.zeros((40, 48), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    rgb["R"], rgb["G"] = lattice(dtype="u1"), 7
    write_hyperspy(tmp_path / "a.hspy", {"a": (rgb, NM)})
    read = read_micrograph(tmp_path / "a.hspy")
    np.testing.assert_allclose(read.image, 0.299 * lattice(dtype="u1") + 0.587 * 7, rtol=1e-6)
    assert read.sampling == pytest.approx(0.1)


@pytest.mark.parametrize("first", [0, 1])
def test_berkeley_emd(tmp_path, first):
    write_emd(tmp_path / "a.emd", {"data/haadf": (lattice(), [(0.02, "[n_m]")] * 2)}, first)
    read = read_micrograph(tmp_path / "a.emd")
    np.testing.assert_array_equal(read.image, lattice())
    assert read.sampling == pytest.approx(0.2)


@pytest.mark.parametrize("names", [("x", "y"), ("R_x", "R_y")])
def test_axes_named_x_before_y_are_turned_to_rows_and_columns(tmp_path, names):
    dims = [(0.01, "nm", names[0]), (0.02, "nm", names[1])]
    write_emd(tmp_path / "a.emd", {"data/a": (lattice(), dims)})
    read = read_micrograph(tmp_path / "a.emd")
    np.testing.assert_array_equal(read.image, lattice().T)
    write_emd(tmp_path / "b.emd", {"data/a": (lattice(), dims[::-1])})
    np.testing.assert_array_equal(read_micrograph(tmp_path / "b.emd").image, lattice())
    stack = np.stack([lattice() + i for i in range(9)])
    write_emd(tmp_path / "c.emd", {"data/a": (stack.T, [*dims, (1.0, "s", "time")])})
    read = read_micrograph(tmp_path / "c.emd")
    np.testing.assert_array_equal(read.image, stack)
    assert read.sampling == pytest.approx(np.sqrt(0.1 * 0.2))


def test_emd_agrees_with_rosettasciio(tmp_path):
    emd = pytest.importorskip("rsciio.emd")
    dims = [(0.01, "[n_m]", "x"), (0.01, "[n_m]", "y")]
    write_emd(tmp_path / "a.emd", {"data/a": (lattice(), dims)})
    (other,) = emd.file_reader(str(tmp_path / "a.emd"))
    read = read_micrograph(tmp_path / "a.emd")
    np.testing.assert_array_equal(read.image, other["data"])
    assert other["axes"][0]["units"] == "nm"
    assert read.sampling == pytest.approx(10 * other["axes"][0]["scale"])


def test_prismatic_angstrom_under_the_label_nm_is_doubted_not_changed(tmp_path):
    group = "4DSTEM_simulation/data/realslices/annular_detector_depth0000"
    cube = "4DSTEM_simulation/data/datacubes/CBED_array_depth0000"
    volume = "4DSTEM_simulation/data/realslices/virtual_detector_depth0000"
    nm, mrad = (0.25, "[n_m]"), (1.0, "[mrad]")
    arrays = {
        group: (lattice(), [nm, nm]),
        volume: (np.ones((40, 48, 90)), [nm, nm, mrad]),
        cube: (np.ones((8, 8, 8, 8)), [nm, nm, mrad, mrad]),
    }
    write_emd(tmp_path / "a.emd", arrays)
    read = read_micrograph(tmp_path / "a.emd")
    np.testing.assert_array_equal(read.image, lattice())
    assert read.sampling == pytest.approx(2.5)
    assert any("0.25 would be plausible" in note for note in read.notes)


@pytest.mark.parametrize(
    ("step", "unit"), [(0.02, "nm"), (0.2, "Å"), (0.2, "\u212b"), (2e-11, "m"), (20, "pm")]
)
def test_nsid(tmp_path, step, unit):
    write_nsid(tmp_path / "a.h5", lattice(), step, unit)
    read = read_micrograph(tmp_path / "a.h5")
    np.testing.assert_array_equal(read.image, lattice())
    assert read.sampling == pytest.approx(0.2)


def test_plain_hdf5_with_an_attribute(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["scan/picture"] = lattice()
        file["scan/picture"].attrs["pixel_size_nm"] = 0.02
        file["scan/table"] = np.ones((99, 2))
        file["comment"] = "by hand"
        file["circle"] = h5py.SoftLink("/")
        file["broken"] = h5py.SoftLink("/nowhere")
    read = read_micrograph(tmp_path / "a.h5")
    np.testing.assert_array_equal(read.image, lattice())
    assert read.sampling == pytest.approx(0.2)
    assert not read.notes


def test_own_result_file(tmp_path):
    columns = Columns(np.random.default_rng(0).random((64, 2)), (40, 48), 0.15)
    image = Micrograph(lattice(), 0.15)
    write_result(tmp_path / "result.h5", micrograph=image, columns=columns, probability=np.ones((40, 48)))
    read = read_micrograph(tmp_path / "result.h5")
    np.testing.assert_array_equal(read.image, lattice())
    assert read.sampling == pytest.approx(0.15)


def test_no_array_at_all(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["a"] = 1
    with pytest.raises(StemnetError, match="no array"):
        read_micrograph(tmp_path / "a.h5")
