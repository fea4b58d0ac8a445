"""An oxide like the M2 phase of Mo-V-Te-O catalysts: rings of octahedra with tellurium off their middle."""

from __future__ import annotations

import numpy as np

from stemnet.simulation.artefacts.contamination import Contamination
from stemnet.simulation.artefacts.drift import Drift, Wander
from stemnet.simulation.artefacts.flyback import Flyback
from stemnet.simulation.artefacts.jitter import LineJitter
from stemnet.simulation.deformation import with_strain
from stemnet.simulation.depth import attenuated, decay_by_number
from stemnet.simulation.distortions.disorder import thermal_disorder
from stemnet.simulation.distortions.elastic import graded
from stemnet.simulation.distortions.polar import polarized
from stemnet.simulation.distortions.textures import direction
from stemnet.simulation.distortions.walls import neutral_wall
from stemnet.simulation.growth import grow
from stemnet.simulation.library import crystal
from stemnet.simulation.microscope import Microscope
from stemnet.simulation.occupation import drawn_contents
from stemnet.simulation.probe import Probe
from stemnet.simulation.worlds.world import SHAPE, Shape, World, cropped, field_of_view


def mvteo_m2(
    rng: np.random.Generator,
    *,
    shape: Shape = SHAPE,
    sampling: float = 0.15,
    offset: float = 0.35,
    shear: float = 0.012,
) -> World:
    """Draw an M2-like Mo-V-Te oxide along c: Te off the middle of its rings, two domains of that, and a shear field.

    Mo and V share the metal sites at random (3 to 1), and a tenth of the Te is
    missing; both are drawn atom by atom.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
        [px]
    sampling : float
        [A/px]
    offset : float
        Of the ring's content against the ring [A]; opposite in the two domains.
    shear : float
        du_y/dx grows from minus to plus this from the left edge to the right.

    Returns
    -------
    World
    """
    size = field_of_view(shape, sampling)
    oxide = crystal("M2-like")
    period = float(oxide.period or 0)
    specimen = grow(
        oxide,
        tuple(size),
        orientation=rng.uniform(0, np.pi / 3),
        origin=tuple(rng.uniform(0, 1, 2)),
        margin=12.0,
        thickness=24 * period,
    )
    way = np.array(direction(rng.uniform(0, 2 * np.pi)))
    through = size * rng.uniform(0.42, 0.58, 2)
    wall = neutral_wall(
        (float(way[0]), float(way[1])),
        (float(-way[0]), float(-way[1])),
        (float(through[0]), float(through[1])),
        5.0,
    )
    specimen = polarized(specimen, wall, {0: offset}, cage=1, center=0)
    middle = (float(size[0] / 2), float(size[1] / 2))
    specimen = graded(specimen, (2 * shear / float(size[1]), 0.0), normal=(0.0, 1.0), through=middle)
    specimen = drawn_contents(with_strain(specimen), rng)
    specimen = attenuated(thermal_disorder(specimen, 0.025, rng), decay_by_number(0.007), period)
    microscope = Microscope(
        Probe(200, 25, defocus=8, astigmatism=10, source_size=0.85, defocus_spread=20, tails=0.12),
        sampling=sampling,
        dose=1.0e4,
        background=0.1,
        gradient=0.06,
        artefacts=(
            LineJitter(0.03, 0.5),
            Drift(0.3, 0.3),
            Wander(0.06),
            Flyback(0.5, 0.05),
            Contamination(0.04),
        ),
    )
    return World(
        cropped(specimen, size),
        microscope,
        shape,
        "An oxide like the M2 phase: rings of (Mo, V)O6 with Te off their middle, and a field of shear.",
    )
