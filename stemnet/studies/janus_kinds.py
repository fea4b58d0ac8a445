"""All that is known of the species of one image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.analysis.intensity import IntensityClasses
from stemnet.analysis.species import SpeciesAssignment
from stemnet.descriptors.missing_sites import MissingSites
from stemnet.studies.framework import Framework, first_rows
from stemnet.studies.janus_composition import Composition
from stemnet.studies.measured import Measured


@dataclass(frozen=True)
class Kinds:
    """Species, composition and missing columns of the first frame of an input.

    Parameters
    ----------
    measured : Measured
    found : Framework
    classes : IntensityClasses
        Whose gain the species were found with.
    assigned : SpeciesAssignment
    shares : Composition or None
    sites : MissingSites or None
    """

    measured: Measured
    found: Framework
    classes: IntensityClasses
    assigned: SpeciesAssignment
    shares: Composition | None
    sites: MissingSites | None

    @property
    def true(self) -> np.ndarray | None:
        """Planted species of the columns, (N,), "" where one has none; None without a truth."""
        truth = self.measured.truth
        if truth is None or "species" not in truth.columns:
            return None
        return truth.of("species")[first_rows(self.measured)]
