"""Sheets on top of each other: bilayers, moires, stacking sequences, particles on crystals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from stemnet.errors import StemnetError
from stemnet.simulation.crystal import Cell, Crystal
from stemnet.simulation.defects.adatoms import with_atoms
from stemnet.simulation.growth import grow
from stemnet.simulation.quantities.profiles import settled
from stemnet.simulation.quantities.regions import Vector, pair
from stemnet.simulation.specimen import Specimen, joined, rotation

SEQUENCES = ("2H", "3R")


def stacked(lower: Specimen, upper: Specimen, tolerance: float = 0.05) -> Specimen:
    """Put one specimen on another; columns that coincide in projection become one.

    A merged column stands in the middle, by the two's thickness, and holds the
    atoms of both per repeat of the lower one. Deformations of the stack count
    from here, and each field is that of its layer: a name that both have
    becomes ``lower_...`` and ``upper_...``.

    Parameters
    ----------
    lower, upper : Specimen
    tolerance : float
        Columns this close or closer merge [A].

    Returns
    -------
    Specimen
        With ``layer`` (0 lower, 1 upper, merged ones count as lower; in further
        stacks upwards), ``layers`` (how many a column passes through).
    """
    first = _numbered(lower, 0)
    second = _numbered(upper, int(first.planted["layer"].max(initial=-1)) + 1)
    below, above = _coinciding(first.yx, second.yx, tolerance)
    species = first.species.astype(object)
    species[below] = with_atoms(
        first.species[below], first.thickness[below], second.species[above], second.thickness[above]
    )
    count = first.planted["layers"].copy()
    count[below] += second.planted["layers"][above]
    yx, displacement = first.yx.copy(), first.displacement.copy()
    share = (second.thickness[above] / (first.thickness[below] + second.thickness[above]))[:, None]
    move = share * (second.yx[above] - yx[below])
    yx[below] += move
    displacement[below] += move
    merged = replace(
        first, yx=yx, displacement=displacement, species=species.astype(str), flow=(), fields={}
    ).with_planted(layers=count)
    alone = np.ones(len(second), dtype=bool)
    alone[above] = False
    vacant = second.vacant if second.vacant is None else replace(second.vacant, flow=(), fields={})
    whole = joined(merged, replace(second.select(alone), flow=(), fields={}, vacant=vacant))
    for part, other, name in ((lower, upper, "lower"), (upper, lower, "upper")):
        for field in part.fields:
            quantity = settled(part, field)
            if field not in other.fields or settled(other, field) == quantity:
                whole = whole.with_field(field, quantity)
            else:
                whole = whole.with_field(f"{name}_{field}", quantity)
    return whole


def _numbered(specimen: Specimen, start: int) -> Specimen:
    if "layer" in specimen.planted:
        return specimen.with_planted(layer=specimen.planted["layer"] + start)
    count = len(specimen)
    return specimen.with_planted(layer=np.full(count, start), layers=np.ones(count, dtype=int))


def _coinciding(first: np.ndarray, second: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the pairs that are each other's nearest, within a tolerance."""
    if not len(first) or not len(second):
        return np.zeros(0, dtype=int), np.zeros(0, dtype=int)
    distance, row = cKDTree(second).query(first)
    back = cKDTree(first).query(second)[1]
    mutual = (distance <= tolerance) & (back[row] == np.arange(len(first)))
    return np.flatnonzero(mutual), row[mutual]


@dataclass(frozen=True)
class Registry:
    """How far the upper lattice stands beside the lower one, one component of the shortest such vector [A].

    The upper lattice about a place is the lower one, moved by this vector; the
    same up to a lattice vector, and 0 where the cells lie on each other.

    Parameters
    ----------
    cell : tuple of tuple, shape (2, 2)
        Vectors of the lower lattice as rows [A].
    upper : tuple of tuple, shape (2, 2)
        Those of the upper one, which correspond to them.
    corners : tuple of tuple
        A cell corner of the lower, and one of the upper lattice [A].
    component : int
        0 for y, 1 for x.
    """

    cell: Cell
    upper: Cell
    corners: tuple[Vector, Vector]
    component: int

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values [A], (N,)."""
        cell, upper = np.array(self.cell), np.array(self.upper)
        in_lower = (np.asarray(yx) - np.array(self.corners[0])) @ np.linalg.inv(cell)
        in_upper = (np.asarray(yx) - np.array(self.corners[1])) @ np.linalg.inv(upper)
        part = in_lower - in_upper
        part = part - np.round(part)
        steps = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1], indexing="ij"), -1).reshape(-1, 2)
        vectors = (part[:, None] + steps) @ cell
        shortest = (vectors**2).sum(-1).argmin(1)
        return vectors[np.arange(len(vectors)), shortest, self.component]


def twisted_bilayer(
    crystal: Crystal,
    field_of_view: tuple[float, float],
    angle: float,
    *,
    upper: Crystal | None = None,
    orientation: float = 0.0,
    about: Vector | None = None,
    shift: Vector = (0.0, 0.0),
    margin: float = 10.0,
    tolerance: float = 0.05,
) -> Specimen:
    """Two sheets turned against each other: a moire. They are taken to be rigid.

    Parameters
    ----------
    crystal : Crystal
        The lower sheet.
    field_of_view : tuple of float
        [A]
    angle : float
        By which the upper cell is turned further from y to x [rad].
    upper : Crystal, optional
        The upper sheet, another one of a heterobilayer.
    orientation : float
        Of the lower cell [rad].
    about : tuple of float, optional
        Where both have a cell corner, but for the shift [A]; the middle of the frame if it is not given.
    shift : tuple of float
        Of the upper sheet [A].
    margin : float
        [A]
    tolerance : float
        As in `stacked` [A].

    Returns
    -------
    Specimen
        With the fields ``registry_y_A``, ``registry_x_A``, and with ``layer`` and ``layers``.
    """
    sheets = (crystal, crystal if upper is None else upper)
    at = np.array(field_of_view) / 2 if about is None else np.array(about)
    corners = (pair(at), pair(at + np.array(shift)))
    cells = []
    grown = []
    for sheet, turned, corner in zip(sheets, (orientation, orientation + angle), corners, strict=True):
        cell = np.array(sheet.cell) @ rotation(turned).T
        origin = pair(np.array(corner) @ np.linalg.inv(cell))
        grown.append(grow(sheet, field_of_view, orientation=turned, origin=origin, margin=margin))
        cells.append((pair(cell[0]), pair(cell[1])))
    whole = stacked(grown[0], grown[1], tolerance)
    for component, name in enumerate(("registry_y_A", "registry_x_A")):
        whole = whole.with_field(name, Registry(cells[0], cells[1], corners, component))
    return whole


def multilayer(
    crystal: Crystal,
    field_of_view: tuple[float, float],
    layers: int,
    sequence: str | Sequence[tuple[float, Vector]],
    *,
    orientation: float = 0.0,
    origin: Vector = (0.0, 0.0),
    margin: float = 10.0,
    tolerance: float = 0.05,
) -> Specimen:
    """Sheets in a stacking sequence.

    Parameters
    ----------
    crystal : Crystal
        A sheet whose cell has two sites, such as a dichalcogenide.
    field_of_view : tuple of float
        [A]
    layers : int
        How many.
    sequence : str or sequence of tuple
        ``2H`` (each layer is turned by a half turn, metal above chalcogen),
        ``3R`` (each is moved by the vector from its second site to its first), or
        (turn [rad], shift in fractions of the cell) of every layer above the
        lowest, over and over, beside the one below.
    orientation, origin, margin
        As in `grow`.
    tolerance : float
        As in `stacked` [A].

    Returns
    -------
    Specimen

    Raises
    ------
    StemnetError
        If there is no layer, or the sequence is not known.
    """
    if layers < 1 or (isinstance(sequence, str) and (sequence not in SEQUENCES or len(crystal.sites) < 2)):
        raise StemnetError(
            f"{layers} layers of {crystal.name} in the sequence {sequence!r} were asked for; give one layer or more, "
            "and 2H, 3R (of a sheet with two sites a cell) or a list of (turn, shift)."
        )
    if isinstance(sequence, str):
        first, second = np.array(crystal.sites[0]), np.array(crystal.sites[1])
        # Turned by a half turn about its corner, site s stands at -s: moved by the sum, the two sites change places.
        steps = [(np.pi, pair(first + second))] if sequence == "2H" else [(0.0, pair(first - second))]
    else:
        steps = [(float(turn), pair(np.array(shift))) for turn, shift in sequence]
    cell = np.array(crystal.cell) @ rotation(orientation).T
    corner, turned = np.array(origin) @ cell, orientation
    whole = grow(crystal, field_of_view, orientation=orientation, origin=origin, margin=margin)
    for number in range(1, layers):
        turn, shift = steps[(number - 1) % len(steps)]
        here = np.array(crystal.cell) @ rotation(turned).T
        corner = corner + np.array(shift) @ here
        turned += turn
        there = np.array(crystal.cell) @ rotation(turned).T
        sheet = grow(
            crystal,
            field_of_view,
            orientation=turned,
            origin=pair(corner @ np.linalg.inv(there)),
            margin=margin,
        )
        whole = stacked(whole, sheet, tolerance)
    return whole
