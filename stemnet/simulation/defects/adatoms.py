"""Atoms too many: on top of a crystal, or between its columns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import Voronoi, cKDTree

from stemnet.errors import StemnetError
from stemnet.simulation.crystal import composition, formula
from stemnet.simulation.defects.pieces import first_shell, in_order, spread_out
from stemnet.simulation.defects.point import marked
from stemnet.simulation.quantities.regions import Vector
from stemnet.simulation.specimen import Specimen, joined

SITES = ("top", "bridge", "hollow", "anywhere")


@dataclass(frozen=True)
class Misfits:
    """Matter pushed away from points: u = strength r / (r^2 + core^2) from each, as from a line of dilatation.

    The plane-strain field of a misfitting inclusion falls as 1/r (Eshelby,
    Proc. R. Soc. Lond. A 241, 376, 1957, for the inclusion in general).

    Parameters
    ----------
    centers : tuple of tuple, shape (M, 2)
        [A]
    strength : float
        [A^2]; negative to pull.
    core : float
        Within which the push ends [A].
    """

    centers: tuple[Vector, ...]
    strength: float
    core: float

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Displacements [A], (N, 2)."""
        total = np.zeros((len(yx), 2))
        for center in self.centers:
            away = np.asarray(yx) - np.array(center)
            total += away * (self.strength / ((away**2).sum(1) + self.core**2))[:, None]
        return total


def with_atoms(
    species: np.ndarray, thickness: np.ndarray, added: np.ndarray, atoms: np.ndarray
) -> np.ndarray:
    """Formulas of columns on which more was put: per repeat, the share of it that each repeat gets.

    Parameters
    ----------
    species : ndarray of str, shape (N,)
    thickness : ndarray, shape (N,)
        [repeats]
    added : ndarray of str, shape (N,)
        Formulas of what comes on top.
    atoms : ndarray, shape (N,)
        How many of these formulas.

    Returns
    -------
    ndarray of str, shape (N,)
    """
    share = np.round(np.asarray(atoms) / np.asarray(thickness), 4).astype(str)
    kinds, which = np.unique(np.stack([species, added, share], 1).astype(str), axis=0, return_inverse=True)
    names = []
    for below, above, times in kinds:
        together = composition(str(below))
        for element, count in composition(str(above)).items():
            together[element] = together.get(element, 0.0) + count * float(times)
        names.append(formula(together))
    return np.array(names)[which.ravel()] if len(kinds) else np.asarray(species)


def sites_on(specimen: Specimen, site: str, sublattice: int | None = None) -> np.ndarray:
    """Where an atom may sit on a crystal, (M, 2) [A].

    Parameters
    ----------
    specimen : Specimen
    site : str
        ``top`` of a column, ``bridge`` between two nearest ones, or ``hollow``,
        the widest gaps.
    sublattice : int, optional
        Only columns of this sublattice count.

    Returns
    -------
    ndarray, shape (M, 2)

    Raises
    ------
    StemnetError
        If the site is another one, or there are too few columns for it.
    """
    yx = specimen.yx if sublattice is None else specimen.yx[specimen.sublattice == sublattice]
    if site == "top":
        return yx
    if site not in SITES or site == "anywhere":
        raise StemnetError(f"'{site}' is not a site on a crystal; choose top, bridge or hollow.")
    reach = first_shell(yx)
    if site == "bridge":
        pairs = cKDTree(yx).query_pairs(reach, output_type="ndarray")
        return yx[in_order(pairs)].mean(1)
    if len(yx) < 4:
        raise StemnetError(f"A hollow was looked for among {len(yx)} columns; it takes four or more.")
    corners = Voronoi(yx).vertices
    inside = np.all((corners >= yx.min(0)) & (corners <= yx.max(0)), axis=1)
    corners = in_order(np.round(corners[inside] - yx.min(0), 6)) + yx.min(0)
    gap = cKDTree(yx).query(corners)[0]
    # The rim and holes have wider gaps than the lattice has: the most common wide one counts.
    wide = gap[gap < 2 * np.median(gap)]
    corners = corners[np.abs(gap / np.quantile(wide, 0.9) - 1) < 0.1] if len(wide) else corners[:0]
    # The corners of a symmetric gap fall together, to the last digits.
    return corners[spread_out(corners, 0.1 * reach, -np.arange(len(corners)))]


def adatoms(
    specimen: Specimen,
    fraction: float,
    species: str,
    rng: np.random.Generator,
    *,
    site: str = "top",
    sublattice: int | None = None,
    separation: float = 2.0,
) -> Specimen:
    """Put single atoms on a crystal.

    Parameters
    ----------
    specimen : Specimen
    fraction : float
        Share of the sites; ``anywhere``, of the number of columns.
    species : str
        Formula of what is added.
    rng : numpy.random.Generator
    site : str
        ``top`` of columns, ``bridge``, ``hollow``, or ``anywhere``.
    sublattice : int, optional
        Only sites of this sublattice.
    separation : float
        Adatoms closer than this to another are not added [A].

    Returns
    -------
    Specimen
        With ``adatom`` planted, 1 for columns of an adatom and for those that
        hold one on top. These have it in their formula: an atom on five
        repeats of Sr makes ``"Pt0.2Sr"`` of them.
    """
    if site == "anywhere":
        places = rng.uniform(specimen.yx.min(0), specimen.yx.max(0), (len(specimen), 2))
    else:
        places = sites_on(specimen, site, sublattice)
    places = places[rng.random(len(places)) < fraction]
    places = places[spread_out(places, separation, rng.random(len(places)))]
    flags = (
        np.zeros(len(specimen), dtype=int) if "adatom" not in specimen.planted else specimen.planted["adatom"]
    )
    below = specimen.with_planted(adatom=flags)
    if site == "top":
        rows = cKDTree(specimen.yx).query(places)[1]
        names, flag = specimen.species.astype(object), flags.copy()
        one = np.ones(len(rows))
        names[rows] = with_atoms(
            specimen.species[rows], specimen.thickness[rows], np.full(len(rows), species), one
        )
        flag[rows] = 1
        return marked(replace(below, species=names.astype(str)).with_planted(adatom=flag), rows, "adatom")
    return _added(below, places, species, "adatom")


def interstitials(
    specimen: Specimen,
    fraction: float,
    species: str,
    rng: np.random.Generator,
    *,
    sublattice: int | None = None,
    push: float = 0.0,
    separation: float = 2.0,
) -> Specimen:
    """Put atoms into the widest gaps between columns, which move out of their way.

    Parameters
    ----------
    specimen : Specimen
    fraction : float
        Share of the gaps.
    species : str
    rng : numpy.random.Generator
    sublattice : int, optional
        Gaps between the columns of this sublattice.
    push : float
        How far the nearest columns go [A]; the farther ones less, as 1/r.
    separation : float
        Least distance between two interstitials [A].

    Returns
    -------
    Specimen
        With ``adatom`` planted, 1 for the added ones.
    """
    places = sites_on(specimen, "hollow", sublattice)
    places = places[rng.random(len(places)) < fraction]
    places = places[spread_out(places, separation, rng.random(len(places)))]
    full = _added(
        specimen.with_planted(adatom=np.zeros(len(specimen), dtype=int)), places, species, "interstitial"
    )
    if push == 0 or not len(places):
        return full
    gap = float(np.median(cKDTree(specimen.yx).query(places)[0]))
    centers = tuple((float(y), float(x)) for y, x in places)
    # Half the gap as core: the nearest columns, at one gap, then go by 0.8 strength / gap.
    return full.deformed(Misfits(centers, push * gap / 0.8, gap / 2))


def _added(specimen: Specimen, yx: np.ndarray, species: str, name: str) -> Specimen:
    """Add single atoms, one of the formula each, which belong to no lattice."""
    composition(species)
    new = Specimen(
        yx=yx,
        species=np.full(len(yx), species),
        sublattice=np.full(len(yx), -1),
        displacement=np.zeros_like(yx),
        thickness=np.ones(len(yx)),
        planted={
            # What is a function of place is known here too.
            **{field: specimen.field_at(field, yx) for field in specimen.fields},
            "adatom": np.ones(len(yx), dtype=int),
        },
    )
    new = marked(new, np.arange(len(yx)), name)
    return joined(marked(specimen, np.zeros(0, dtype=int), ""), new)
