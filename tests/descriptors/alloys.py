"""Metal sublattices of alloys with planted order, with the species for certain, for the tests of composition."""

import numpy as np

from stemnet.columns import Columns
from stemnet.descriptors.neighbors import lattice_of
from stemnet.descriptors.shells import lattice_shells
from stemnet.simulation.crystal import dichalcogenide
from stemnet.simulation.defects.order import ordered_substitutions, warren_cowley
from stemnet.simulation.examples import load_example
from stemnet.simulation.growth import grow

SERIES = ("remos2_05", "remos2_55", "remos2_78", "remos2_95")


def metals(name):
    columns = load_example(name).columns
    lattice = lattice_of(columns.select(columns["sublattice"] == 0))
    probability = np.where(columns["sublattice"] == 0, (columns["species"] == "Re").astype(float), np.nan)
    return columns, probability, lattice_shells(columns, lattice)


def alloy(share, order, seed, size=62.0):
    """A window on an alloy with planted order, as far inside it as order reaches."""
    rng = np.random.default_rng(seed)
    specimen = grow(dichalcogenide(), (120.0, 120.0), orientation=0.2)
    specimen = ordered_substitutions(specimen, share, "Re", 0, rng, order=order)
    inside = (np.abs(specimen.yx - 60) < size / 2).all(axis=1) & (specimen.sublattice == 0)
    yx = (specimen.yx[inside] - 60 + size / 2) / 0.12
    columns = Columns(yx, (520, 520), 0.12, {"sublattice": np.zeros(inside.sum(), int)})
    shells = lattice_shells(columns, lattice_of(columns))
    probability = (specimen.species[inside] == "Re").astype(float)
    return columns, probability, shells, warren_cowley(specimen, 0, "Re")
