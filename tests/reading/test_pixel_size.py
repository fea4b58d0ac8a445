"""Units of any spelling, and the doubts about a pixel size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemnet.reading.calibration import doubts, parse_unit, sampling_from_axes
from stemnet.reading.signals import Axis

# The same length, 0.15 A, in every spelling.
SPELLINGS = [
    (15, "pm"), (0.15, "A"), (0.15, "Å"), (0.15, "\u212b"), (0.15, "Angstrom"), (0.15, "angstroms"),
    (0.015, "nm"), (0.015, "NM"), (0.015, "[n_m]"), (0.015, "(nm)"), (0.015, "nm/px"), (0.015, "nanometers"),
    (0.015, " nm per pixel "), (0.015, b"nm"), (1.5e-5, "µm"), (1.5e-5, "\u03bcm"), (1.5e-5, "um"),
    (1.5e-5, "microns"), (1.5e-8, "mm"), (1.5e-9, "cm"), (1.5e-11, "m"), (0.015, "nm\x00"),
]  # fmt: skip


@pytest.mark.parametrize(("scale", "unit"), SPELLINGS)
def test_one_length_in_every_unit(scale, unit):
    sampling, notes = sampling_from_axes([Axis(scale, unit)] * 2)
    assert sampling == pytest.approx(0.15)
    assert not notes


@pytest.mark.parametrize(
    "unit",
    ["1/nm", "1/Å", "1/A", "nm^-1", "nm-1", "nm⁻¹", "1/px", "mrad", "rad", "µrad", "deg", "°", "[mrad]"],
)
def test_reciprocal_units(unit):
    assert parse_unit(unit)[0] == "reciprocal"


@pytest.mark.parametrize(
    ("unit", "kind"),
    [("eV", "energy"), ("keV", "energy"), ("", "none"), (None, "none"), ("px", "none"), ("pixels", "none"),
     ("<undefined>", "none"), ("s", "unknown"), ("furlong", "unknown"), ("counts", "unknown")],
)  # fmt: skip
def test_units_that_are_no_length(unit, kind):
    assert parse_unit(unit)[0] == kind


@pytest.mark.parametrize("scale", [0, -1, np.nan, np.inf, None])
def test_impossible_scale_is_no_pixel_size(scale):
    assert sampling_from_axes([Axis(scale, "nm")] * 2) == (None, [])


def test_one_calibrated_axis_is_enough():
    assert sampling_from_axes([Axis(1.0, ""), Axis(0.02, "nm")]) == (pytest.approx(0.2), [])


def test_no_axes():
    assert sampling_from_axes([]) == (None, [])


@given(st.floats(1e-3, 10), st.floats(0.5, 2))
def test_the_mean_keeps_the_area_of_a_pixel(size, ratio):
    sampling, notes = sampling_from_axes([Axis(size, "A"), Axis(size * ratio, "A")])
    assert sampling == pytest.approx(size * np.sqrt(ratio), rel=1e-4)
    assert bool(notes) == (max(ratio, 1 / ratio) > 1.01)


@pytest.mark.parametrize("sampling", [None, 0.01, 0.1, 2.0])
def test_plausible_sizes_raise_no_doubt(sampling):
    assert doubts(sampling) == []


@pytest.mark.parametrize(
    ("sampling", "hint"), [(2.5, "0.25 would"), (0.008, "0.08 would"), (271.0, None), (1e-4, None)]
)
def test_implausible_sizes_are_doubted(sampling, hint):
    (note,) = doubts(sampling)
    assert "implausible" in note
    assert (hint or "would") in note if hint else "would" not in note
