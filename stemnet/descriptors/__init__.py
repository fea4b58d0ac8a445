"""From columns to numbers: one row per column, with names, units and a mask.

Add a descriptor as a function that returns a `Descriptors` table.
"""

from stemnet.descriptors.geometry import bond_angles, bond_lengths
from stemnet.descriptors.indices import lattice_indices
from stemnet.descriptors.lattice import Lattice, find_lattice
from stemnet.descriptors.motif import Motif, find_motif, resemblance
from stemnet.descriptors.neighbors import neighbor_vectors
from stemnet.descriptors.sublattices import assign_sublattices
from stemnet.descriptors.table import Descriptors

__all__ = [
    "Descriptors",
    "Lattice",
    "Motif",
    "assign_sublattices",
    "bond_angles",
    "bond_lengths",
    "find_lattice",
    "find_motif",
    "lattice_indices",
    "neighbor_vectors",
    "resemblance",
]
