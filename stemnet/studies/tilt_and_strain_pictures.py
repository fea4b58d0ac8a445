"""Strain, tilts, doubled cells and Vegard's plot, drawn."""

from __future__ import annotations

import numpy as np

from stemnet.studies.findings import Picture
from stemnet.studies.tilt_and_strain_distortions import Distortions
from stemnet.studies.tilt_and_strain_vegard import VegardPlot


def pictures_of(known: Distortions) -> list[Picture]:
    """All pictures of one input."""
    name, maps = known.measured.name, known.maps
    pictures = []
    if np.isfinite(maps.positions).any() or maps.image is not None:
        caption = (
            f"{name}: strain along the axes of the image and rotation, from positions and from the image by geometric "
            "phase analysis"
        )
        caption += (
            ", and as planted, smoothed alike, with the mean of the measurement."
            if known.planted is not None
            else "."
        )
        pictures.append(Picture(f"{name}_strain", caption, lambda: _strain(known)))
    if np.isfinite(maps.positions + maps.phase).any():
        caption = f"{name}: strain from the image against that from positions"
        caption += ", and both against what was planted." if known.planted is not None else "."
        pictures.append(Picture(f"{name}_agreement", caption, lambda: _agreement(known)))
    if known.tilt is not None or known.twice is not None:
        caption = (
            f"{name}: angle of the octahedra about the beam, measured with their neighbors, its amplitude, and the "
            "shift that doubles the cell."
        )
        pictures.append(Picture(f"{name}_octahedra", caption, lambda: _octahedra(known)))
    if (plot := known.plot) is not None:
        caption = f"{name}: dilatation against local composition."
        pictures.append(Picture(f"{name}_vegard", caption, lambda: _vegard(known, plot)))
    return pictures


def _strain(known: Distortions):
    from stemnet.report.strain import strain_figure

    maps = known.maps
    return strain_figure(
        known.measured.micrograph.frames[0].shape,
        maps.yx,
        maps.positions[:, :4],
        None if maps.image is None else maps.image.maps[:4],
        planted=known.planted,
        sampling=known.measured.columns.sampling,
        title=known.measured.name,
    )


def _agreement(known: Distortions):
    from stemnet.report.strain_agreement import agreement_figure

    maps = known.maps
    return agreement_figure(
        maps.positions[:, :4], maps.phase[:, :4], planted=known.planted, title=known.measured.name
    )


def _octahedra(known: Distortions):
    from stemnet.report.strain_tilt import tilt_figure

    shift, unit = None, "px"
    if (twice := known.twice) is not None:
        mine = (np.asarray(known.found.columns["sublattice"]) == twice.sublattice) & twice.table.valid
        scale, unit = (100.0, "pm") if twice.unit == "A" else (1.0, "px")
        shift = np.where(mine, scale * twice.table.values[:, 2], np.nan)
    return tilt_figure(
        known.measured.micrograph.frames[0],
        known.found.columns.yx,
        None if known.tilt is None else np.degrees(known.tilt[1].values[:, :2]),
        shift,
        unit=unit,
        clear=twice is not None and twice.clear,
        sampling=known.measured.columns.sampling,
        title=known.measured.name,
    )


def _vegard(known: Distortions, plot: VegardPlot):
    from stemnet.report.strain_vegard import vegard_figure

    return vegard_figure(
        plot.composition, plot.dilatation, plot.line, element=plot.element, title=known.measured.name
    )
