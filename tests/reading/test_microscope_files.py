"""Vendors' formats through RosettaSciIO, and its absence."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from file_writers import lattice, write_mrc

from stemnet import StemnetError
from stemnet.reading import microscope, read_micrograph


@pytest.mark.parametrize(("pixel", "sampling"), [(0.2, 0.2), (None, None), (-1.0, None)])
@pytest.mark.parametrize("name", ["a.mrc", "movie.mrc"])
def test_mrc(tmp_path, name, pixel, sampling):
    pytest.importorskip("rsciio")
    write_mrc(tmp_path / name, lattice(), pixel)
    read = read_micrograph(tmp_path / name)
    np.testing.assert_array_equal(read.image, lattice())
    assert read.sampling == (None if sampling is None else pytest.approx(sampling))


def test_truncated_mrc(tmp_path):
    pytest.importorskip("rsciio")
    write_mrc(tmp_path / "a.mrc", lattice(), 0.2)
    whole = (tmp_path / "a.mrc").read_bytes()
    (tmp_path / "a.mrc").write_bytes(whole[:5000])
    with pytest.raises(StemnetError, match="could not be read as MRC"):
        read_micrograph(tmp_path / "a.mrc")


def test_without_rosettasciio_the_error_says_what_to_install(tmp_path, monkeypatch):
    for module in [name for name in sys.modules if name.startswith("rsciio")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "rsciio", None)
    (tmp_path / "a.dm4").write_bytes(b"\0\0\0\x04" + bytes(99))
    with pytest.raises(StemnetError, match=r'pip install "stemnet\[formats\]"'):
        read_micrograph(tmp_path / "a.dm4")


def axis(scale, units, navigate=False):
    return {"scale": scale, "units": units, "navigate": navigate}


def container(*signals):
    """Stand in for a plugin: it hands out what RosettaSciIO would."""
    loaded = [
        {
            "data": data,
            "axes": [{**each, "index_in_array": i} for i, each in enumerate(axes)],
            "metadata": {"General": {"title": title}, **metadata},
        }
        for title, data, axes, metadata in signals
    ]
    return SimpleNamespace(file_reader=lambda path, lazy, **options: loaded)


def read_container(tmp_path, monkeypatch, *signals, **options):
    monkeypatch.setattr(microscope.importlib, "import_module", lambda name: container(*signals))
    (tmp_path / "a.dm4").write_bytes(b"\0\0\0\x04" + bytes(99))
    return read_micrograph(tmp_path / "a.dm4", **options)


NM = [axis(0.01, "nm")] * 2


def test_conditions_of_the_instrument(tmp_path, monkeypatch):
    tem = {"Acquisition_instrument": {"TEM": {"beam_energy": 60.0, "convergence_angle": 31.0}}}
    read = read_container(tmp_path, monkeypatch, ("HAADF", lattice(), NM, tem))
    assert dict(read.metadata) == {"format": "Gatan DM4", "voltage": 60.0, "semi_angle": 31.0}


def test_the_annular_dark_field_image_is_taken_among_detectors(tmp_path, monkeypatch):
    fft = (lattice() * 1j).astype("c8")
    signals = [
        ("BF", lattice() - 1, NM, {}),
        ("HAADF", lattice(), NM, {}),
        ("FFT", fft, [axis(0.1, "1/nm")] * 2, {}),
        ("thumbnail", lattice()[::5, ::4], NM, {}),
    ]
    read = read_container(tmp_path, monkeypatch, *signals)
    np.testing.assert_array_equal(read.image, lattice())
    np.testing.assert_array_equal(
        read_container(tmp_path, monkeypatch, *signals, signal="BF").image, lattice() - 1
    )
    with pytest.raises(StemnetError, match="complex"):
        read_container(tmp_path, monkeypatch, *signals, signal="FFT")


def test_nothing_usable_is_listed(tmp_path, monkeypatch):
    signals = [
        ("EELS", np.ones(99), [axis(1, "eV")], {}),
        ("stack", np.ones((32, 4, 8)), [axis(1, "s", True), *NM], {}),
    ]
    with pytest.raises(
        StemnetError, match=r"'EELS' is a 1-D array.*'stack' is a 32 x 4 x 8 array, too small"
    ):
        read_container(tmp_path, monkeypatch, *signals)


@pytest.mark.parametrize(
    ("scale", "unit", "sampling"),
    [(2.71e-2, "µm", 271.0), (0.0127, "nm", 0.127), (1.0, None, None), (-1.0, "", None), (0.3, "Å", 0.3)],
)
def test_units_of_containers(tmp_path, monkeypatch, scale, unit, sampling):
    read = read_container(tmp_path, monkeypatch, ("a", lattice(), [axis(scale, unit)] * 2, {}))
    assert read.sampling == (None if sampling is None else pytest.approx(sampling))
    assert any("implausible" in note for note in read.notes) == (sampling == 271.0)
