"""Amorphous matter: beside a crystal, within it, or on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.defects.glass import random_network, scattered
from stemnet.simulation.defects.pieces import bounded, spread_out
from stemnet.simulation.defects.point import marked
from stemnet.simulation.defects.shape import lobed
from stemnet.simulation.quantities.profiles import SoftStep, settled
from stemnet.simulation.quantities.regions import Inside, Outside, Region, Vector
from stemnet.simulation.specimen import Specimen, joined


@dataclass(frozen=True)
class Crystallinity:
    """The order that a region of disorder leaves: 1 in the crystal, 0 in the disorder, soft between them."""

    disorder: Region
    width: float

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Values (N,)."""
        return SoftStep(Outside(self.disorder), self.width)(yx)


def amorphous_region(
    specimen: Specimen,
    region: Region,
    *,
    separation: float,
    species: tuple[str, ...],
    rng: np.random.Generator,
    width: float = 2.0,
    layers: int = 1,
    roughness: float = 0.5,
    network: bool = False,
) -> Specimen:
    """Replace a region of a crystal by a random packing or network.

    Towards the region the columns of the crystal stand less and less on their
    sites; from the middle of the interface on there is only the glass. This is
    geometry: of the bonds of a glass only the number at each column is
    modeled, and that only in a network.

    Parameters
    ----------
    specimen : Specimen
        Which fixes how far the packing reaches.
    region : Region
        What becomes amorphous.
    separation : float
        Least distance between columns of one layer, and between these and the crystal's [A].
    species : tuple of str
        Drawn with equal chance; give one twice for twice the chance.
    rng : numpy.random.Generator
    width : float
        Half width of the interface [A].
    layers : int
        Independent packings on top of each other. One is a glassy sheet, with
        columns that can be told apart; many make the speckle of a thick film.
        The thickness is the crystal's median one, divided among them.
    roughness : float
        Of the displacements at the interface, as a share of the separation, rms.
    network : bool
        Three bonds at each column and rings of any size, as in amorphous
        monolayer carbon, rather than a dense packing; the bonds are then 1.2
        separations long.

    Returns
    -------
    Specimen
        With the field ``order`` (1 crystal, 0 amorphous), and ``defect``.

    Raises
    ------
    StemnetError
        If there is not one layer.
    """
    if layers < 1:
        raise StemnetError(f"{layers} layers of amorphous matter were asked for; give one or more.")
    order = Crystallinity(region, width)
    share = order(specimen.yx)
    shaken = specimen.displaced(
        rng.normal(0, 1, specimen.yx.shape) * (roughness * separation * 4 * share * (1 - share))[:, None]
    ).with_field("order", order)
    crystal = marked(shaken, np.zeros(0, dtype=int), "")
    crystal = bounded(crystal, Outside(region))
    thickness = float(np.median(specimen.thickness)) if len(specimen) else 1.0
    packing = _packing(specimen, separation, species, rng, layers, thickness / layers, network=network)
    packing = packing.select(region(packing.yx) > 0)
    return _beside(crystal, packing, separation)


def oxidized(
    specimen: Specimen,
    depth: float,
    *,
    separation: float,
    species: tuple[str, ...],
    rng: np.random.Generator,
    layers: int = 4,
    share: float = 1.0,
    roughness: float = 0.1,
) -> Specimen:
    """Cover the edge of a specimen by an amorphous film that ends in vacuum.

    Parameters
    ----------
    specimen : Specimen
        Cut by `shaped`, so that the depth below its rim is known.
    depth : float
        Mean thickness of the film, in the image plane [A].
    separation, species, rng, layers
        As in `amorphous_region`.
    share : float
        Thickness of the film along the beam over that of the crystal.
    roughness : float
        How far its outer rim varies, rms, as a share of its depth.

    Returns
    -------
    Specimen
        With the field ``order`` (1 crystal, 0 beyond), and ``defect``.

    Raises
    ------
    StemnetError
        If the specimen has no rim.
    """
    if "edge_distance_A" not in specimen.fields or not len(specimen):
        raise StemnetError(
            "The specimen to be oxidized has no rim; end it with `shaped` or `stepped_edge` first."
        )
    packing = _packing(
        specimen,
        separation,
        species,
        rng,
        layers,
        float(np.median(specimen.thickness)) * share / layers,
        2 * depth,
    )
    outside = -specimen.field_at("edge_distance_A", packing.yx)
    phase, period = rng.uniform(0, 2 * np.pi), 8 * depth
    wave = np.sin((packing.yx - specimen.yx.min(0)) @ np.array([1.0, 1.3]) * 2 * np.pi / period + phase)
    film = packing.select((outside > 0) & (outside < depth * (1 + roughness * np.sqrt(2) * wave)))
    crystal = marked(specimen, np.zeros(0, dtype=int), "")
    return _beside(
        crystal.with_field("order", Inside(settled(specimen, "edge_distance_A"))), film, separation
    )


def amorphized(
    specimen: Specimen,
    center: Vector,
    radius: float,
    rng: np.random.Generator,
    *,
    rms: float = 0.8,
    width: float = 4.0,
    closest: float = 1.0,
    irregular: float = 0.15,
) -> Specimen:
    """Let columns stand farther from their sites the deeper in a region they are, as after a beam's knocks.

    Parameters
    ----------
    specimen : Specimen
    center : tuple of float
        Of the damage [A].
    radius : float
        [A]
    rng : numpy.random.Generator
    rms : float
        Of the displacements at the center, an axis [A].
    width : float
        Half width of the rim [A].
    closest : float
        Of two columns that come closer than this, one goes and is vacant [A].
    irregular : float
        As in `holes`.

    Returns
    -------
    Specimen
        With the field ``order``: the displacements are rms (1 - order).
    """
    order = Crystallinity(lobed(center, radius, irregular, rng), width)
    share = 1 - order(specimen.yx)
    knocks = rng.normal(0, rms, specimen.yx.shape) * share[:, None]
    moved = specimen.displaced(knocks).with_field("order", order)
    # What has not moved is as close as the crystal has it.
    groups = np.where(share < 0.02, -1, np.arange(len(share)))
    keep = spread_out(moved.yx, closest, moved.planted["order"], groups)
    return moved.without(~keep)


def _packing(
    specimen: Specimen,
    separation: float,
    species: tuple[str, ...],
    rng: np.random.Generator,
    layers: int,
    thickness: float,
    margin: float = 0.0,
    network: bool = False,
) -> Specimen:
    """Random sets on top of each other, over all that the specimen covers and a margin around it [A]."""
    low = (specimen.yx.min(0) if len(specimen) else np.zeros(2)) - margin
    size = (np.ptp(specimen.yx, axis=0) if len(specimen) else np.zeros(2)) + 2 * margin
    sets = []
    for _ in range(layers):
        if network:
            sets.append(random_network(low, low + size, separation, rng))
        else:
            sets.append(scattered(low, size, separation, rng))
    yx = np.concatenate(sets)
    return Specimen(
        yx=yx,
        species=rng.choice(np.array(species), len(yx)),
        sublattice=np.full(len(yx), -1),
        displacement=np.zeros_like(yx),
        thickness=np.full(len(yx), thickness),
    )


def _beside(crystal: Specimen, packing: Specimen, separation: float) -> Specimen:
    """Join the two; what is too close to the crystal goes, and what is a function of place is planted on both."""
    packing = marked(packing, np.arange(len(packing)), "amorphous")
    known = {name: crystal.field_at(name, packing.yx) for name in crystal.fields}
    whole = joined(crystal, packing.with_planted(**known))
    belongs = (np.arange(len(whole)) >= len(crystal)).astype(int)
    return whole.select(spread_out(whole.yx, separation, 1.0 - belongs, belongs))
