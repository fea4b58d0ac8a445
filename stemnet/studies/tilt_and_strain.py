"""Tilts of octahedra, doubled cells, and strain, from positions and from the image itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import numpy as np

from stemnet.descriptors.strain import NAMES
from stemnet.errors import StemnetError
from stemnet.studies.described import each, first_frame
from stemnet.studies.findings import Findings, Table
from stemnet.studies.framework import find_framework
from stemnet.studies.measured import Measured
from stemnet.studies.tilt_and_strain_distortions import Distortions
from stemnet.studies.tilt_and_strain_lines import scan_note, speed_note, with_lines, within_lines
from stemnet.studies.tilt_and_strain_maps import on_all, strain_maps
from stemnet.studies.tilt_and_strain_numbers import WAYS, numbers_of
from stemnet.studies.tilt_and_strain_octahedra import doubling, tilts
from stemnet.studies.tilt_and_strain_pictures import pictures_of
from stemnet.studies.tilt_and_strain_scans import TURNS, turned, two_scans
from stemnet.studies.tilt_and_strain_vegard import vegard_plot

CLEAR = 3.0  # standard errors of a mean tilt that is told of
Found = TypeVar("Found")


def study(
    inputs: Sequence[Measured],
    *,
    seed: int = 0,
    resolution: float | None = None,
    reference: Sequence[float] | None = None,
    second_scan: int | None = None,
    species: Mapping[int, Sequence[str]] | None = None,
    element: str | None = None,
) -> Findings:
    """Measure how octahedra are turned, whether cells are doubled, and how the lattice is strained.

    Parameters
    ----------
    inputs : sequence of Measured
    seed : int
        Of the mixtures that tell species apart.
    resolution : float, optional
        Standard deviation of the Gaussian that strain is smoothed with, in
        cells; by default as fine as noise allows, see `strain_maps`.
    reference : (y0, x0, y1, x1), optional
        Region without strain [px]; by default strain is against the mean of all.
    second_scan : int, optional
        90 or 270: two inputs are two scans of one region, and the image of the
        second, turned counterclockwise by so many degrees, shows what the first
        does. They are studied as one, in which each tells the strain along its lines.
    species : mapping of int to sequence of str, optional
        By sublattice, what its columns may be; where one may be of two, strain is
        plotted against composition.
    element : str, optional
        Which of them composition is the share of.

    Returns
    -------
    Findings

    Raises
    ------
    StemnetError
        If no input has a lattice, or there are not two scans where two are announced.
    """
    given = {int(s): list(names) for s, names in (species or {}).items()}
    second = None
    if second_scan is not None:
        inputs, second = [inputs[0]], _second(inputs, second_scan)
    one = partial(
        _one,
        second=second,
        seed=seed,
        resolution=resolution,
        reference=reference,
        species=given,
        element=element,
    )
    return each(inputs, one)


def _second(inputs: Sequence[Measured], angle: int) -> Measured:
    """The second of two scans, in the orientation of the first."""
    if angle not in TURNS or len(inputs) != 2:
        raise StemnetError(
            f"second_scan={angle} was given with {len(inputs)} inputs; it needs two, of one region, and to be "
            f"{' or '.join(map(str, TURNS))}: the degrees by which the second image is turned counterclockwise to show "
            "what the first does."
        )
    return turned(inputs[1], angle)


def _one(
    measured: Measured,
    *,
    second: Measured | None,
    seed: int,
    resolution: float | None,
    reference: Sequence[float] | None,
    species: Mapping[int, Sequence[str]],
    element: str | None,
) -> Findings:
    found = find_framework(first_frame(measured))
    notes = [found.note] if found.note else []
    lines = None
    if second is None:
        image = measured.micrograph.frames[0]
        maps = strain_maps(image, found, resolution=resolution, reference=reference, notes=notes)
        maps, said = with_lines(maps), [scan_note(maps), speed_note(maps)]
    else:
        both = two_scans(measured, second, found, resolution=resolution, reference=reference, notes=notes)
        maps, said, lines = both.maps, [both.note], both.lines
    notes += [one for one in said if one]
    known = Distortions(
        measured,
        found,
        maps,
        lines,
        _or_note(notes, lambda: tilts(found)),
        _or_note(notes, lambda: doubling(found)),
        _or_note(notes, lambda: vegard_plot(found, maps, species, element, seed)),
    )
    return Findings(
        _summary(known), tuple(numbers_of(known)), (_table(known),), tuple(pictures_of(known)), tuple(notes)
    )


def _or_note(notes: list[str], what: Callable[[], Found]) -> Found | None:
    """What a function returns, or None and what it says."""
    try:
        return what()
    except StemnetError as error:
        notes.append(str(error))
        return None


def _summary(known: Distortions) -> str:
    parts = []
    for way, values in zip(WAYS, (known.maps.positions, known.maps.phase), strict=True):
        if np.isfinite(values).any():
            low, high = np.nanpercentile(values[:, NAMES.index("dilatation")], (2, 98))
            parts.append(f"dilatation from {100 * low:.1f} to {100 * high:.1f} % by {way}")
    if known.turned is not None:
        size, error = known.turned
        parts.append(
            f"octahedra turned by {size:.1f} deg about the beam, the other way in the next cell"
            if size > CLEAR * error
            else "no tilt of octahedra about the beam stands out"
        )
    if known.twice is not None:
        parts.append("the cell is doubled" if known.twice.clear else "no doubling of the cell stands out")
    return f"{known.measured.name}: {'; '.join(parts) or 'nothing could be measured'}."


def _table(known: Distortions) -> Table:
    columns, maps = known.found.columns, known.maps
    values = {"y_px": columns.yx[:, 0], "x_px": columns.yx[:, 1], "sublattice": columns["sublattice"]}
    parts = [(maps.positions, "positions_"), (maps.sigma, "positions_sigma_"), (maps.phase, "phase_")]
    if maps.lines.any():
        parts += [
            (within_lines(maps, maps.positions), "positions_in_line_"),
            (within_lines(maps, maps.phase), "phase_in_line_"),
        ]
    for part, prefix in parts:
        full = on_all(columns, maps.rows, part)
        values |= {f"{prefix}{name}": full[:, i] for i, name in enumerate(NAMES)}
    tables = (*(known.tilt or ()), None if known.twice is None else known.twice.table)
    for table in tables:
        if table is not None:
            values |= {name: table.values[:, i] for i, name in enumerate(table.names)}
    if known.plot is not None:
        values["composition"] = known.plot.composition
    return Table(f"{known.measured.name}_tilt_and_strain", values)
