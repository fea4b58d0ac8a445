"""All that is known of how the crystal of one image is distorted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.descriptors.table import Descriptors
from stemnet.studies.framework import Framework
from stemnet.studies.measured import Measured
from stemnet.studies.tilt_and_strain_maps import PLANTED, StrainMaps
from stemnet.studies.tilt_and_strain_octahedra import Doubling
from stemnet.studies.tilt_and_strain_vegard import VegardPlot


@dataclass(frozen=True)
class Distortions:
    """Strain, tilts, doubled cells and Vegard's plot of the first frame of an input.

    Parameters
    ----------
    measured : Measured
    found : Framework
    maps : StrainMaps
    lines : tuple of float or None
        What two scans differ by, see `Crossed`; None for one.
    tilt : tuple of Descriptors or None
        From `octahedral_tilt` and `tilt_field`.
    twice : Doubling or None
    plot : VegardPlot or None
    """

    measured: Measured
    found: Framework
    maps: StrainMaps
    lines: tuple[float, float] | None
    tilt: tuple[Descriptors, Descriptors] | None
    twice: Doubling | None
    plot: VegardPlot | None

    @property
    def planted(self) -> np.ndarray | None:
        """Planted strain as `StrainMaps.planted` has it, (n, 4); None where none is known."""
        truth = self.measured.truth
        if truth is None or not set(PLANTED) <= set(truth.fields):
            return None
        return self.maps.planted(truth)

    @property
    def unsmoothed(self) -> np.ndarray:
        """The same as it was planted, which no measurement of finite resolution reaches at edges; NaN where unknown."""
        if self.measured.truth is None or self.planted is None:
            return np.full((len(self.maps.yx), len(PLANTED)), np.nan)
        return self.maps.planted(self.measured.truth, 0.0)

    @property
    def turned(self) -> tuple[float, float] | None:
        """Mean amplitude of the tilts and its standard error [deg]; None without any."""
        if self.tilt is None:
            return None
        alone, field = self.tilt
        table = field if field.valid.any() else alone
        amplitude = np.degrees(table.values[table.valid, 1])
        return float(amplitude.mean()), float(amplitude.std() / np.sqrt(len(amplitude)))
