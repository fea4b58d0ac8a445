"""The size of a pixel against what was found in the image."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from stemnet.analysis import Calibration, SideBySide, compare_with_lattice
from stemnet.descriptors import find_motif
from stemnet.detection.segmenter import Detection
from stemnet.micrograph import Micrograph

SURE = 0.6  # share of columns that the lattice must fit
ENOUGH = 30  # columns on the lattice
GIVEN = {"user": "You gave", "file": "The file says"}


def calibration_of(
    micrograph: Micrograph, found: Detection, analysis: SideBySide, origin: str
) -> Calibration | None:
    """Compare the sampling with the lattices of known crystals.

    Parameters
    ----------
    micrograph : Micrograph
    found : Detection
    analysis : SideBySide
        Its columns at their places in their frames.
    origin : str
        Of the sampling: ``user``, ``file`` or ``unknown``.

    Returns
    -------
    Calibration or None
        None where there is no lattice to speak of, or the columns' brightness
        does not tell their elements (dark columns on a bright ground).
    """
    lattice, columns = analysis.lattice, analysis.columns
    if lattice is None or lattice.confidence < SURE or not found.confident or found.dark:
        return None
    frame, count = np.unique(columns["frame"], return_counts=True)
    columns = columns.select(columns["frame"] == frame[count.argmax()])
    if (columns["sublattice"] >= 0).sum() < ENOUGH:
        return None
    from stemnet.doors.known_lattices import known_motifs  # reads the library of crystals

    return compare_with_lattice(
        find_motif(columns, lattice),
        known_motifs(),
        micrograph.sampling,
        name=micrograph.name,
        given=GIVEN.get(origin, "The file says"),
    )


def implausible(micrograph: Micrograph, found: Detection) -> list[str]:
    """One sentence if the pixel size makes columns that are closer or further apart than any crystal's."""
    if micrograph.sampling is None or len(found.columns) < 10:
        return []
    first = found.columns.yx[found.columns["frame"] == 0]
    if len(first) < 10:
        return []
    spacing = float(np.median(cKDTree(first).query(first, k=2)[0][:, 1])) * micrograph.sampling
    if 0.8 <= spacing <= 6.0:
        return []
    return [
        f"With {micrograph.sampling:.4g} A/px the columns would be {spacing:.3g} A apart, which no crystal's "
        "are. The pixel size is probably wrong; pass sampling=<A/px>."
    ]
