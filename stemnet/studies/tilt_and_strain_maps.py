"""Strain of one image in two ways that share nothing: from positions, and from the phases of its fringes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates

from stemnet.columns import Columns
from stemnet.descriptors.geometric_phase import PhaseStrain, geometric_phase
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.position_scatter import position_scatter
from stemnet.descriptors.reference import reference_lattice
from stemnet.descriptors.strain import NAMES, strain
from stemnet.errors import StemnetError
from stemnet.studies.framework import Framework
from stemnet.studies.measured import Truth

PLANTED = ("strain_yy", "strain_xx", "strain_yx", "rotation_rad")
"""Planted fields, in the order of the first four of `strain.NAMES`."""
SPAN = 1 / 6
"""Variance an axis, in cells squared, that differences across two cells smooth strain with: (2 cells)^2 / 12 / 2."""
FINEST, COARSEST = 0.85, 1.5  # resolutions that are chosen between [cells]
REACH = 2.0  # cells from the columns of the lattice, beyond which fringes are of another grain or of none
LOOSE = 2.5  # times the scatter of the steadiest sublattice, beyond which one is not asked
NOISE = 4.5e-4
"""Standard error of eps_yy and eps_xx to which strain is smoothed where no resolution is given."""


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
        `strain.NAMES` from positions, and standard errors by the scatter of the
        columns about their lattice and by `lines`; NaN where unknown.
    phase : ndarray, shape (n, 5)
        The same from the image; NaN where unknown.
    image : PhaseStrain or None
        The map that `phase` is read from.
    resolution : float
        Standard deviation of the Gaussian that strain is smoothed with, in both [px].
    lines : ndarray, shape (5,)
        Standard error by motion of scan lines, common to whole lines; 0 where two scans exclude it.
    """

    rows: np.ndarray
    yx: np.ndarray
    positions: np.ndarray
    sigma: np.ndarray
    phase: np.ndarray
    image: PhaseStrain | None
    resolution: float
    lines: np.ndarray = field(default_factory=lambda: np.zeros(len(NAMES)))

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
    """A planted field averaged with the weights of a Gaussian [px] within the image, at positions (n, 2) [px]."""
    grid, blur = np.asarray(truth.fields[name], dtype=np.float64), resolution / truth.field_step
    weight, total = (gaussian_filter(part, blur, mode="constant") for part in (np.ones_like(grid), grid))
    return map_coordinates(total / weight, yx.T / truth.field_step, order=1, mode="nearest")


def strain_maps(
    image: np.ndarray,
    found: Framework,
    *,
    resolution: float | None,
    reference: Sequence[float] | None,
    notes: list[str],
    against: Lattice | None = None,
) -> StrainMaps:
    """Measure strain from positions and from the image, at one resolution and against one reference.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    found : Framework
        With a lattice.
    resolution : float, optional
        Standard deviation of the Gaussian that strain is smoothed with, in
        cells. By default as fine as the scatter of the columns leaves `NOISE`
        of strain, from `FINEST` to `COARSEST`.
    reference : (y0, x0, y1, x1), optional
        Region without strain [px]; by default the mean of all.
    notes : list of str
        Takes what one of the two ways has to say where it cannot be gone.
    against : Lattice, optional
        Without strain, instead of the region [px].

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
    if resolution is not None and not resolution**2 > SPAN:
        raise StemnetError(
            f"resolution={resolution:g} cells was asked for; differences across two cells leave {SPAN**0.5:.2f}. "
            "Give more, such as 0.85."
        )
    if reference is not None and len(reference) != 4:
        raise StemnetError(
            f"reference={list(reference)} was given; a region needs [y0, x0, y1, x1] in pixels."
        )
    rows = np.nonzero(found.firm)[0]
    scatter = position_scatter(found.columns.select(rows), found.lattice)
    # what turns with octahedra, or is polar by turns, is a bad witness of strain
    size = np.hypot(*scatter.T)
    quiet = ~(size > LOOSE * np.nanmin(size, initial=np.inf))
    rows = rows[quiet]
    columns = _scattering(found.columns.select(rows), scatter[quiet])
    cell = float(np.sqrt(abs(np.linalg.det(found.lattice.vectors))))
    values, sigma, phase = (np.full((len(rows), len(NAMES)), np.nan) for _ in range(3))
    chosen = against if reference is None or against is not None else inside(columns.yx, reference)
    wanted = resolution or FINEST
    try:
        values, sigma = _from_positions(columns, found.lattice, chosen, wanted)
        known = sigma[np.isfinite(sigma).all(axis=1), :2]
        noise = float(np.median(known)) if len(known) else 0.0
        if resolution is None and noise > NOISE:
            # noise of a slope falls with the square of the smoothing
            wanted = min(FINEST * float(np.sqrt(noise / NOISE)), COARSEST)
            values, sigma = _from_positions(columns, found.lattice, chosen, wanted)
    except StemnetError as error:
        notes.append(f"No strain from positions: {error}")
    fringes = None
    try:
        # the mean of the columns is the reference of both: fringes are valid in the middle of the image only
        lattice = against or replace(
            found.lattice, vectors=reference_lattice(columns, found.lattice).vectors[0]
        )
        region = None if against is not None or reference is None else _region(image.shape, reference)
        width = 1 / (2 * np.pi * wanted * cell)
        fringes = geometric_phase(
            image, found.lattice, width=width, reference=lattice if region is None else region
        )
        fringes = _near(fringes, found.columns, REACH * cell)
        phase = fringes.at(columns.yx).values
    except StemnetError as error:
        notes.append(f"No strain from the image: {error}")
    return StrainMaps(rows, columns.yx, values, sigma, phase, fringes, wanted * cell)


def _near(fringes: PhaseStrain, columns: Columns, reach: float) -> PhaseStrain:
    """Strain from the image where columns of the lattice are within a reach [px]."""
    on = columns.yx[np.asarray(columns["sublattice"]) >= 0]
    empty = np.ones(fringes.valid.shape, bool)
    y, x = np.clip(np.rint(on).astype(int), 0, np.array(empty.shape) - 1).T
    empty[y, x] = False
    near = distance_transform_edt(empty) <= reach
    return replace(fringes, maps=np.where(near, fringes.maps, np.nan), valid=fringes.valid & near)


def _scattering(columns: Columns, scatter: np.ndarray) -> Columns:
    """Columns with what they scatter by (n, 2) [px] as errors, or with their own where these are larger."""
    own = [
        np.asarray(columns.fields.get(name, scatter[:, i])) for i, name in enumerate(("sigma_y", "sigma_x"))
    ]
    sigma = np.fmax(scatter, np.stack(own, axis=1))
    if not np.isfinite(sigma).all():
        return columns
    return columns.with_fields(sigma_y=sigma[:, 0], sigma_x=sigma[:, 1])


def _from_positions(
    columns: Columns, lattice: Lattice, reference: Lattice | np.ndarray | None, resolution: float
) -> tuple[np.ndarray, np.ndarray]:
    """`strain.NAMES` and their errors, (n, 5) each, smoothed to a resolution [cells]."""
    table = strain(columns, lattice, reference, smoothing=float(np.sqrt(resolution**2 - SPAN)))
    values, sigma = np.split(table.values, [len(NAMES)], axis=1)
    return values, sigma if sigma.size else np.full_like(values, np.nan)


def _region(shape: tuple[int, int], box: Sequence[float]) -> np.ndarray:
    """Which pixels lie in a box, (H, W)."""
    return inside(np.indices(shape).reshape(2, -1).T, box).reshape(shape)


def inside(yx: np.ndarray, box: Sequence[float]) -> np.ndarray:
    """Which positions (n, 2) lie in a box (y0, x0, y1, x1), (n,)."""
    low, high = np.minimum(box[:2], box[2:]), np.maximum(box[:2], box[2:])
    return np.asarray(((yx >= low) & (yx <= high)).all(axis=1))


def on_all(columns: Columns, rows: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values (n, D) of chosen rows on the rows of all columns, (N, D); NaN elsewhere."""
    result = np.full((len(columns), values.shape[1]), np.nan)
    result[rows] = values
    return result
