"""Local crystallography: environments of all columns, where they differ, polar shifts and shear.

The recipe of A. Belianinov et al., Nat. Commun. 6, 7801 (2015): neighbor vectors
in one order for all columns, k-means on them, k-means on the angles between
them, and their principal components, side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from stemnet.studies.described import each, kinds_in_words
from stemnet.studies.findings import Findings
from stemnet.studies.local_crystallography_image import LocalImage, local_image
from stemnet.studies.local_crystallography_numbers import numbers_of
from stemnet.studies.local_crystallography_pictures import pictures_of, table_of
from stemnet.studies.measured import Measured


def study(
    inputs: Sequence[Measured],
    *,
    seed: int = 0,
    center: int = 0,
    neighbors: str | int = "same",
    clusters: int | None = None,
) -> Findings:
    """Tell the environments of columns apart, and measure polar shifts and shear.

    Parameters
    ----------
    inputs : sequence of Measured
    seed : int
        Of k-means.
    center : int
        Sublattice whose columns are described, the brightest 0, on the lattice
        of the positions: columns of different kinds may share it.
    neighbors : "same", "all" or int
        Sublattice of the neighbors.
    clusters : int, optional
        Of k-means on all columns; the best silhouette of 2 to 8 by default.

    Returns
    -------
    Findings

    Raises
    ------
    StemnetError
        If no input has columns with all of their neighbors.
    """
    return each(inputs, partial(_one, center=center, neighbors=neighbors, clusters=clusters, seed=seed))


def _one(
    measured: Measured, *, center: int, neighbors: str | int, clusters: int | None, seed: int
) -> Findings:
    image = local_image(measured, center=center, neighbors=neighbors, clusters=clusters, seed=seed)
    return Findings(
        _summary(image), tuple(numbers_of(image)), (table_of(image),), tuple(pictures_of(image)), image.notes
    )


def _summary(image: LocalImage) -> str:
    ways = {"of environment by vectors": image.all.vectors, "by angles": image.all.angles}
    kinds = [kinds_in_words(found.n_clusters, found.silhouette, what) for what, found in ways.items()]
    text = f"{image.measured.name}: {', '.join(kinds)}."
    scale, unit = image.length
    label = image.domain
    if image.domains is not None:
        lengths = [
            f"{scale * np.hypot(*image.shifts.vectors[label == domain].mean(axis=0)):.1f}"
            for domain in range(label.max() + 1)
        ]
        text += (
            f" {'Polar domains' if image.caged else 'Domains'} with shifts of {', '.join(lengths)} {unit}."
        )
    if image.shear is not None and np.isfinite(image.shear.change).all():
        change = float(np.degrees(np.hypot(*image.shear.change[0])))
        text += f" The shear du_y/dx changes by {change:.2f} degrees over the image."
    return text
