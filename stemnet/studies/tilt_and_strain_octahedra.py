"""Octahedra that turn about the beam, and cells that are doubled by them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.cell_doubling import DOUBLINGS, cell_doubling
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.octahedral_tilt import octahedral_tilt
from stemnet.descriptors.table import Descriptors
from stemnet.descriptors.tilt_field import tilt_field
from stemnet.errors import StemnetError
from stemnet.studies.findings import Number
from stemnet.studies.framework import Framework
from stemnet.studies.measured import Truth

CLEAR = 3.0  # times what noise leaves, beyond which a cell is called doubled
AIM = 0.5  # of the tilt [deg]
RATIO = 1.2  # of an error to the Cramer-Rao bound
HONEST = 1.5  # of errors to error bars, root mean square


@dataclass(frozen=True)
class Doubling:
    """Shifts that alternate from cell to cell, of the sublattice in which they are largest.

    Parameters
    ----------
    wave_vector : tuple of float
        Of the largest one, in reciprocal vectors of the lattice.
    sublattice : int
    amplitude : float
        Root mean square of the shift, less what the errors of position leave [unit].
    floor : float
        The largest of the other wave vectors' in the same sublattice [unit].
    table : Descriptors
        Of the largest one, per column.
    unit : str
        A or px.
    """

    wave_vector: tuple[float, float]
    sublattice: int
    amplitude: float
    floor: float
    table: Descriptors
    unit: str

    @property
    def clear(self) -> bool:
        """Whether cells are doubled."""
        return self.amplitude > CLEAR * self.floor


def tilts(found: Framework) -> tuple[Descriptors, Descriptors]:
    """Angles of the octahedra, each by itself (`octahedral_tilt`) and with its neighbors (`tilt_field`).

    Raises
    ------
    StemnetError
        If there is no lattice, or no anions are seen.
    """
    return octahedral_tilt(found.columns, found.lattice), tilt_field(found.columns, found.lattice)


def doubling(found: Framework) -> Doubling:
    """Look for a doubled cell in all three directions and in every sublattice.

    Raises
    ------
    StemnetError
        If there is no lattice, or no column has its eight neighbors.
    """
    label = np.asarray(found.columns["sublattice"])
    tables = [cell_doubling(found.columns, found.lattice, wave_vector=q) for q in DOUBLINGS]
    unit = "px" if found.columns.sampling is None else "A"
    strength = {
        s: [_amplitude(table, label == s) for table in tables] for s in np.unique(label[label >= 0]).tolist()
    }
    strength = {s: sizes for s, sizes in strength.items() if np.isfinite(sizes).all()}
    if not strength:
        raise StemnetError(
            "No column has its eight neighbors of a kind; doubling of the cell needs a larger field of view."
        )
    best = max(strength, key=lambda s: max(strength[s]) - CLEAR * float(np.median(strength[s])))
    order = np.argsort(strength[best])
    which = int(order[-1])
    return Doubling(
        DOUBLINGS[which],
        best,
        strength[best][which],
        strength[best][int(order[-2])],
        tables[which],
        unit,
    )


def _amplitude(table: Descriptors, rows: np.ndarray) -> float:
    """Root mean square of the shift (N, 2) of some rows, less that of its errors; NaN where none is valid."""
    known = table.values[rows & table.valid]
    if not len(known):
        return float("nan")
    square = (known[:, :2] ** 2).sum(axis=1).mean()
    noise = (known[:, 3:5] ** 2).sum(axis=1).mean() if known.shape[1] > 3 else 0.0
    return float(np.sqrt(max(square - noise, 0.0)))


def tilt_numbers(
    name: str,
    tables: tuple[Descriptors, Descriptors],
    columns: Columns,
    lattice: Lattice | None,
    truth: Truth | None,
    rows: np.ndarray,
) -> list[Number]:
    """What is to be said of the angles; `rows` (N,) are those of the truth's partners."""
    alone, field = tables
    bound = _median(alone, 2)
    planted = None
    if truth is not None and "tilt_rad" in truth.columns:
        planted = np.degrees(truth.of("tilt_rad")[rows])
    numbers = [
        Number(name, "octahedra with all four anions", float(alone.valid.sum())),
        Number(name, "bound of a tilt by itself, by the positions' errors", bound, "deg"),
        Number(name, "standard error of a tilt with its neighbors", _median(field, 2), "deg"),
    ]
    table = field if field.valid.any() else alone
    amplitude = np.degrees(table.values[table.valid, 1])
    error = float(amplitude.std() / np.sqrt(max(len(amplitude), 1)))
    size = float("nan") if planted is None else float(np.nanmean(np.abs(planted[table.valid])))
    numbers.append(
        Number(name, "tilt about the beam, mean amplitude", float(amplitude.mean()), "deg", error, size)
    )
    if planted is None or truth is None or not np.isfinite(planted[table.valid]).any():
        return numbers
    off = np.degrees(alone.values[:, 0]) - planted
    numbers.append(Number(name, "error of a tilt by itself, root mean square", _rms(off), "deg"))
    there = truth.yx[rows]
    true = replace(columns, yx=np.where(np.isfinite(there), there, columns.yx))
    of_true = octahedral_tilt(true, lattice).values[:, 0]
    ratio = _rms((alone.values[:, 0] - of_true) / alone.values[:, 2]) if alone.values.shape[1] > 2 else np.nan
    if np.isfinite(ratio):
        numbers.append(
            Number(
                name, "the same against the tilts of the true positions, over its bound", ratio, most=RATIO
            )
        )
    numbers.append(
        Number(name, "error of the mean amplitude", abs(float(amplitude.mean()) - size), "deg", most=AIM)
    )
    if field.valid.any():
        off = np.degrees(field.values[:, 0]) - planted
        numbers += [
            Number(name, "error of a tilt with its neighbors, root mean square", _rms(off), "deg", most=AIM),
            Number(name, "the same over its error bars", _rms(off / np.degrees(field.values[:, 2])), most=HONEST),
        ]  # fmt: skip
    return numbers


def _median(table: Descriptors, i: int) -> float:
    """Median of an angle in degrees; NaN where there is none."""
    values = table.values[table.valid]
    return float(np.degrees(np.median(values[:, i]))) if len(values) and values.shape[1] > i else float("nan")


def _rms(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(np.sqrt((known**2).mean())) if len(known) else float("nan")


def doubling_numbers(
    name: str, twice: Doubling, label: np.ndarray, bond: float, truth: Truth | None, rows: np.ndarray
) -> list[Number]:
    """Amplitude of the largest doubling; `label` (N,) are sublattices, `bond` is from B to its anion [px]."""
    scale, unit = (100.0, "pm") if twice.unit == "A" else (1.0, "px")
    planted = float("nan")
    chosen = twice.table.valid & (label == twice.sublattice)
    known = truth is not None and "tilt_amplitude_rad" in truth.columns and twice.wave_vector == (0.5, 0.5)
    if (
        truth is not None
        and known
        and chosen.any()
        and (truth.of("species")[rows][chosen] == "O").mean() > 0.5
    ):
        turned = truth.of("tilt_amplitude_rad")[rows][chosen]
        length = bond * (truth.columns.sampling or 1.0) if twice.unit == "A" else bond
        planted = scale * length * float(np.sqrt(np.nanmean(np.tan(turned) ** 2)))
    q = ", ".join("1/2" if part else "0" for part in twice.wave_vector)
    what = f"sublattice {twice.sublattice}"
    return [
        Number(
            name, f"shift that doubles the cell, q = ({q}), {what}, root mean square",
            scale * twice.amplitude, unit, truth=planted,
        ),
        Number(name, f"the same of the next wave vector, {what}", scale * twice.floor, unit),
    ]  # fmt: skip
