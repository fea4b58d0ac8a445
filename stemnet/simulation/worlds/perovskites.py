"""SrTiO3: a beam off its axis and nothing else, and octahedra that turn in a strained lattice."""

from __future__ import annotations

import numpy as np

from stemnet.simulation.artefacts.drift import Drift, Wander
from stemnet.simulation.artefacts.inversion import Inversion
from stemnet.simulation.artefacts.jitter import LineJitter
from stemnet.simulation.artefacts.kinds import ScanError
from stemnet.simulation.crystal import perovskite
from stemnet.simulation.deformation import with_strain
from stemnet.simulation.depth import attenuated, decay_by_number
from stemnet.simulation.distortions.beam import mistilted
from stemnet.simulation.distortions.disorder import thermal_disorder
from stemnet.simulation.distortions.elastic import with_inclusion
from stemnet.simulation.distortions.tilts import tilted_octahedra
from stemnet.simulation.growth import grow
from stemnet.simulation.microscope import Microscope
from stemnet.simulation.probe import Probe
from stemnet.simulation.quantities.fields import Ramp, random_quantity
from stemnet.simulation.specimen import Specimen
from stemnet.simulation.worlds.world import SHAPE, Shape, World, cropped, field_of_view

A_SRTIO3 = 3.905
"""Lattice constant [A]."""
LOSS = decay_by_number(0.007)
"""How soon electrons leave a column [1/A], by its heaviest element; that of Au is 0.007."""
GUIDING = 1.25
"""Share of the geometric shift under a tilted beam that channeling undoes in 28 nm of SrTiO3 (docs/physics.md)."""


def srtio3_mistilt(
    rng: np.random.Generator,
    *,
    shape: Shape = SHAPE,
    sampling: float = 0.16,
    thickness: float = 280.0,
    tilt: float = 0.012,
) -> World:
    """Draw cubic SrTiO3 under a beam off its axis by some mrad: it looks polar, by some picometers, and is not.

    A beam that channels follows its columns; of the shift that geometry gives,
    1.25 times as much is taken back, as multislice asks of a foil this thick.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
        [px]
    sampling : float
        [A/px]
    thickness : float
        [A]
    tilt : float
        Of the columns to the beam in the middle of the frame, in a random
        direction [rad]; it grows by half of that from edge to edge along x, as in a bent foil.

    Returns
    -------
    World
    """
    size = field_of_view(shape, sampling)
    specimen = grow(
        perovskite(A_SRTIO3),
        tuple(size),
        orientation=rng.uniform(-0.1, 0.1),
        origin=tuple(rng.uniform(0, 1, 2)),
        thickness=thickness,
    )
    angle = rng.uniform(0, 2 * np.pi)
    middle = (float(size[0] / 2), float(size[1] / 2))
    tilt_y, tilt_x = (
        Ramp(tilt * part, (0.0, 0.5 * tilt * part / float(size[1])), middle)
        for part in (float(np.sin(angle)), float(np.cos(angle)))
    )
    specimen = attenuated(specimen, LOSS, A_SRTIO3)
    specimen = mistilted(specimen, (tilt_y, tilt_x), LOSS, A_SRTIO3, GUIDING)
    microscope = Microscope(
        Probe(200, 25, defocus=12, astigmatism=8, source_size=0.8, defocus_spread=20, tails=0.15),
        sampling=sampling,
        dose=2e4,
        background=0.15,
        gradient=0.08,
        artefacts=(LineJitter(0.02, 0.4), Drift(-0.2, 0.3), Wander(0.05)),
    )
    return World(
        cropped(thermal_disorder(specimen, 0.01, rng), size),
        microscope,
        shape,
        "Cubic SrTiO3 under a beam some mrad off its axis: an apparent polarization that is none.",
    )


def srtio3_tilt_strain(rng: np.random.Generator, *, shape: Shape = SHAPE, sampling: float = 0.12) -> World:
    """Draw SrTiO3 with octahedra turned in phase about the beam (a0a0c+) and an inclusion that strains it, in HAADF.

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
    microscope = Microscope(
        Probe(300, 28, defocus=4, astigmatism=5, source_size=0.6, defocus_spread=15, tails=0.08),
        sampling=sampling,
        dose=6e4,
        background=0.06,
        artefacts=_scan(),
    )
    return World(
        _turned_and_strained(rng, shape, sampling),
        microscope,
        shape,
        "SrTiO3 with octahedra turned in phase about the beam, strained by an inclusion; O is hardly seen.",
    )


def srtio3_tilt_strain_abf(
    rng: np.random.Generator, *, shape: Shape = SHAPE, sampling: float = 0.12
) -> World:
    """Draw what `srtio3_tilt_strain` draws, with dark columns among which oxygen is seen, as in annular bright field.

    Contrast goes with Z^0.7 here; it imitates the look of annular bright field
    and leaves out its interference.

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
    microscope = Microscope(
        Probe(300, 28, defocus=4, astigmatism=5, source_size=0.6, defocus_spread=15, tails=0.08),
        sampling=sampling,
        dose=6e4,
        exponent=0.7,
        background=0.0,
        artefacts=(*_scan(), Inversion(0.45)),
    )
    return World(
        _turned_and_strained(rng, shape, sampling),
        microscope,
        shape,
        "The specimen of srtio3_tilt_strain with dark columns, as in annular bright field; O is seen.",
    )


def _scan() -> tuple[ScanError, ...]:
    # Nothing else is drawn before the scan in either image, so that both have the same.
    return LineJitter(0.015, 0.5), Drift(0.2, -0.2), Wander(0.05)


def _turned_and_strained(rng: np.random.Generator, shape: Shape, sampling: float) -> Specimen:
    size = field_of_view(shape, sampling)
    specimen = grow(
        perovskite(A_SRTIO3),
        tuple(size),
        orientation=rng.uniform(-0.1, 0.1),
        origin=tuple(rng.uniform(0, 1, 2)),
        thickness=30 * A_SRTIO3,
    )
    y, x = size * rng.uniform(0.4, 0.6, 2)
    specimen = with_strain(with_inclusion(specimen, (float(y), float(x)), 0.22 * float(size.min()), 0.025))
    share = random_quantity(0.6, 0.3, 14.0, rng, low=0.1, high=1.0)
    specimen = tilted_octahedra(specimen, "a0a0c+", (0.0, 0.0, 0.11), share=share)
    specimen = attenuated(thermal_disorder(specimen, 0.01, rng), LOSS, A_SRTIO3)
    return cropped(specimen, size)
