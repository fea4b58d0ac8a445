"""Sheets on top of each other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from stemnet import StemnetError
from stemnet.simulation.crystal import composition, cubic_metal, dichalcogenide, honeycomb, perovskite
from stemnet.simulation.defects.layers import multilayer, stacked, twisted_bilayer
from stemnet.simulation.defects.nanoparticle import FCC_HEIGHTS, Ball, nanoparticle
from stemnet.simulation.deformation import strained, with_strain
from stemnet.simulation.growth import grow

FIELD = (50.0, 60.0)
SHEET = dichalcogenide()


def atoms(specimen):
    """All atoms of a specimen by element."""
    total = {}
    for name, thick in zip(specimen.species, specimen.thickness, strict=True):
        for element, count in composition(str(name)).items():
            total[element] = total.get(element, 0.0) + count * thick
    return total


@settings(deadline=None, max_examples=15)
@given(st.floats(-0.6, 0.6), st.tuples(st.floats(-2, 2), st.floats(-2, 2)), st.floats(0.0, 0.4))
def test_stacking_keeps_the_atoms(angle, shift, tolerance):
    made = twisted_bilayer(SHEET, FIELD, angle, shift=shift, tolerance=tolerance)
    merged = made.planted["layers"] == 2
    upper = made.planted["layer"] == 1
    assert not np.any(merged & upper)
    elements = atoms(made)
    count = merged.sum() * 2 + (~merged).sum()
    density = 2 / (3.16**2 * np.sqrt(3) / 2)
    assert count == pytest.approx(2 * density * 70 * 80, rel=0.03)
    assert elements["S"] / elements["Mo"] == pytest.approx(2.0, rel=0.05)
    # What could still merge has done so.
    if tolerance > 0 and upper.any():
        lower = made.select(~merged & ~upper)
        both = cKDTree(lower.yx).query(made.yx[upper])[0]
        assert both.min() > 0.5 * tolerance


def test_the_same_sheet_on_itself_is_a_sheet_of_doubles():
    made = twisted_bilayer(SHEET, FIELD, 0.0)
    assert set(made.species) == {"Mo2", "S4"}
    np.testing.assert_allclose(made.planted["registry_y_A"], 0, atol=1e-9)


@settings(deadline=None, max_examples=15)
@given(st.floats(0.02, 0.15), st.floats(-3, 3))
def test_the_moire_has_its_period(angle, orientation):
    made = twisted_bilayer(SHEET, FIELD, angle, orientation=orientation)
    period = 3.16 / (2 * np.sin(angle / 2))
    middle = np.array(FIELD) / 2
    zero = np.hypot(*(made.field_at(f"registry_{axis}_A", middle[None]) for axis in "yx"))
    assert zero[0] == pytest.approx(0, abs=1e-9)
    turns = np.linspace(0, 2 * np.pi, 721)
    ring = middle + period * np.stack([np.sin(turns), np.cos(turns)], 1)
    size = np.hypot(*(made.field_at(f"registry_{axis}_A", ring) for axis in "yx"))
    # Six places at one period where the cells lie on each other again, and never farther than a hollow.
    assert np.sum((size[1:-1] < size[:-2]) & (size[1:-1] < size[2:]) & (size[1:-1] < 0.05)) in (5, 6)
    assert size.max() < 3.16 / np.sqrt(3) + 1e-6


def test_the_registry_is_that_of_the_columns():
    made = twisted_bilayer(SHEET, FIELD, 0.05, tolerance=0.0)
    lower = made.select((made.planted["layer"] == 0) & (made.sublattice == 0))
    upper = made.select((made.planted["layer"] == 1) & (made.sublattice == 0))
    inner = np.all((upper.yx > 0) & (upper.yx < FIELD), axis=1)
    distance = cKDTree(lower.yx).query(upper.yx[inner])[0]
    planted = np.hypot(upper.planted["registry_y_A"], upper.planted["registry_x_A"])[inner]
    np.testing.assert_allclose(planted, distance, atol=1e-6)


def test_sequences_have_their_columns():
    two = multilayer(SHEET, FIELD, 2, "2H")
    assert set(two.species) == {"MoS2"}
    assert set(multilayer(SHEET, FIELD, 3, "2H").select(slice(None)).species) >= {"Mo2S2", "MoS4"}
    three = multilayer(SHEET, FIELD, 2, "3R")
    inner = np.all((three.yx > 0) & (three.yx < FIELD), axis=1)
    assert set(three.species[inner]) == {"Mo", "MoS2", "S2"}
    full = multilayer(SHEET, FIELD, 3, "3R")
    inner = np.all((full.yx > 0) & (full.yx < FIELD), axis=1)
    assert set(full.species[inner]) == {"MoS2"}
    assert set(full.planted["layers"][inner]) == {2}
    turned = multilayer(SHEET, FIELD, 2, [(0.1, (0.0, 0.0))])
    assert set(turned.planted["layer"]) == {0, 1}
    with pytest.raises(StemnetError, match="2H, 3R"):
        multilayer(SHEET, FIELD, 2, "4T")


def test_each_layer_keeps_its_fields():
    lower = with_strain(strained(grow(honeycomb(), FIELD), np.diag([0.02, 0.0])))
    upper = with_strain(strained(grow(SHEET, FIELD), np.diag([0.0, -0.01])))
    made = stacked(lower, upper)
    assert made.field_at("lower_strain_yy", np.array([[20.0, 20.0]]))[0] == pytest.approx(0.02)
    assert made.field_at("upper_strain_xx", np.array([[20.0, 20.0]]))[0] == pytest.approx(-0.01)
    assert "strain_yy" not in made.fields
    # Per column, it is that of the column's own layer.
    np.testing.assert_allclose(made.planted["strain_yy"][made.planted["layer"] == 0], 0.02, atol=1e-6)
    np.testing.assert_allclose(made.planted["strain_yy"][made.planted["layer"] == 1], 0.0, atol=1e-6)


def test_a_particle_lies_on_a_thick_crystal():
    support = grow(perovskite(), FIELD, thickness=40.0)
    gold = cubic_metal(4.078, "Au", "fcc", "001", "Au")
    at = (6 * 3.905, 8 * 3.905)
    particle = nanoparticle(gold, Ball(at, 10.0), reach=12.0, heights=FCC_HEIGHTS["001"])
    made = stacked(support, particle, tolerance=0.3)
    assert (made.planted["layers"] == 2).any()
    assert atoms(made)["Au"] == pytest.approx(particle.thickness.sum(), rel=1e-3)
    assert atoms(made)["Sr"] == pytest.approx(atoms(support)["Sr"], rel=1e-6)
    np.testing.assert_allclose(made.field_at("thickness", np.array([at])), 20 / 4.078)
