"""Structure files: symmetry carried out, shared sites shared, and what is no crystal refused."""

import numpy as np
import pytest

from stemnet import StemnetError
from stemnet.simulation.structure import Structure, read_structure

HEAD = """data_test
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {c}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma {gamma}
{group}
loop_
  _atom_site_label
  _atom_site_fract_x
  _atom_site_fract_y
  _atom_site_fract_z
  _atom_site_occupancy
{rows}
"""


def cif(folder, rows, group="_space_group_IT_number 1", a=4.0, c=4.0, gamma=90):
    path = folder / "test.cif"
    path.write_text(HEAD.format(rows=rows, group=group, a=a, c=c, gamma=gamma))
    return path


FCC = "_space_group_IT_number 225"


def test_symmetry_is_carried_out_and_copies_are_merged(tmp_path):
    structure = read_structure(cif(tmp_path, "Ce1 0 0 0 1\nO1 0.25 0.25 0.25 1", FCC))
    assert structure.composition == {"Ce": 4, "O": 8}
    assert len(set(structure.kinds)) == 2


def test_operations_that_the_file_lists_are_taken_as_they_are(tmp_path):
    # A setting that no table of space groups has to know.
    group = "_symmetry_space_group_name_H-M 'P b n m'\nloop_\n_symmetry_equiv_pos_as_xyz\n'x,y,z'\n'1/2-x,y+1/2,z'"
    structure = read_structure(cif(tmp_path, "Mn1 0.1 0.2 0.3 1", group))
    np.testing.assert_allclose(structure.fractional, [[0.1, 0.2, 0.3], [0.4, 0.7, 0.3]], atol=1e-9)


def test_rounded_thirds_are_still_one_atom(tmp_path):
    structure = read_structure(
        cif(tmp_path, "Ti1 0.3333 0.6667 0.25 1", "_space_group_IT_number 194", 2.95, 4.68, 120)
    )
    assert structure.composition == {"Ti": 2}


@pytest.mark.parametrize(
    ("rows", "contents"),
    [
        ("Mo1 0 0 0 0.7\nV1 0 0 0 0.3", {"Mo": 0.7, "V": 0.3}),
        # The second element is listed on another copy of the site.
        ("Mo1 0 0 0 0.7\nV1 0.5 0.5 0 0.3", {"Mo": 0.7, "V": 0.3}),
        ("Fe1 0 0 0 0.6\nFe2 0 0 0 0.4", {"Fe": 1.0}),
        ("Fe1 0 0 0 1\nFe2 0 0 0 1", {"Fe": 1.0}),
        ("Te1 0 0 0 0.9", {"Te": 0.9}),
        ("Te1 0 0 0 .", {"Te": 1.0}),
    ],
)
def test_a_site_holds_what_its_rows_say(tmp_path, rows, contents):
    structure = read_structure(cif(tmp_path, rows, FCC))
    assert len(structure) == 4
    assert all(atom == pytest.approx(contents) for atom in structure.contents)
    assert set(structure.kinds) == {0}


def test_without_symmetry_atoms_of_an_element_are_one_kind(tmp_path):
    rows = "Sr1 0 0 0 1\nTi1 0.5 0.5 0.5 1\nO1 0.5 0.5 0 1\nO2 0.5 0 0.5 1\nO3 0 0.5 0.5 1"
    assert len(set(read_structure(cif(tmp_path, rows)).kinds)) == 3


def test_atoms_and_their_files_are_the_same_crystal(tmp_path):
    import ase.build
    import ase.io

    atoms = ase.build.bulk("GaAs", "zincblende", a=5.65, cubic=True)
    for name in ("POSCAR", "crystal.xyz", "crystal.cif", "crystal.xsf"):
        ase.io.write(tmp_path / name, atoms)
        read = read_structure(tmp_path / name)
        here = read_structure(atoms)
        assert read.composition == here.composition == {"Ga": 4, "As": 4}
        np.testing.assert_allclose(read.cell, here.cell, atol=1e-5)
    assert read_structure(atoms).name == "As4Ga4"


def test_occupancies_of_atoms_read_by_ase_are_kept(tmp_path):
    import ase.io

    path = cif(tmp_path, "Mo1 0 0 0 0.7\nV1 0 0 0 0.3\nO1 0.5 0.5 0.5 1", FCC)
    assert read_structure(ase.io.read(path)).composition == pytest.approx({"Mo": 2.8, "V": 1.2, "O": 4})


def test_a_layer_of_ase_is_a_sheet():
    import ase.build

    sheet = read_structure(ase.build.mx2("MoS2"))
    assert sheet.sheet
    assert sheet.cell[2, 2] == 20
    assert sheet.composition == {"Mo": 1, "S": 2}


def write(folder, name, text):
    path = folder / name
    path.write_text(text)
    return path


REFUSED = {
    "missing": (lambda folder: folder / "no.cif", "no structure file"),
    "words": (lambda folder: write(folder, "words.cif", "Dear reader,\n"), "could not be read"),
    "empty": (lambda folder: write(folder, "empty.cif", ""), "lists no atoms"),
    "picture": (lambda folder: write(folder, "image.png", "no picture"), "could not be read"),
    "program": (lambda folder: write(folder, "run.py", "raise SystemExit"), "could not be read"),
    "molecule": (
        lambda folder: write(folder, "co.xyz", "2\n\nC 0 0 0\nO 0 0 1.1\n"),
        "not periodic|is not read",
    ),
    "element": (lambda folder: cif(folder, "Xx1 0 0 0 1"), "'Xx', which is not a chemical element"),
    "crowded": (lambda folder: cif(folder, "Mo1 0 0 0 1\nV1 0 0 0 0.5"), "no more than 1"),
    "group": (lambda folder: cif(folder, "Mo1 0 0 0 1", "_space_group_IT_number 999"), "could not be read"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_crystal_is_refused_in_words(tmp_path, case):
    make, words = REFUSED[case]
    with pytest.raises(StemnetError, match=words):
        read_structure(make(tmp_path))


def test_a_structure_is_checked_when_it_is_made():
    one = ({"Si": 1.0},)
    with pytest.raises(StemnetError, match="flat"):
        Structure("flat", np.diag([1.0, 1.0, 0.0]), np.zeros((1, 3)), one, np.zeros(1))
    with pytest.raises(StemnetError, match="one of each"):
        Structure("short", np.eye(3), np.zeros((2, 3)), one, np.zeros(1))
    with pytest.raises(StemnetError, match="positive"):
        Structure("empty", np.eye(3), np.zeros((1, 3)), ({"Si": 0.0},), np.zeros(1))
