"""Cases of `tilt_and_strain` that no bundled image is: a low dose, no scan errors, and a second scan at 90 degrees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from stemnet.micrograph import Micrograph
from stemnet.simulation.artefacts.kinds import ScanError
from stemnet.simulation.simulator import Simulation
from stemnet.simulation.worlds.perovskites import srtio3_tilt_strain, srtio3_tilt_strain_abf
from stemnet.simulation.worlds.world import World

DOSE = 1e4
"""[e-/A^2]"""
BUNDLED = 13
"""Seed of the bundled images."""
SECOND = 500
"""What is added to a seed for the second scan."""
MOVED = (0.9, -0.6)
"""By how much the specimen moves between two scans, along y and x [A]."""
TURN = 90
"""The second image, turned counterclockwise by it, shows what the first does [deg]."""


@dataclass(frozen=True)
class Across(ScanError):
    """Scan errors of lines that are written along y, one column after the other.

    Parameters
    ----------
    errors : tuple of ScanError
        Whose offsets whole lines share.
    """

    errors: tuple[ScanError, ...]

    def offsets(
        self, shape: tuple[int, int], sampling: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Those of a frame with height and width exchanged, turned by `TURN`."""
        slow, fast = sum(one.offsets(shape[::-1], sampling, rng)[0] for one in self.errors).T
        moved = np.array(MOVED) / sampling
        return np.zeros((shape[0], 2)), np.stack([moved[0] - fast, moved[1] + slow])[:, None]


def cases(seed: int | None) -> Iterator[tuple[str, list[tuple[str, Simulation]], dict[str, int]]]:
    """Name of a case, its images with their names, and what the study is told besides.

    Parameters
    ----------
    seed : int or None
        Of the worlds; None for that of the bundled images.

    Yields
    ------
    str, list of (str, Simulation), dict
    """
    seed = BUNDLED if seed is None else seed
    still, wandering, two = (
        "no scan errors",
        "scan errors as bundled",
        "two scans at 90 deg, errors as bundled",
    )
    for make in (srtio3_tilt_strain, srtio3_tilt_strain_abf):
        world = make(np.random.default_rng([seed, 0]))
        world = replace(world, microscope=replace(world.microscope, dose=DOSE))
        errors = world.microscope.of_kind(ScanError)
        rest = tuple(one for one in world.microscope.artefacts if one not in errors)
        name = f"{make.__name__}, dose {DOSE:g}"
        yield still, [(f"{name}, {still}", _with(world, rest).simulation(seed))], {}
        first = world.simulation(seed)
        yield wandering, [(f"{name}, {wandering}", first)], {}
        across = _with(world, (*rest, Across(errors))).simulation(seed + SECOND)
        image = np.ascontiguousarray(np.rot90(across.micrograph.image, -TURN // 90))
        second = replace(across, micrograph=Micrograph(image, across.micrograph.sampling))
        yield two, [(f"{name}, {two}", first), ("second scan", second)], {"second_scan": TURN}


def _with(world: World, artefacts: tuple) -> World:
    return replace(world, microscope=replace(world.microscope, artefacts=artefacts))
