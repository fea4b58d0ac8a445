"""From a crystal structure to its columns along any zone axis."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from stemnet.errors import StemnetError
from stemnet.simulation.crystal import Crystal, formula, scattering
from stemnet.simulation.lattice import completed, primitive, reduced
from stemnet.simulation.structure import Structure
from stemnet.simulation.zone_axis import Axis, written, zone_axis

LONGEST_PERIOD = 60.0
"""Along an axis with a longer repeat than this there are no columns to speak of [A]."""

BRIGHTNESS = 1.7
"""Exponent of the atomic number that weighs atoms within a column, and orders sublattices."""


def project(
    structure: Structure, axis: Axis, *, merge: float = 0.35, name: str | None = None, up: Axis | None = None
) -> Crystal:
    """See a crystal along a zone axis.

    The beam travels along u a + v b + w c, in any crystal system, and the image
    is what one sees looking along it: x to the right, y down, and x, y and the
    beam are right-handed. The shorter vector of the projected cell lies along
    +x and the other one points down (y > 0), at 90 to 120 degrees where the
    lattice leaves a choice; of equally short vectors the one is taken that goes
    furthest along the projection of a, then of b, then of c. The origin is the
    projected origin of the structure's cell.

    Lattice translations that the structure's cell hides (centering) are found
    first, so that the period is the shortest repeat along the beam; then the
    projection may repeat in a smaller cell yet (screw axes, glide planes along
    the beam), which is found too.

    Atoms are ideal and at rest: how far the atoms of a column lie off its axis
    is not kept.

    Parameters
    ----------
    structure : Structure
    axis : str or sequence of int
        Zone axis [uvw], or [uvtw] for hexagonal cells, as in `zone_axis`.
    merge : float
        Atoms whose projections are all closer than this to each other are one
        column [A], at their mean weighted by Z^1.7.
    name : str, optional
        The structure's name with the axis, if it is not given.
    up : str or sequence of int, optional
        Direction of the crystal whose projection points up in the image,
        instead of the rule for x above.

    Returns
    -------
    Crystal
        Species are formulas of what a column holds in one period, with
        fractions where sites are mixed or not always filled. Columns of the
        same contents and the same crystallographic sites share a sublattice,
        numbered from 0, the brightest (Z^1.7).

    Raises
    ------
    StemnetError
        If the axis is no direction of this cell, its period is above 60 A, a
        sheet is to be seen from another side than along c, or `up` is along
        the beam.
    """
    uvw = zone_axis(axis, structure.cell)
    if structure.sheet and (uvw[0] or uvw[1]):
        raise StemnetError(
            f"{structure.name} is a single sheet and was to be seen along {written(axis)}; a sheet is seen along "
            "'001'. To project it as a bulk crystal, read it with sheet=False."
        )
    _, named = np.unique([formula(atom) for atom in structure.contents], return_inverse=True)
    labels = named * (structure.kinds.max() + 1) + structure.kinds
    cell, fractional, rows = primitive(structure.cell, structure.fractional, labels)
    beam = np.array(uvw) @ structure.cell
    steps = beam @ np.linalg.inv(cell)
    whole = np.round(steps).astype(int)
    basis = completed(whole // np.gcd.reduce(whole)) @ cell
    period = float(np.linalg.norm(basis[2]))
    if period > LONGEST_PERIOD and not structure.sheet:
        raise StemnetError(
            f"{structure.name} repeats along {written(axis)} after {period:.1f} A only, too long for columns "
            f"({LONGEST_PERIOD:g} A is the most); choose a zone axis of lower indices."
        )
    frame = _frame(beam, structure.cell, basis, up, structure.name)
    plane = np.stack(reduced(*(basis[:2] @ frame.T)))
    places = fractional @ cell @ frame.T
    held = [structure.contents[row] for row in rows]
    columns, group = _columns(plane, places, scattering([formula(atom) for atom in held], BRIGHTNESS), merge)
    species = np.array(
        [_together([held[i] for i in np.flatnonzero(group == g)]) for g in range(len(columns))]
    )
    kinds = [tuple(sorted(set(structure.kinds[rows[group == g]]))) for g in range(len(columns))]
    sublattice = _brightest_first(species, kinds)
    plane, sites, kept = primitive(plane, columns @ np.linalg.inv(plane), sublattice)
    turned = plane if up is not None else plane @ _along_x(plane, structure.cell @ frame.T).T
    flat, sites = _settled(turned, sites)
    order = np.lexsort((*np.round(sites, 6).T[::-1], sublattice[kept]))
    return Crystal(
        name or (structure.name if structure.sheet else f"{structure.name} {written(axis)}"),
        ((float(flat[0, 0]), float(flat[0, 1])), (float(flat[1, 0]), float(flat[1, 1]))),
        tuple((float(first), float(second)) for first, second in sites[order]),
        tuple(str(one) for one in species[kept][order]),
        tuple(int(number) for number in sublattice[kept][order]),
        None if structure.sheet else period,
    )


def _frame(beam: np.ndarray, cell: np.ndarray, basis: np.ndarray, up: Axis | None, name: str) -> np.ndarray:
    """Unit vectors of y and x (2, 3) in the plane that the beam is normal to, right-handed as (x, y, beam)."""
    z = beam / np.linalg.norm(beam)
    if up is None:
        x = basis[0] - (basis[0] @ z) * z
        x = x / np.linalg.norm(x)
        return np.stack([np.cross(z, x), x])
    wanted = np.array(zone_axis(up, cell)) @ cell
    y = -(wanted - (wanted @ z) * z)
    if np.linalg.norm(y) < 1e-6 * np.linalg.norm(wanted):
        raise StemnetError(
            f"The direction {up} that was to point up in the image of {name} is along the beam; give another one."
        )
    y = y / np.linalg.norm(y)
    return np.stack([y, np.cross(y, z)])


def _columns(
    plane: np.ndarray, places: np.ndarray, weights: np.ndarray, merge: float
) -> tuple[np.ndarray, np.ndarray]:
    """Gather atoms into columns: positions (C, 2) [A], and the column of each atom (N,).

    Complete linkage: no two atoms of a column are further apart than `merge`,
    however long a chain of close neighbors may be.
    """
    if len(places) == 1:
        return places, np.zeros(1, dtype=int)
    steps = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1], indexing="ij"), -1).reshape(-1, 2)
    first, second = np.triu_indices(len(places), 1)
    apart = (places[second] - places[first]) @ np.linalg.inv(plane)
    ways = ((apart - np.round(apart))[:, None] + steps) @ plane
    nearest = np.linalg.norm(ways, axis=2).argmin(1)
    step = ways[np.arange(len(ways)), nearest]
    _, group = np.unique(
        fcluster(linkage(np.linalg.norm(step, axis=1), "complete"), merge, "distance"), return_inverse=True
    )
    offsets = np.zeros((len(places), len(places), 2))
    offsets[first, second], offsets[second, first] = step, -step
    head = np.array([np.flatnonzero(group == g)[0] for g in range(group.max() + 1)])
    total = np.bincount(group, weights)
    moved = offsets[head[group], np.arange(len(places))] * weights[:, None]
    mean = np.stack([np.bincount(group, moved[:, axis]) for axis in (0, 1)], 1) / total[:, None]
    return places[head] + mean, group


def _together(atoms: list[Mapping[str, float]]) -> str:
    total: dict[str, float] = {}
    for atom in atoms:
        for element, occupancy in atom.items():
            total[element] = total.get(element, 0.0) + occupancy
    return formula(total)


def _brightest_first(species: np.ndarray, kinds: list[tuple[int, ...]]) -> np.ndarray:
    """Sublattice of each column: one for each contents and set of crystallographic sites."""
    brightness = scattering(species, BRIGHTNESS)
    keys = [(-round(float(b), 6), str(s), k) for b, s, k in zip(brightness, species, kinds, strict=True)]
    number = {key: n for n, key in enumerate(sorted(set(keys)))}
    return np.array([number[key] for key in keys])


def _along_x(plane: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """The rotation (2, 2) of (y, x) vectors that brings the shortest lattice vector to +x."""
    first, second = reduced(*plane)
    ways = np.array(
        [sign * vector for vector in (first, second, first + second, first - second) for sign in (1, -1)]
    )
    lengths = np.linalg.norm(ways, axis=1)
    shortest = ways[lengths < lengths.min() * (1 + 1e-4)]
    reach = np.round(shortest @ cell.T / np.linalg.norm(cell), 5)
    y, x = shortest[np.lexsort(reach.T[::-1])[-1]]
    angle = np.arctan2(y, x)
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine], [sine, cosine]])


def _settled(plane: np.ndarray, sites: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Choose the cell's two vectors as `project` says, and bring the sites into it."""
    first, second = reduced(*plane)
    ways = np.array(
        [sign * vector for vector in (first, second, first + second, first - second) for sign in (1, -1)]
    )
    lengths = np.linalg.norm(ways, axis=1)
    shortest = ways[lengths < lengths.min() * (1 + 1e-4)]
    # (y, x): furthest along +x, then along +y.
    best = shortest[np.lexsort(np.round(shortest, 6).T)[-1]]
    other = second if abs(best[0] * first[1] - best[1] * first[0]) < 1e-6 * (first @ first) else first
    if best[1] * other[0] - best[0] * other[1] < 0:
        other = -other
    other = other - np.round(other @ best / (best @ best) + 1e-6) * best
    cell = np.round(np.stack([best, other]), 12) + 0.0
    moved = sites @ plane @ np.linalg.inv(cell)
    moved = np.round(moved - np.floor(moved + 1e-7), 9)
    return cell, moved + 0.0
