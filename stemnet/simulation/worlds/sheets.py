"""Single sheets: graphene, MoS2 with its defects, and WSSe that turns from Janus to selenide."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stemnet.simulation.artefacts.contamination import Contamination
from stemnet.simulation.artefacts.drift import Drift, Wander
from stemnet.simulation.artefacts.flicker import Flicker
from stemnet.simulation.artefacts.jitter import LineJitter
from stemnet.simulation.crystal import composition, dichalcogenide, honeycomb
from stemnet.simulation.defects.point import substitutions, two_layers, vacancies
from stemnet.simulation.defects.shape import stepped_edge, without_dangling
from stemnet.simulation.deformation import smoothly_strained, with_strain
from stemnet.simulation.distortions.disorder import thermal_disorder
from stemnet.simulation.growth import grow
from stemnet.simulation.microscope import Microscope
from stemnet.simulation.probe import Probe
from stemnet.simulation.quantities.profiles import Graded
from stemnet.simulation.specimen import Specimen
from stemnet.simulation.worlds.world import SHAPE, Shape, World, cropped, field_of_view


def graphene_low_dose(
    rng: np.random.Generator,
    *,
    shape: Shape = SHAPE,
    sampling: float = 0.1,
    silicon: float = 0.008,
    vacant: float = 0.006,
    dose: float = 6e5,
) -> World:
    """Draw graphene in some 220 electrons an atom, with Si on C sites, vacancies and long waves of strain.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
        [px]
    sampling : float
        [A/px]
    silicon, vacant : float
        Share of one sublattice's sites with Si, and of all sites that are empty.
    dose : float
        [e-/A^2]

    Returns
    -------
    World
    """
    size = field_of_view(shape, sampling)
    specimen = grow(
        honeycomb(), tuple(size), orientation=rng.uniform(0, np.pi / 3), origin=tuple(rng.uniform(0, 1, 2))
    )
    specimen = substitutions(specimen, silicon, "Si", 0, rng)
    specimen = vacancies(specimen, vacant, rng)
    specimen = with_strain(smoothly_strained(specimen, 0.005, 40.0, rng))
    microscope = Microscope(
        Probe(60, 36, source_size=0.6, defocus_spread=18, tails=0.05),
        sampling=sampling,
        dose=dose,
        background=0.02,
        artefacts=(LineJitter(0.015, 0.3), Wander(0.05)),
    )
    return World(
        cropped(specimen, size),
        microscope,
        shape,
        "Graphene in few electrons, with Si in C sites, vacancies and strain.",
    )


def mos2_defects(
    rng: np.random.Generator,
    *,
    shape: Shape = SHAPE,
    sampling: float = 0.12,
    rhenium: float = 0.03,
    vacant: float = 0.08,
) -> World:
    """Draw a MoS2 flake that ends in vacuum, with single and double S vacancies and Re on Mo sites.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : tuple of int
        [px]
    sampling : float
        [A/px]
    rhenium, vacant : float
        Share of the Mo sites with Re, and of the S2 columns that lack one or both atoms.

    Returns
    -------
    World
    """
    size = field_of_view(shape, sampling)
    angle = rng.uniform(0, np.pi / 3)
    specimen = grow(dichalcogenide(), tuple(size), orientation=angle, origin=tuple(rng.uniform(0, 1, 2)))
    specimen = substitutions(specimen, rhenium, "Re", 0, rng)
    # The edge runs along the close-packed rows that lie closest to upright, the flake to its left.
    turn = min(angle + np.pi / 3 * np.arange(6), key=np.sin)
    normal = (float(np.cos(turn)), float(np.sin(turn)))
    specimen = stepped_edge(
        specimen,
        through=(float(size[0] / 2), float(0.78 * size[1])),
        normal=normal,
        step=3.16 / 2 * np.sqrt(3),
        terrace=12.0,
        rng=rng,
    )
    specimen = without_dangling(specimen, 2, 1.95)
    specimen = vacancies(specimen, vacant, rng, sublattice=1)
    specimen = with_strain(smoothly_strained(specimen, 0.004, 50.0, rng))
    specimen = cropped(thermal_disorder(specimen, 0.025, rng), size)
    microscope = Microscope(
        Probe(80, 32, defocus=5, astigmatism=6, source_size=0.65, defocus_spread=18, tails=0.12),
        sampling=sampling,
        dose=1.2e5,
        background=0.01,
        artefacts=(LineJitter(0.02, 0.3), Drift(0.2, 0.2), Wander(0.05), Contamination(0.01)),
    )
    return World(
        specimen, microscope, shape, "A MoS2 flake that ends in vacuum, with S vacancies and Re on Mo sites."
    )


def wsse_janus(rng: np.random.Generator, *, shape: Shape = SHAPE, sampling: float = 0.12) -> World:
    """Draw WSSe whose top layer turns from S to Se more and more along x, with vacancies in both layers.

    The top layer holds Se with a chance that rises from 0 to 0.97 along x,
    else S, and nothing with 0.03; the bottom layer Se 0.93, S 0.05, nothing 0.02.

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
    specimen = grow(
        dichalcogenide("W", "S", "Se", 3.25, "WSSe"),
        tuple(size),
        orientation=rng.uniform(0, np.pi / 3),
        origin=tuple(rng.uniform(0, 1, 2)),
    )
    specimen = specimen.with_field("top_selenium_share", Graded((0.0, 0.0), (0.0, float(size[1])), 0.0, 1.0))
    share = specimen.planted["top_selenium_share"]
    specimen = two_layers(
        specimen,
        1,
        {"S": 0.97 * (1 - share), "Se": 0.97 * share, "": 0.03},
        {"S": 0.05, "Se": 0.93, "": 0.02},
        rng,
    )
    specimen = cropped(thermal_disorder(_counted(specimen), 0.025, rng), size)
    microscope = Microscope(
        Probe(80, 32, astigmatism=6, coma=80, source_size=0.7, defocus_spread=18, tails=0.1),
        sampling=sampling,
        dose=1.0e5,
        background=0.04,
        gradient=0.04,
        artefacts=(LineJitter(0.025, 0.4), Drift(0.0, 0.3), Flicker(0.01), Contamination(0.03)),
    )
    return World(
        specimen,
        microscope,
        shape,
        "WSSe, its S layer turned to Se more and more along x, with vacancies in both.",
    )


def _counted(specimen: Specimen) -> Specimen:
    """Plant how many chalcogen atoms a column has, how many are Se, and the share of its atoms that is there."""
    names, row = np.unique(specimen.species, return_inverse=True)
    atoms = [composition(str(name)) for name in names]
    selenium = np.array([int(one.get("Se", 0)) for one in atoms])[row]
    chalcogen = np.array([int(one.get("Se", 0) + one.get("S", 0)) for one in atoms])[row]
    metal = specimen.sublattice == 0
    if specimen.vacant is not None:
        empty = replace(specimen.vacant, species=np.full(len(specimen.vacant), "SSe"))
        specimen = replace(specimen, vacant=empty)
    return specimen.with_planted(
        selenium=selenium, chalcogen=chalcogen, occupancy=np.where(metal, 1.0, chalcogen / 2)
    )
