"""Crystals as the beam sees them: projected unit cells."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from stemnet.errors import StemnetError

Cell = tuple[tuple[float, float], tuple[float, float]]

# fmt: off
SYMBOLS = (
    "H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "P", "S", "Cl", "Ar", "K", "Ca",
    "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr", "Rb", "Sr", "Y",
    "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I", "Xe", "Cs", "Ba", "La", "Ce",
    "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Hf", "Ta", "W", "Re", "Os", "Ir",
    "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po", "At", "Rn", "Fr", "Ra", "Ac", "Th", "Pa", "U", "Np", "Pu", "Am", "Cm",
)
# fmt: on
ATOMIC_NUMBERS = {symbol: number for number, symbol in enumerate(SYMBOLS, start=1)}


def composition(species: str) -> dict[str, float]:
    """Atoms of a column's repeat unit: ``"TiO"`` -> {"Ti": 1, "O": 1}, ``"Mo0.7V0.3"`` -> {"Mo": 0.7, "V": 0.3}.

    Raises
    ------
    StemnetError
        If the name is not a formula of known elements.
    """
    atoms: dict[str, float] = {}
    parts = re.findall(r"([A-Z][a-z]?)(\d+(?:\.\d+)?)?", species)
    if not parts or "".join(element + count for element, count in parts) != species:
        raise StemnetError(
            f"'{species}' is not a formula of elements; write a column as Mo, S2, TiO or Mo0.7V0.3."
        )
    for element, count in parts:
        if element not in ATOMIC_NUMBERS:
            raise StemnetError(
                f"'{element}' in the column '{species}' is not a chemical element; write a column as Mo, S2, TiO "
                "or Mo0.7V0.3."
            )
        atoms[element] = atoms.get(element, 0.0) + float(count or 1)
    return atoms


def formula(atoms: Mapping[str, float]) -> str:
    """The name of a column that holds these atoms a repeat: {"Sr": 1, "O": 2} -> ``"SrO2"``; heavier elements first."""
    written = ((element, round(count, 4)) for element, count in atoms.items() if round(count, 4) > 0)
    ordered = sorted(written, key=lambda pair: -ATOMIC_NUMBERS[pair[0]])
    return "".join(element + ("" if count == 1 else f"{count:g}") for element, count in ordered)


def scattering(species: Sequence[str] | np.ndarray, exponent: float) -> np.ndarray:
    """Relative brightness of columns: the sum of Z^n over the atoms of one repeat, shape (N,).

    Z^n with n = 1.6 to 2 by collection angle is the incoherent model of
    high-angle scattering (Pennycook and Jesson, Ultramicroscopy 37, 14, 1991).
    """
    names, index = np.unique(np.asarray(species, dtype=str), return_inverse=True)
    values = [sum(n * ATOMIC_NUMBERS[e] ** exponent for e, n in composition(name).items()) for name in names]
    return np.array(values, dtype=np.float64)[index]


@dataclass(frozen=True)
class Crystal:
    """A unit cell projected along the beam.

    Parameters
    ----------
    name : str
    cell : tuple of tuple, shape (2, 2)
        The two in-plane vectors as rows, each (y, x) [A].
    sites : tuple of tuple, shape (S, 2)
        Fractional coordinates of the columns along the two vectors.
    species : tuple of str
        Formula of each column's repeat unit, such as ``"Mo"`` or ``"S2"``.
    sublattices : tuple of int
        Sublattice of each site.
    period : float, optional
        Length of one repeat along the beam [A]; None for a sheet, which is one
        repeat thick.
    """

    name: str
    cell: Cell
    sites: tuple[tuple[float, float], ...]
    species: tuple[str, ...]
    sublattices: tuple[int, ...]
    period: float | None = None

    def __post_init__(self) -> None:
        if not len(self.sites) == len(self.species) == len(self.sublattices) or not self.sites:
            raise StemnetError(
                f"Crystal {self.name} has {len(self.sites)} sites, {len(self.species)} species and "
                f"{len(self.sublattices)} sublattices; give one of each per site."
            )
        if abs(np.linalg.det(np.array(self.cell))) < 1e-6:
            raise StemnetError(f"The cell vectors of crystal {self.name} are parallel; give two directions.")
        scattering(self.species, 1.0)

    @property
    def nearest_spacing(self) -> float:
        """Distance between the closest two columns [A]."""
        cell = np.array(self.cell)
        steps = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1], indexing="ij"), -1).reshape(-1, 2)
        sites = np.array(self.sites)
        apart = (sites[:, None, None] - sites[None, :, None] + steps) @ cell
        lengths = np.hypot(apart[..., 0], apart[..., 1])
        return float(lengths[lengths > 1e-6].min())

    def scaled(self, factor: float) -> Crystal:
        """Return the same crystal with all lengths times a factor."""
        (ay, ax), (by, bx) = self.cell
        return replace(
            self,
            cell=((ay * factor, ax * factor), (by * factor, bx * factor)),
            period=None if self.period is None else self.period * factor,
        )


def honeycomb(a: float = 2.46, first: str = "C", second: str = "C", name: str = "graphene") -> Crystal:
    """A honeycomb sheet (graphene, hBN) with lattice constant `a` [A]."""
    return Crystal(
        name, ((0.0, a), (a * np.sqrt(3) / 2, -a / 2)), ((0.0, 0.0), (2 / 3, 1 / 3)), (first, second), (0, 1)
    )


def dichalcogenide(
    metal: str = "Mo", top: str = "S", bottom: str | None = None, a: float = 3.16, name: str = "MoS2"
) -> Crystal:
    """A transition-metal dichalcogenide monolayer (1H) seen from above; Janus where `top` != `bottom`.

    The two chalcogens lie above each other and make one column.
    """
    column = f"{top}2" if bottom in (None, top) else f"{top}{bottom}"
    return honeycomb(a, metal, column, name)


def perovskite(
    a: float = 3.905, a_site: str = "Sr", b_site: str = "Ti", axis: str = "001", name: str = "SrTiO3"
) -> Crystal:
    """A cubic ABO3 perovskite along [001] or [110]; oxygen columns are part of it.

    Raises
    ------
    StemnetError
        If the axis is another one.
    """
    if axis == "001":
        return Crystal(
            name,
            ((a, 0.0), (0.0, a)),
            ((0.0, 0.0), (0.5, 0.5), (0.5, 0.0), (0.0, 0.5)),
            (a_site, f"{b_site}O", "O", "O"),
            (0, 1, 2, 2),
            a,
        )
    if axis == "110":
        # The short vector is a/sqrt(2) along [1-10]: A sits above O, B stands alone, two O project together.
        return Crystal(
            name,
            ((a, 0.0), (0.0, a / np.sqrt(2))),
            ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5)),
            (f"{a_site}O", b_site, "O2"),
            (0, 1, 2),
            a * np.sqrt(2),
        )
    raise StemnetError(f"A perovskite along [{axis}] is not built in; choose axis '001' or '110'.")


def cubic_metal(a: float, species: str, centering: str, axis: str, name: str) -> Crystal:
    """An fcc or bcc metal along [001], [110] or [111].

    Raises
    ------
    StemnetError
        If the centering or the axis is another one.
    """
    half = ((0.0, 0.0), (0.5, 0.5))
    if centering == "fcc":
        cells = {
            "001": (((a / 2, 0.0), (0.0, a / 2)), ((0.0, 0.0),)),
            "110": (((a, 0.0), (0.0, a / np.sqrt(2))), half),
            "111": _hexagonal(a / np.sqrt(6)),
        }
    elif centering == "bcc":
        cells = {
            "001": (((a, 0.0), (0.0, a)), half),
            "110": (((a / 2, 0.0), (0.0, a / np.sqrt(2))), ((0.0, 0.0),)),
            "111": _hexagonal(a * np.sqrt(2 / 3)),
        }
    else:
        raise StemnetError(f"Centering '{centering}' is not built in; choose 'fcc' or 'bcc'.")
    if axis not in cells:
        raise StemnetError(f"A metal along [{axis}] is not built in; choose axis '001', '110' or '111'.")
    cell, sites = cells[axis]
    body = {"001": 1.0, "110": np.sqrt(2), "111": np.sqrt(3) / 2}
    face = {"001": 1.0, "110": 1 / np.sqrt(2), "111": np.sqrt(3)}
    period = a * (face if centering == "fcc" else body)[axis]
    return Crystal(name, cell, sites, (species,) * len(sites), (0,) * len(sites), period)


def _hexagonal(a: float) -> tuple[Cell, tuple[tuple[float, float], ...]]:
    return ((0.0, a), (a * np.sqrt(3) / 2, a / 2)), ((0.0, 0.0),)


def zinc_blende(a: float = 5.431, first: str = "Si", second: str = "Si", name: str = "Si") -> Crystal:
    """Diamond or zinc blende along [110]: dumbbells a/4 apart along the cubic axis."""
    return Crystal(
        name,
        ((a, 0.0), (0.0, a / np.sqrt(2))),
        ((0.0, 0.0), (0.25, 0.0), (0.5, 0.5), (0.75, 0.5)),
        (first, second, first, second),
        (0, 1, 0, 1),
        a / np.sqrt(2),
    )
