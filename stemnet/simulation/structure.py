"""Crystal structures: atoms in a three-dimensional unit cell, read from files."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.crystal import ATOMIC_NUMBERS
from stemnet.simulation.lattice import coincident

SAME_PLACE = 0.1
"""Atoms closer than this share one site: the copies that symmetry makes, and the elements of a mixed site [A]."""

SHEET_ROOM = 20.0
"""Cell length given to a sheet that has none along its normal [A]."""

# Formats that hold a cell and that are plain data; some others that ase knows would run code when opened.
# fmt: off
FORMATS = (
    "cif", "vasp", "vasp-xml", "vasp-xdatcar", "extxyz", "aims", "espresso-in", "espresso-out", "castep-cell", "cfg",
    "cube", "dftb", "exciting", "gen", "json", "lammps-data", "magres", "mustem", "prismatic", "proteindatabank",
    "res", "siesta-xv", "struct", "v-sim", "xsd", "xsf", "xtd",
)
# fmt: on


@dataclass(frozen=True, eq=False)
class Structure:
    """Atoms in a unit cell.

    Parameters
    ----------
    name : str
    cell : ndarray, shape (3, 3)
        Rows are the cell vectors a, b and c [A].
    fractional : ndarray, shape (N, 3)
        Where the atoms are, in fractions of the cell.
    contents : tuple of mapping, length N
        Which elements each site holds, with their occupancies: {"Mo": 0.7,
        "V": 0.3} is a mixed site, {"Te": 0.9} one that is not always filled.
    kinds : ndarray of int, shape (N,)
        Crystallographic site (orbit) of each atom.
    source : str
        Where the structure comes from: a paper, or a file.
    zone_axis : str, optional
        The axis along which it is usually seen.
    sheet : bool
        Whether it is one layer, seen along c; what the cell has more of c is
        vacuum.

    Raises
    ------
    StemnetError
        If the cell is flat, or an atom is of no known element or has an
        impossible occupancy.
    """

    name: str
    cell: np.ndarray
    fractional: np.ndarray
    contents: tuple[Mapping[str, float], ...]
    kinds: np.ndarray
    source: str = ""
    zone_axis: str | None = None
    sheet: bool = False

    def __post_init__(self) -> None:
        for name, shape, kind in (
            ("cell", (3, 3), float),
            ("fractional", (-1, 3), float),
            ("kinds", (-1,), int),
        ):
            values = np.array(getattr(self, name), dtype=kind).reshape(shape)
            values.setflags(write=False)
            object.__setattr__(self, name, values)
        if not len(self.fractional) == len(self.contents) == len(self.kinds) or not len(self.kinds):
            raise StemnetError(
                f"Structure {self.name} has {len(self.fractional)} positions, {len(self.contents)} contents and "
                f"{len(self.kinds)} kinds; give one of each per atom, and at least one atom."
            )
        if not self.volume > 1e-3:
            raise StemnetError(
                f"Structure {self.name} has no unit cell, or a flat one; a crystal needs three cell vectors. "
                "Give a file with a cell, such as a CIF or a POSCAR."
            )
        for atom in self.contents:
            _check_site(self.name, atom)

    def __len__(self) -> int:
        return len(self.kinds)

    @property
    def volume(self) -> float:
        """Of the unit cell [A^3]."""
        return float(abs(np.linalg.det(self.cell)))

    @property
    def composition(self) -> dict[str, float]:
        """Atoms of each element in the unit cell."""
        total: dict[str, float] = {}
        for atom in self.contents:
            for element, occupancy in atom.items():
                total[element] = total.get(element, 0.0) + occupancy
        return total


def _check_site(name: str, atom: Mapping[str, float]) -> None:
    for element in atom:
        if element not in ATOMIC_NUMBERS:
            raise StemnetError(
                f"Structure {name} has an atom '{element}', which is not a chemical element; "
                "correct the symbol in the file."
            )
    if not 0 < sum(atom.values()) <= 1.02 or min(atom.values()) < 0:
        raise StemnetError(
            f"A site of structure {name} is occupied by {dict(atom)}; the occupancies of a site must be positive and "
            "add up to no more than 1. Correct them in the file."
        )


def read_structure(source: Any, name: str | None = None) -> Structure:
    """Read a crystal structure from a file or from an ASE Atoms object.

    In a CIF the symmetry operations are carried out, copies that fall on each
    other are merged, and elements listed on one site share it by their
    occupancies. The crystallographic sites are the rows of the CIF; where a
    file has no symmetry (P1, POSCAR), atoms of the same element count as one
    kind. The first structure of a CIF, and the last of other files, is taken.

    Parameters
    ----------
    source : path, or ase.Atoms
        A CIF, POSCAR, extended XYZ, or another file with a cell that ASE reads
        (Larsen et al., J. Phys.: Condens. Matter 29, 273002, 2017).
    name : str, optional
        The file's name, or the chemical formula, if it is not given.

    Returns
    -------
    Structure

    Raises
    ------
    StemnetError
        If there is no such file, it is no structure file, it has no cell, or
        holds something that is no element.
    """
    if hasattr(source, "get_scaled_positions") and hasattr(source, "get_chemical_symbols"):
        return _from_atoms(source, name or source.get_chemical_formula(), "ASE Atoms")
    path = Path(source)
    if not path.is_file():
        raise StemnetError(
            f"There is no structure file {path}; give the path of a CIF, POSCAR or extended XYZ file."
        )
    name = name or path.stem
    with warnings.catch_warnings():
        # What ase warns of (unused settings, numbers with odd brackets) does not change the atoms.
        warnings.simplefilter("ignore")
        if path.suffix.lower() == ".cif":
            return _from_cif(path, name)
        return _from_atoms(_atoms_of(path), name, path.name)


def _not_read(path: Path, why: object) -> StemnetError:
    return StemnetError(
        f"{path} could not be read as a crystal structure ({why}); give a CIF, POSCAR or extended XYZ file "
        "with a unit cell."
    )


def _atoms_of(path: Path) -> Any:
    import ase.io
    from ase.io.formats import UnknownFileTypeError, filetype

    try:
        kind = filetype(str(path))
    except (UnknownFileTypeError, OSError, ValueError) as problem:
        raise _not_read(path, "the format is not known") from problem
    if kind not in FORMATS:
        raise _not_read(path, f"it looks like '{kind}', which is not read here")
    try:
        return ase.io.read(path, format=kind)
    except Exception as problem:  # each format of ase fails in its own way
        raise _not_read(path, f"as '{kind}': {_first_line(problem)}") from problem


def _first_line(problem: Exception) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0]


def _from_atoms(atoms: Any, name: str, source: str) -> Structure:
    cell = np.array(atoms.cell, dtype=float)
    periodic = np.array(atoms.pbc, dtype=bool)
    sheet = bool(periodic[0] and periodic[1] and not periodic[2])
    if not (periodic.all() or sheet) or not np.linalg.norm(np.cross(cell[0], cell[1])) > 1e-3:
        raise StemnetError(
            f"{name} is not periodic along its three cell vectors (or along a and b, for a sheet); a crystal needs a "
            "unit cell. Give a file with a cell, such as a CIF or a POSCAR."
        )
    positions = atoms.get_positions()
    if sheet and not np.linalg.norm(cell[2]) > 1e-3:
        normal = np.cross(cell[0], cell[1])
        cell[2] = SHEET_ROOM * normal / np.linalg.norm(normal)
    if abs(np.linalg.det(cell)) < 1e-3:
        raise StemnetError(
            f"The three cell vectors of {name} lie in a plane; give a file with a proper unit cell."
        )
    rows = atoms.arrays.get("spacegroup_kinds")
    shared = atoms.info.get("occupancy")
    symbols = atoms.get_chemical_symbols()
    if rows is not None and shared:
        contents = [_numbers(shared[str(row)]) for row in rows]
    else:
        contents = [{symbol: 1.0} for symbol in symbols]
    group = atoms.info.get("spacegroup")
    if rows is None or (group is not None and getattr(group, "no", None) == 1):
        rows = _by_contents(contents)
    return _merged(
        name, cell, positions @ np.linalg.inv(cell), contents, np.asarray(rows), source, sheet=sheet
    )


def _numbers(shared: Mapping[str, float]) -> dict[str, float]:
    return {element: float(occupancy) for element, occupancy in shared.items()}


def _by_contents(contents: Sequence[Mapping[str, float]]) -> list[int]:
    seen: dict[tuple[tuple[str, float], ...], int] = {}
    return [seen.setdefault(tuple(sorted(atom.items())), len(seen)) for atom in contents]


def _from_cif(path: Path, name: str) -> Structure:
    from ase.io.cif import parse_cif

    try:
        block = next((block for block in parse_cif(str(path)) if block.has_structure()), None)
    except Exception as problem:  # ase's parser fails in many ways on what is no CIF
        raise _not_read(path, _first_line(problem)) from problem
    if block is None or block.get_cellpar() is None:
        raise _not_read(path, "it lists no atoms in a unit cell")
    symbols = block.get_symbols()
    for symbol in symbols:
        _check_site(name, {symbol: 1.0})
    try:
        listed = block.get_unsymmetrized_structure()
        given = block.get("_atom_site_occupancy") or [1.0] * len(symbols)
        occupancies = [
            1.0 if isinstance(value, str) else float(value) for value in given
        ]  # "." and "?" are 1
        turns, shifts = _operations(block)
    except Exception as problem:  # unreadable symmetry or numbers, each with its own exception
        raise _not_read(path, _first_line(problem)) from problem
    cell = np.array(listed.cell)
    fractional, contents, rows = [], [], []
    for row, place in enumerate(listed.get_scaled_positions(wrap=False)):
        copies = (turns @ place + shifts) % 1.0
        _, first = np.unique(coincident(cell, copies, SAME_PLACE), return_index=True)
        fractional.append(copies[first])
        contents += [{symbols[row]: occupancies[row]}] * len(first)
        rows += [row] * len(first)
    kinds = rows if len(turns) > 1 else _by_contents(contents)
    return _merged(
        name,
        cell,
        np.concatenate(fractional),
        contents,
        np.array(kinds),
        _citation(block) or path.name,
        zone_axis=_text(block.get("_stemnet_default_zone_axis")),
        sheet=(_text(block.get("_stemnet_sheet")) or "").lower() == "yes",
    )


def _operations(block: Any) -> tuple[np.ndarray, np.ndarray]:
    """Symmetry operations (M, 3, 3) and (M, 3): as the file lists them, or else those of its space group."""
    from ase.spacegroup.spacegroup import parse_sitesym

    for tag in (
        "_space_group_symop_operation_xyz",
        "_space_group_symop.operation_xyz",
        "_symmetry_equiv_pos_as_xyz",
    ):
        listed = block.get(tag)
        if listed:
            turns, shifts = parse_sitesym([listed] if isinstance(listed, str) else listed)
            return np.array(turns, dtype=float), np.array(shifts, dtype=float)
    pairs = block.get_spacegroup(subtrans_included=True).get_symop()
    return np.array([turn for turn, _ in pairs], dtype=float), np.array(
        [shift for _, shift in pairs], dtype=float
    )


def _merged(
    name: str,
    cell: np.ndarray,
    fractional: np.ndarray,
    contents: Sequence[Mapping[str, float]],
    rows: np.ndarray,
    source: str,
    **more: Any,
) -> Structure:
    """One site where several atoms are in the same place."""
    group = coincident(cell, fractional, SAME_PLACE)
    _, first = np.unique(group, return_index=True)
    sites: list[dict[str, list[float]]] = [{} for _ in first]
    for site, atom in zip(group, contents, strict=True):
        for element, occupancy in atom.items():
            sites[site].setdefault(element, []).append(occupancy)
    shared = tuple(_occupied(site) for site in sites)
    members = [tuple(sorted(set(rows[group == site]))) for site in range(len(first))]
    order = {key: number for number, key in enumerate(sorted(set(members)))}
    kinds = np.array([order[key] for key in members])
    return Structure(name, cell, fractional[first] % 1.0, shared, kinds, source, **more)


def _occupied(site: Mapping[str, Iterable[float]]) -> dict[str, float]:
    total = {element: sum(parts) for element, parts in site.items()}
    if sum(total.values()) > 1.02:
        # An atom that is listed twice, not one of two oxidation states.
        total = {element: max(parts) for element, parts in site.items()}
    return {element: occupancy for element, occupancy in total.items() if occupancy > 0} or total


def _citation(block: Mapping[str, Any]) -> str:
    authors = block.get("_publ_author_name") or []
    authors = [authors] if isinstance(authors, str) else [str(author) for author in authors]
    journal, volume, page, year = (
        _text(block.get(f"_journal_{item}")) for item in ("name_full", "volume", "page_first", "year")
    )
    if not authors and not journal:
        return ""
    where = ", ".join(item for item in (" ".join(filter(None, (journal, volume))), page) if item)
    return ", ".join(item for item in ("; ".join(authors), where) if item) + (f" ({year})" if year else "")


def _text(value: Any) -> str | None:
    if value is None or str(value).strip() in ("", "?", "."):
        return None
    return " ".join(str(value).split())
