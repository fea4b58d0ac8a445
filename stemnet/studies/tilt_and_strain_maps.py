"""Strain of one image in two ways that share nothing: from positions, and from the phases of its fringes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from stemnet.columns import Columns
from stemnet.descriptors.geometric_phase import PhaseStrain, geometric_phase
from stemnet.descriptors.reference import reference_lattice
from stemnet.descriptors.strain import NAMES, strain
from stemnet.errors import StemnetError
from stemnet.studies.framework import Framework
from stemnet.studies.measured import Truth

PLANTED = ("strain_yy", "strain_xx", "strain_yx", "rotation_rad")
"""Planted fields, in the order of the first four of `strain.NAMES`."""
SPAN = 1 / 6
"""Variance an axis, in cells squared, that differences across two cells smooth strain with: (2 cells)^2 / 12 / 2."""
STRIP = 0.5  # height of the strips that scan lines are gathered in [cells]
SLOW, CLEAR = 1e-3, 3.0  # shear common to scan lines that is told of, and its ratio to that across


@dataclass(frozen=True)
class StrainMaps:
    """Strain at the columns of the best known positions.

    Parameters
    ----------
    rows : ndarray of int, shape (n,)
        Row numbers of these columns.
    yx : ndarray, shape (n, 2)
        [px]
    positions, sigma : ndarray, shape (n, 5)
        `strain.NAMES` from positions, and standard errors; NaN where unknown.
    phase : ndarray, shape (n, 5)
        The same from the image; NaN where unknown.
    image : PhaseStrain or None
        The map that `phase` is read from.
    resolution : float
        Standard deviation of the Gaussian that strain is smoothed with, in both [px].
    """

    rows: np.ndarray
    yx: np.ndarray
    positions: np.ndarray
    sigma: np.ndarray
    phase: np.ndarray
    image: PhaseStrain | None
    resolution: float

    def planted(self, truth: Truth, resolution: float | None = None) -> np.ndarray:
        """Planted strain at the columns, with the mean of the measurement, (n, 4).

        Planted is the strain against the crystal as grown, which no image
        tells: the reference, and a steady drift of the scan, add a constant.
        Smoothed with `resolution` [px], by default with that of the measurement.
        """
        blur = self.resolution if resolution is None else resolution
        values = np.stack([smoothed_at(truth, name, self.yx, blur) for name in PLANTED], axis=1)
        for measured in (self.positions[:, :4], self.phase[:, :4]):
            if np.isfinite(measured).any():
                return values + np.nanmean(measured - values, axis=0)
        return values


def smoothed_at(truth: Truth, name: str, yx: np.ndarray, resolution: float) -> np.ndarray:
    """A planted field smoothed by a Gaussian [px], at positions (n, 2) [px]."""
    field = np.asarray(truth.fields[name], dtype=np.float64)
    smooth = gaussian_filter(field, resolution / truth.field_step, mode="nearest")
    return map_coordinates(smooth, yx.T / truth.field_step, order=1, mode="nearest")


def strain_maps(
    image: np.ndarray,
    found: Framework,
    *,
    resolution: float,
    reference: Sequence[float] | None,
    notes: list[str],
) -> StrainMaps:
    """Measure strain from positions and from the image, at one resolution and against one reference.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    found : Framework
        With a lattice.
    resolution : float
        Standard deviation of the Gaussian that strain is smoothed with, in cells.
    reference : (y0, x0, y1, x1), optional
        Region without strain [px]; by default the mean of all.
    notes : list of str
        Takes what one of the two ways has to say where it cannot be gone.

    Returns
    -------
    StrainMaps

    Raises
    ------
    StemnetError
        If the resolution is finer than the difference across two cells, the
        region is none, or there is no lattice.
    """
    if found.lattice is None:
        raise StemnetError(
            f"{found.note} Strain needs a crystal of a dozen columns or more; use a larger field of view."
        )
    if not resolution**2 > SPAN:
        raise StemnetError(
            f"resolution={resolution:g} cells was asked for; differences across two cells leave {SPAN**0.5:.2f}. "
            "Give more, such as 0.85."
        )
    if reference is not None and len(reference) != 4:
        raise StemnetError(
            f"reference={list(reference)} was given; a region needs [y0, x0, y1, x1] in pixels."
        )
    rows = np.nonzero(found.firm)[0]
    columns = found.columns.select(rows)
    cell = float(np.sqrt(abs(np.linalg.det(found.lattice.vectors))))
    values, sigma, phase = (np.full((len(rows), len(NAMES)), np.nan) for _ in range(3))
    try:
        # a disk of radius r smooths with a variance of r^2 / 4 an axis
        reach = 2 * float(np.sqrt(resolution**2 - SPAN))
        chosen = None if reference is None else _inside(columns.yx, reference)
        table = strain(columns, found.lattice, chosen, reach=reach)
        values = table.values[:, : len(NAMES)]
        if table.values.shape[1] > len(NAMES):
            sigma = table.values[:, len(NAMES) :]
    except StemnetError as error:
        notes.append(f"No strain from positions: {error}")
    fringes = None
    try:
        y, x = np.indices(image.shape)
        region = (
            None
            if reference is None
            else _inside(np.stack([y, x], -1).reshape(-1, 2), reference).reshape(image.shape)
        )
        # the mean of the columns is the reference of both: fringes are valid in the middle of the image only
        mean = replace(found.lattice, vectors=reference_lattice(columns, found.lattice).vectors[0])
        width = 1 / (2 * np.pi * resolution * cell)
        fringes = geometric_phase(
            image, found.lattice, width=width, reference=mean if region is None else region
        )
        phase = fringes.at(columns.yx).values
    except StemnetError as error:
        notes.append(f"No strain from the image: {error}")
    return StrainMaps(rows, columns.yx, values, sigma, phase, fringes, resolution * cell)


def _inside(yx: np.ndarray, box: Sequence[float]) -> np.ndarray:
    """Which positions (n, 2) lie in a box (y0, x0, y1, x1), (n,)."""
    low, high = np.minimum(box[:2], box[2:]), np.maximum(box[:2], box[2:])
    return np.asarray(((yx >= low) & (yx <= high)).all(axis=1))


def common_to_lines(values: np.ndarray, y: np.ndarray, height: float) -> np.ndarray:
    """Mean of values (n,) over the strip of scan lines that each column lies in, (n,); NaN where none is known."""
    strip = (y / height).astype(int)
    known = np.isfinite(values)
    amount = np.bincount(strip[known], minlength=strip.max() + 1)
    total = np.bincount(strip[known], values[known], strip.max() + 1)
    return np.where(amount > 0, total / np.maximum(amount, 1), np.nan)[strip]


def scan_note(maps: StrainMaps) -> str:
    """What scan lines seem to have moved by; empty where nothing speaks for it.

    A specimen or a stage that drifts during the scan shifts whole lines: their
    dx/dy changes from line to line while their dy/dx does not. Matter that is
    turned or sheared by itself has both.
    """
    yx, turn = maps.positions[:, 2:4].T
    if not np.isfinite(yx).any():
        return ""
    height = STRIP * maps.resolution
    slow = _rms(common_to_lines(yx + turn, maps.yx[:, 0], height))
    fast = _rms(common_to_lines(yx - turn, maps.yx[:, 0], height))
    if not (slow > SLOW and slow > CLEAR * fast):
        return ""
    return (
        f"Scan lines have moved against each other: dx/dy, common to whole lines, varies by {100 * slow:.2g} %, "
        f"dy/dx by {100 * fast:.2g} %. About as much is wrong in eps_yy, and half of it in eps_yx and in the rotation; "
        "eps_xx is free of it. A second scan, turned by 90 degrees, would tell."
    )


def _rms(values: np.ndarray) -> float:
    """Root of the mean square of what is known; NaN of nothing."""
    known = values[np.isfinite(values)]
    return float(np.sqrt((known**2).mean())) if len(known) else float("nan")


def error_of(values: np.ndarray, true: np.ndarray, y: np.ndarray, height: float) -> tuple[float, float]:
    """Root mean square error of values (n,), and of what is not common to whole scan lines.

    A constant is taken off: the strain of the reference is not known, and a
    steady drift of the scan is one. NaN where nothing is known.
    """
    off = values - true
    if not np.isfinite(off).any():
        return float("nan"), float("nan")
    off = off - np.nanmean(off)
    return _rms(off), _rms(off - common_to_lines(off, y, height))


def on_all(columns: Columns, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values (n, D) of chosen rows on the rows of all columns, (N, D); NaN elsewhere."""
    result = np.full((len(columns), values.shape[1]), np.nan)
    result[rows] = values
    return result
