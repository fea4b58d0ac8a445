"""What one scan cannot tell: its lines are shifted as wholes by whatever moves while they are written.

A shift of lines adds a function of y alone to du_y/dy and to du_x/dy. The mean
of either over a line is therefore unknown, all else is not: what is left when
it is taken off, and eps_xx, are measured. How large the unknown part may be,
the image says itself: motion of the scan is in du_x/dy and not in du_y/dx, matter
that is turned or sheared has both.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stemnet.descriptors.strain import NAMES
from stemnet.studies.tilt_and_strain_maps import StrainMaps

STRIP = 0.5
"""Height of the strips that scan lines are gathered in, in resolutions."""
CARRIED = np.array([1.0, 0.0, 0.5, 0.5, 1.0])
"""What of a gradient along the slow axis gets into each of `strain.NAMES`."""
SLOW, CLEAR = 1e-3, 3.0  # shear common to scan lines that is told of, and its ratio to that across
ALIKE = 0.85  # share of the variance of eps_xx that all lines have in common, from which it is told of


def common_to_lines(values: np.ndarray, y: np.ndarray, height: float) -> np.ndarray:
    """Mean of values (n,) over the strip of scan lines that each column lies in, (n,); NaN where none is known."""
    strip = (y / height).astype(int)
    known = np.isfinite(values)
    amount = np.bincount(strip[known], minlength=strip.max() + 1)
    total = np.bincount(strip[known], values[known], strip.max() + 1)
    return np.where(amount > 0, total / np.maximum(amount, 1), np.nan)[strip]


def within_lines(maps: StrainMaps, values: np.ndarray) -> np.ndarray:
    """Values (n, D) less their means over scan lines, the mean of all kept: what one scan measures."""
    height = STRIP * maps.resolution
    common = np.stack([common_to_lines(one, maps.yx[:, 0], height) for one in values.T], axis=1)
    return values - common + _mean(values)


def line_error(maps: StrainMaps) -> np.ndarray:
    """Standard error of each of `strain.NAMES` by the lines of one scan, (5,).

    The excess of what whole lines have in common in du_x/dy over that in
    du_y/dx is motion across the lines, (shift per length)^2. Motion along the slow axis is
    taken to be as large, but never larger than all that lines have in common
    in eps_yy. 0 where positions say nothing.
    """
    yx, turn = maps.positions[:, 2:4].T
    if not np.isfinite(yx).any():
        return np.zeros(len(NAMES))
    slow, fast, along = (_common(maps, part) for part in (yx + turn, yx - turn, maps.positions[:, 0]))
    across = np.sqrt(max(slow**2 - fast**2, 0.0))
    return CARRIED * np.array([min(across, along), 0.0, across, across, min(across, along)])


def with_lines(maps: StrainMaps) -> StrainMaps:
    """Maps of one scan whose errors hold what its lines may have moved by."""
    lines = line_error(maps)
    return replace(maps, lines=lines, sigma=np.hypot(maps.sigma, lines))


def scan_note(maps: StrainMaps) -> str:
    """What scan lines seem to have moved by; empty where nothing speaks for it."""
    yx, turn = maps.positions[:, 2:4].T
    if not np.isfinite(yx).any():
        return ""
    slow, fast = _common(maps, yx + turn), _common(maps, yx - turn)
    if not (slow > SLOW and slow > CLEAR * fast):
        return ""
    return (
        f"Scan lines have moved against each other: dx/dy, common to whole lines, varies by {100 * slow:.2g} %, "
        f"dy/dx by {100 * fast:.2g} %. About as much is wrong in eps_yy, and half of it in eps_yx and in the rotation, "
        "in what whole lines have in common; the error bars hold it. eps_xx, and what varies along a line, is free of "
        "it. A second scan of the region, turned by 90 degrees, tells the rest (study.method.second_scan=90)."
    )


def speed_note(maps: StrainMaps) -> str:
    """What of eps_xx is the same in all lines, as where the probe is not equally fast along them; else empty."""
    values = maps.positions[:, 1]
    if not np.isfinite(values).any():
        return ""
    size = _rms(values - _mean(values))
    alike = _common(maps, values, axis=1)
    if not (alike > SLOW and alike**2 > ALIKE * size**2):
        return ""
    return (
        f"eps_xx varies by {100 * alike:.2g} % in what all scan lines have in common, {alike**2 / size**2:.0%} of its "
        "variance. A crystal with layers across the lines does that, and so does a probe that is not equally fast all "
        "along its line, which no error bar here holds: turn the scan, and see whether the stripes turn with it."
    )


def error_of(values: np.ndarray, true: np.ndarray) -> float:
    """Root mean square error of values (n,); NaN where nothing is known.

    A constant is taken off: the strain of the reference is not known, and a
    steady drift of the scan is one.
    """
    off = values - true
    return _rms(off - _mean(off))


def _common(maps: StrainMaps, values: np.ndarray, axis: int = 0) -> float:
    """Spread of what whole lines have in common; with axis 1, of what columns of pixels have."""
    common = common_to_lines(values, maps.yx[:, axis], STRIP * maps.resolution)
    common = common[np.isfinite(values)]
    return _rms(common - _mean(common))


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the rows of what is known; NaN of nothing."""
    known = np.isfinite(values)
    amount = known.sum(axis=0)
    return np.where(amount > 0, np.where(known, values, 0.0).sum(axis=0) / np.maximum(amount, 1), np.nan)


def _rms(values: np.ndarray) -> float:
    """Root of the mean of squares of what is known; NaN of nothing."""
    known = values[np.isfinite(values)]
    return float(np.sqrt((known**2).mean())) if len(known) else float("nan")
