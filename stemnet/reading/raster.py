"""Reading of picture files: TIFF with its several calibrations, PNG, JPEG and BMP."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np

from stemnet.reading.calibration import parse_unit
from stemnet.reading.signals import Axis, Signal, of_array

# A resolution tag of some hundred dots per inch speaks of paper. A pixel
# larger than this [A] is not a calibration of a micrograph.
_PAPER = 1000.0


def read_picture(path: str) -> list[Signal]:
    """Return the frames of a PNG, JPEG, BMP or other picture that Pillow opens."""
    from PIL import Image

    with Image.open(path) as picture:
        lossy = picture.format == "JPEG"
    notes = ("JPEG compression is lossy: positions and intensities suffer.",) if lossy else ()
    return [of_array("picture", _pillow_frames(path), notes=notes)]


def read_tiff(path: str) -> list[Signal]:
    """Return the series of a TIFF file: one for each set of pages of equal size."""
    import tifffile

    try:
        with tifffile.TiffFile(path) as tif:
            return [_series_signal(path, tif, i) for i in range(len(tif.series))]
    except Exception as error:
        # Not a TIFF at all, whatever its name says, or one tifffile cannot list.
        try:
            return read_picture(path)
        except Exception:
            raise error from None


def _series_signal(path: str, tif, index: int) -> Signal:
    series = tif.series[index]
    page = series.keyframe
    letters = series.axes
    shape = tuple(series.shape)
    if "S" in letters:
        samples = letters.index("S")
        rest = [size for i, size in enumerate(shape) if i != samples]
        shape = tuple(rest) if shape[samples] in (1, 2) else (*rest, shape[samples])
    calibrated = {"Y": _axis(tif, page, 1), "X": _axis(tif, page, 0)}
    axes = tuple(calibrated.get(letter, Axis(navigate=True)) for letter in letters if letter != "S")
    notes = ()
    if page.photometric == 0 and page.dtype.kind in "bu":
        notes = ("In this TIFF zero means white; the values are turned round so that bright is large.",)
    if page.photometric == 3:  # a palette: the numbers are indices of colors
        return of_array(series.name or f"series {index}", _pillow_frames(path), axes=axes)

    def load() -> np.ndarray:
        try:
            array = series_array(path, index)
        except Exception as error:
            # A compression that needs the optional codecs; Pillow knows the common ones.
            try:
                array = _pillow_frames(path)
            except Exception:
                raise error from None
            if array.shape != shape:
                raise error from None
            return array
        if page.photometric == 0 and array.dtype.kind in "bu":
            array = ~array if array.dtype.kind == "b" else (2**page.bitspersample - 1) - array
        if "S" in letters:
            array = np.moveaxis(array, letters.index("S"), -1)
            array = array[..., 0] if array.shape[-1] in (1, 2) else array
        return array

    metadata = {}
    if tif.fei_metadata:
        volts = tif.fei_metadata.get("Beam", {}).get("HV")
        if isinstance(volts, int | float) and volts > 0:
            metadata["voltage"] = volts / 1000
    return Signal(series.name or f"series {index}", shape, page.dtype, load, axes, {}, metadata, notes)


def series_array(path: str, index: int) -> np.ndarray:
    """Return series `index` of a TIFF file as tifffile decodes it."""
    import tifffile

    return np.asarray(tifffile.imread(path, series=index))


def _pillow_frames(path: str) -> np.ndarray:
    """Return all frames of a picture, (H, W), (H, W, 3), or with frames in front."""
    from PIL import Image, ImageSequence

    with Image.open(path) as picture:
        frames = [_pillow_array(frame) for frame in ImageSequence.Iterator(picture)]
    same = [frame for frame in frames if frame.shape == frames[0].shape]
    return same[0] if len(same) == 1 else np.stack(same)


def _pillow_array(frame) -> np.ndarray:
    if frame.mode in ("LA", "La"):
        frame = frame.convert("L")
    elif frame.mode not in ("1", "L", "I", "F", "RGB") and not frame.mode.startswith("I;16"):
        frame = frame.convert("RGB")
    array = np.asarray(frame)
    tags = getattr(frame, "tag_v2", {})
    # Pillow reads unsigned 32-bit pixels (sample format 1) as signed ones.
    if frame.mode == "I" and tags.get(258) == (32,) and tags.get(339, (1,)) in (1, (1,)):
        array = array.view(np.uint32)
    return array


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
