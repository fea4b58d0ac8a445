"""A specimen: the columns in and around a field of view, before the microscope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np


class Displacement(Protocol):
    """How far matter at yx (N, 2) [A] moves, (N, 2) [A]; a frozen dataclass, so that it can be sent and told."""

    def __call__(self, yx: np.ndarray) -> np.ndarray: ...  # noqa: D102


class Quantity(Protocol):
    """A planted value at yx (N, 2) [A], (N,); a frozen dataclass, so that it can be sent and told."""

    def __call__(self, yx: np.ndarray) -> np.ndarray: ...  # noqa: D102


@dataclass(frozen=True)
class PlantedField:
    """A quantity as a function of place, planted when the specimen had been deformed `depth` times.

    Parameters
    ----------
    quantity : Quantity
        Of positions as they were then.
    depth : int
        How many of the specimen's deformations came before it.
    """

    quantity: Quantity
    depth: int


@dataclass(frozen=True)
class Specimen:
    """Columns of a specimen, and what was done to them.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        Positions [A]; the centre of pixel (0, 0) is the origin. Columns
        outside the field of view are kept: their tails enter it.
    species : ndarray of str, shape (N,)
    sublattice : ndarray of int, shape (N,)
        -1 where there is no lattice.
    displacement : ndarray, shape (N, 2)
        How far each column sits from its ideal site [A].
    thickness : ndarray, shape (N,)
        Number of repeats along the beam.
    index : ndarray of int, shape (N, 3)
        Cell along the two cell vectors, and site within the cell; (0, 0, -1)
        where there is no lattice, and everywhere if it is not given.
    planted : mapping of str to ndarray, shape (N,)
        Whatever else was planted (domain, mode amplitude, ...). A name ends in
        its unit where there is one: ``polar_y_A``, ``tilt_rad``.
    fields : mapping of str to PlantedField
        The planted quantities that are defined everywhere, not on columns alone.
    flow : tuple of Displacement
        Deformations of all matter so far, in order.
    vacant : Specimen, optional
        The columns that were taken out whole, as they would stand now.
    """

    yx: np.ndarray
    species: np.ndarray
    sublattice: np.ndarray
    displacement: np.ndarray
    thickness: np.ndarray
    index: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), dtype=int))
    planted: Mapping[str, np.ndarray] = field(default_factory=dict)
    fields: Mapping[str, PlantedField] = field(default_factory=dict)
    flow: tuple[Displacement, ...] = ()
    vacant: Specimen | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "planted", dict(self.planted))
        object.__setattr__(self, "fields", dict(self.fields))
        if not len(self.index):
            object.__setattr__(self, "index", np.tile(np.array([0, 0, -1]), (len(self.yx), 1)))

    def __len__(self) -> int:
        return len(self.yx)

    def select(self, rows: np.ndarray) -> Specimen:
        """Keep chosen columns (mask or indices); the others are outside the specimen, not vacant."""
        return replace(
            self,
            yx=self.yx[rows],
            species=self.species[rows],
            sublattice=self.sublattice[rows],
            displacement=self.displacement[rows],
            thickness=self.thickness[rows],
            index=self.index[rows],
            planted={name: values[rows] for name, values in self.planted.items()},
        )

    def without(self, gone: np.ndarray) -> Specimen:
        """Take columns out (mask (N,)) and remember them in `vacant`."""
        lost = replace(self.select(gone), vacant=None)
        if self.vacant is not None and len(self.vacant):
            lost = joined(self.vacant, lost)
        return replace(self.select(~gone), vacant=lost)

    def displaced(self, by: np.ndarray) -> Specimen:
        """Move columns by (2,) or (N, 2) [A] and remember it in `displacement`; the sites stay."""
        return replace(self, yx=self.yx + by, displacement=self.displacement + by)

    def deformed(self, by: Displacement) -> Specimen:
        """Move all matter, vacant sites too, and remember it in `displacement` and `flow`.

        Parameters
        ----------
        by : Displacement
            Of the positions as they are now.

        Returns
        -------
        Specimen
        """
        vacant = self.vacant
        if vacant is not None:
            vacant = vacant.displaced(by(vacant.yx))
        return replace(self.displaced(by(self.yx)), flow=(*self.flow, by), vacant=vacant)

    def with_planted(self, **values: np.ndarray) -> Specimen:
        """Add planted per-column values (N,)."""
        return replace(self, planted={**self.planted, **{k: np.asarray(v) for k, v in values.items()}})

    def with_field(self, name: str, quantity: Quantity) -> Specimen:
        """Plant a quantity: its value at each column, and the function itself for maps."""
        planted = self.with_planted(**{name: quantity(self.yx)})
        return replace(planted, fields={**self.fields, name: PlantedField(quantity, len(self.flow))})

    def origin_of(self, yx: np.ndarray, depth: int = 0) -> np.ndarray:
        """Where the matter now at yx (M, 2) [A] was after the first `depth` deformations, (M, 2) [A].

        Fixed-point iteration, which converges where displacements vary by less
        than their distance; next to a dislocation's core it does not quite.
        """
        place = np.asarray(yx, dtype=float)
        for by in reversed(self.flow[depth:]):
            before = place - by(place)
            for _ in range(60):
                better = place - by(before)
                moved = np.abs(better - before).max(initial=0.0)
                before = better
                if moved < 1e-9:
                    break
            place = before
        return place

    def field_at(self, name: str, yx: np.ndarray) -> np.ndarray:
        """A planted quantity at places yx (M, 2) [A] of the specimen as it is now, shape (M,)."""
        planted = self.fields[name]
        return planted.quantity(self.origin_of(yx, planted.depth))


def joined(first: Specimen, second: Specimen) -> Specimen:
    """Put two sets of columns into one; planted values that one of them lacks are NaN there (-1 for integers).

    Flow and fields are those of the first: the parts share one space.
    """
    planted = {
        name: np.concatenate([_values(part, name, (first, second)) for part in (first, second)])
        for name in {**first.planted, **second.planted}
    }
    vacant = [part.vacant for part in (first, second) if part.vacant is not None]
    return replace(
        first,
        yx=np.concatenate([first.yx, second.yx]),
        species=np.concatenate([first.species, second.species]),
        sublattice=np.concatenate([first.sublattice, second.sublattice]),
        displacement=np.concatenate([first.displacement, second.displacement]),
        thickness=np.concatenate([first.thickness, second.thickness]),
        index=np.concatenate([first.index, second.index]),
        planted=planted,
        vacant=joined(*vacant) if len(vacant) == 2 else (vacant[0] if vacant else None),
    )


def _values(part: Specimen, name: str, parts: tuple[Specimen, Specimen]) -> np.ndarray:
    if name in part.planted:
        return part.planted[name]
    kind = next(other.planted[name].dtype.kind for other in parts if name in other.planted)
    if kind in "iub":
        return np.full(len(part), -1)
    return np.full(len(part), "" if kind == "U" else np.nan)


def nothing() -> Specimen:
    """A specimen without a column: vacuum."""
    return Specimen(
        yx=np.zeros((0, 2)),
        species=np.zeros(0, dtype="<U2"),
        sublattice=np.zeros(0, dtype=int),
        displacement=np.zeros((0, 2)),
        thickness=np.zeros(0),
    )


def rotation(angle: float) -> np.ndarray:
    """The (2, 2) matrix that turns (y, x) vectors from y towards x by an angle [rad]: v' = rotation(angle) @ v."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine], [sine, cosine]])
