"""Two scans of one region, the second turned by 90 degrees: each tells what the other cannot.

Along a line the scan is fast and nothing moves: what the reference lattice does
from pixel to pixel of a line, dX/dx, is free of all motion of lines. The second
scan writes its lines across those of the first and tells dX/dy. The two columns
of the inverse deformation gradient are taken from the scan that knows them
(compare C. Ophus, J. Ciston, and C. T. Nelson, Ultramicroscopy 162, 1, 2016, who
join such images themselves).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import LinearNDInterpolator
from scipy.ndimage import shift

from stemnet.columns import Columns
from stemnet.descriptors.geometric_phase import PhaseStrain
from stemnet.descriptors.reference import reference_lattice
from stemnet.descriptors.strain import NAMES, composed, decomposed
from stemnet.errors import StemnetError
from stemnet.micrograph import Micrograph
from stemnet.registration.correlation import nearest_shift, noise_level, pass_band, spectrum, taper
from stemnet.studies.described import first_frame
from stemnet.studies.framework import Framework, find_framework
from stemnet.studies.measured import Measured
from stemnet.studies.tilt_and_strain_lines import common_to_lines
from stemnet.studies.tilt_and_strain_maps import StrainMaps, inside, strain_maps

TURNS = (90, 270)
"""By which the image of the second scan is turned to show what the first does [deg]."""
REACH = 0.25  # of the shorter side: how far the specimen may have moved between the scans
APART = 3.0  # times what noise leaves, beyond which scans contradict each other


@dataclass(frozen=True)
class Crossed:
    """Strain of two scans.

    Parameters
    ----------
    maps : StrainMaps
        At the columns of the first.
    offset : ndarray, shape (2,)
        What the first shows at y lies at y + offset in the second, turned [px].
    lines : tuple of float
        By how much du_y/dy and du_x/dy of the first differ from those of the
        second, root mean square: what one scan had got wrong.
    note : str
        Empty where the scans agree in what both know.
    """

    maps: StrainMaps
    offset: np.ndarray
    lines: tuple[float, float]
    note: str


def turned(measured: Measured, angle: int) -> Measured:
    """The first frame of an input, with its columns, turned counterclockwise as it is shown.

    Parameters
    ----------
    measured : Measured
    angle : int
        One of `TURNS` [deg].

    Returns
    -------
    Measured
        Without a truth.
    """
    image = np.rot90(measured.micrograph.frames[0], angle // 90)
    columns = measured.columns
    height, width = columns.shape
    y, x = columns.yx.T
    yx = np.stack([width - 1 - x, y] if angle == 90 else [x, height - 1 - y], axis=1)
    fields = dict(columns.fields)
    if {"sigma_y", "sigma_x"} <= set(fields):
        fields |= {"sigma_y": columns["sigma_x"], "sigma_x": columns["sigma_y"]}
    return Measured(
        measured.name,
        Micrograph(image, measured.micrograph.sampling),
        Columns(yx, (width, height), columns.sampling, fields),
    )


def two_scans(
    measured: Measured,
    second: Measured,
    found: Framework,
    *,
    resolution: float | None,
    reference: Sequence[float] | None,
    notes: list[str],
) -> Crossed:
    """Measure strain in two scans and join it.

    Parameters
    ----------
    measured, second : Measured
        The second in the orientation of the first, from `turned`.
    found : Framework
        Of the first.
    resolution, reference, notes
        As for `strain_maps`.

    Returns
    -------
    Crossed

    Raises
    ------
    StemnetError
        If one of the scans shows no lattice, or they have nothing in common.
    """
    images = measured.micrograph.frames[0], second.micrograph.frames[0]
    other = find_framework(first_frame(second))
    if found.lattice is None or other.lattice is None:
        which = "first" if found.lattice is None else "second"
        raise StemnetError(f"The columns of the {which} scan follow no lattice; strain needs one in both.")
    vectors = reference_lattice(found.columns.select(found.firm), found.lattice).vectors[0]
    mean = replace(found.lattice, vectors=vectors)
    first = strain_maps(
        images[0], found, resolution=resolution, reference=reference, notes=notes, against=mean
    )
    cell = float(np.sqrt(abs(np.linalg.det(other.lattice.vectors))))
    across = strain_maps(
        images[1],
        other,
        resolution=first.resolution / cell,
        reference=None,
        notes=notes,
        against=mean,
    )
    return crossed(first, across, offset_between(*images), reference)


def offset_between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """By how much what one image (H, W) shows lies further on in another of the same orientation, (2,) [px]."""
    high, wide = (min(sides) for sides in zip(first.shape, second.shape, strict=True))
    weights = taper((high, wide))
    one, other = (
        spectrum(np.asarray(image[:high, :wide], dtype=float), weights) for image in (first, second)
    )
    power = (np.abs(one) ** 2 + np.abs(other) ** 2) / 2
    return nearest_shift(one, other, pass_band(power, noise_level(power, 2)), REACH * min(high, wide))


def crossed(
    first: StrainMaps, second: StrainMaps, offset: np.ndarray, reference: Sequence[float] | None = None
) -> Crossed:
    """Join the strain of two scans, the second turned back.

    Parameters
    ----------
    first, second : StrainMaps
        Against the same lattice, in the same orientation.
    offset : ndarray, shape (2,)
        From `offset_between` [px].
    reference : (y0, x0, y1, x1), optional
        Region without strain in the first [px]; by default the mean of all.

    Returns
    -------
    Crossed

    Raises
    ------
    StemnetError
        If the scans have no region in common.
    """
    chosen = None if reference is None else inside(first.yx, reference)
    there = first.yx + offset
    others = _interpolated(second, there)
    positions = _joined(first.positions, others[:, : len(NAMES)], chosen)
    sigma = _errors(first.sigma, others[:, len(NAMES) :])
    image = None
    if first.image is not None and second.image is not None:
        region = None if reference is None else inside(_places(first.image), reference)
        image = _images(first.image, second.image, offset, region)
    phase = np.full_like(positions, np.nan) if image is None else image.at(first.yx).values
    if not (np.isfinite(positions).any() or np.isfinite(phase).any()):
        raise StemnetError(
            f"The two scans lie {np.round(offset).tolist()} px apart and have no strained columns in common; give two "
            "scans of the same region."
        )
    maps = replace(first, positions=positions, sigma=sigma, phase=phase, image=image)
    one, other = first.positions, others[:, : len(NAMES)]
    lines = (_spread(one[:, 0] - other[:, 0]), _spread((one - other)[:, 2] + (one - other)[:, 3]))
    return Crossed(maps, offset, lines, _contradiction(first, others))


def _interpolated(maps: StrainMaps, yx: np.ndarray) -> np.ndarray:
    """`strain.NAMES` and their errors at places (n, 2), (n, 10); NaN outside."""
    known = np.isfinite(maps.positions).all(axis=1)
    if known.sum() < 3:
        return np.full((len(yx), 2 * len(NAMES)), np.nan)
    values = np.concatenate([maps.positions, maps.sigma], axis=1)[known]
    return LinearNDInterpolator(maps.yx[known], values)(yx)


def _joined(first: np.ndarray, second: np.ndarray, region: np.ndarray | None) -> np.ndarray:
    """Strain (n, 5) of two scans, against the mean lattice of a region (n,)."""
    result = np.full((len(first), len(NAMES)), np.nan)
    valid = np.isfinite(first[:, :4]).all(axis=1) & np.isfinite(second[:, :4]).all(axis=1)
    if not valid.any():
        return result
    along_x, along_y = (np.linalg.inv(composed(values[valid])) for values in (first, second))
    inverse = np.stack([along_y[..., 0], along_x[..., 1]], axis=-1)
    chosen = np.ones(len(inverse), bool) if region is None else region[valid]
    if not chosen.any():
        raise StemnetError(
            "Nothing of the reference region is measured by both scans; choose another region."
        )
    result[valid] = decomposed(np.linalg.inv(inverse) @ inverse[chosen].mean(axis=0))
    return result


def _errors(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Standard errors (n, 5) of what `_joined` takes from either scan."""
    half = np.sqrt((first[:, 2:4] ** 2 + second[:, 2:4] ** 2) / 2)
    yy, xx = second[:, 0], first[:, 1]
    return np.column_stack([yy, xx, half, np.hypot(yy, xx)])


def _images(
    first: PhaseStrain, second: PhaseStrain, offset: np.ndarray, region: np.ndarray | None
) -> PhaseStrain:
    """The same of maps, where both are valid."""
    shape = first.valid.shape
    moved = np.stack([_moved(one, offset, shape) for one in second.maps])
    one, other = (maps.reshape(len(NAMES), -1).T for maps in (first.maps, moved))
    values = _joined(one, other, region)
    maps = values.T.reshape(first.maps.shape)
    amplitude = np.minimum(first.amplitude, np.nan_to_num(_moved(second.amplitude, offset, shape)))
    return PhaseStrain(maps, np.isfinite(maps[0]), amplitude, first.vectors, first.resolution)


def _moved(values: np.ndarray, offset: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Values (h, w) read at every place of a frame plus an offset [px], (H, W); NaN outside."""
    room = np.full(np.maximum(values.shape, shape), np.nan)
    room[: values.shape[0], : values.shape[1]] = values
    return shift(room, -offset, order=1, cval=np.nan)[: shape[0], : shape[1]]


def _places(image: PhaseStrain) -> np.ndarray:
    """Every pixel, (H W, 2)."""
    return np.indices(image.valid.shape).reshape(2, -1).T


def _contradiction(first: StrainMaps, others: np.ndarray) -> str:
    """What is to be said if the scans differ in what both know: strain less what lines of either have in common."""
    off = first.positions[:, :2] - others[:, :2]
    noise = np.hypot(first.sigma[:, :2], others[:, len(NAMES) : len(NAMES) + 2])
    if not np.isfinite(off / noise).any():
        return ""
    for axis in (0, 1):
        off = off - np.stack(
            [common_to_lines(one, first.yx[:, axis], 0.5 * first.resolution) for one in off.T], axis=1
        )
    pull = off / noise
    size = float(np.sqrt(np.nanmean(pull**2)))
    if size < APART:
        return ""
    return (
        f"The two scans contradict each other in what both know, by {size:.1f} standard errors. Are they of one "
        "region, and does the second image, turned counterclockwise by second_scan degrees, show what the first does?"
    )


def _spread(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.std()) if len(known) else float("nan")
