"""Mistilt: a beam that is not quite along the columns shifts them against each other."""

from __future__ import annotations

import numpy as np

from stemnet.errors import StemnetError
from stemnet.simulation.depth import Decay, decay_of, depth_variance, mean_depth
from stemnet.simulation.distortions.spread import along, widened
from stemnet.simulation.quantities.fields import as_quantity
from stemnet.simulation.specimen import Quantity, Specimen


def mistilted(
    specimen: Specimen,
    tilt: tuple[float | Quantity, float | Quantity],
    decay: Decay,
    period: float,
    guiding: float = 0.0,
) -> Specimen:
    """Look at columns at a small angle: the classic artefact of polarization maps.

    A column of thickness t under a tilt theta projects as a line of length
    t tan(theta). What it contributes falls with depth as exp(-mu z), sooner in
    heavy columns (see `stemnet.simulation.depth`), so that the line's centroid
    lies at tan(theta) times the mean depth

        1 / mu - t / (exp(mu t) - 1),

    closer to the entrance surface for the heavier sublattice: an apparent polar
    shift. The line's variance, tan(theta)^2 times that of the depth, widens
    the column along the tilt. Positions are given against the projection of
    the foil's middle (half the mean thickness), so that the lattice as a whole stays.

    This is geometry. Multislice agrees with it to some 4 nm; in thicker foils a
    beam that channels follows its column, which then appears where it meets
    the entrance surface. `guiding` takes that share of the geometric shift
    away: of SrTiO3 20 nm thick about 1.3, a small offset of the other sign
    (docs/physics.md). Intensity that hops between columns is left out.

    Parameters
    ----------
    specimen : Specimen
    tilt : tuple of float or Quantity
        Angle of the columns to the beam [rad], towards y and towards x: to where
        their lower ends point in the image. It may vary over a bent foil.
    decay : float or mapping of str to float
        mu [1/A], by column or by heaviest element.
    period : float
        Of the crystal along the beam [A]; the thickness is that times the repeats,
        those planted as ``repeats`` by `depth.attenuated` if it came first.
    guiding : float
        Share of the geometric shift and widening that channeling undoes.

    Returns
    -------
    Specimen
        With ``mistilt_y_A`` and ``mistilt_x_A`` planted: the part of its
        `displacement` that is no displacement of atoms. They are of columns,
        since they depend on the species; the tilt, ``beam_tilt_y_rad`` and
        ``beam_tilt_x_rad``, is planted as a field too. The widening adds to
        ``spread_..._A2``.

    Raises
    ------
    StemnetError
        If a decay is missing, the period is not positive, or a tilt is 0.5 rad or more.
    """
    if not period > 0:
        raise StemnetError(f"A period of {period:g} A along the beam was given; it must be positive.")
    tilt_y, tilt_x = (as_quantity(angle) for angle in tilt)
    angles = np.stack([tilt_y(specimen.yx), tilt_x(specimen.yx)], 1)
    if np.abs(angles).max(initial=0) >= 0.5:
        raise StemnetError(
            f"A tilt of {np.abs(angles).max():.3g} rad was asked for; columns are seen as such below 0.5 rad, and a "
            "mistilt is a few thousandths. Tilts are in rad, not in mrad."
        )
    mu = decay_of(specimen, decay)
    repeats = np.asarray(specimen.planted.get("repeats", specimen.thickness), dtype=float)
    # Columns that were joined on later have none planted.
    thickness = np.where(np.isnan(repeats), specimen.thickness, repeats) * period
    middle = thickness.mean() / 2 if len(thickness) else 0.0
    slope = (1 - guiding) * np.tan(angles)
    shift = slope * (mean_depth(mu, thickness) - middle)[:, None]
    spread = along(slope * np.sqrt(depth_variance(mu, thickness))[:, None])
    planted = (
        specimen.with_field("beam_tilt_y_rad", tilt_y)
        .with_field("beam_tilt_x_rad", tilt_x)
        .with_planted(mistilt_y_A=shift[:, 0], mistilt_x_A=shift[:, 1])
    )
    return widened(planted.displaced(shift), spread)
