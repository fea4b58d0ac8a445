"""What speaks against the species that were named: other levels, another lattice, columns too faint to be missed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stemnet.analysis.species import SpeciesAssignment
from stemnet.columns import Columns
from stemnet.descriptors.lattice import Lattice
from stemnet.descriptors.missing_sites import MissingSites
from stemnet.studies.defects_grains import seen_sublattices
from stemnet.studies.janus_composition import atoms_of

OFF = 1.4
"""Factor from which a level is not that of its species: scattering into other angles and tails leave 1.25."""
COMMON = 0.2  # share of a sublattice from which a level is asked
SLANTED, UNEQUAL = (
    15.0,
    1.2,
)  # degrees from 60, and ratio of the sides, beyond what drift makes of a hexagonal cell
CHALCOGENS = ("S", "Se", "Te")


def other_levels(assigned: SpeciesAssignment) -> str:
    """Which level is not as bright as its species would be among the others; empty where all are.

    Parameters
    ----------
    assigned : SpeciesAssignment
    """
    for s, levels in assigned.levels.items():
        for k, name in enumerate(levels.names):
            ratio = float(levels.level[k] / levels.expected[k])
            if levels.weight[k] < COMMON or not np.isfinite(ratio) or 1 / OFF < ratio < OFF:
                continue
            word = "brighter" if ratio > 1 else "darker"
            return (
                f"What is called {name} on sublattice {s} is {word} by a factor of {max(ratio, 1 / ratio):.2g} than "
                f"{name} would be beside the others (Z^{assigned.exponent:.2g}): these seem to be other species than "
                "were named. Name those that are there: study.method.species."
            )
    return ""


def other_lattice(lattice: Lattice | None, assigned: SpeciesAssignment) -> str:
    """Whether layers of a dichalcogenide were named for a crystal that is not hexagonal; empty where not."""
    layered = any(_chalcogen(name) for name in assigned.names)
    if lattice is None or not layered:
        return ""
    first, second = (float(np.linalg.norm(one)) for one in lattice.vectors)
    cosine = abs(float(lattice.vectors[0] @ lattice.vectors[1])) / (first * second)
    angle, ratio = float(np.degrees(np.arccos(min(cosine, 1.0)))), max(first / second, second / first)
    if abs(angle - 60) < SLANTED and ratio < UNEQUAL:
        return ""
    return (
        f"The cell has an angle of {angle:.0f} degrees and sides of 1 to {ratio:.2f}, no hexagonal one as layers of a "
        "dichalcogenide have: the species are those that were named, whatever the crystal is of."
    )


def missed_reliably(columns: Columns, sites: MissingSites) -> tuple[MissingSites, list[str]]:
    """Sites of those sublattices whose columns are not overlooked, and a note about the others.

    Parameters
    ----------
    columns : Columns
        With ``sublattice``.
    sites : MissingSites
        Of these columns, in one grain.
    """
    label = np.asarray(columns["sublattice"])
    seen = seen_sublattices(columns, label, np.zeros(int(label.max(initial=-1)) + 1, int))
    faint = [s for s in sites.sites if s < len(seen) and not seen[s]]
    if not faint:
        return sites, []
    kept = ~np.isin(sites.sublattice, faint)
    names = ("yx", "sublattice", "grain", "cells", "probability", "overlooked", "light", "light_error")
    rest = {s: number for s, number in sites.sites.items() if s not in faint}
    told = replace(sites, **{name: getattr(sites, name)[kept] for name in names}, sites=rest)
    return told, [
        f"Columns missing on sublattice {', '.join(map(str, faint))} are not told: its columns are too faint to be "
        "found reliably."
    ]


def _chalcogen(name: str) -> bool:
    """Whether a column of this name holds chalcogens and nothing else."""
    return sum(atoms_of(name, one) for one in CHALCOGENS) == atoms_of(name) > 0
