"""Matter without a lattice in a crystal's place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.simulation.defects.amorphous import amorphized, amorphous_region
from stemnet.simulation.defects.pieces import spread_out
from stemnet.simulation.defects.shape import lobed
from stemnet.simulation.priors.draws import Range, uniform, unit
from stemnet.simulation.priors.lattices import UNRESOLVED
from stemnet.simulation.priors.wrongs.kinds import Growth, Wrong, apart
from stemnet.simulation.quantities.regions import HalfPlane, Region
from stemnet.simulation.specimen import Specimen


@dataclass(frozen=True)
class Amorphous(Wrong):
    """A side or a patch of the specimen that is a random packing, or a network of three bonds each.

    Parameters
    ----------
    radius : tuple of float
        Of a patch, as a share of the frame's size.
    network : float
        How often a sheet becomes a network, which takes a while to relax.
    layers : int
        Packings on top of each other in every third; their columns are hard to tell apart.
    """

    radius: Range = (0.1, 0.4)
    network: float = 0.15
    layers: int = 2

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """Where there is a crystal."""
        return len(specimen) >= 8

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Of the crystal's own species."""
        region: Region
        if rng.random() < 0.5:
            region = HalfPlane(unit(rng), growth.place(rng))
        else:
            region = lobed(growth.place(rng), uniform(rng, self.radius) * growth.size, 0.15, rng)
        network = growth.crystal.period is None and rng.random() < self.network
        layers = 1 if network or rng.random() < 2 / 3 else self.layers
        separation = max(1.05 * growth.closest, uniform(rng, (0.7, 1.0)) * growth.spacing)
        mixed = amorphous_region(
            specimen,
            region,
            separation=separation,
            species=tuple(str(s) for s in rng.choice(specimen.species, 4)),
            rng=rng,
            width=uniform(rng, (0.3, 1.5)) * growth.spacing,
            layers=layers,
            roughness=uniform(rng, (0.0, 0.3)),
            network=bool(network),
        )
        if layers == 1:
            return apart(mixed, growth)
        # Of two that are one in the image, one is enough.
        return mixed.select(spread_out(mixed.yx, UNRESOLVED * growth.width, mixed.thickness))


@dataclass(frozen=True)
class BeamDamage(Wrong):
    """A patch whose columns stand farther from their sites towards its middle, as after a beam's knocks.

    Parameters
    ----------
    radius : tuple of float
        As a share of the frame's size.
    rms : tuple of float
        Of the displacements in the middle [spacings].
    """

    radius: Range = (0.1, 0.4)
    rms: Range = (0.1, 0.5)

    def applies(self, specimen: Specimen, growth: Growth) -> bool:
        """Where there is a crystal."""
        return len(specimen) >= 8

    def draw(self, rng: np.random.Generator, specimen: Specimen, growth: Growth) -> Specimen:
        """Anywhere in the frame; where two columns meet, one is gone."""
        knocked = amorphized(
            specimen,
            growth.place(rng),
            uniform(rng, self.radius) * growth.size,
            rng,
            rms=uniform(rng, self.rms) * growth.spacing,
            width=uniform(rng, (0.5, 2.0)) * growth.spacing,
            closest=0.75 * growth.crystal.nearest_spacing,
        )
        return apart(knocked, growth)
