import numpy as np
import pytest
from planted_columns import bare, measured_example

from stemnet.columns import Columns
from stemnet.errors import StemnetError
from stemnet.studies.polarization import study


def number(findings, words):
    """The one number of a quantity, or whose quantity contains some words."""
    found = [one for one in findings.numbers if words == one.quantity]
    found = found or [one for one in findings.numbers if words in one.quantity]
    assert len(found) == 1, [one.quantity for one in findings.numbers]
    return found[0]


@pytest.mark.parametrize("name", ["bifeo3_closure", "pbtio3_domains", "pbtio3_polar", "srtio3_mistilt"])
def test_cells_err_by_what_their_error_bars_say_and_aims_are_reached(name):
    findings = study([measured_example(name)])
    ratio = number(findings, "the same over what the error bars say")
    print(findings.summary, [f"{n.quantity}: {n.value:.3g}" for n in findings.numbers if n.holds is not None])
    assert 0.85 < ratio.value < 1.2
    assert all(n.holds for n in findings.numbers if n.holds is not None)


def test_what_each_world_is_is_said():
    said = {
        name: study([measured_example(name)]) for name in ("bifeo3_closure", "pbtio3_polar", "srtio3_mistilt")
    }
    assert "Polar, and not everywhere alike" in said["bifeo3_closure"].summary
    assert number(said["bifeo3_closure"], "domains").value == 3
    assert number(said["bifeo3_closure"], "wall between domains 0 and 1: turn").value == pytest.approx(
        180, abs=6
    )
    assert [n.value for n in said["pbtio3_polar"].numbers if n.quantity == "vortices"] == [2]
    assert "mistilt produces as well" in said["srtio3_mistilt"].summary


def test_the_table_keeps_the_rows_of_the_columns():
    measured = measured_example("bifeo3_closure")
    findings = study([measured])
    (table,) = findings.tables
    assert {len(values) for values in table.values.values()} == {len(measured.columns)}
    np.testing.assert_array_equal(table.values["y_px"], measured.columns.yx[:, 0])
    centers = np.isfinite(table.values["polar_y_pm"])
    assert (table.values["sublattice"][centers] == 1).all()
    planted = 100 * measured.truth.of("polar_y_A")
    assert np.corrcoef(table.values["polar_y_pm"][centers], planted[centers])[0, 1] > 0.97


def test_the_order_of_columns_and_a_swap_of_axes_change_nothing():
    measured = measured_example("pbtio3_domains")
    columns = measured.columns
    straight = study([bare(columns)])
    order = np.random.default_rng(0).permutation(len(columns))
    shuffled = study([bare(columns.select(order))])
    swapped = study(
        [bare(Columns(columns.yx[:, ::-1], columns.shape[::-1], columns.sampling, columns.fields))]
    )
    for words in ("cells with a complete cage", "median displacement", "uniform part"):
        assert number(shuffled, words).value == pytest.approx(number(straight, words).value, rel=1e-9)
        assert number(swapped, words).value == pytest.approx(number(straight, words).value, rel=1e-9)


def test_pictures_are_drawn():
    findings = study([measured_example("bifeo3_closure")])
    (picture,) = findings.pictures
    assert len(picture.draw().axes) >= 4


def test_one_bad_input_does_not_stop_the_others():
    few = bare(Columns(np.random.default_rng(0).uniform(0, 90, (4, 2)), (100, 100)), "few")
    findings = study([few, measured_example("pbtio3_domains")])
    assert any(note.startswith("few: No lattice fits the 4 columns") for note in findings.notes)
    assert {n.input for n in findings.numbers} == {"pbtio3_domains"}
    with pytest.raises(StemnetError, match="few: No lattice"):
        study([few])


def test_without_error_bars_the_verdict_is_left_out_and_said():
    columns = measured_example("pbtio3_domains").columns
    plain = Columns(columns.yx, columns.shape, columns.sampling, {"intensity": columns["intensity"]})
    findings = study([bare(plain)])
    assert any("no standard errors" in note for note in findings.notes)
    assert number(findings, "cells with a complete cage").value > 300


def test_one_sublattice_is_not_enough():
    columns = measured_example("pbtio3_domains").columns
    bright = columns.select(np.asarray(columns["intensity"]) > np.median(columns["intensity"]))
    with pytest.raises(StemnetError, match="needs two that are there"):
        study([bare(bright)])
