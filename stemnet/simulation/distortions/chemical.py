"""Chemical strain: where the composition changes, the lattice does (Vegard)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.deformation import BentWall, Vector, with_strain
from stemnet.simulation.quantities.fields import Grid, Step
from stemnet.simulation.specimen import Quantity, Specimen

Expansion = float | tuple[Vector, Vector]
"""Stress-free strain per unit of composition: a number, or a symmetric (2, 2) tensor in (y, x)."""
MOST_POINTS = 4_000_000


@dataclass(frozen=True)
class StoredDisplacement:
    """A displacement stored on a grid, with a homogeneous one about a point on top.

    Parameters
    ----------
    y, x : Grid
        Components [A].
    gradient : tuple of tuple, shape (2, 2)
        Of the homogeneous part.
    about : tuple of float
        [A]
    """

    y: Grid
    x: Grid
    gradient: tuple[Vector, Vector]
    about: Vector

    def __call__(self, yx: np.ndarray) -> np.ndarray:
        """Displacements [A], (N, 2)."""
        mean = (np.asarray(yx) - np.array(self.about)) @ np.array(self.gradient).T
        return mean + np.stack([self.y(yx), self.x(yx)], 1)


def relaxed_eigenstrain(eigenstrain: np.ndarray, spacing: float, poisson: float) -> np.ndarray:
    """The periodic displacement with which an elastic foil answers a stress-free strain that varies over it.

    Isotropic elasticity in the plane, the same everywhere, in plane stress,
    solved in Fourier space: K u = -i k . C e0 with K = mu k^2 + (lambda + mu) k k
    (Khachaturyan, Theory of Structural Transformations in Solids, 1983).

    Parameters
    ----------
    eigenstrain : ndarray, shape (H, W, 2, 2)
        Stress-free strain in (y, x); it is taken as periodic, and its mean left out.
    spacing : float
        Of the grid [A].
    poisson : float
        Poisson's ratio.

    Returns
    -------
    ndarray, shape (H, W, 2)
        Displacements [A] of mean 0.
    """
    height, width = eigenstrain.shape[:2]
    ky = 2 * np.pi * np.fft.fftfreq(height, spacing)
    kx = 2 * np.pi * np.fft.rfftfreq(width, spacing)
    k = np.stack(np.broadcast_arrays(ky[:, None], kx[None]), -1)
    # In units of the shear modulus; plane stress replaces lambda by 2 lambda mu / (lambda + 2 mu).
    lame = 2 * poisson / (1 - poisson)
    stress = 2 * eigenstrain + lame * np.trace(eigenstrain, axis1=2, axis2=3)[..., None, None] * np.eye(2)
    force = -1j * np.einsum("hwij,hwj->hwi", np.fft.rfft2(stress, axes=(0, 1)), k)
    square = (k**2).sum(-1)
    square[0, 0] = 1.0
    # The inverse of k^2 1 + (lame + 1) k k.
    length = np.einsum("hwi,hwi->hw", k, force) * (lame + 1) / (lame + 2) / square
    spectrum = (force - length[..., None] * k) / square[..., None]
    spectrum[0, 0] = 0
    return np.fft.irfft2(spectrum, s=(height, width), axes=(0, 1))


def chemical_displacement(
    composition: Quantity,
    low: Vector,
    high: Vector,
    expansion: Expansion,
    reference: float,
    *,
    poisson: float = 0.3,
    spacing: float = 2.0,
    free: bool = True,
) -> StoredDisplacement:
    """Solve for the displacement that a composition makes over a box from `low` to `high` [A].

    Parameters
    ----------
    composition : Quantity
        Smooth on the scale of the grid. Beyond the box its mirror image goes on.
    low, high : tuple of float
        Corners of the box [A]; take a margin around the specimen.
    expansion : float or tuple of tuple
        Stress-free strain per unit of composition.
    reference : float
        Composition of the lattice as grown.
    poisson : float
        Poisson's ratio, below 1.
    spacing : float
        Of the grid [A].
    free : bool
        Whether the box takes its mean strain; otherwise it is held at the
        size of the reference, as by a substrate.

    Returns
    -------
    StoredDisplacement

    Raises
    ------
    StemnetError
        If the grid would be too fine or Poisson's ratio makes no sense.
    """
    if not -1 < poisson < 1:
        raise StemnetError(
            f"A Poisson's ratio of {poisson:g} was asked for; give one between -1 and 1, such as 0.3."
        )
    shape = np.ceil(np.subtract(high, low) / spacing).astype(int) + 1
    if shape.prod() * 4 > MOST_POINTS or (shape < 2).any():
        raise StemnetError(
            f"Chemical strain on a grid of {shape[0]} x {shape[1]} points was asked for; between 2 x 2 and a million "
            "are solved. Change the spacing of the grid."
        )
    places = np.stack(np.meshgrid(*(np.arange(n) * spacing for n in shape), indexing="ij"), -1) + np.array(
        low
    )
    values = composition(places.reshape(-1, 2)).reshape(tuple(shape)) - reference
    tensor = np.array(expansion) if isinstance(expansion, tuple) else expansion * np.eye(2)
    mirrored = np.pad(values, [(0, n - 2) for n in shape], mode="reflect")
    strain = mirrored[..., None, None] * tensor
    mean = strain.mean((0, 1))
    answer = relaxed_eigenstrain(strain - mean, spacing, poisson)[: shape[0], : shape[1]]
    (yy, yx), (xy, xx) = mean.tolist() if free else ((0.0, 0.0), (0.0, 0.0))
    origin = (float(low[0]), float(low[1]))
    y, x = (
        Grid(tuple(map(tuple, part.tolist())), origin, float(spacing)) for part in np.moveaxis(answer, -1, 0)
    )
    middle = np.add(low, high) / 2
    return StoredDisplacement(y, x, ((yy, yx), (xy, xx)), (float(middle[0]), float(middle[1])))


def chemically_strained(
    specimen: Specimen,
    composition: Quantity,
    expansion: Expansion,
    reference: float,
    *,
    poisson: float = 0.3,
    spacing: float = 2.0,
    margin: float = 30.0,
    free: bool = True,
) -> Specimen:
    """Strain a specimen as its composition asks, as far as the coherent lattice lets it.

    Parameters
    ----------
    specimen : Specimen
        Its species are not changed: mix them by the same quantity.
    composition, expansion, reference, poisson, spacing, free
        As in `chemical_displacement`.
    margin : float
        Around the specimen, for the box that is solved [A].

    Returns
    -------
    Specimen
        With ``composition`` and the strain (`deformation.STRAIN_FIELDS`) planted.

    Raises
    ------
    StemnetError
        As `chemical_displacement`.
    """
    low, high = specimen.yx.min(0) - margin, specimen.yx.max(0) + margin
    by = chemical_displacement(
        composition,
        (float(low[0]), float(low[1])),
        (float(high[0]), float(high[1])),
        expansion,
        reference,
        poisson=poisson,
        spacing=spacing,
        free=free,
    )
    return with_strain(specimen.with_field("composition", composition).deformed(by))


def chemical_interface(
    specimen: Specimen, composition: Step, expansion: float, *, poisson: float = 0.3
) -> Specimen:
    """Strain a film on a substrate whose composition steps across a flat interface, in closed form.

    The film takes the substrate's lattice along the interface and, in a thin
    foil, expands along its normal by (1 + poisson) times its stress-free
    strain. Where the composition is ``composition.before`` the lattice is as it is.

    Parameters
    ----------
    specimen : Specimen
    composition : Step
    expansion : float
        Stress-free strain per unit of composition.
    poisson : float
        Poisson's ratio.

    Returns
    -------
    Specimen
        With ``composition`` and the strain (`deformation.STRAIN_FIELDS`) planted.
    """
    unit = np.array(composition.normal) / np.hypot(*composition.normal)
    jump = (1 + poisson) * expansion * (composition.after - composition.before) * unit
    wall = BentWall(
        (float(jump[0]), float(jump[1])),
        (float(unit[0]), float(unit[1])),
        composition.through,
        composition.width,
    )
    return with_strain(specimen.with_field("composition", composition).deformed(wall))
