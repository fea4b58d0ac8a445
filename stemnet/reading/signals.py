"""What a file holds, before one signal of it is chosen and loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True)
class Axis:
    """Calibration of one array axis, as the file spells it.

    Parameters
    ----------
    scale : float or None
        Step per pixel, in `unit`.
    unit : str
        Empty when the file gives none.
    navigate : bool
        True for an axis along which whole images or spectra are repeated.
    """

    scale: float | None = None
    unit: str = ""
    navigate: bool = False


@dataclass(frozen=True)
class Signal:
    """One array in a file; its values are read only when it is chosen.

    Parameters
    ----------
    name : str
        The file's own name for it.
    shape : tuple of int
    dtype : numpy dtype
    load : callable
        Returns the array.
    axes : tuple of Axis
        One per array axis (colour excepted), or empty.
    fields : mapping
        Scalars and words beside the array that may tell its pixel size.
    metadata : mapping
        ``voltage`` [kV], ``semi_angle`` [mrad], ``dose`` [e-/A^2] where known.
    notes : tuple of str
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype
    load: Callable[[], np.ndarray]
    axes: tuple[Axis, ...] = ()
    fields: Mapping[str, object] = field(default_factory=dict)
    metadata: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def structured_color(self) -> bool:
        """True for pixels stored as records of R, G and B."""
        return {"R", "G", "B"} <= set(self.dtype.names or ())

    @property
    def channels_last(self) -> bool:
        """True for (rows, columns, 3 or 4), with or without frames in front."""
        return len(self.shape) in (3, 4) and self.shape[-1] in (3, 4) and min(self.shape[-3:-1]) >= 8

    @property
    def color(self) -> bool:
        """True when each pixel holds several color channels."""
        return self.structured_color or self.channels_last

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape without color channels: (H, W), or (T, H, W) for a stack."""
        return self.shape[:-1] if self.channels_last else self.shape

    @property
    def image_axes(self) -> tuple[Axis, ...]:
        """Calibration of rows and columns; empty when the file gives none."""
        count = len(self.image_shape)
        return self.axes[count - 2 : count] if len(self.axes) >= count >= 2 else ()

    def squeezed(self) -> Signal:
        """Return the signal without axes of length one."""
        keep = [i for i, size in enumerate(self.shape) if size != 1]
        if len(keep) == len(self.shape):
            return self
        axes = tuple(self.axes[i] for i in keep if i < len(self.axes))
        return replace(
            self, shape=tuple(self.shape[i] for i in keep), axes=axes, load=lambda: np.squeeze(self.load())
        )


def of_array(name: str, array: np.ndarray, **known) -> Signal:
    """Return the signal of an array already in memory."""
    return Signal(name, array.shape, array.dtype, lambda: array, **known)
