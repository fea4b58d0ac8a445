"""The library of crystals: every file reads, names its source, and has the density and distances of the real thing."""

import pickle

import numpy as np
import pytest

from stemnet import StemnetError
from stemnet.simulation import library
from stemnet.simulation.crystal import composition

NAMES = library.crystal_names()

# X-ray densities [g/cm^3] as tabulated (CRC Handbook; JCPDS cards for the oxides and GaN).
DENSITIES = {
    "Al": 2.70,
    "Au": 19.3,
    "BaTiO3": 6.02,
    "BiFeO3": 8.34,
    "CeO2": 7.21,
    "Cu": 8.94,
    "Fe": 7.87,
    "GaAs": 5.317,
    "GaN": 6.09,
    "Ge": 5.323,
    "LaMnO3": 6.57,
    "MgO": 3.58,
    "PbTiO3": 7.95,
    "Pt": 21.45,
    "Si": 2.329,
    "SrTiO3": 5.117,
    "Ti": 4.506,
    "TiO2": 4.25,
    "W": 19.26,
}

# Shortest distance between atoms [A].
BONDS = {
    "graphene": 1.421,
    "hBN": 1.446,
    "MoS2": 2.417,
    "MoSe2": 2.527,
    "WS2": 2.405,
    "WSe2": 2.526,
    "NbSe2": 2.593,
    "WTe2": 2.70,
    "ReS2": 2.41,
    "Si": 2.352,
    "GaN": 1.949,
    "TiO2": 1.947,
    "LaMnO3": 1.907,
    "PbTiO3": 1.770,
}


def nearest(structure) -> float:
    steps = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1).reshape(-1, 3)
    apart = structure.fractional[:, None, None] - structure.fractional[None, :, None] + steps
    lengths = np.linalg.norm(apart @ structure.cell, axis=-1)
    return float(lengths[lengths > 1e-6].min())


def test_adding_a_crystal_is_adding_a_file():
    assert {f"{name}.cif" for name in NAMES} == {path.name for path in library.FOLDER.iterdir()}
    assert len(NAMES) >= 25


@pytest.mark.parametrize("name", NAMES)
def test_every_file_is_a_crystal_with_a_source(name):
    structure = library.structure(name)
    assert structure.name == name
    year = int(structure.source[-5:-1])
    assert 1950 <= year <= 2026
    assert len(structure.source) > 25
    assert structure.zone_axis
    header = (library.FOLDER / f"{name}.cif").read_text()
    assert header.startswith("# ")
    assert header.isascii()


@pytest.mark.parametrize("name", NAMES)
def test_every_file_holds_what_its_formula_says(name):
    text = (library.FOLDER / f"{name}.cif").read_text()
    formula = text.split("_chemical_formula_sum '")[1].split("'")[0].replace(" ", "")
    expected, held = composition(formula), library.structure(name).composition
    assert set(held) == set(expected)
    ratios = [held[element] / count for element, count in expected.items()]
    assert ratios == pytest.approx([round(ratios[0])] * len(ratios))


@pytest.mark.parametrize("name", NAMES)
def test_no_two_atoms_are_too_close(name):
    assert nearest(library.structure(name)) > 1.4


@pytest.mark.parametrize("name", BONDS)
def test_bonds_are_as_long_as_they_are_known_to_be(name):
    assert nearest(library.structure(name)) == pytest.approx(BONDS[name], abs=0.005)


@pytest.mark.parametrize("name", DENSITIES)
def test_densities_are_those_of_the_tables(name):
    from ase.data import atomic_masses, atomic_numbers

    structure = library.structure(name)
    mass = sum(
        count * atomic_masses[atomic_numbers[element]] for element, count in structure.composition.items()
    )
    assert mass / structure.volume * 1.66054 == pytest.approx(DENSITIES[name], rel=0.005)


@pytest.mark.parametrize("name", NAMES)
def test_every_crystal_has_columns_along_its_axis(name):
    crystal = library.crystal(name)
    structure = library.structure(name)
    assert (crystal.period is None) == structure.sheet
    assert crystal.nearest_spacing > 0.35
    assert sorted(set(crystal.sublattices)) == list(range(max(crystal.sublattices) + 1))
    assert pickle.loads(pickle.dumps(crystal)) == crystal


def test_rhenium_stands_in_chains_of_diamonds():
    crystal = library.crystal("ReS2")
    sites = np.array(
        [site for site, name in zip(crystal.sites, crystal.species, strict=True) if name == "Re"]
    )
    steps = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1], indexing="ij"), -1).reshape(-1, 2)
    vectors = (sites[None, :, None] - sites[:, None, None] + steps) @ np.array(crystal.cell)
    lengths = np.linalg.norm(vectors, axis=-1)
    bonds = (lengths > 0.1) & (lengths < 3.0)
    assert sorted(bonds.sum((1, 2))) == [3, 3, 3, 3]
    assert sorted({round(float(length), 2) for length in lengths[bonds]}) == pytest.approx(
        [2.70, 2.79, 2.82, 2.90], abs=0.011
    )


def test_the_default_axis_is_the_one_in_the_file():
    assert library.crystal("Si").name == "Si [110]"
    assert library.crystal("Si", "001").name == "Si [001]"
    assert library.crystal("graphene").name == "graphene"


def test_a_file_of_the_user_is_read_like_one_of_ours(tmp_path):
    own = tmp_path / "mine.cif"
    own.write_text((library.FOLDER / "SrTiO3.cif").read_text())
    ours = library.crystal("SrTiO3", "110")
    assert library.crystal(str(own), "110").sites == ours.sites
    assert library.crystal(str(own)).name == "mine [001]"
    own.write_text(own.read_text().replace("3.905", "4.000"))
    assert library.crystal(str(own), "001").cell[0][1] == pytest.approx(4.0)


def test_a_config_makes_a_crystal():
    from hydra.utils import instantiate
    from omegaconf import OmegaConf

    config = OmegaConf.create(
        {"_target_": "stemnet.simulation.library.crystal", "name": "SrTiO3", "axis": [1, 1, 0], "up": "001"}
    )
    assert instantiate(config).period == pytest.approx(3.905 * np.sqrt(2))


def test_a_sheet_can_be_read_as_bulk_and_back():
    assert library.crystal("graphene", "001", sheet=False).period == pytest.approx(20.0)
    assert library.crystal("Si", "001", sheet=True).period is None


def test_unknown_crystals_are_answered_with_the_known_ones():
    with pytest.raises(StemnetError, match=r"'Unobtainium' is neither .* graphene"):
        library.crystal("Unobtainium")
    with pytest.raises(StemnetError, match="in quotes"):
        library.crystal("Si", 0)
