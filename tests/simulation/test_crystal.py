"""Projected cells: what is in them and how far apart."""

import numpy as np
import pytest

from stemnet import StemnetError
from stemnet.simulation.crystal import (
    ATOMIC_NUMBERS,
    Crystal,
    composition,
    cubic_metal,
    dichalcogenide,
    honeycomb,
    perovskite,
    scattering,
    zinc_blende,
)

A = 4.0
# Crystal: (nearest spacing [A], columns per area [1/A^2]).
GEOMETRY = {
    "graphene": (honeycomb(2.46), 2.46 / np.sqrt(3), 4 / (np.sqrt(3) * 2.46**2)),
    "MoS2": (dichalcogenide(), 3.16 / np.sqrt(3), 4 / (np.sqrt(3) * 3.16**2)),
    "SrTiO3 001": (perovskite(3.905), 3.905 / 2, 4 / 3.905**2),
    "SrTiO3 110": (perovskite(A, axis="110"), A / 2 / np.sqrt(2), 3 * np.sqrt(2) / A**2),
    "Si 110": (zinc_blende(), 5.431 / 4, 4 * np.sqrt(2) / 5.431**2),
    "fcc 001": (cubic_metal(A, "Au", "fcc", "001", ""), A / 2, 4 / A**2),
    "fcc 110": (cubic_metal(A, "Au", "fcc", "110", ""), A * np.sqrt(6) / 4, 2 * np.sqrt(2) / A**2),
    "fcc 111": (cubic_metal(A, "Au", "fcc", "111", ""), A / np.sqrt(6), 4 * np.sqrt(3) / A**2),
    "bcc 001": (cubic_metal(A, "Fe", "bcc", "001", ""), A / np.sqrt(2), 2 / A**2),
    "bcc 110": (cubic_metal(A, "Fe", "bcc", "110", ""), A / 2, 2 * np.sqrt(2) / A**2),
    "bcc 111": (cubic_metal(A, "Fe", "bcc", "111", ""), A * np.sqrt(2 / 3), np.sqrt(3) / A**2),
}


@pytest.mark.parametrize("name", GEOMETRY)
def test_spacing_and_density_follow_from_the_lattice_constant(name):
    crystal, spacing, density = GEOMETRY[name]
    area = abs(np.linalg.det(np.array(crystal.cell)))
    assert crystal.nearest_spacing == pytest.approx(spacing, rel=1e-9)
    assert len(crystal.sites) / area == pytest.approx(density, rel=1e-9)


def test_the_known_distances():
    assert honeycomb(2.46).nearest_spacing == pytest.approx(1.42, abs=0.001)
    assert zinc_blende().nearest_spacing == pytest.approx(1.358, abs=0.001)
    crystal = perovskite(3.905)
    a_site, b_site = (np.array(site) @ np.array(crystal.cell) for site in crystal.sites[:2])
    assert np.hypot(*(a_site - b_site)) == pytest.approx(3.905 / np.sqrt(2))


@pytest.mark.parametrize(
    ("crystal", "atoms"),
    [
        (perovskite(), {"Sr": 1, "Ti": 1, "O": 3}),
        (perovskite(axis="110"), {"Sr": 1, "Ti": 1, "O": 3}),
        (dichalcogenide("W", "Se"), {"W": 1, "Se": 2}),
        (dichalcogenide("W", "S", "Se"), {"W": 1, "S": 1, "Se": 1}),
        (zinc_blende(5.65, "Ga", "As"), {"Ga": 2, "As": 2}),
        (honeycomb(2.5, "B", "N"), {"B": 1, "N": 1}),
    ],
)
def test_a_cell_holds_one_formula(crystal, atoms):
    total: dict[str, int] = {}
    for name in crystal.species:
        for element, count in composition(name).items():
            total[element] = total.get(element, 0) + count
    assert total == atoms


def test_brightness_is_the_sum_over_atoms():
    z = ATOMIC_NUMBERS
    np.testing.assert_allclose(
        scattering(["S2", "Mo", "TiO", "S2"], 1.7),
        [2 * z["S"] ** 1.7, z["Mo"] ** 1.7, z["Ti"] ** 1.7 + z["O"] ** 1.7, 2 * z["S"] ** 1.7],
    )
    assert scattering([], 1.7).shape == (0,)


@pytest.mark.parametrize(
    "make",
    [
        lambda: composition("mo"),
        lambda: composition(""),
        lambda: composition("Xx"),
        lambda: perovskite(axis="111"),
        lambda: cubic_metal(A, "Au", "hcp", "001", ""),
        lambda: cubic_metal(A, "Au", "fcc", "112", ""),
        lambda: Crystal("flat", ((1.0, 0.0), (2.0, 0.0)), ((0.0, 0.0),), ("C",), (0,)),
        lambda: Crystal("short", ((1.0, 0.0), (0.0, 1.0)), ((0.0, 0.0),), ("C", "C"), (0,)),
    ],
)
def test_what_is_no_crystal_is_refused_in_words(make):
    with pytest.raises(StemnetError, match=r"[.;]"):
        make()


def test_scaling_scales_every_length():
    crystal = zinc_blende().scaled(1.3)
    assert crystal.nearest_spacing == pytest.approx(1.3 * 5.431 / 4)
    assert crystal.sites == zinc_blende().sites
