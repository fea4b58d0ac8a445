"""Strain against composition, where species share a sublattice and can be told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stemnet.analysis.species import assign_species
from stemnet.descriptors.strain import NAMES, averaging
from stemnet.descriptors.table import Descriptors
from stemnet.descriptors.vegard import Vegard, vegard
from stemnet.errors import StemnetError
from stemnet.studies.findings import Number
from stemnet.studies.framework import Framework
from stemnet.studies.measured import Truth
from stemnet.studies.tilt_and_strain_maps import StrainMaps


@dataclass(frozen=True)
class VegardPlot:
    """Strain and composition of columns, and the line through them.

    Parameters
    ----------
    element : str
        What composition is the share of.
    sublattice : int
    composition, dilatation : ndarray, shape (N,)
        Of every column of the frame; NaN where unknown.
    line : Vegard
    """

    element: str
    sublattice: int
    composition: np.ndarray
    dilatation: np.ndarray
    line: Vegard


def vegard_plot(
    found: Framework,
    maps: StrainMaps,
    species: Mapping[int, Sequence[str]] | None,
    element: str | None,
    seed: int,
) -> VegardPlot:
    """Measure composition on the sublattice whose columns may be of several species, and strain against it.

    Parameters
    ----------
    found : Framework
    maps : StrainMaps
    species : mapping of int to sequence of str, optional
        By sublattice, what its columns may be.
    element : str, optional
        Which of them composition is the share of; the first of the mixed sublattice by default.
    seed : int
        Of the mixtures' starts.

    Returns
    -------
    VegardPlot

    Raises
    ------
    StemnetError
        If no sublattice may have two species, or there is too little of one of both.
    """
    mixed = [int(s) for s, names in (species or {}).items() if len(names) > 1]
    if not mixed:
        raise StemnetError(
            "Vegard's plot is left out: no sublattice was said to hold several species. "
            'Name them where there are: "study.method.species={0: [Pb, Sr]}".'
        )
    sublattice = mixed[0]
    element = element or str((species or {})[sublattice][0])
    assigned = assign_species(found.columns, species, random_state=seed)
    share = smoothed(found.columns.yx, assigned.of(element, sublattice), maps.resolution)
    values = np.full((len(found.columns), 1), np.nan)
    values[maps.rows, 0] = maps.positions[:, NAMES.index("dilatation")]
    table = Descriptors(values, ("dilatation",), found.columns.yx, np.isfinite(values).all(axis=1))
    return VegardPlot(element, sublattice, share, values[:, 0], vegard(table, share))


def smoothed(yx: np.ndarray, values: np.ndarray, resolution: float) -> np.ndarray:
    """Mean of values around every column, with the weights of the Gaussian that strain is smoothed with.

    A composition that is sharper than the strain beside it makes the slope too small.

    Parameters
    ----------
    yx : ndarray, shape (N, 2)
        [px]
    values : ndarray, shape (N,)
        NaN where unknown.
    resolution : float
        Standard deviation [px].

    Returns
    -------
    ndarray, shape (N,)
        NaN on the rows that are unknown.
    """
    rows = np.flatnonzero(np.isfinite(values))
    result = np.full(len(values), np.nan)
    result[rows] = (averaging(yx, rows, resolution) @ np.nan_to_num(values))[rows]
    return result


def vegard_numbers(name: str, plot: VegardPlot, truth: Truth | None, yx: np.ndarray) -> list[Number]:
    """Slope of the line, with that of the planted fields where both are known; at positions (N, 2) [px]."""
    planted = float("nan")
    if truth is not None and {"composition", "strain_yy", "strain_xx"} <= set(truth.fields):
        known = np.isfinite(plot.composition) & np.isfinite(plot.dilatation)
        share, yy, xx = (
            truth.field_at(field, yx[known]) for field in ("composition", "strain_yy", "strain_xx")
        )
        planted = float(np.polyfit(share, yy + xx, 1)[0]) if np.ptp(share) > 0 else planted
    slope = f"dilatation from none to all {plot.element} (Vegard), linear fit"
    return [Number(name, slope, 100 * plot.line.slope, "%", 100 * plot.line.slope_error, 100 * planted)]
