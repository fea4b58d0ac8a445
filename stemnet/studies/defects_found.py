"""All that is known of the defects of one image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.descriptors.missing_sites import MissingSites
from stemnet.studies.defects_grains import Grains
from stemnet.studies.defects_list import Defects
from stemnet.studies.defects_points import Intensities
from stemnet.studies.defects_structure import Structure
from stemnet.studies.measured import Measured


@dataclass(frozen=True)
class Found:
    """Defects of the first frame of an input, and what they were found by.

    Parameters
    ----------
    measured : Measured
    grains : Grains
    sites : MissingSites
    structure : Structure
    light : Intensities or None
        None where columns have no intensity.
    defects : Defects
    """

    measured: Measured
    grains: Grains
    sites: MissingSites
    structure: Structure
    light: Intensities | None
    defects: Defects

    @property
    def kind_of_columns(self) -> np.ndarray:
        """Kind of defect that each column is, (N,); "" where it is none, "core" beside a dislocation."""
        kind = np.full(len(self.grains.columns), "", dtype=object)
        kind[self.structure.core] = "core"
        there = self.defects.row >= 0
        kind[self.defects.row[there]] = self.defects.kind[there]
        return kind.astype(str)
