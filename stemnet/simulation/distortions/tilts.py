"""Tilts of the octahedra of a perovskite, as they project along [001] of its pseudocubic cell."""

from __future__ import annotations

import re

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.crystal import composition, scattering
from stemnet.simulation.distortions.lattice import carried, cell_vectors, indices
from stemnet.simulation.distortions.spread import along, widened
from stemnet.simulation.quantities.fields import Constant, Product, as_quantity
from stemnet.simulation.specimen import Quantity, Specimen

OXYGENS = {2: 1, 3: 0}
"""Sites of `crystal.perovskite` along [001] of oxygen alone, and the cell vector towards their B column."""
B_SITE, A_SITE = 1, 0


def tilted_octahedra(
    specimen: Specimen,
    glazer: str,
    angles: tuple[float, float, float],
    *,
    share: float | Quantity = 1.0,
    antipolar: float = 0.0,
) -> Specimen:
    """Tilt the octahedra of a perovskite that was grown along [001] in a pattern of Glazer's.

    The letters stand for the axes of the cell: its first and second vector (y
    and x), then the beam. Neighboring octahedra turn oppositely across an axis;
    along it equally (+) or oppositely (-) (Glazer, Acta Cryst. B 28, 3384,
    1972). Only what projects is shown:

    - **about the beam, +** (a0a0c+): every second octahedron turns forwards,
      the others backwards. The oxygen columns move, and the cell is doubled to
      sqrt(2) x sqrt(2).
    - **about the beam, -** (a0a0c-): the layers turn by turns, the oxygen
      columns stay where they are and split along the same direction; the
      variance of that is added to ``spread_..._A2``.
    - **about an axis in the image**: the oxygen above and below a B cation
      moves across the axis, by turns along the beam. Those of the BO column
      split, but hardly count in its brightness: only the spread is planted,
      weighted by the oxygen's share of the number of atoms' scattering, Z^1.7.
      The oxygen columns beside it move along the beam, which is not seen.

    The cell keeps its size: corner-sharing octahedra that turn by phi would
    shrink it by cos(phi), which is left to a deformation.

    Parameters
    ----------
    specimen : Specimen
        A `crystal.perovskite` along [001], strained and turned or not.
    glazer : str
        Such as ``"a0a0c+"`` or ``"a-a-c+"``: letter and sign of each axis.
    angles : tuple of float
        Tilt about each of the three axes [rad]; 0 where the sign is 0.
    share : float or Quantity
        Of the angles, as a function of place.
    antipolar : float
        Shift of the A columns that goes with tilts of the type a-a-c+ (Pnma)
        [A]. A cations shift across the axis of the + tilt, by turns along
        it, along a diagonal of the two others (the one between their positive
        directions). With the + axis in the image
        the rows move by turns, by the projected 1 / sqrt(2) of it; with the +
        axis along the beam the shifts cancel and only spread the A columns.

    Returns
    -------
    Specimen
        With ``tilt_rad`` planted as values: the angle about the beam of the
        octahedron of a column's own cell, from +x towards +y, in the first
        layer; ``tilt_amplitude_rad`` as values of the sites and as a field,
        without the alternating sign; and ``antipolar_y_A``, ``antipolar_x_A``
        where `antipolar` is not 0.

    Raises
    ------
    StemnetError
        If the symbol cannot be read or contradicts the angles, the specimen is
        no perovskite, or antipolar shifts do not go with the tilts.
    """
    signs = _signs(glazer, angles)
    if (
        set(np.unique(indices(specimen)[:, 2])) != {A_SITE, B_SITE, *OXYGENS}
        or (specimen.sublattice < 0).any()
    ):
        raise StemnetError(
            "Octahedra can be tilted in a perovskite grown along [001], with sites A, BO, O and O; this specimen "
            "has others. Grow crystal.perovskite with axis '001', and tilt before grains are joined."
        )
    share = as_quantity(share)
    there, cell = share(specimen.yx), cell_vectors(specimen)
    local = [carried(specimen, vector) for vector in cell]
    site = indices(specimen)[:, 2]
    checker = 1 - 2 * (indices(specimen)[:, :2].sum(1) % 2)
    amplitude = Product(share, Constant(angles[2]))
    planted = specimen.with_field("tilt_amplitude_rad", amplitude).with_planted(
        tilt_rad=amplitude(specimen.yx) * checker
    )
    # A turn about the beam from +x towards +y takes an arm (y, x) to (y + x phi, x - y phi).
    shift, variance = np.zeros_like(specimen.yx), np.zeros((len(specimen), 2, 2))
    for oxygen, leading in OXYGENS.items():
        arm = -local[leading] / 2
        turned = np.stack([arm[:, 1], -arm[:, 0]], 1) * (np.tan(amplitude(specimen.yx)) * checker)[:, None]
        turned[site != oxygen] = 0
        if signs[2] == "+":
            shift = shift + turned
        elif signs[2] == "-":
            variance = variance + along(turned)
    light = _oxygen_share(specimen)
    # The arm along the beam, as long as half a cell vector, leans across the axis, by turns along the beam:
    # about y towards +x, about x towards -y. The turns along both other axes are those that shared corners force.
    lean = np.zeros_like(specimen.yx)
    for axis, way in ((0, 1), (1, -1)):
        turns = checker if signs[axis] == "-" else 1 - 2 * (indices(specimen)[:, 1 - axis] % 2)
        lean = lean + way * local[1 - axis] / 2 * (np.tan(there * angles[axis]) * turns)[:, None]
    lean = lean * (np.sqrt(light) * (site == B_SITE))[:, None]
    variance = variance + along(lean)
    if antipolar:
        diagonal, rows = _antipolar(signs, glazer)
        if rows is None:
            vectors = sum(
                w * v / np.linalg.norm(v, axis=1, keepdims=True) for w, v in zip(diagonal, local, strict=True)
            )
            moved = vectors * (antipolar * there * (site == A_SITE))[:, None]
            variance, moved = variance + along(moved), np.zeros_like(moved)
        else:
            unit = local[1 - rows] / np.linalg.norm(local[1 - rows], axis=1, keepdims=True)
            turns = (1 - 2 * (indices(specimen)[:, rows] % 2)) * (site == A_SITE)
            moved = unit * (antipolar / np.sqrt(2) * there * turns)[:, None]
        planted = planted.with_planted(antipolar_y_A=moved[:, 0], antipolar_x_A=moved[:, 1])
        shift = shift + moved
    return widened(planted.displaced(shift), variance)


def _signs(glazer: str, angles: tuple[float, float, float]) -> tuple[str, str, str]:
    found = re.fullmatch(r"([abc])([0+-])([abc])([0+-])([abc])([0+-])", glazer)
    if not found:
        raise StemnetError(
            f"'{glazer}' is not a tilt system of Glazer's; write a letter and a sign of 0, + or - for each axis, "
            "such as a0a0c+."
        )
    a, first, b, second, c, third = found.groups()
    letters, signs = (a, b, c), (first, second, third)
    for sign, angle in zip(signs, angles, strict=True):
        if (sign == "0") != (angle == 0):
            raise StemnetError(
                f"'{glazer}' does not go with angles of {angles} rad; an axis has an angle of 0 where its sign is 0, "
                "and there only."
            )
    sizes = {
        letter: abs(angle) for letter, sign, angle in zip(letters, signs, angles, strict=True) if sign != "0"
    }
    if any(
        not np.isclose(abs(angle), sizes[letter])
        for letter, sign, angle in zip(letters, signs, angles, strict=True)
        if sign != "0"
    ):
        raise StemnetError(
            f"'{glazer}' says that axes of one letter have equal angles, but {angles} rad were given; make them equal, "
            "or name the axes differently."
        )
    return signs


def _antipolar(signs: tuple[str, str, str], glazer: str) -> tuple[tuple[float, float], int | None]:
    """Direction of the shift, and the in-plane axis along which it alternates (None: the beam)."""
    if sorted(signs) != ["+", "-", "-"]:
        raise StemnetError(
            f"Antipolar shifts go with one in-phase and two antiphase tilts, not with '{glazer}'; use a symbol such "
            "as a-a-c+ or a+b-b-, or leave them out."
        )
    half = float(np.sqrt(0.5))
    rows = signs.index("+")
    return (half, half), None if rows == 2 else rows


def _oxygen_share(specimen: Specimen) -> np.ndarray:
    """How much of a column's brightness the oxygen makes, (N,)."""
    names, index = np.unique(specimen.species, return_inverse=True)
    shares = [composition(str(name)).get("O", 0.0) for name in names]
    return (np.array(shares) * scattering(["O"], 1.7)[0] / scattering(names, 1.7))[index]
