"""Atom columns: the one noun that is truth, prediction and input to analysis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from stemnet.errors import StemnetError


@dataclass(frozen=True)
class Columns:
    """Positions of atom columns in an image, and what is known of each.

    Row i is column i for ever: analyses mask rows, they never drop them.

    Parameters
    ----------
    yx : ndarray, shape (N, 2), float64
        Positions (row, column) [px]; pixel centres sit at integers.
    shape : tuple of int
        Rows and columns of the image [px].
    sampling : float or None
        [A/px]; None when unknown.
    fields : mapping of str to ndarray, shape (N,)
        One value per column. Names used throughout: ``score`` (0 to 1),
        ``intensity`` (fitted volume, image units x px^2), ``width`` (sigma of
        the fitted Gaussian) [px], ``sigma_y``, ``sigma_x`` (standard errors of
        the position) [px], ``frame`` (int), ``sublattice`` (int, -1 unknown),
        ``species`` (str), ``displacement_y``, ``displacement_x`` [px].

    Raises
    ------
    StemnetError
        If a field has another length than the positions.
    """

    yx: np.ndarray
    shape: tuple[int, int]
    sampling: float | None = None
    fields: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        yx = np.array(self.yx, dtype=np.float64).reshape(-1, 2)
        fields = {name: np.asarray(values) for name, values in self.fields.items()}
        for name, values in fields.items():
            if values.shape != (len(yx),):
                raise StemnetError(
                    f"The column field '{name}' has shape {values.shape} for {len(yx)} columns; "
                    f"a field holds one value per column, shape ({len(yx)},)."
                )
        object.__setattr__(self, "yx", yx)
        object.__setattr__(self, "shape", (int(self.shape[0]), int(self.shape[1])))
        object.__setattr__(self, "fields", fields)

    def __len__(self) -> int:
        return len(self.yx)

    def __getitem__(self, name: str) -> np.ndarray:
        """Field `name`, shape (N,)."""
        return self.fields[name]

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    @property
    def yx_angstrom(self) -> np.ndarray:
        """Positions [A], shape (N, 2); NaN where the sampling is unknown."""
        return self.yx * (np.nan if self.sampling is None else self.sampling)

    def with_fields(self, **fields: np.ndarray) -> Columns:
        """Return the same columns with more fields, or with fields replaced."""
        return replace(self, fields={**self.fields, **fields})

    def select(self, rows: np.ndarray) -> Columns:
        """Return chosen rows (mask or indices) as new columns, before any analysis numbers them."""
        return replace(
            self,
            yx=self.yx[rows],
            fields={name: values[rows] for name, values in self.fields.items()},
        )


def concatenate(parts: list[Columns]) -> Columns:
    """Join columns of several frames of one field of view, in order.

    Parameters
    ----------
    parts : list of Columns
        All of one image shape and sampling, carrying the same fields.

    Returns
    -------
    Columns
    """
    first = parts[0]
    return replace(
        first,
        yx=np.concatenate([part.yx for part in parts]),
        fields={name: np.concatenate([part[name] for part in parts]) for name in first.fields},
    )
