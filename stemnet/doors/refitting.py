"""Found columns fitted once more with a halo, for studies that faint columns between bright ones decide.

Probes have tails. To a fit of Gaussians those of the bright columns pull the
faint ones towards them, in proportion to how near they are: oxygen that has
left its place seems to have left it further. The detection needs no better, and
a halo costs twice its time.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stemnet.columns import concatenate
from stemnet.detection.burnt_in import burnt_in
from stemnet.detection.refinement import refine
from stemnet.detection.resampling import binned, binning, from_binned, to_binned
from stemnet.detection.segmenter import Detection
from stemnet.micrograph import Micrograph

FEWEST = 10
"""Columns a frame, from which a halo is learned."""
FAR = 0.7
"""Of a width: a column that goes further has been lost, and stays as it was."""
LENGTHS, VOLUMES = ("width", "sigma_y", "sigma_x"), ("intensity", "intensity_sigma")


def with_halo(micrograph: Micrograph, found: Detection) -> Detection:
    """Fit the columns of every frame with a halo that they share.

    Parameters
    ----------
    micrograph : Micrograph
    found : Detection

    Returns
    -------
    Detection
        With the same rows; positions, their errors, widths and intensities are those of the new fit.
    """
    frames = micrograph.frames
    if not len(found.columns):
        return found
    number = np.asarray(found.columns["frame"])
    parts = [found.columns.select(number == i) for i in range(len(frames))]
    for i, part in enumerate(parts):
        if len(part) < FEWEST or not np.isfinite(part["sigma_y"]).any():
            continue
        image = np.where(burnt_in(frames[i]), np.nan, frames[i]) * (-1.0 if found.dark else 1.0)
        width = float(np.nanmedian(part["width"]))
        factor = binning(width)
        fit = refine(binned(image, factor), to_binned(part.yx, factor), width / factor, shape="halo")
        yx = from_binned(fit.yx, factor)
        kept = fit.ok & (np.hypot(*(yx - part.yx).T) < FAR * width)
        fields = {name: getattr(fit, name) * factor for name in LENGTHS}
        fields |= {name: getattr(fit, name) * factor**2 for name in VOLUMES}
        fields = {name: np.where(kept, values, part[name]) for name, values in fields.items()}
        parts[i] = replace(part, yx=np.where(kept[:, None], yx, part.yx)).with_fields(**fields)
    return replace(found, columns=concatenate(parts))
