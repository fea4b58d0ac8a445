"""Strain, tilts, doubled cells and Vegard's slope in numbers."""

from __future__ import annotations

import numpy as np

from stemnet.descriptors.strain import NAMES
from stemnet.studies.findings import NAN, Number
from stemnet.studies.framework import first_rows
from stemnet.studies.tilt_and_strain_distortions import Distortions
from stemnet.studies.tilt_and_strain_maps import STRIP, error_of
from stemnet.studies.tilt_and_strain_octahedra import doubling_numbers, tilt_numbers
from stemnet.studies.tilt_and_strain_vegard import vegard_numbers

AIM = 1e-3  # of strain, and of rotation [rad]
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
    for way, values in zip(WAYS, (known.maps.positions, known.maps.phase), strict=True):
        numbers += _of_one_way(known, way, values)
    numbers += _of_both(known)
    if known.tilt is not None:
        numbers += tilt_numbers(name, known.tilt, truth, rows)
    if known.twice is not None and known.found.lattice is not None:
        label, bond = (
            np.asarray(columns["sublattice"]),
            0.25 * float(np.hypot(*known.found.lattice.vectors.T).sum()),
        )
        numbers += doubling_numbers(name, known.twice, label, bond, truth, rows)
    if known.plot is not None:
        numbers += vegard_numbers(name, known.plot, truth, columns.yx)
    return numbers


def _of_one_way(known: Distortions, way: str, values: np.ndarray) -> list[Number]:
    """Spread of each component of values (n, 5), and its error where the truth is known."""
    name, maps, planted = known.measured.name, known.maps, known.planted
    valid = np.isfinite(values[:, :4]).all(axis=1)
    numbers = [Number(name, f"{way}: columns with strain", float(valid.sum()))]
    if not valid.any():
        return numbers
    for i, what, times, unit in SHOWN:
        spread, error, rest = NAN, NAN, NAN
        if planted is not None:
            true = np.where(valid, planted[:, i], np.nan)
            spread = float(np.nanstd(true))
            error, rest = error_of(values[:, i], true, maps.yx[:, 0], STRIP * maps.resolution)
        size = float(np.nanstd(values[:, i]))
        label = f"{way}: {what}, standard deviation over the image"
        numbers.append(Number(name, label, times * size, unit, truth=times * spread))
        if planted is not None:
            label = f"{way}: error of {what}, root mean square"
            sharp = known.unsmoothed[:, i]
            blurred, _ = error_of(values[:, i], sharp, maps.yx[:, 0], STRIP * maps.resolution)
            numbers += [
                Number(
                    name, f"{label}, against what was planted, not smoothed", times * blurred, unit,
                    most=times * AIM,
                ),
                Number(name, label, times * error, unit, most=times * AIM),
                Number(
                    name, f"{label}, less what whole scan lines have in common", times * rest, unit,
                    most=times * AIM,
                ),
            ]  # fmt: skip
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
