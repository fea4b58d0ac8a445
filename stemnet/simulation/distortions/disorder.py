"""Disorder: random displacements, of heat and of atoms that do not fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from stemnet.errors import StemnetError
from stemnet.simulation.crystal import ATOMIC_NUMBERS, composition
from stemnet.simulation.deformation import Vector
from stemnet.simulation.distortions.elastic import random_waves
from stemnet.simulation.distortions.spread import widened
from stemnet.simulation.specimen import Specimen


def thermal_disorder(specimen: Specimen, rms: float, rng: np.random.Generator) -> Specimen:
    """Displace every column at random: static disorder of `rms` [A] an axis."""
    return specimen.displaced(rng.normal(0, rms, specimen.yx.shape))


def frozen_phonons(
    specimen: Specimen,
    rms: float | Mapping[str, float],
    rng: np.random.Generator,
    snapshots: int = 1,
) -> Specimen:
    """Let the atoms of every column vibrate, each on its own (Einstein's model), and take some snapshots.

    A column of n atoms (repeats) over m snapshots shows the mean of n m
    positions: it stands off its site by rms / sqrt(n m), and its atoms are
    spread about that by rms^2 (1 - 1 / (n m)). A recorded image averages over as
    many snapshots as electrons hit a column, so that for a dose of any use the
    shift is small and the smearing is all; one snapshot is a sheet in an
    instant. The spread adds to ``spread_..._A2``: a microscope whose `smearing`
    stands for the heat of all columns should have none then.

    Parameters
    ----------
    specimen : Specimen
    rms : float or mapping of str to float
        Amplitude per axis [A], sqrt(B / (8 pi^2)) of a Debye-Waller factor B
        [A^2]; by column (``"S2"``) or by element, of which the heaviest in a
        column is taken.
    rng : numpy.random.Generator
    snapshots : int

    Returns
    -------
    Specimen
        With ``thermal_y_A`` and ``thermal_x_A``, the shift, and ``thermal_rms_A``
        planted; all are of columns, none is a function of place.

    Raises
    ------
    StemnetError
        If an amplitude is missing or the number of snapshots is not positive.
    """
    if snapshots < 1:
        raise StemnetError(f"{snapshots} snapshots were asked for; give 1 or more.")
    names, index = np.unique(specimen.species, return_inverse=True)
    amplitude = np.array([_amplitude(rms, str(name)) for name in names])[index] if len(names) else np.zeros(0)
    atoms = np.maximum(specimen.thickness, 1.0) * snapshots
    shift = rng.normal(0, 1, specimen.yx.shape) * (amplitude / np.sqrt(atoms))[:, None]
    left = (amplitude**2 * (1 - 1 / atoms))[:, None, None] * np.eye(2)
    moved = widened(specimen.displaced(shift), left)
    return moved.with_planted(thermal_y_A=shift[:, 0], thermal_x_A=shift[:, 1], thermal_rms_A=amplitude)


def _amplitude(rms: float | Mapping[str, float], name: str) -> float:
    if not isinstance(rms, Mapping):
        return float(rms)
    if name in rms:
        return float(rms[name])
    heaviest = max(composition(name), key=ATOMIC_NUMBERS.__getitem__)
    if heaviest not in rms:
        raise StemnetError(
            f"No amplitude is given for the column {name}; give one for {name} or for {heaviest}, its heaviest element."
        )
    return float(rms[heaviest])


def correlated_disorder(specimen: Specimen, rms: float, length: float, rng: np.random.Generator) -> Specimen:
    """Displace columns at random but neighbors alike, as long sound waves do, caught in an instant.

    Parameters
    ----------
    specimen : Specimen
    rms : float
        Per axis [A].
    length : float
        Displacements at a distance r correlate as exp(-r^2 / (2 length^2)) [A].
    rng : numpy.random.Generator

    Returns
    -------
    Specimen
        Deformed: the strain is rms / length, and `with_strain` plants it.
    """
    return specimen.deformed(random_waves(rms, length, rng))


@dataclass(frozen=True)
class Pushes:
    """Matter pushed away from points: sum of strength (r - c) / (|r - c|^2 + core^2), faded out at a cutoff.

    Parameters
    ----------
    centers : tuple of tuple, shape (P, 2)
        [A]
    strengths : tuple of float, shape (P,)
        [A^2]; negative ones pull.
    core : float
        Within which the push does not rise any further [A].
    cutoff : float
        [A]; the field is multiplied by (1 - (r / cutoff)^2)^2.
    """

    centers: tuple[Vector, ...]
    strengths: tuple[float, ...]
    core: float
    cutoff: float

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Displacements [A], (N, 2)."""
        yx, total = np.asarray(yx, dtype=float), np.zeros((len(yx), 2))
        if not self.centers or not len(yx):
            return total
        centers, strengths = np.array(self.centers), np.array(self.strengths)
        near = cKDTree(yx).sparse_distance_matrix(cKDTree(centers), self.cutoff, output_type="coo_matrix")
        offset = yx[near.row] - centers[near.col]
        squared = (offset**2).sum(1)
        push = strengths[near.col] / (squared + self.core**2) * (1 - squared / self.cutoff**2) ** 2
        for axis in (0, 1):
            total[:, axis] = np.bincount(near.row, push * offset[:, axis], minlength=len(yx))
        return total


def size_mismatch(
    specimen: Specimen,
    misfits: Mapping[str, float],
    *,
    neighbor: float,
    cutoff: float | None = None,
) -> Specimen:
    """Let columns that are too large push their neighbors away, those too small pull them in.

    The displacement falls off as 1/r, that of a center of dilatation in a
    foil, and ends at a cutoff. The column itself stays, but for what others do to it.

    Parameters
    ----------
    specimen : Specimen
    misfits : mapping of str to float
        How far a column of this species pushes a neighbor at distance `neighbor` [A].
    neighbor : float
        [A]
    cutoff : float, optional
        [A]; six neighbor distances if it is not given.

    Returns
    -------
    Specimen
        Deformed, so that `with_strain` plants the strain, with ``mismatch_y_A``
        and ``mismatch_x_A`` planted as values of the columns.

    Raises
    ------
    StemnetError
        If the cutoff is not beyond the neighbor.
    """
    cutoff = 6 * neighbor if cutoff is None else cutoff
    if not cutoff > neighbor > 0:
        raise StemnetError(
            f"A neighbor at {neighbor:g} A and a cutoff of {cutoff:g} A were given; give a greater cutoff."
        )
    core = neighbor / 2
    scale = (neighbor**2 + core**2) / neighbor / (1 - (neighbor / cutoff) ** 2) ** 2
    strengths = np.zeros(len(specimen))
    for species, push in misfits.items():
        strengths[specimen.species == species] = push * scale
    odd = strengths != 0
    by = Pushes(
        tuple((float(y), float(x)) for y, x in specimen.yx[odd]),
        tuple(strengths[odd].tolist()),
        float(core),
        float(cutoff),
    )
    shift = by(specimen.yx)
    return specimen.deformed(by).with_planted(mismatch_y_A=shift[:, 0], mismatch_x_A=shift[:, 1])
