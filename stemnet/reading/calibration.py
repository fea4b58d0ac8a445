"""Pixel sizes: units of any spelling to angstrom per pixel, and what cannot be one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

from stemnet.reading.signals import Axis

# Angstrom per unit. Spellings after lower-casing, NFKC (which folds the two
# micro signs and the two angstrom signs) and removal of brackets.
_ANGSTROM = {
    "pm": 1e-2,
    "picometer": 1e-2,
    "picometre": 1e-2,
    "a": 1.0,
    "å": 1.0,
    "ang": 1.0,
    "angstrom": 1.0,
    "ångström": 1.0,
    "nm": 1e1,
    "n_m": 1e1,  # the Berkeley EMD spelling
    "nanometer": 1e1,
    "nanometre": 1e1,
    "um": 1e4,
    "μm": 1e4,
    "u_m": 1e4,
    "micron": 1e4,
    "micrometer": 1e4,
    "micrometre": 1e4,
    "mm": 1e7,
    "millimeter": 1e7,
    "millimetre": 1e7,
    "cm": 1e8,
    "centimeter": 1e8,
    "centimetre": 1e8,
    "inch": 2.54e8,
    "m": 1e10,
    "meter": 1e10,
    "metre": 1e10,
}
_ANGLES = {"rad", "mrad", "μrad", "urad", "deg", "degree", "°"}
_ENERGIES = {"ev", "kev", "mev"}
_NOTHING = {"", "px", "pixel", "none", "_none_", "undefined", "<undefined>", "unknown", "1"}
# Atomic resolution needs about 0.02 to 1 A/px; beyond these wider bounds the calibration is doubted.
PLAUSIBLE = (0.01, 2.0)
_USUAL = (0.02, 1.0)


def parse_unit(unit: object) -> tuple[str, float]:
    """Tell what a unit measures.

    Parameters
    ----------
    unit : str or bytes or None

    Returns
    -------
    kind : {"length", "reciprocal", "energy", "none", "unknown"}
        Angles count as reciprocal: both mean a diffraction pattern.
    factor : float
        Angstrom per unit for a length, else NaN.
    """
    if isinstance(unit, bytes):
        unit = unit.decode("utf-8", "replace")
    text = unicodedata.normalize("NFKC", str(unit if unit is not None else "")).strip().lower()
    # ImageJ escapes the micro sign; NFKC leaves the mathematical minus of a superscript.
    text = text.replace("\\u00b5", "μ").replace("−", "-").strip("[]() \x00")
    if re.match(r"^1/\w", text) or re.search(r"\^?-1$", text):
        return "reciprocal", np.nan
    text = re.sub(r"\s*(/|per)\s*(px|pixel)s?$", "", text)
    for spelling in (text, text[:-1] if text.endswith("s") and len(text) > 2 else text):
        if spelling in _ANGSTROM:
            return "length", _ANGSTROM[spelling]
        if spelling in _ANGLES:
            return "reciprocal", np.nan
        if spelling in _ENERGIES:
            return "energy", np.nan
        if spelling in _NOTHING:
            return "none", np.nan
    return "unknown", np.nan


def sampling_from_axes(axes: Sequence[Axis]) -> tuple[float | None, list[str]]:
    """Return the sampling [A/px] that two calibrated axes claim, and what to note.

    Parameters
    ----------
    axes : sequence of Axis
        Rows and columns, or empty.

    Returns
    -------
    sampling : float or None
        None where the scale is missing, not positive, or without a unit of
        length.
    notes : list of str
    """
    sizes, notes = [], []
    for axis in axes:
        kind, factor = parse_unit(axis.unit)
        scale = axis.scale
        if scale is None or not np.isfinite(scale) or scale <= 0:
            continue
        if kind == "length":
            sizes.append(scale * factor)
        elif kind == "none" and not np.isclose(scale, 1.0):
            notes.append(
                f"The file gives a pixel size of {scale:.4g} without a unit; it is not used. "
                "If you know the unit, pass sampling=<A/px>."
            )
        elif kind == "unknown":
            notes.append(
                f"The file gives a pixel size in '{axis.unit}', which is not a length; it is not used."
            )
    sampling, more = combine(sizes)
    return sampling, list(dict.fromkeys(notes)) + more


def combine(sizes: Sequence[float]) -> tuple[float | None, list[str]]:
    """Return one sampling for pixel sizes along rows and columns [A/px], and what to note."""
    if not sizes:
        return None, []
    if max(sizes) / min(sizes) > 1.01:
        mean = float(np.exp(np.mean(np.log(sizes))))
        steps = " x ".join(f"{size:.4g}" for size in sizes)
        return mean, [f"The pixels are not square ({steps} A); their geometric mean {mean:.4g} A/px is used."]
    return float(np.mean(sizes)), []


def doubts(sampling: float | None) -> list[str]:
    """Return a note when a pixel size [A/px] cannot belong to an atomically resolved image."""
    if sampling is None or PLAUSIBLE[0] <= sampling <= PLAUSIBLE[1]:
        return []
    text = f"The pixel size of {sampling:.4g} A/px is implausible for an atomically resolved image"
    if _USUAL[0] <= sampling / 10 <= _USUAL[1]:
        text += f"; {sampling / 10:.4g} would be plausible: some programs write angstrom under the label nm"
    elif _USUAL[0] <= sampling * 10 <= _USUAL[1]:
        text += f"; {sampling * 10:.4g} would be plausible: some programs write nm under the label angstrom"
    return [text + ". If it is wrong, pass sampling=<A/px>."]
