"""The crystals that a found lattice is compared with: the library's, and common relatives of the same structure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np

from stemnet.simulation.crystal import Crystal, cubic_metal, honeycomb, perovskite, zinc_blende
from stemnet.simulation.library import crystal, crystal_names

VIEWS = {
    "Al": "001 110 111 112",
    "Au": "001 110 111 112",
    "BaTiO3": "100 001 110",
    "BiFeO3": "241 001 110",
    "CeO2": "110 001 111 112",
    "Cu": "001 110 111",
    "Fe": "001 110 111",
    "GaAs": "110 001 111",
    "GaN": "11-20 001 10-10",
    "Ge": "110 001 111",
    "LaMnO3": "110 010 021",
    "M2-like": "001 110 102",
    "MgO": "001 110 111",
    "PbTiO3": "100 001 101",
    "Pt": "001 110 111 112",
    "Si": "001 110 111 310",
    "SrTiO3": "001 110 111 210",
    "Ti": "001 11-20 10-10",
    "TiO2": "001 100 111",
    "W": "001 110 111 210",
}
"""Zone axes that crystals of the library are looked at along; the others along the axis that their file states."""

# Lattice constants [A] at room temperature, as handbooks give them to three digits; a pseudo-cubic one for the
# perovskites that are not cubic. They only keep a size from looking wrong that is right for a common crystal.
PEROVSKITES = {
    "LaAlO3": ("La", "Al", 3.79),
    "CaTiO3": ("Ca", "Ti", 3.82),
    "LaNiO3": ("La", "Ni", 3.84),
    "NdGaO3": ("Nd", "Ga", 3.86),
    "SrRuO3": ("Sr", "Ru", 3.93),
    "DyScO3": ("Dy", "Sc", 3.95),
    "KTaO3": ("K", "Ta", 3.989),
    "KNbO3": ("K", "Nb", 4.02),
    "BaSnO3": ("Ba", "Sn", 4.116),
    "PbZrO3": ("Pb", "Zr", 4.16),
    "BaZrO3": ("Ba", "Zr", 4.193),
}
ZINC_BLENDES = {
    "C": ("C", "C", 3.567),
    "SiC": ("Si", "C", 4.360),
    "ZnS": ("Zn", "S", 5.409),
    "GaP": ("Ga", "P", 5.451),
    "AlAs": ("As", "Al", 5.661),
    "ZnSe": ("Se", "Zn", 5.668),
    "InP": ("In", "P", 5.869),
    "CdSe": ("Cd", "Se", 6.052),
    "InAs": ("In", "As", 6.058),
    "GaSb": ("Sb", "Ga", 6.096),
    "ZnTe": ("Te", "Zn", 6.103),
    "InSb": ("Sb", "In", 6.479),
    "CdTe": ("Te", "Cd", 6.482),
}
SHEETS = {
    "NbS2": ("Nb", "S2", 3.32),
    "TaS2": ("Ta", "S2", 3.31),
    "TaSe2": ("Ta", "Se2", 3.43),
    "MoTe2": ("Te2", "Mo", 3.52),
}
# Along c both atoms of a kind stand in every column, so that the two columns of a cell are alike.
ALONG_C = {
    "Co [0001]": ("Co", 2.507),
    "SiC [0001]": ("SiC", 3.08),
    "AlN [0001]": ("AlN", 3.11),
    "Mg [0001]": ("Mg", 3.21),
    "Zr [0001]": ("Zr", 3.23),
    "ZnO [0001]": ("ZnO", 3.25),
    "InN [0001]": ("InN", 3.54),
    "ZnS [0001]": ("ZnS", 3.82),
    "CdSe [0001]": ("CdSe", 4.30),
}
METALS = {
    "Ni": ("fcc", 3.524),
    "Rh": ("fcc", 3.803),
    "Ir": ("fcc", 3.839),
    "Pd": ("fcc", 3.891),
    "Ag": ("fcc", 4.086),
    "Pb": ("fcc", 4.951),
    "Cr": ("bcc", 2.885),
    "V": ("bcc", 3.024),
    "Mo": ("bcc", 3.147),
    "Nb": ("bcc", 3.301),
    "Ta": ("bcc", 3.301),
}


@lru_cache(maxsize=1)
def known_crystals() -> tuple[Crystal, ...]:
    """Crystals along the zone axes that they are usually looked at along; read once, about half a second.

    Returns
    -------
    tuple of Crystal
        Every crystal of the library, a file added to it included, then common
        crystals of the same structures: each under its name with the axis.
    """
    library = [
        crystal(name, axis)
        for name in crystal_names()
        for axis in (VIEWS[name].split() if name in VIEWS else [None])
    ]
    return (*library, *_relatives())


def _relatives() -> Iterator[Crystal]:
    for name, (a_site, b_site, a) in PEROVSKITES.items():
        for axis in ("001", "110"):
            yield perovskite(a, a_site, b_site, axis, f"{name} [{axis}]")
    for name, (first, second, a) in ZINC_BLENDES.items():
        yield zinc_blende(a, first, second, f"{name} [110]")
    for name, (first, second, a) in SHEETS.items():
        yield honeycomb(a, first, second, name)
    for name, (column, a) in ALONG_C.items():
        yield replace(honeycomb(a, column, column, name), sublattices=(0, 0))
    for name, (centering, a) in METALS.items():
        for axis in ("001", "110", "111"):
            yield cubic_metal(a, name, centering, axis, f"{name} [{axis}]")
    for name, cation, anion, a in (
        ("NiO", "Ni", "O", 4.177),
        ("TiN", "Ti", "N", 4.24),
        ("PbTe", "Pb", "Te", 6.462),
    ):
        # both stand in every column of rock salt along [001]
        half = a / 2
        yield Crystal(f"{name} [001]", ((half, 0.0), (0.0, half)), ((0.0, 0.0),), (cation + anion,), (0,), a)
    for name, metal, a in (("ZrO2", "Zr", 5.12), ("UO2", "U", 5.47)):
        # fluorite along [110]: the oxygens lie a quarter of the cubic axis on both sides of the metal
        yield Crystal(
            f"{name} [110]",
            ((a, 0.0), (0.0, a / np.sqrt(2))),
            ((0.0, 0.0), (0.5, 0.5), (0.25, 0.5), (0.75, 0.5), (0.25, 0.0), (0.75, 0.0)),
            (metal, metal, "O", "O", "O", "O"),
            (0, 0, 1, 1, 1, 1),
            a / np.sqrt(2),
        )
