"""Sliding windows: which of them cover an image, and which frequencies of each are kept.

The windows of R. K. Vasudevan et al., Applied Physics Letters 106, 091601
(2015): one is moved over the image in steps, and what it shows describes the
place that it is at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.errors import StemnetError

APODIZATIONS = ("hann", "none")
CELLS = 4  # a Hann window of four periods just tells the orders of reflection apart
ORDERS = 3.5  # orders of reflection kept by default; a column's width leaves little beyond


@dataclass(frozen=True)
class Windows:
    """Which windows are looked at, and how.

    Parameters
    ----------
    size : int
        Side of a window [px].
    step : int
        From one window to the next [px].
    apodization : "hann" or "none"
        Weight of the pixels, so that the window's rim makes no streaks.
    log : bool
        log(1 + magnitude) instead of the magnitude, for weak reflections.
    highest : float
        Largest frequency kept along each axis [cycles/px]; 0.25 is what others
        call a zoom of 2.
    missing : float
        Share of a window's pixels that may be NaN; with more it is masked.

    Raises
    ------
    StemnetError
        If one of these has no meaning, or no frequency is left.
    """

    size: int
    step: int
    apodization: str = "hann"
    log: bool = False
    highest: float = 0.5
    missing: float = 0.1

    def __post_init__(self) -> None:
        for name, least in (("size", 4), ("step", 1)):
            value = getattr(self, name)
            if not (isinstance(value, int | np.integer) and value >= least):
                raise StemnetError(
                    f"Windows came with {name}={value!r}; a whole number of pixels, {least} at least, is needed. "
                    f"Pass {name}={8 * least}."
                )
        if self.apodization not in APODIZATIONS:
            raise StemnetError(
                f"apodization={self.apodization!r} is unknown; use {' or '.join(APODIZATIONS)}."
            )
        if not (0 < self.highest <= 0.5 and self.orders >= 1):
            raise StemnetError(
                f"Windows of {self.size} px were to keep frequencies up to {self.highest!r} cycles/px; "
                f"something between {1 / self.size:.3g} (one cycle in a window) and 0.5 is needed. Pass highest=0.5."
            )
        if not 0 <= self.missing < 1:
            raise StemnetError(
                f"missing={self.missing!r} of a window was to be allowed; a share from 0 to below 1 is needed. "
                "Pass missing=0.1."
            )

    @property
    def orders(self) -> int:
        """Largest number of cycles in a window that is kept, along each axis."""
        return min(int(self.highest * self.size + 1e-9), (self.size - 1) // 2)

    @property
    def frequencies(self) -> np.ndarray:
        """Frequency (y, x) of every number [cycles/px], shape (D, 2).

        One half of the plane: the other says the same of a real image. The
        mean is not among them, nor is the Nyquist frequency.
        """
        m = np.arange(self.orders + 1)
        falling = np.stack(np.meshgrid(m, m, indexing="ij"), axis=-1).reshape(-1, 2)[1:]
        rising = np.stack(np.meshgrid(-m[1:], m[1:], indexing="ij"), axis=-1).reshape(-1, 2)
        return np.concatenate([falling, rising]) / self.size

    @property
    def names(self) -> tuple[str, ...]:
        """``k0+1_1, ...``: whole cycles in a window along y and x; 1 is the unit."""
        cycles = np.rint(self.frequencies * self.size).astype(int)
        return tuple(f"k{y:+d}{x:+d}_1" for y, x in cycles)

    def plane(self, values: np.ndarray) -> np.ndarray:
        """Numbers of windows, shape (..., D), as maps of frequencies, shape (..., 2 orders + 1, 2 orders + 1).

        Both halves, rows falling from the least frequency along y, the zero
        frequency in the middle, which is NaN. Where the image is turned, a map
        turns with it: filled in the middle, maps are patches for whatever
        compares patches at all angles.

        Raises
        ------
        StemnetError
            If there are more or fewer numbers than frequencies.
        """
        values = np.asarray(values)
        cycles = np.rint(self.frequencies * self.size).astype(int)
        if values.shape[-1:] != (len(cycles),):
            raise StemnetError(
                f"Numbers of shape {values.shape} came for {len(cycles)} frequencies of a window; one for each "
                "is needed. Pass rows of the table that these windows gave."
            )
        result = np.full((*values.shape[:-1], *(2 * self.orders + 1,) * 2), np.nan)
        for sign in (1, -1):
            y, x = (self.orders + sign * cycles).T
            result[..., y, x] = values
        return result

    def starts(self, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """First row of every row of windows, first column of every column of windows; centered [px]."""
        if min(shape) < self.size:
            raise StemnetError(
                f"Windows of {self.size} px do not fit an image of {shape[0]} x {shape[1]} px. "
                "Use smaller windows or a larger image."
            )
        rest = [extent - self.size for extent in shape]
        tops, lefts = (r % self.step // 2 + np.arange(0, r + 1, self.step) for r in rest)
        return tops, lefts

    def centers(self, shape: tuple[int, int]) -> np.ndarray:
        """Centers of the windows [px], row by row, shape (N, 2)."""
        tops, lefts = self.starts(shape)
        return np.stack(np.meshgrid(tops, lefts, indexing="ij"), axis=-1).reshape(-1, 2) + (self.size - 1) / 2


def windows_for(
    spacing: float, *, cells: float = CELLS, apodization: str = "hann", log: bool = False
) -> Windows:
    """Windows that suit a lattice: four periods wide, an eighth of that apart, three orders of reflection.

    Parameters
    ----------
    spacing : float
        Longer vector of the primitive cell [px].
    cells : float
        Periods in a window.
    apodization, log
        See `Windows`.

    Raises
    ------
    StemnetError
        If the spacing is no length above 2 px, the least that pixels can show.
    """
    if not (np.isfinite(spacing) and spacing > 2):
        raise StemnetError(
            f"Windows were asked for a lattice of spacing {spacing!r} px; a length above 2 px is needed. "
            "Pass the longer lattice vector, or choose Windows(size, step)."
        )
    if not (np.isfinite(cells) and cells >= 1):
        raise StemnetError(f"Windows of {cells!r} periods were asked for; 1 or more is needed. Pass cells=4.")
    size = max(16, 8 * round(cells * spacing / 8))
    return Windows(size, max(1, size // 8), apodization, log, highest=min(0.5, ORDERS / spacing))
