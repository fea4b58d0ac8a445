"""NumPy archives, and pixel sizes told by names and by a .json beside the image."""

import json

import numpy as np
import pytest
from file_writers import lattice

from stemnet import StemnetError
from stemnet.reading import read_micrograph
from stemnet.reading.fields import conditions_from_fields, sampling_from_fields


@pytest.mark.parametrize("name", ["image", "images", "data", "Image"])
def test_the_image_of_an_archive_is_taken_by_name(tmp_path, name):
    other = np.zeros((40, 48))
    np.savez(tmp_path / "a.npz", aaa=other, mask=other > 0, columns=np.ones((99, 2)), **{name: lattice()})
    read = read_micrograph(tmp_path / "a.npz")
    np.testing.assert_array_equal(read.image, lattice())


def test_the_only_image_of_an_archive_is_taken_whatever_its_name(tmp_path):
    np.savez(
        tmp_path / "a.npz", x=np.arange(5), scan7=lattice(), wave=lattice() * 1j, obj=np.array([{}], object)
    )
    read = read_micrograph(tmp_path / "a.npz")
    np.testing.assert_array_equal(read.image, lattice())
    assert len(read.notes) == 1  # no pixel size


def test_equal_candidates_are_listed_and_can_be_chosen(tmp_path):
    np.savez(tmp_path / "a.npz", first=lattice(), second=lattice() + 1)
    read = read_micrograph(tmp_path / "a.npz")
    np.testing.assert_array_equal(read.image, lattice())
    assert "'first'" in read.notes[0]
    assert "1: 'second' (40 x 48)" in read.notes[0]
    for signal in (1, "1", "second", "SEC"):
        np.testing.assert_array_equal(read_micrograph(tmp_path / "a.npz", signal=signal).image, lattice() + 1)
    for signal in (2, -1, "third", "s"):
        with pytest.raises(StemnetError, match="0: 'first'"):
            read_micrograph(tmp_path / "a.npz", signal=signal)


def test_archive_of_objects_or_nothing(tmp_path):
    np.savez(tmp_path / "objects.npz", a=np.array([{}, []], dtype=object))
    np.savez(tmp_path / "nothing.npz")
    for file in ("objects.npz", "nothing.npz"):
        with pytest.raises(StemnetError, match="no array of numbers"):
            read_micrograph(tmp_path / file)


@pytest.mark.parametrize(
    ("fields", "sampling"),
    [
        ({"sampling_A_per_px": 0.15}, 0.15),
        ({"pixel_size_nm": 0.015}, 0.15),
        ({"pixel_size_pm": 15.0}, 0.15),
        ({"pixel_size": "0.015 nm"}, 0.15),
        ({"pixel_size": 15, "pixel_size_unit": "pm"}, 0.15),
        ({"Pixel Size": [0.15, 0.15], "units": "Å"}, 0.15),
        ({"pixel_size_x": 0.1, "pixel_size_y": 0.1, "pixel_size_units": "A"}, 0.1),
        ({"fov_nm": 4.8}, 1.0),
        ({"field_of_view_x": 4.8, "field_of_view_y": 4.0, "field_of_view_units": "nm"}, 1.0),
        ({"a": {"b": {"fov": "48 Å"}}}, 1.0),
        ({"pixel_size": 0.15}, None),
        ({"sampling": 0.15, "unit": "eV"}, None),
        ({"pixel_size_nm": 0.0}, None),
        ({"pixel_size_nm": np.nan}, None),
        ({"pixel_size": "small"}, None),
        ({"sampling_rate_nm": 3, "scale": 2}, None),
    ],
)
def test_a_named_pixel_size_counts_only_with_its_unit(fields, sampling):
    read, notes = sampling_from_fields(fields, (40, 48))
    assert read == (None if sampling is None else pytest.approx(sampling))
    assert any("without a unit" in note for note in notes) == (
        fields in ({"pixel_size": 0.15}, {"sampling": 0.15, "unit": "eV"})
    )


def test_pixel_size_inside_an_archive(tmp_path):
    np.savez(tmp_path / "a.npz", image=lattice(), pixel_size=0.02, units="nm", voltage=np.array([300.0]))
    read = read_micrograph(tmp_path / "a.npz")
    assert read.sampling == pytest.approx(0.2)
    assert read.metadata["voltage"] == 300.0


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"voltage": "60 kV"}, {"voltage": 60.0}),
        ({"beam_energy": 200000}, {"voltage": 200.0}),
        ({"semi_angle": 30, "convergence_angle": 21}, {"semi_angle": 30.0}),
        ({"Convergence Semi-Angle": "30 mrad"}, {"semi_angle": 30.0}),
        ({"dose_e_per_A2": 4000}, {"dose": 4000.0}),
        ({"voltage": 0, "semi_angle": "wide", "dose": 5}, {}),
    ],
)
def test_conditions(fields, expected):
    assert conditions_from_fields(fields) == expected


def test_json_beside_the_image(tmp_path):
    np.save(tmp_path / "a.npy", lattice())
    about = {"details": {"voltage": "60 kV", "space": {"field_of_view_x": 4.8, "field_of_view_units": "nm"}}}
    (tmp_path / "a.json").write_text(json.dumps(about))
    read = read_micrograph(tmp_path / "a.npy")
    assert read.sampling == pytest.approx(1.0)
    assert read.metadata["voltage"] == 60.0
    assert "a.json" in read.notes[0]


@pytest.mark.parametrize("text", ["{", "[1, 2]", "", "[" * 5000, '{"pixel_size": 3}', "\xff"])
def test_json_that_says_nothing_does_no_harm(tmp_path, text):
    np.save(tmp_path / "a.npy", lattice())
    (tmp_path / "a.json").write_text(text, encoding="latin-1")
    assert read_micrograph(tmp_path / "a.npy").sampling is None
