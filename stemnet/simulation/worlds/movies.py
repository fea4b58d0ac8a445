"""Whole movies: a specimen that drifts under the beam while single atoms hop on it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stemnet.simulation.artefacts.drift import Wander
from stemnet.simulation.artefacts.jitter import LineJitter
from stemnet.simulation.crystal import dichalcogenide
from stemnet.simulation.defects.adatoms import adatoms, sites_on
from stemnet.simulation.distortions.disorder import thermal_disorder
from stemnet.simulation.growth import grow
from stemnet.simulation.hopping import Hopping
from stemnet.simulation.microscope import Microscope
from stemnet.simulation.movement import DriftPath, Shift, carried
from stemnet.simulation.movie import Movie, simulate_movie
from stemnet.simulation.probe import Probe
from stemnet.simulation.simulator import Simulation
from stemnet.simulation.worlds.world import Shape, field_of_view

ROOM = 15.0
"""Specimen beyond the frame on every side, to drift into [A]."""


@dataclass(frozen=True)
class Film:
    """A movie before it is made.

    Parameters
    ----------
    movie : Movie
        Everything but its seed.
    about : str
        One sentence.
    """

    movie: Movie
    about: str

    def simulation(self, seed: int, name: str = "movie") -> Simulation:
        """The stack with the truth of all frames."""
        movie = self.movie
        return simulate_movie(
            movie.specimen,
            movie.microscope,
            movie.shape,
            movie.frames,
            movie.movements,
            seed=seed,
            seconds=movie.seconds,
            name=name,
        )


def pt_on_mos2(
    rng: np.random.Generator,
    *,
    shape: Shape = (128, 128),
    frames: int = 48,
    sampling: float = 0.2,
    dose: float = 4e4,
    coverage: float = 0.12,
    hops: float = 0.06,
) -> Film:
    """Film single Pt atoms that hop between the hollows of a MoS2 sheet, which drifts.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
        Of a frame [px].
    frames : int
        One a second.
    sampling : float
        [A/px]
    dose : float
        Of a frame [e-/A^2].
    coverage : float
        Share of the hollows with an atom at the start.
    hops : float
        That an atom tries between two frames, on average.

    Returns
    -------
    Film
    """
    size = field_of_view(shape, sampling) + 2 * ROOM
    sheet = grow(
        dichalcogenide(),
        tuple(size),
        orientation=rng.uniform(0, np.pi / 3),
        origin=tuple(rng.uniform(0, 1, 2)),
    )
    sheet = thermal_disorder(carried(sheet, Shift(-ROOM, -ROOM)), 0.02, rng)
    sites = sites_on(sheet, "hollow")
    specimen = adatoms(sheet, coverage, "Pt", rng, site="hollow")
    rows = tuple(range(len(sheet), len(specimen)))
    rate = np.full(len(specimen), np.nan)
    rate[len(sheet) :] = hops
    direction = rng.uniform(0, 2 * np.pi)
    drift = DriftPath(
        (0.08 * float(np.sin(direction)), 0.08 * float(np.cos(direction))), unsteadiness=0.12, memory=6.0
    )
    microscope = Microscope(
        Probe(80, 32, source_size=0.7, defocus_spread=18, tails=0.1),
        sampling=sampling,
        dose=dose,
        background=0.02,
        artefacts=(LineJitter(0.02, 0.3), Wander(0.08)),
    )
    hopping = Hopping(rows, tuple((float(y), float(x)) for y, x in sites), hops)
    movie = Movie(
        replace(specimen, planted={**specimen.planted, "hops_per_frame": rate}),
        microscope,
        shape,
        frames,
        (drift, hopping),
    )
    return Film(movie, "Single Pt atoms that hop between the hollows of a MoS2 sheet, which drifts.")
