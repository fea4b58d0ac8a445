"""What an autoencoder is told of rows besides the rows: conditions, and classes that are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.errors import StemnetError


@dataclass(frozen=True)
class Conditions:
    """Conditions less their mean, over their spread.

    Parameters
    ----------
    mean, scale : ndarray, shape (C,)
    """

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, told, count: int) -> Conditions:
        """Learn from conditions (count,), (count, C) or None.

        Raises
        ------
        StemnetError
            If they are not finite, or not as many as rows.
        """
        if told is None:
            return cls(np.zeros(0), np.ones(0))
        values = _checked(told, count)
        return cls(values.mean(axis=0), np.where(np.ptp(values, axis=0) > 0, values.std(axis=0), 1.0))

    def __len__(self) -> int:
        return len(self.mean)

    def __call__(self, told, count: int) -> np.ndarray:
        """For the model, (count, C).

        Raises
        ------
        StemnetError
            If they are not those that were learned from.
        """
        values = np.zeros((count, 0)) if told is None else _checked(told, count)
        if values.shape[1] != len(self):
            raise StemnetError(
                f"{values.shape[1]} conditions a row were given to an autoencoder that was fitted with {len(self)}; "
                "give the same."
            )
        return (values - self.mean) / self.scale


def known_classes(y, count: int, classes: int) -> np.ndarray:
    """Classes that are known as a column of numbers, (count, 1); -1 where they are not.

    Raises
    ------
    StemnetError
        If they are no whole numbers from -1 to the last class.
    """
    if y is None:
        return np.full((count, 1), -1.0)
    label = np.asarray(y)
    if (
        label.shape != (count,)
        or label.dtype.kind not in "iu"
        or not -1 <= label.min() <= label.max() < classes
    ):
        raise StemnetError(
            f"Classes of shape {label.shape} and type {label.dtype} were given for {count} rows; give whole numbers "
            f"from 0 to {classes - 1}, or -1 where the class is not known."
        )
    return label[:, None].astype(np.float64)


def _checked(told, count: int) -> np.ndarray:
    values = np.asarray(told, dtype=np.float64)
    values = values.reshape(len(values), -1)
    if len(values) != count or not np.isfinite(values).all():
        raise StemnetError(
            f"Conditions of shape {values.shape} were given for {count} rows; give finite numbers, as many as rows."
        )
    return values
