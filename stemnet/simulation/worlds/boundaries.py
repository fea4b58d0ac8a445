"""Silicon dumbbells, a grain boundary of SrTiO3, and edge dislocations in GaN."""

from __future__ import annotations

import numpy as np

from stemnet.simulation.artefacts.contamination import Contamination
from stemnet.simulation.artefacts.drift import Drift, Wander
from stemnet.simulation.artefacts.flyback import Flyback
from stemnet.simulation.artefacts.hum import Hum
from stemnet.simulation.artefacts.jitter import LineJitter
from stemnet.simulation.crystal import perovskite, zinc_blende
from stemnet.simulation.defects.boundaries import tilt_boundary
from stemnet.simulation.defects.dislocations import dislocated
from stemnet.simulation.defects.shape import wedge
from stemnet.simulation.depth import attenuated, decay_by_number
from stemnet.simulation.distortions.disorder import thermal_disorder
from stemnet.simulation.growth import grow
from stemnet.simulation.library import crystal
from stemnet.simulation.microscope import Microscope
from stemnet.simulation.probe import Probe
from stemnet.simulation.specimen import rotation
from stemnet.simulation.worlds.world import SHAPE, Shape, World, cropped, field_of_view

LOSS = decay_by_number(0.007)
"""How soon electrons leave a column [1/A], by its heaviest element; that of Au is 0.007."""


def si110_dumbbells(
    rng: np.random.Generator, *, shape: Shape = SHAPE, sampling: float = 0.1, dose: float = 6000.0
) -> World:
    """Draw Si along [110]: pairs of columns 1.36 A apart, few electrons, a wedge.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
        [px]
    sampling : float
        [A/px]
    dose : float
        [e-/A^2]

    Returns
    -------
    World
    """
    size = field_of_view(shape, sampling)
    silicon = zinc_blende()
    specimen = grow(
        silicon, tuple(size), orientation=rng.uniform(-np.pi, np.pi), origin=tuple(rng.uniform(0, 1, 2))
    )
    specimen = wedge(specimen, (0.0, 0.0), (float(size[0]), float(size[1])), 40.0, 60.0)
    microscope = Microscope(
        Probe(300, 22, defocus=15, source_size=0.7, defocus_spread=15, tails=0.15),
        sampling=sampling,
        dose=dose,
        background=0.2,
        gradient=0.1,
        artefacts=(LineJitter(0.02, 0.3), Wander(0.03)),
    )
    return World(
        cropped(thermal_disorder(specimen, 0.015, rng), size),
        microscope,
        shape,
        "Si along [110]: pairs of columns 1.36 A apart, few electrons, a wedge.",
    )


def grain_boundary(
    rng: np.random.Generator,
    *,
    shape: Shape = SHAPE,
    sampling: float = 0.15,
    misorientation: float = 2 * float(np.arctan(1 / 3)),
) -> World:
    """Draw a symmetric tilt boundary of SrTiO3, sigma 5 (310) as it stands: 36.87 degrees about [001].

    Columns at the boundary are placed by their distances alone; its atomic
    structure is not that of a calculation.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
        [px]
    sampling : float
        [A/px]
    misorientation : float
        [rad]

    Returns
    -------
    World
    """
    size = field_of_view(shape, sampling)
    lean = rng.uniform(-0.15, 0.15)
    oxide = perovskite(3.905)
    specimen = tilt_boundary(
        oxide,
        tuple(size),
        misorientation,
        orientation=lean - misorientation / 2,
        through=(float(size[0] / 2), float(size[1] * rng.uniform(0.42, 0.58))),
        normal=tuple((rotation(lean) @ np.array([0.0, 1.0])).tolist()),
        thickness=30 * 3.905,
    )
    specimen = attenuated(thermal_disorder(specimen, 0.02, rng), LOSS, 3.905)
    microscope = Microscope(
        Probe(200, 25, defocus=10, astigmatism=10, source_size=0.85, defocus_spread=20, tails=0.12),
        sampling=sampling,
        dose=1.2e4,
        background=0.12,
        gradient=0.1,
        artefacts=(
            LineJitter(0.025, 0.4),
            Drift(0.3, -0.3),
            Hum(0.01, 0.03, dwell=12.0),
            Contamination(0.03),
        ),
    )
    return World(
        cropped(specimen, size), microscope, shape, "A 36.87-degree tilt boundary of SrTiO3 along [001]."
    )


def dislocations(
    rng: np.random.Generator, *, shape: Shape = SHAPE, sampling: float = 0.13, apart: float = 30.0
) -> World:
    """Draw GaN along [0001] with a dipole of threading edge dislocations, b = 1/3 <11-20>.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
        [px]
    sampling : float
        [A/px]
    apart : float
        Distance of the two cores [A].

    Returns
    -------
    World
    """
    size = field_of_view(shape, sampling)
    nitride = crystal("GaN", "0001")
    period = float(nitride.period or 0)
    angle = rng.uniform(0, np.pi / 3)
    specimen = grow(
        nitride,
        tuple(size),
        orientation=angle,
        origin=tuple(rng.uniform(0, 1, 2)),
        margin=16.0,
        thickness=20 * period,
    )
    burgers = np.array(nitride.cell[0]) @ rotation(angle).T
    between = rotation(rng.uniform(0, 2 * np.pi)) @ np.array([0.0, apart / 2])
    middle = size * rng.uniform(0.42, 0.58, 2)
    specimen = dislocated(
        specimen,
        [tuple((middle + between).tolist()), tuple((middle - between).tolist())],
        [tuple(burgers.tolist()), tuple((-burgers).tolist())],
    )
    specimen = attenuated(thermal_disorder(specimen, 0.015, rng), LOSS, period)
    microscope = Microscope(
        Probe(300, 26, defocus=5, astigmatism=8, source_size=0.65, defocus_spread=15, tails=0.1),
        sampling=sampling,
        dose=1.5e4,
        background=0.1,
        gradient=0.05,
        artefacts=(LineJitter(0.02, 0.5), Drift(0.2, 0.3), Wander(0.05), Flyback(0.3, 0.04)),
    )
    return World(
        cropped(specimen, size), microscope, shape, "GaN along [0001] with a dipole of edge dislocations."
    )
