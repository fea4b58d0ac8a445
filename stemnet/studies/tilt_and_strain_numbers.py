"""Strain, tilts, doubled cells and Vegard's slope in numbers."""

from __future__ import annotations

import numpy as np

from stemnet.descriptors.strain import NAMES
from stemnet.studies.findings import NAN, Number
from stemnet.studies.framework import first_rows
from stemnet.studies.tilt_and_strain_distortions import Distortions
from stemnet.studies.tilt_and_strain_lines import error_of, within_lines
from stemnet.studies.tilt_and_strain_octahedra import doubling_numbers, tilt_numbers
from stemnet.studies.tilt_and_strain_vegard import vegard_numbers

AIM = 1e-3  # of strain, and of rotation [rad]
HONEST = 2.0
"""Root mean square of errors over error bars in one image: motion of lines is one random curve, seen by all columns."""
XX = NAMES.index("eps_xx")
WAYS = ("positions", "geometric phase")
SHOWN = tuple(
    (i, name.removesuffix("_rad"), *((1000.0, "mrad") if name.endswith("_rad") else (100.0, "%")))
    for i, name in enumerate(NAMES[:4])
)
"""Column, name, factor and unit of each component that is told of."""


def numbers_of(known: Distortions) -> list[Number]:
    """All numbers of one input, with their truth where it is known."""
    measured, columns = known.measured, known.found.columns
    name, truth, rows = measured.name, measured.truth, first_rows(measured)
    scale, unit = (1.0, "px") if columns.sampling is None else (columns.sampling, "A")
    numbers = [Number(name, "strain: resolution, standard deviation", scale * known.maps.resolution, unit)]
    numbers += _of_lines(known)
    for way, values in zip(WAYS, (known.maps.positions, known.maps.phase), strict=True):
        numbers += _of_one_way(known, way, values)
    numbers += _of_both(known)
    if known.tilt is not None:
        numbers += tilt_numbers(name, known.tilt, columns, known.found.lattice, truth, rows)
    if known.twice is not None and known.found.lattice is not None:
        label, bond = (
            np.asarray(columns["sublattice"]),
            0.25 * float(np.hypot(*known.found.lattice.vectors.T).sum()),
        )
        numbers += doubling_numbers(name, known.twice, label, bond, truth, rows)
    if known.plot is not None:
        numbers += vegard_numbers(name, known.plot, truth, columns.yx)
    return numbers


def _of_lines(known: Distortions) -> list[Number]:
    """What the lines of a scan have moved by, as strain."""
    name = known.measured.name
    if known.lines is None:
        return [
            Number(
                name, f"standard error of {what} by motion of scan lines", times * known.maps.lines[i], unit
            )
            for i, what, times, unit in SHOWN
            if i != XX
        ]
    return [
        Number(name, f"what motion of lines adds to {what} of the first scan, by the second", 100 * size, "%")
        for what, size in zip(("du_y/dy", "du_x/dy"), known.lines, strict=True)
    ]


def _of_one_way(known: Distortions, way: str, values: np.ndarray) -> list[Number]:
    """Spread of each component of values (n, 5), and its error where the truth is known."""
    name, planted = known.measured.name, known.planted
    valid = np.isfinite(values[:, :4]).all(axis=1)
    numbers = [Number(name, f"{way}: columns with strain", float(valid.sum()))]
    if not valid.any():
        return numbers
    values = np.where(valid[:, None], values[:, :4], np.nan)
    true = np.full_like(values, np.nan) if planted is None else np.where(valid[:, None], planted, np.nan)
    for i, what, times, unit in SHOWN:
        size, spread = float(np.nanstd(values[:, i])), NAN
        if planted is not None:
            spread = float(np.nanstd(true[:, i]))
        label = f"{way}: {what}, standard deviation over the image"
        numbers.append(Number(name, label, times * size, unit, truth=times * spread))
        if planted is not None:
            numbers += _errors(known, way, i, values[:, i], true[:, i])
    return numbers


def _errors(known: Distortions, way: str, i: int, values: np.ndarray, true: np.ndarray) -> list[Number]:
    """Errors of one component (n,) against planted strain smoothed alike, and against that as it was planted."""
    name, maps = known.measured.name, known.maps
    _, what, times, unit = SHOWN[i]
    label = f"{way}: error of {what}, root mean square"
    error = error_of(values, true)
    sharp = error_of(values, np.where(np.isfinite(values), known.unsmoothed[:, i], np.nan))
    inner = error_of(*(within_lines(maps, one[:, None])[:, 0] for one in (values, true)))
    # what whole lines have in common is not known from one scan in which they have moved: the error bar says so
    against = {"not smoothed": sharp, "smoothed alike": error}
    numbers = [
        Number(name, f"{label}, against planted {how}", times * one, unit, most=times * AIM)
        for how, one in against.items()
    ]
    if maps.lines.any():
        numbers.append(
            Number(name, f"{label}, smoothed alike, within scan lines", times * inner, unit, most=times * AIM)
        )
    if way == WAYS[0] and np.isfinite(maps.sigma[:, i]).any():
        off = values - true
        pull = float(np.sqrt(np.nanmean(((off - np.nanmean(off)) / maps.sigma[:, i]) ** 2)))
        numbers.append(
            Number(name, f"{way}: error of {what} over what the error bars say", pull, most=HONEST)
        )
    return numbers


def _of_both(known: Distortions) -> list[Number]:
    """How far the two ways are apart."""
    apart = (known.maps.positions - known.maps.phase)[:, :4]
    apart = apart[np.isfinite(apart).all(axis=1)]
    if not len(apart):
        return []
    return [
        Number(
            known.measured.name, f"both ways: {what} differs by, root mean square",
            times * float(apart[:, i].std()), unit, most=times * AIM,
        )
        for i, what, times, unit in SHOWN
    ]  # fmt: skip
