"""TIFF calibration tags, color, palettes, pages; PNG, JPEG and BMP."""

import numpy as np
import pytest
import tifffile
from file_writers import lattice
from PIL import Image

from stemnet import StemnetError
from stemnet.reading import read_micrograph


def color(dtype="u1"):
    image = lattice(dtype=dtype)
    return np.stack([image, image // 2, 200 - image // 4], axis=-1).astype(dtype)


def luma(rgb):
    return rgb[..., :3].astype(float) @ [0.299, 0.587, 0.114]


@pytest.mark.parametrize(
    ("options", "sampling"),
    [
        ({}, None),
        ({"resolution": (72, 72), "resolutionunit": "INCH"}, None),
        ({"resolution": (96, 96), "resolutionunit": "INCH"}, None),
        ({"resolution": (1200, 1200), "resolutionunit": "INCH"}, None),
        ({"resolution": (100, 100), "resolutionunit": "CENTIMETER"}, None),
        ({"resolution": (1e9, 1e9), "resolutionunit": "CENTIMETER"}, 0.1),
        ({"resolution": (1e9, 1e9), "resolutionunit": "NONE"}, None),
        ({"imagej": True, "resolution": (50, 50), "metadata": {"unit": "nm"}}, 0.2),
        ({"imagej": True, "resolution": (5e4, 5e4), "metadata": {"unit": "um"}}, 0.2),
        ({"imagej": True, "resolution": (5e4, 5e4), "metadata": {"unit": "\\u00B5m"}}, 0.2),
        ({"imagej": True, "resolution": (1, 1), "metadata": {"unit": "pixel"}}, None),
        ({"imagej": True, "resolution": (72, 72), "metadata": {"unit": "inch"}}, None),
        ({"imagej": True}, None),
        ({"ome": True, "metadata": {"PhysicalSizeX": 0.02, "PhysicalSizeXUnit": "nm"}}, 0.2),
        ({"ome": True, "metadata": {"PhysicalSizeX": 2e-5, "PhysicalSizeY": 2e-5}}, 0.2),
    ],
)
def test_pixel_size_of_tiff(tmp_path, options, sampling):
    tifffile.imwrite(tmp_path / "a.tif", lattice(), **options)
    read = read_micrograph(tmp_path / "a.tif")
    assert read.sampling == (None if sampling is None else pytest.approx(sampling))
    assert any("no pixel size" in note for note in read.notes) == (sampling is None)


def microscope_tags(scales, unit):
    tags = [(65003 + i, "s", 0, unit, True) for i in range(2)]
    return tags + [(65009 + i, "d", 1, scale, True) for i, scale in enumerate(scales)]


def test_tags_of_the_microscope_win_over_the_resolution(tmp_path):
    tags = microscope_tags((0.02, 0.02), "nm")
    tifffile.imwrite(tmp_path / "a.tif", lattice(), resolution=(1e9, 1e9), resolutionunit=3, extratags=tags)
    assert read_micrograph(tmp_path / "a.tif").sampling == pytest.approx(0.2)


def test_pixels_that_are_not_square(tmp_path):
    tags = microscope_tags((0.01, 0.02), "nm")
    tifffile.imwrite(tmp_path / "a.tif", lattice(), extratags=tags)
    read = read_micrograph(tmp_path / "a.tif")
    assert read.sampling == pytest.approx(np.sqrt(0.1 * 0.2))
    assert any("not square" in note for note in read.notes)


def test_diffraction_pattern_is_refused_unless_the_sampling_is_given(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", lattice(), extratags=microscope_tags((0.02, 0.02), "1/nm"))
    with pytest.raises(StemnetError, match="diffraction"):
        read_micrograph(tmp_path / "a.tif")
    assert read_micrograph(tmp_path / "a.tif", sampling=0.1).sampling == 0.1


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("channels", [3, 4])
def test_color_tiff_turns_grey(tmp_path, planar, channels):
    rgb = np.concatenate([color("u2"), np.full((40, 48, 1), 60000, "u2")], axis=-1)[..., :channels]
    stored = rgb if planar == "contig" else np.moveaxis(rgb, -1, 0)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planar)
    read = read_micrograph(tmp_path / "a.tif")
    np.testing.assert_allclose(read.image, luma(rgb), rtol=1e-6)
    assert any("16 bits a channel" in note for note in read.notes)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("file", ["a.tif", "a.png"])
def test_compressed_color_turns_grey(tmp_path, mode, file):
    options = {"compression": "tiff_lzw"} if file == "a.tif" else {}
    Image.fromarray(color()).convert(mode).save(tmp_path / file, **options)
    np.testing.assert_allclose(read_micrograph(tmp_path / file).image, luma(color()), rtol=1e-6)


def test_equal_channels_are_taken_exactly(tmp_path):
    grey = lattice(dtype="u1")
    Image.fromarray(grey).convert("RGB").save(tmp_path / "a.png")
    read = read_micrograph(tmp_path / "a.png")
    np.testing.assert_array_equal(read.image, grey)
    assert any("equal channels" in note for note in read.notes)


def test_grey_with_alpha(tmp_path):
    grey = lattice(dtype="u1")
    both = np.stack([grey, np.full_like(grey, 255)], axis=-1)
    tifffile.imwrite(
        tmp_path / "a.tif", both, photometric="minisblack", planarconfig="contig", extrasamples=[2]
    )
    Image.fromarray(grey).convert("LA").save(tmp_path / "a.png")
    for file in ("a.tif", "a.png"):
        np.testing.assert_array_equal(read_micrograph(tmp_path / file).image, grey)


@pytest.mark.parametrize("file", ["a.tif", "a.png"])
def test_palette_stands_for_its_colors(tmp_path, file):
    grey = lattice(dtype="u1")
    picture = Image.fromarray(255 - grey).convert("P")
    picture.putpalette([255 - i // 3 for i in range(768)])  # index i is shown as grey 255 - i
    picture.save(tmp_path / file)
    np.testing.assert_array_equal(read_micrograph(tmp_path / file).image, grey)


@pytest.mark.parametrize("dtype", ["u1", "u2"])
def test_zero_as_white_is_reversed(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "a.tif", lattice(dtype=dtype), photometric="miniswhite")
    read = read_micrograph(tmp_path / "a.tif")
    np.testing.assert_array_equal(read.image, np.iinfo(dtype).max - lattice(dtype=dtype).astype(float))
    assert any("zero means white" in note for note in read.notes)


@pytest.mark.parametrize(("dtype", "mode"), [("?", "1"), ("u1", "L"), ("u2", "I;16"), ("u4", "I;16")])
def test_grey_png(tmp_path, dtype, mode):
    image = lattice() > 110 if dtype == "?" else lattice(dtype=dtype)
    Image.fromarray(image.astype("u2") if dtype == "u4" else image).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_micrograph(tmp_path / "a.png").image, image.astype(float))


@pytest.mark.parametrize("file", ["a.jpg", "a.jpeg", "a.bmp"])
def test_other_pictures(tmp_path, file):
    Image.fromarray(lattice(dtype="u1")).save(tmp_path / file)
    read = read_micrograph(tmp_path / file)
    np.testing.assert_allclose(read.image, lattice(dtype="u1"), atol=0 if file == "a.bmp" else 12)
    assert any("lossy" in note for note in read.notes) == (file != "a.bmp")


def test_small_preview_page_is_passed_over(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        tif.write(lattice()[::4, ::4])
        tif.write(lattice())
    read = read_micrograph(tmp_path / "a.tif")
    np.testing.assert_array_equal(read.image, lattice())
    np.testing.assert_array_equal(read_micrograph(tmp_path / "a.tif", signal=0).image, lattice()[::4, ::4])


def test_a_pixel_size_in_the_name_is_hinted_at_not_used(tmp_path):
    Image.fromarray(lattice(dtype="u1")).save(tmp_path / "si110_9.8pm.png")
    read = read_micrograph(tmp_path / "si110_9.8pm.png")
    assert read.sampling is None
    assert any("sampling=0.098" in note for note in read.notes)
