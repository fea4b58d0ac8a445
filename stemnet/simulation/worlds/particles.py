"""On a support: single platinum atoms, and a particle of gold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stemnet.simulation.artefacts.afterglow import Afterglow
from stemnet.simulation.artefacts.contamination import Contamination
from stemnet.simulation.artefacts.drift import Drift, Wander
from stemnet.simulation.artefacts.jitter import LineJitter
from stemnet.simulation.artefacts.readout import ReadNoise
from stemnet.simulation.artefacts.support import Support
from stemnet.simulation.crystal import cubic_metal
from stemnet.simulation.defects.nanoparticle import FCC_HEIGHTS, nanoparticle, wulff
from stemnet.simulation.depth import attenuated, decay_by_number
from stemnet.simulation.distortions.disorder import thermal_disorder
from stemnet.simulation.growth import disordered
from stemnet.simulation.microscope import Microscope
from stemnet.simulation.probe import Probe
from stemnet.simulation.worlds.world import SHAPE, Shape, World, cropped, field_of_view

A_GOLD = 4.078
"""Lattice constant [A]."""


def sparse_on_carbon(rng: np.random.Generator, *, shape: Shape = SHAPE, sampling: float = 0.25) -> World:
    """Draw single Pt atoms and a few pairs on amorphous carbon, as a detector signal rather than counts.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
        [px]
    sampling : float
        [A/px]

    Returns
    -------
    World
    """
    size = field_of_view(shape, sampling)
    specimen = disordered(tuple(size), separation=2.4, filling=0.045, species=("Pt",), rng=rng)
    specimen = replace(specimen, thickness=np.exp(rng.normal(0, 0.08, len(specimen))))
    microscope = Microscope(
        Probe(100, 31, source_size=0.9, defocus_spread=15, tails=0.1),
        sampling=sampling,
        dose=1.2e4,
        exponent=1.8,
        background=0.12,
        gradient=0.1,
        artefacts=(Support(0.06, 0.9), Contamination(0.05), Wander(0.05), Afterglow(0.05), ReadNoise(1.0)),
    )
    return World(specimen, microscope, shape, "Single Pt atoms on amorphous carbon, as a detector's signal.")


def au_nanoparticle(rng: np.random.Generator, *, shape: Shape = SHAPE, sampling: float = 0.12) -> World:
    """Draw a gold particle along [110] on amorphous carbon: a Wulff polyhedron, cut off by its support.

    Columns are as thick as the polyhedron is there, in whole atoms; they get
    fainter towards its rim, and their brightness saturates with thickness.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
        [px]
    sampling : float
        [A/px]

    Returns
    -------
    World
    """
    size = field_of_view(shape, sampling)
    y, x = size * rng.uniform(0.46, 0.54, 2)
    angle = rng.uniform(-np.pi, np.pi)
    radius = 0.32 * float(size.min())
    gold = cubic_metal(A_GOLD, "Au", "fcc", "110", "Au")
    body = wulff((float(y), float(x)), radius, "110", orientation=angle, cut_at=0.5 * radius)
    specimen = nanoparticle(gold, body, reach=1.5 * radius, orientation=angle, heights=FCC_HEIGHTS["110"])
    specimen = attenuated(thermal_disorder(specimen, 0.03, rng), decay_by_number(0.007), A_GOLD / np.sqrt(2))
    microscope = Microscope(
        Probe(300, 24, defocus=15, astigmatism=10, source_size=0.8, defocus_spread=15, tails=0.1),
        sampling=sampling,
        dose=5e3,
        background=0.05,
        gradient=0.05,
        artefacts=(
            Support(0.03, 1.2),
            LineJitter(0.025, 0.4),
            Drift(0.3, 0.2),
            Wander(0.05),
            Contamination(0.02),
        ),
    )
    return World(
        cropped(specimen, size), microscope, shape, "A gold particle along [110] on amorphous carbon."
    )
