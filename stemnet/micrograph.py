"""The image and what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from stemnet.errors import StemnetError


@dataclass(frozen=True)
class Micrograph:
    """One image, or a stack of frames of one field of view.

    Pixel (row i, column j) has its centre at y = i, x = j.

    Parameters
    ----------
    image : ndarray, shape (H, W) or (T, H, W)
        Intensities, any unit, kept as float32. Pixels that carry no
        measurement are NaN.
    sampling : float or None
        Size of a pixel [A/px]; None when the source does not say. It is what
        the file claims, which is not always the truth.
    name : str
        Short name, used for result folders and titles.
    source : str
        Where the image came from (a path, or words).
    metadata : mapping
        What else the file says, under these names where known: ``dose``
        [e-/A^2], ``voltage`` [kV], ``semi_angle`` [mrad].
    notes : tuple of str
        Sentences the user should read (colour turned to grey, one of several
        signals taken, ...).

    Raises
    ------
    StemnetError
        If the array is not a real (H, W) or (T, H, W) array, or the sampling
        is not a positive number.
    """

    image: np.ndarray
    sampling: float | None = None
    name: str = "image"
    source: str = ""
    metadata: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        image = np.asarray(self.image)
        if image.ndim not in (2, 3) or image.dtype.kind not in "fiub":
            raise StemnetError(
                f"{self.name} is an array of shape {image.shape} and type {image.dtype}; an image is a "
                "real array (rows, columns), or a stack (frames, rows, columns). "
                "Pass one of these."
            )
        if self.sampling is not None and not (np.isfinite(self.sampling) and self.sampling > 0):
            raise StemnetError(
                f"{self.name} came with a sampling of {self.sampling}; a sampling is a positive number of "
                "angstrom per pixel. Pass sampling=<A/px>, or none to have it estimated."
            )
        object.__setattr__(self, "image", np.ascontiguousarray(image, dtype=np.float32))
        object.__setattr__(self, "metadata", dict(self.metadata))
        object.__setattr__(self, "notes", tuple(self.notes))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of one frame."""
        return self.image.shape[-2], self.image.shape[-1]

    @property
    def frames(self) -> np.ndarray:
        """The image as a stack, shape (T, H, W); T is 1 for a single image."""
        return self.image if self.image.ndim == 3 else self.image[None]

    def with_sampling(self, sampling: float | None) -> Micrograph:
        """Return the same image under another sampling [A/px]."""
        return replace(self, sampling=sampling)

    def with_notes(self, *notes: str) -> Micrograph:
        """Return the same image with more notes."""
        return replace(self, notes=(*self.notes, *notes))
