"""The one table that every descriptor fills and every analysis reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.errors import StemnetError


@dataclass(frozen=True)
class Descriptors:
    """One row of numbers per column (or window, tile, patch).

    Parameters
    ----------
    values : ndarray, shape (N, D), float64
        Row i describes column i; NaN in rows that are not valid.
    names : tuple of str
        One name per number, with its unit after the last underscore
        (``r0x_A``, ``bond0_px``, ``angle0_rad``).
    yx : ndarray, shape (N, 2)
        Where each row belongs in the image [px].
    valid : ndarray of bool, shape (N,)
        False where the row could not be filled (an edge, a vacancy nearby).
    row : str
        What one row is: ``"column"``, ``"window"``, ``"tile"`` or ``"patch"``.

    Raises
    ------
    StemnetError
        If the shapes disagree.
    """

    values: np.ndarray
    names: tuple[str, ...]
    yx: np.ndarray
    valid: np.ndarray
    row: str = "column"

    def __post_init__(self) -> None:
        values = np.asarray(self.values, dtype=np.float64)
        yx = np.asarray(self.yx, dtype=np.float64).reshape(-1, 2)
        valid = np.asarray(self.valid, dtype=bool)
        if values.ndim != 2 or values.shape != (len(yx), len(self.names)) or valid.shape != (len(yx),):
            raise StemnetError(
                f"Descriptors of shape {values.shape} came with {len(self.names)} names, "
                f"{len(yx)} positions and {valid.shape} valid flags; these must agree."
            )
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "yx", yx)
        object.__setattr__(self, "valid", valid)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def complete(self) -> np.ndarray:
        """The valid rows only, shape (n_valid, D); scatter results back with `valid`."""
        return self.values[self.valid]
