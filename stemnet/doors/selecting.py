"""How many components and clusters an input has, where it is asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.analysis import SideBySide
from stemnet.analysis.model_selection import (
    ClusterSelection,
    ComponentSelection,
    select_clusters,
    select_components,
)
from stemnet.descriptors.neighbor_errors import neighbor_errors
from stemnet.errors import StemnetError


@dataclass(frozen=True)
class Selection:
    """Both, of the neighbor vectors.

    Parameters
    ----------
    components : ComponentSelection
    clusters : ClusterSelection
    """

    components: ComponentSelection
    clusters: ClusterSelection

    @property
    def sentence(self) -> str:
        """What both say."""
        return f"{self.components.sentence} {self.clusters.sentence}"

    def record(self) -> dict[str, object]:
        """For ``metrics.json``."""
        return {"components": self.components.record(), "clusters": self.clusters.record()}


def selection_of(analysis: SideBySide, random_state: int) -> tuple[Selection | None, tuple[str, ...]]:
    """Count the components and clusters of the neighbor vectors, by the standard errors of the positions.

    Returns
    -------
    Selection or None
    tuple of str
        Why there is none.
    """
    vectors = analysis.vectors
    known = np.isfinite(analysis.columns.fields.get("sigma_y", np.zeros(0))).any() and vectors.valid.any()
    noise = np.nanmean(neighbor_errors(analysis.columns, vectors), axis=0) if known else None
    try:
        components = select_components(vectors, noise)
        return Selection(components, select_clusters(vectors, random_state=random_state)), ()
    except StemnetError as problem:
        return None, (str(problem),)
