"""Reading of TIFF, with the several places where a pixel size may stand."""

from __future__ import annotations

from functools import partial
from xml.etree import ElementTree

import numpy as np

from stemnet.reading.calibration import parse_unit
from stemnet.reading.raster import picture_frames, read_picture
from stemnet.reading.signals import Axis, Signal, of_array

# A resolution tag of some hundred dots per inch speaks of paper. A pixel
# larger than this [A] is not a calibration of a micrograph.
_PAPER = 1000.0
_MINISWHITE, _PALETTE = 0, 3


def read_tiff(path: str) -> list[Signal]:
    """Return the series of a TIFF file: one for each set of pages of equal size."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as tif:
            signals = [_signal(path, tif, i) for i in range(len(tif.series))]
        if not signals:
            raise EOFError  # the list of pages often stands at the end
        return signals
    except Exception as error:
        # Not a TIFF at all, whatever its name says, or one tifffile cannot list.
        try:
            return read_picture(path)
        except Exception:
            raise error from None


def _signal(path: str, tif, index: int) -> Signal:
    series = tif.series[index]
    page = series.keyframe
    name = series.name or f"series {index}"
    spatial = {"Y": _axis(tif, page, 1), "X": _axis(tif, page, 0)}
    axes = tuple(spatial.get(letter, Axis(navigate=True)) for letter in series.axes if letter != "S")
    # In a palette the numbers are indices of colors; ImageJ's palettes only color the display.
    if page.photometric == _PALETTE and not tif.is_imagej:
        return of_array(name, picture_frames(path), axes=axes)
    shape = list(series.shape)
    if "S" in series.axes:
        samples = shape.pop(series.axes.index("S"))
        shape += [3] if samples > 2 else []
    inverted = page.photometric == _MINISWHITE and page.dtype.kind in "bu"
    volts = (tif.fei_metadata or {}).get("Beam", {}).get("HV")
    return Signal(
        name=name,
        shape=tuple(shape),
        dtype=page.dtype,
        load=partial(_load, path, index, series.axes, tuple(shape), page.bitspersample if inverted else 0),
        axes=axes,
        metadata={"voltage": volts / 1000} if isinstance(volts, int | float) and volts > 0 else {},
        notes=("In this TIFF zero means white; its values are reversed.",) if inverted else (),
    )


def _load(path: str, index: int, letters: str, shape: tuple[int, ...], inverted_bits: int) -> np.ndarray:
    """Return a series with color last and without alpha; `inverted_bits` is 0 unless zero means white."""
    import tifffile

    try:
        array = np.asarray(tifffile.imread(path, series=index))
    except ValueError as error:
        # A compression that needs the optional codecs; Pillow knows the common ones.
        if "imagecodecs" not in str(error):
            raise
        try:
            array = picture_frames(path)
        except Exception:
            raise error from None
        if array.shape != tuple(n for n in shape if n != 1):
            raise error from None
        inverted_bits = inverted_bits if array.dtype.itemsize > 1 else 0  # Pillow reversed the others
        letters = ""
    if inverted_bits:
        array = ~array if array.dtype.kind == "b" else (2**inverted_bits - 1) - array
    if "S" in letters:
        array = np.moveaxis(array, letters.index("S"), -1)
        array = array[..., :3] if array.shape[-1] > 2 else array[..., 0]
    return array.reshape(shape)


def _axis(tif, page, x_or_y: int) -> Axis:
    """Return the calibration of columns (0: x tags) or rows (1: y tags), from the most specific tag."""
    for candidate in (_microscope_tags, _fei, _ome, _imagej, _resolution):
        axis = candidate(tif, page, x_or_y)
        if axis is not None:
            return axis
    return Axis()


def _microscope_tags(tif, page, i: int) -> Axis | None:
    """Tags 65003 and 65009, written by Gatan's software and HyperSpy."""
    unit = page.tags.get(65003 + i if 65003 + i in page.tags else 65003)
    scale = page.tags.get(65009 + i if 65009 + i in page.tags else 65009)
    if unit is None or scale is None or not str(unit.value).strip("\x00 "):
        return None
    return Axis(float(scale.value), str(unit.value).strip("\x00 "))


def _fei(tif, page, i: int) -> Axis | None:
    """Thermo Fisher's text tag: the pixel in meters."""
    for section in ("Scan", "EScan", "Image"):
        size = (tif.fei_metadata or {}).get(section, {}).get(("PixelWidth", "PixelHeight")[i])
        if isinstance(size, int | float) and size > 0:
            return Axis(float(size), "m")
    return None


def _ome(tif, page, i: int) -> Axis | None:
    if not tif.ome_metadata:
        return None
    for element in ElementTree.fromstring(tif.ome_metadata).iter():
        size = element.get(f"PhysicalSize{'XY'[i]}")
        if size is not None:
            return Axis(float(size), element.get(f"PhysicalSize{'XY'[i]}Unit", "µm"))
    return None


def _pixels_per_unit(page, i: int) -> float | None:
    tag = page.tags.get(282 + i)
    if tag is None:
        return None
    top, bottom = tag.value if isinstance(tag.value, tuple) else (tag.value, 1)
    return top / bottom if bottom and top else None


def _imagej(tif, page, i: int) -> Axis | None:
    density = _pixels_per_unit(page, i)
    unit = (tif.imagej_metadata or {}).get("unit", "")
    if density is None or parse_unit(unit)[0] == "none" or unit in ("inch", "cm"):
        return None
    return Axis(1 / density, str(unit))


def _resolution(tif, page, i: int) -> Axis | None:
    density = _pixels_per_unit(page, i)
    unit = page.tags.get(296)
    unit = {2: "inch", 3: "cm"}.get(int(unit.value) if unit is not None else 2)
    if density is None or unit is None or parse_unit(unit)[1] / density > _PAPER:
        return None
    return Axis(1 / density, unit)
