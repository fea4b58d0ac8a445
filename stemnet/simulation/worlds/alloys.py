"""MoS2-ReS2: an alloy monolayer that goes from trigonal prismatic to chains of metals as rhenium gathers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stemnet.simulation.artefacts.contamination import Contamination
from stemnet.simulation.artefacts.drift import Drift, Wander
from stemnet.simulation.artefacts.flicker import Flicker
from stemnet.simulation.artefacts.jitter import LineJitter
from stemnet.simulation.crystal import Crystal
from stemnet.simulation.defects.order import ordered_substitutions, warren_cowley
from stemnet.simulation.distortions.chains import chained, local_share
from stemnet.simulation.distortions.chemical import chemically_strained
from stemnet.simulation.distortions.disorder import thermal_disorder
from stemnet.simulation.growth import grow
from stemnet.simulation.microscope import Microscope
from stemnet.simulation.probe import Probe
from stemnet.simulation.quantities.fields import Constant, Logistic, Product, WallFade, random_patches
from stemnet.simulation.quantities.profiles import Above
from stemnet.simulation.quantities.regions import Inside
from stemnet.simulation.specimen import Specimen
from stemnet.simulation.worlds.world import SHAPE, Shape, World, cropped, field_of_view

A_MOS2 = 3.16
"""Lattice constant of MoS2 [A]."""
VEGARD = 0.012
"""How much longer the mean metal spacing of ReS2 is, as a share."""
WINDOW = 3.5
"""Sigma of the window in which rhenium is counted for the local share [A]."""
ONSET = 0.5
"""Local share of rhenium at which half the chains' amplitude is reached, and sulfur changes its sites."""
SOFTNESS = 0.06
"""Of that onset, as a share of rhenium."""


def remos2(
    rng: np.random.Generator,
    rhenium: float = 0.55,
    *,
    shape: Shape = SHAPE,
    sampling: float = 0.12,
    order: float = 0.08,
    amplitude: float = 0.21,
    domain: float = 28.0,
) -> World:
    """Draw a Mo(1-x)Re(x)S2 monolayer whose metals form chains where rhenium gathers.

    Rhenium takes metal sites with a short-range order. Where its local share x
    passes a half, metals come together in diamond chains (amplitude A(x) =
    height / (1 + exp(-(x - 0.5) / 0.06))), along one of the three close-packed
    directions in each domain, and fading at the walls; there, too, the two
    sulfur layers no longer lie on top of each other (1T' in place of 1H). The
    lattice expands with the local share.

    Parameters
    ----------
    rng : numpy.random.Generator
    rhenium : float
        Share of the metals.
    shape : tuple of int
        [px]
    sampling : float
        [A/px]
    order : float
        Warren-Cowley parameter of the first shell: positive where like metals gather.
    amplitude : float
        Of the chains in pure ReS2 [A].
    domain : float
        Typical distance of the domains of chain direction [A].

    Returns
    -------
    World
    """
    size = field_of_view(shape, sampling)
    specimen = grow(
        _both_stackings(),
        tuple(size),
        orientation=rng.uniform(0, np.pi / 3),
        origin=tuple(rng.uniform(0, 1, 2)),
        margin=20.0,
    )
    specimen = ordered_substitutions(specimen, rhenium, "Re", 0, rng, order=order)
    # Sites at the rim lack neighbors, and dilute rhenium gathers there: it stays outside, and the order is read within.
    specimen = cropped(specimen, size, 14.0)
    specimen = specimen.with_field("warren_cowley", Constant(warren_cowley(specimen, 0, "Re")))
    share = local_share(specimen, "Re", WINDOW)
    patches = random_patches(tuple(size), max(3, round(size.prod() / domain**2)), 3, rng)
    grown = Product(Logistic(share, ONSET, SOFTNESS, amplitude), WallFade(patches, 2.0))
    specimen = _stacked(specimen.with_field("phase", Inside(Above(share, ONSET))))
    specimen = chained(specimen, grown, patches)
    specimen = chemically_strained(specimen, share, VEGARD, 0.0)
    specimen = cropped(thermal_disorder(specimen, 0.02, rng), size)
    microscope = Microscope(
        Probe(100, 31, defocus=6, astigmatism=6, source_size=0.65, defocus_spread=15, tails=0.1),
        sampling=sampling,
        dose=1.4e5,
        background=0.03,
        gradient=0.04,
        artefacts=(
            LineJitter(0.03, 0.5),
            Drift(0.35, -0.25),
            Wander(0.08),
            Flicker(0.01),
            Contamination(0.02),
        ),
    )
    return World(
        specimen,
        microscope,
        shape,
        f"MoS2-ReS2 monolayer with {rhenium:.0%} Re on the metal sites, chains and all.",
    )


def _both_stackings() -> Crystal:
    """The metals of MoS2 with sulfur in both kinds of hollow: sublattices 0 (metal), 1 and 2."""
    a = A_MOS2
    return Crystal(
        "MoS2",
        ((0.0, a), (a * np.sqrt(3) / 2, -a / 2)),
        ((0.0, 0.0), (2 / 3, 1 / 3), (1 / 3, 2 / 3)),
        ("Mo", "S", "S"),
        (0, 1, 2),
    )


def _stacked(specimen: Specimen) -> Specimen:
    """Put both sulfur layers into hollow 1 where the phase is 0 (1H), one into each where it is 1 (1T')."""
    prismatic = specimen.planted["phase"] == 0
    doubled = prismatic & (specimen.sublattice == 1)
    changed = replace(specimen, species=np.where(doubled, "S2", specimen.species))
    return changed.select(~(prismatic & (specimen.sublattice == 2)))


def remos2_05(rng: np.random.Generator, *, shape: Shape = SHAPE, sampling: float = 0.12) -> World:
    """Draw `remos2` with 5 % rhenium: MoS2 with a few bright columns."""
    return remos2(rng, 0.05, shape=shape, sampling=sampling)


def remos2_55(rng: np.random.Generator, *, shape: Shape = SHAPE, sampling: float = 0.12) -> World:
    """Draw `remos2` with 55 % rhenium: chains here and there."""
    return remos2(rng, 0.55, shape=shape, sampling=sampling)


def remos2_78(rng: np.random.Generator, *, shape: Shape = SHAPE, sampling: float = 0.12) -> World:
    """Draw `remos2` with 78 % rhenium: chains but where molybdenum gathers."""
    return remos2(rng, 0.78, shape=shape, sampling=sampling)


def remos2_95(rng: np.random.Generator, *, shape: Shape = SHAPE, sampling: float = 0.12) -> World:
    """Draw `remos2` with 95 % rhenium: chains everywhere."""
    return remos2(rng, 0.95, shape=shape, sampling=sampling)
